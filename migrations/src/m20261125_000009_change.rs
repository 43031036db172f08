//! What changed of sessions, in the order in which it was committed, and jobs that are kept for a day when they are done.

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
    // `version` is the owner's data version. Of several changes in one version the last has the ordinal 0 and those
    // before it count up to that from below, so that a place in the log tells whether its version is complete.
    "CREATE TABLE change (
        owner {text} NOT NULL,
        version {int} NOT NULL,
        ordinal {int} NOT NULL,
        at {int} NOT NULL,
        kind {text} NOT NULL,
        session_id {text} NOT NULL,
        client_id {text} NOT NULL,
        project_key {text} NOT NULL,
        project_id {text} NOT NULL,
        PRIMARY KEY (owner, version, ordinal)
    )",
    // Changes up to this version are not kept any more. Nothing was logged before this table was there.
    "ALTER TABLE data_version ADD COLUMN swept {int} NOT NULL DEFAULT 0",
    "UPDATE data_version SET swept = version",
    "ALTER TABLE job ADD COLUMN finished_at {int}",
    "DROP INDEX job_due",
    "CREATE INDEX job_due ON job (due_at, id) WHERE state IN ('ready', 'running')",
    "CREATE INDEX job_state ON job (state)",
    "CREATE INDEX job_owner ON job (owner, created_at, id)",
    "CREATE INDEX job_finished ON job (finished_at) WHERE finished_at IS NOT NULL",
];
