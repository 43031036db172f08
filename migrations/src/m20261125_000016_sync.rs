//! What each account syncs by itself, and how that goes.

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
    "CREATE TABLE sync_setting (
        owner {text} PRIMARY KEY NOT NULL,
        mode {text} NOT NULL,
        debounce_secs {int} NOT NULL
    )",
    "CREATE TABLE sync_watch (
        session_id {text} PRIMARY KEY NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        owner {text} NOT NULL,
        status {text} NOT NULL,
        last_synced_at {int},
        watched_at {int} NOT NULL
    )",
    "CREATE INDEX sync_watch_owner ON sync_watch (owner, watched_at, session_id)",
    "CREATE TABLE sync_health (
        owner {text} PRIMARY KEY NOT NULL,
        watchers {text} NOT NULL,
        reported_at {int} NOT NULL
    )",
];
