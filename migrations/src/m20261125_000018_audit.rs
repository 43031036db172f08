//! Audits of sessions by a model, and which model that is.

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
    "CREATE TABLE judge_setting (
        user_id {text} PRIMARY KEY NOT NULL,
        provider {text} NOT NULL,
        model {text} NOT NULL,
        base_url {text},
        sealed_key {text}
    )",
    "CREATE TABLE trigger_setting (
        user_id {text} PRIMARY KEY NOT NULL,
        audit {text} NOT NULL,
        summary {text} NOT NULL
    )",
    "CREATE TABLE audit (
        id {text} PRIMARY KEY NOT NULL,
        session_id {text} NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        owner {text} NOT NULL,
        state {text} NOT NULL,
        provider {text} NOT NULL,
        model {text} NOT NULL,
        base_url {text} NOT NULL,
        protocol {text} NOT NULL,
        key_from {text} NOT NULL,
        sealed_key {text},
        job_id {text} NOT NULL,
        created_at {int} NOT NULL,
        finished_at {int},
        execution_millis {int},
        total_claims {int},
        verified {int},
        hallucinations {int},
        report {text},
        fault {text},
        fault_message {text}
    )",
    "CREATE INDEX audit_session ON audit (session_id, created_at, id)",
    // One at a time: whoever asks for a second one meanwhile is told of the first.
    "CREATE UNIQUE INDEX audit_running ON audit (session_id) WHERE state = 'running'",
    // What a model has answered so far, by what it was asked: whoever goes on with an audit does not ask again.
    "CREATE TABLE audit_answer (
        audit_id {text} NOT NULL REFERENCES audit (id) ON DELETE CASCADE,
        question {text} NOT NULL,
        answer {text},
        fault {text},
        fault_message {text},
        PRIMARY KEY (audit_id, question)
    )",
];
