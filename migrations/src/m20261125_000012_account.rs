//! What is known of an account beside its address, and who is invited to make one.

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
    r#"ALTER TABLE "user" ADD COLUMN display_name {text}"#,
    r#"ALTER TABLE "user" ADD COLUMN tier {text}"#,
    r#"ALTER TABLE "user" ADD COLUMN email_verified_at {int}"#,
    r#"ALTER TABLE "user" ADD COLUMN disabled_at {int}"#,
    r#"ALTER TABLE "user" ADD COLUMN client_version {text}"#,
    r#"ALTER TABLE "user" ADD COLUMN client_platform {text}"#,
    r#"ALTER TABLE "user" ADD COLUMN client_device {text}"#,
    r#"ALTER TABLE "user" ADD COLUMN last_sync_at {int}"#,
    // Made by an operator or through a provider that had verified them.
    r#"UPDATE "user" SET email_verified_at = created_at"#,
    "CREATE TABLE invite (
        email {text} PRIMARY KEY NOT NULL,
        invited_by {text} NOT NULL,
        created_at {int} NOT NULL,
        expires_at {int} NOT NULL
    )",
];
