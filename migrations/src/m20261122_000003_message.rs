//! Messages with compressed bodies, and the exchanges of a session's markdown.

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
    // The plain columns are what analytics counts by; all else of a message is in the body.
    "CREATE TABLE message (
        session_id {text} NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        ordinal {int} NOT NULL,
        role {text} NOT NULL,
        at {int},
        model {text},
        agent_id {text},
        is_sidechain {int} NOT NULL,
        source_id {text},
        parent_source_id {text},
        input_tokens {int},
        output_tokens {int},
        cache_read_tokens {int},
        cache_write_tokens {int},
        reasoning_tokens {int},
        digest {bytes} NOT NULL,
        body {bytes} NOT NULL,
        PRIMARY KEY (session_id, ordinal)
    )",
    "CREATE TABLE exchange (
        session_id {text} NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        ordinal {int} NOT NULL,
        start_byte {int} NOT NULL,
        end_byte {int} NOT NULL,
        started_at {int},
        ended_at {int},
        user_title {text},
        hidden_from_share {int} NOT NULL,
        PRIMARY KEY (session_id, ordinal)
    )",
];
