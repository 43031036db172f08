//! Sessions that are given to somebody, with what was said about it.

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
    // A session that is gone for good leaves what was said about it, and nothing to take: its id may come again.
    "CREATE TABLE handoff (
        id {text} PRIMARY KEY NOT NULL,
        sender {text} NOT NULL,
        sender_email {text} NOT NULL,
        sender_tier {text} NOT NULL,
        recipient {text} NOT NULL,
        session_id {text} REFERENCES session (id) ON DELETE SET NULL,
        archive_id {text} NOT NULL,
        title {text},
        tool {text} NOT NULL,
        model {text},
        message_count {int} NOT NULL,
        token_count {int} NOT NULL,
        message {text},
        status {text} NOT NULL,
        created_at {int} NOT NULL,
        expires_at {int} NOT NULL,
        viewed_at {int},
        claimed_at {int},
        claimed_by {text},
        claimed_archive {text},
        revoked_at {int},
        reason {text}
    )",
    "CREATE INDEX handoff_inbox ON handoff (recipient, created_at, id)",
    "CREATE INDEX handoff_sent ON handoff (sender, created_at, id)",
    "CREATE INDEX handoff_session ON handoff (session_id)",
    "CREATE INDEX handoff_pending ON handoff (expires_at) WHERE status = 'pending'",
    "CREATE TABLE handoff_event (
        handoff_id {text} NOT NULL REFERENCES handoff (id) ON DELETE CASCADE,
        place {int} NOT NULL,
        id {text} NOT NULL,
        kind {text} NOT NULL,
        actor {text},
        note {text},
        at {int} NOT NULL,
        PRIMARY KEY (handoff_id, place)
    )",
    "CREATE TABLE handoff_comment (
        handoff_id {text} NOT NULL REFERENCES handoff (id) ON DELETE CASCADE,
        place {int} NOT NULL,
        id {text} NOT NULL,
        author {text} NOT NULL,
        content {text} NOT NULL,
        at {int} NOT NULL,
        PRIMARY KEY (handoff_id, place)
    )",
];
