//! Projects with their sums, sessions with what lists sort and filter by, and the labels of sessions.

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
    "CREATE TABLE project (
        key {text} PRIMARY KEY NOT NULL,
        id {text} NOT NULL,
        owner {text} NOT NULL,
        name {text} NOT NULL,
        icon {text} NOT NULL,
        color {text} NOT NULL,
        created_at {int} NOT NULL,
        updated_at {int} NOT NULL,
        last_activity_at {int},
        session_count {int} NOT NULL,
        total_markdown_size {int} NOT NULL,
        total_raw_data_size {int} NOT NULL
    )",
    "CREATE UNIQUE INDEX project_owner ON project (owner, id)",
    "CREATE TABLE session (
        id {text} PRIMARY KEY NOT NULL,
        owner {text} NOT NULL,
        project_key {text} NOT NULL REFERENCES project (key),
        project_id {text} NOT NULL,
        client_id {text} NOT NULL,
        name {text} NOT NULL,
        user_title {text},
        alias {text},
        format {text} NOT NULL,
        parent_client_id {text},
        agent_id {text},
        started_at {int},
        ended_at {int},
        ended_asc {int} NOT NULL,
        ended_desc {int} NOT NULL,
        created_at {int} NOT NULL,
        updated_at {int} NOT NULL,
        activity_at {int} NOT NULL,
        etag {text} NOT NULL,
        markdown_size {int} NOT NULL,
        raw_data_size {int} NOT NULL,
        session_data_size {int},
        message_count {int} NOT NULL,
        turn_count {int} NOT NULL,
        tool_use_count {int} NOT NULL,
        exchange_count {int} NOT NULL,
        input_tokens {int} NOT NULL,
        output_tokens {int} NOT NULL,
        cache_read_tokens {int} NOT NULL,
        cache_write_tokens {int} NOT NULL,
        reasoning_tokens {int} NOT NULL,
        share_status {text} NOT NULL,
        client_name {text},
        agent_name {text},
        device_id {text},
        machine_name {text},
        folder {text},
        markdown_blob {text} NOT NULL,
        raw_blob {text},
        session_data_blob {text},
        first_exchange {text} NOT NULL,
        metadata {text} NOT NULL
    )",
    "CREATE UNIQUE INDEX session_client ON session (project_key, client_id)",
    "CREATE UNIQUE INDEX session_alias ON session (owner, alias) WHERE alias IS NOT NULL",
    "CREATE INDEX session_owner_client ON session (owner, client_id, activity_at, id)",
    "CREATE INDEX session_owner_parent ON session (owner, parent_client_id, activity_at, id)
        WHERE parent_client_id IS NOT NULL",
    // Every list: by owner and by project, in every order, each ending in the id.
    "CREATE INDEX session_owner_activity ON session (owner, activity_at, id)",
    "CREATE INDEX session_owner_created ON session (owner, created_at, id)",
    "CREATE INDEX session_owner_updated ON session (owner, updated_at, id)",
    "CREATE INDEX session_owner_ended_asc ON session (owner, ended_asc, updated_at, id)",
    "CREATE INDEX session_owner_ended_desc ON session (owner, ended_desc, updated_at, id)",
    "CREATE INDEX session_owner_name ON session (owner, name, id)",
    "CREATE INDEX session_owner_size ON session (owner, markdown_size, id)",
    "CREATE INDEX session_project_activity ON session (project_key, activity_at, id)",
    "CREATE INDEX session_project_created ON session (project_key, created_at, id)",
    "CREATE INDEX session_project_updated ON session (project_key, updated_at, id)",
    "CREATE INDEX session_project_ended_asc ON session (project_key, ended_asc, updated_at, id)",
    "CREATE INDEX session_project_ended_desc ON session (project_key, ended_desc, updated_at, id)",
    "CREATE INDEX session_project_name ON session (project_key, name, id)",
    "CREATE INDEX session_project_size ON session (project_key, markdown_size, id)",
    // Maintenance walks all sessions in this order.
    "CREATE INDEX session_created ON session (created_at, id)",
    // The sweep asks whether anything names a blob.
    "CREATE INDEX session_markdown_blob ON session (markdown_blob)",
    "CREATE INDEX session_raw_blob ON session (raw_blob) WHERE raw_blob IS NOT NULL",
    "CREATE INDEX session_data_blob ON session (session_data_blob) WHERE session_data_blob IS NOT NULL",
    // Owner and project are the session's, repeated so that counting labels reads one index.
    "CREATE TABLE session_label (
        session_id {text} NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        kind {text} NOT NULL,
        value {text} NOT NULL,
        owner {text} NOT NULL,
        project_key {text} NOT NULL,
        PRIMARY KEY (session_id, kind, value)
    )",
    "CREATE INDEX session_label_owner ON session_label (owner, kind, value)",
    "CREATE INDEX session_label_project ON session_label (project_key, kind, value)",
];
