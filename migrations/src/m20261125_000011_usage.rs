//! The tokens of answers, so that figures are summed from an index and no message is read.

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

const STATEMENTS: &[&str] = &["CREATE INDEX message_usage ON message (session_id, model, at, input_tokens,
    output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens) WHERE input_tokens IS NOT NULL"];
