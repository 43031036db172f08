//! Files that were imported, so that importing them again is cheap.

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

const STATEMENTS: &[&str] = &["CREATE TABLE import_source (
        owner {text} NOT NULL,
        path {text} NOT NULL,
        size {int} NOT NULL,
        modified_at {int} NOT NULL,
        fingerprint {text} NOT NULL,
        sessions {int} NOT NULL,
        PRIMARY KEY (owner, path)
    )"];
