//! The tables: one file per change, for both SQL engines. A landed file is never edited; a later change is a new file.
//!
//! What belongs here: the shape of tables and indexes. What does not: reading and writing them (`sg-store`).

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

mod m20261122_000001_account;
mod m20261122_000002_session;
mod m20261122_000003_message;
mod m20261122_000004_job;
mod m20261122_000005_import_source;
mod m20261124_000006_sign_in;
mod m20261124_000007_idempotency;
mod m20261124_000008_share;
mod m20261125_000009_change;
mod m20261125_000010_trash;
mod m20261125_000011_usage;
mod m20261125_000012_account;
mod m20261125_000013_archive;
mod m20261125_000014_share_link;
mod m20261125_000015_handoff;
mod m20261125_000016_sync;
mod m20261125_000017_summary;
mod m20261125_000018_audit;
mod m20261125_000019_upload;

/// Every change, oldest first.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261122_000001_account::Migration),
            Box::new(m20261122_000002_session::Migration),
            Box::new(m20261122_000003_message::Migration),
            Box::new(m20261122_000004_job::Migration),
            Box::new(m20261122_000005_import_source::Migration),
            Box::new(m20261124_000006_sign_in::Migration),
            Box::new(m20261124_000007_idempotency::Migration),
            Box::new(m20261124_000008_share::Migration),
            Box::new(m20261125_000009_change::Migration),
            Box::new(m20261125_000010_trash::Migration),
            Box::new(m20261125_000011_usage::Migration),
            Box::new(m20261125_000012_account::Migration),
            Box::new(m20261125_000013_archive::Migration),
            Box::new(m20261125_000014_share_link::Migration),
            Box::new(m20261125_000015_handoff::Migration),
            Box::new(m20261125_000016_sync::Migration),
            Box::new(m20261125_000017_summary::Migration),
            Box::new(m20261125_000018_audit::Migration),
            Box::new(m20261125_000019_upload::Migration),
        ]
    }
}

/// The key of the advisory lock that one migrating server holds on PostgreSQL: `sgmigrat` in ASCII.
const LOCK: i64 = 0x7367_6d69_6772_6174;

/// Brings a database up to date, all or nothing. Servers that start at once take turns: the first holds the write lock
/// (SQLite) or an advisory lock (PostgreSQL) until its changes are committed, the others then find nothing to do.
pub async fn migrate(db: &DatabaseConnection) -> Result<(), DbErr> {
    let options = TransactionOptions {
        isolation_level: None,
        access_mode: None,
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
    };
    let tx = db.begin_with_options(options).await?;
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    }
    Migrator::up(&tx, None).await?;
    tx.commit().await
}

/// Runs statements that are the same on both engines but for the names of types.
///
/// Text compares by code point on both (`COLLATE "C"` on PostgreSQL, SQLite's default), so that sort orders and cursors
/// mean the same everywhere.
pub(crate) async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    let postgres = manager.get_database_backend() == DbBackend::Postgres;
    let (text, int, bytes) =
        if postgres { (r#"text COLLATE "C""#, "bigint", "bytea") } else { ("text", "integer", "blob") };
    for statement in statements {
        let sql = statement.replace("{text}", text).replace("{int}", int).replace("{bytes}", bytes);
        manager.get_connection().execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// The refusal of every `down`: data is not thrown away to go back.
pub(crate) fn one_way() -> Result<(), DbErr> {
    Err(DbErr::Migration("tables only move forward, restore a backup instead".to_owned()))
}
