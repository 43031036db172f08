//! Summaries of sessions.

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
    // `facts` and `narrative` are JSON: they are only ever read as a whole.
    "CREATE TABLE summary (
        session_id {text} PRIMARY KEY NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        made_of {text} NOT NULL,
        facts {text} NOT NULL,
        made_at {int} NOT NULL,
        narrative {text},
        narrative_model {text},
        narrative_made_at {int}
    )",
];
