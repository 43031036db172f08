//! Users, their API keys, their devices, and the version of what each of them can see.

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
    r#"CREATE TABLE "user" (
        id {text} PRIMARY KEY NOT NULL,
        email {text} NOT NULL UNIQUE,
        created_at {int} NOT NULL
    )"#,
    "CREATE TABLE api_key (
        id {text} PRIMARY KEY NOT NULL,
        user_id {text} NOT NULL,
        hash {text} NOT NULL UNIQUE,
        name {text} NOT NULL,
        dialect {text} NOT NULL,
        scopes {text} NOT NULL,
        prefix {text} NOT NULL,
        created_at {int} NOT NULL,
        expires_at {int},
        last_used_at {int},
        revoked_at {int}
    )",
    "CREATE INDEX api_key_user ON api_key (user_id, created_at, id)",
    "CREATE TABLE device_token (
        id {text} PRIMARY KEY NOT NULL,
        user_id {text} NOT NULL,
        hash {text} NOT NULL UNIQUE,
        hostname {text} NOT NULL,
        client {text} NOT NULL,
        created_at {int} NOT NULL,
        expires_at {int} NOT NULL,
        last_used_at {int},
        revoked_at {int}
    )",
    "CREATE INDEX device_token_user ON device_token (user_id, created_at, id)",
    "CREATE TABLE data_version (
        owner {text} PRIMARY KEY NOT NULL,
        version {int} NOT NULL
    )",
];
