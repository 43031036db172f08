//! Archives that arrive in parts, and the tags that an archive came with.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::run(manager, STATEMENTS).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        crate::one_way()
    }
}

const STATEMENTS: &[&str] = &[
    "ALTER TABLE archive ADD COLUMN tags {text}",
    // Looked up before a blob is removed.
    "CREATE INDEX archive_digest ON archive (digest)",
    "CREATE TABLE upload (
        id {text} PRIMARY KEY NOT NULL,
        owner {text} NOT NULL,
        archive_id {text} NOT NULL,
        total_bytes {int} NOT NULL,
        digest {text} NOT NULL,
        part_bytes {int} NOT NULL,
        part_count {int} NOT NULL,
        completed_at {int},
        expires_at {int} NOT NULL
    )",
    "CREATE INDEX upload_owner ON upload (owner, expires_at)",
    "CREATE INDEX upload_expires ON upload (expires_at)",
    "CREATE TABLE upload_part (
        upload_id {text} NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
        number {int} NOT NULL,
        digest {text} NOT NULL,
        PRIMARY KEY (upload_id, number)
    )",
    "CREATE INDEX upload_part_digest ON upload_part (digest)",
];
