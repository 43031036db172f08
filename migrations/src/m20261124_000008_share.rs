//! Finding a shared session by the id its client chose, whoever owns it.

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

const STATEMENTS: &[&str] =
    &["CREATE INDEX session_shared ON session (client_id, activity_at, id) WHERE share_status = 'unlisted'"];
