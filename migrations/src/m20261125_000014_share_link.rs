//! Links that let whoever has one read a session.

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
    // `failures` counts wrong passwords since `failures_since`: in the database, so that neither a restart nor a second
    // server gives a guesser more of them.
    "CREATE TABLE share_link (
        id {text} PRIMARY KEY NOT NULL,
        session_id {text} NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        owner {text} NOT NULL,
        token_hash {text} NOT NULL UNIQUE,
        password_hash {text},
        created_at {int} NOT NULL,
        expires_at {int} NOT NULL,
        revoked_at {int},
        failures {int} NOT NULL DEFAULT 0,
        failures_since {int} NOT NULL DEFAULT 0
    )",
    "CREATE INDEX share_link_session ON share_link (session_id, created_at, id)",
];
