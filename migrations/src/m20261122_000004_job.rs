//! The queue: work to do after a change, written in the transaction of that change.

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
    "CREATE TABLE job (
        id {text} PRIMARY KEY NOT NULL,
        owner {text},
        name {text} NOT NULL,
        kind {text} NOT NULL,
        state {text} NOT NULL,
        attempts {int} NOT NULL,
        run_at {int} NOT NULL,
        due_at {int} NOT NULL,
        again {int} NOT NULL,
        created_at {int} NOT NULL,
        last_error {text}
    )",
    // One job about one thing: `kind` is the whole of what a job is about.
    "CREATE UNIQUE INDEX job_kind ON job (kind)",
    "CREATE INDEX job_due ON job (due_at, id) WHERE state <> 'dead'",
    "CREATE INDEX job_created ON job (created_at, id)",
];
