//! How people and devices sign in: passwords, browsers, OpenID Connect, device codes and access tokens.

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
    // A PHC string of Argon2id; none: nobody signs in with a password.
    r#"ALTER TABLE "user" ADD COLUMN password {text}"#,
    "ALTER TABLE device_token ADD COLUMN client_version {text} NOT NULL DEFAULT ''",
    "ALTER TABLE device_token ADD COLUMN os {text} NOT NULL DEFAULT ''",
    "ALTER TABLE device_token ADD COLUMN username {text} NOT NULL DEFAULT ''",
    "CREATE TABLE web_session (
        id {text} PRIMARY KEY NOT NULL,
        user_id {text} NOT NULL,
        hash {text} NOT NULL UNIQUE,
        created_at {int} NOT NULL,
        expires_at {int} NOT NULL
    )",
    "CREATE INDEX web_session_user ON web_session (user_id)",
    "CREATE INDEX web_session_end ON web_session (expires_at)",
    "CREATE TABLE external_identity (
        issuer {text} NOT NULL,
        subject {text} NOT NULL,
        user_id {text} NOT NULL,
        created_at {int} NOT NULL,
        PRIMARY KEY (issuer, subject)
    )",
    "CREATE INDEX external_identity_user ON external_identity (user_id)",
    "CREATE TABLE device_code (
        id {text} PRIMARY KEY NOT NULL,
        user_id {text} NOT NULL,
        hash {text} NOT NULL UNIQUE,
        created_at {int} NOT NULL,
        expires_at {int} NOT NULL,
        used_at {int}
    )",
    "CREATE INDEX device_code_user ON device_code (user_id, created_at, id)",
    "CREATE INDEX device_code_end ON device_code (expires_at)",
    "CREATE TABLE access_token (
        id {text} PRIMARY KEY NOT NULL,
        device_id {text} NOT NULL,
        hash {text} NOT NULL UNIQUE,
        created_at {int} NOT NULL,
        expires_at {int} NOT NULL
    )",
    "CREATE INDEX access_token_device ON access_token (device_id, created_at, id)",
    "CREATE INDEX access_token_end ON access_token (expires_at)",
];
