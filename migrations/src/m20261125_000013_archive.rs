//! What a session that came as an archive is known by, and what its client said of it.

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
    "CREATE TABLE archive (
        session_id {text} PRIMARY KEY NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        id {text} NOT NULL UNIQUE,
        owner {text} NOT NULL,
        source_tool {text} NOT NULL,
        source_tool_version {text},
        original_id {text},
        model_provider {text},
        model_id {text},
        parent_id {text},
        message_count {int} NOT NULL,
        turn_count {int} NOT NULL,
        tool_use_count {int} NOT NULL,
        input_tokens {int} NOT NULL,
        output_tokens {int} NOT NULL,
        duration_millis {int},
        git_remote {text},
        git_branch {text},
        git_commit {text},
        digest {text} NOT NULL,
        size_bytes {int} NOT NULL,
        uploaded_at {int} NOT NULL,
        deleted_by {text},
        delete_scope {text},
        scan {text}
    )",
    "CREATE INDEX archive_owner ON archive (owner, id)",
];
