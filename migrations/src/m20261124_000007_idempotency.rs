//! Answers that are kept for a day for the requests that repeat themselves with an idempotency key.

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
    // `key` is a digest of method, path and key: clients choose the latter two, of any length.
    "CREATE TABLE kept_answer (
        owner {text} NOT NULL,
        key {text} NOT NULL,
        request {text} NOT NULL,
        status {int} NOT NULL,
        headers {text} NOT NULL,
        body {bytes} NOT NULL,
        created_at {int} NOT NULL,
        PRIMARY KEY (owner, key)
    )",
    "CREATE INDEX kept_answer_created ON kept_answer (created_at)",
];
