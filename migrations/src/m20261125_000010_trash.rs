//! The trash: deleted sessions stay until they are purged, out of every list and every unique name.
//!
//! Every index of a list is made again without them. On SQLite each carries `deleted_at` at its end: it reads the column
//! from the row where an index that leaves it out would otherwise answer a count alone.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let also = match manager.get_connection().get_database_backend() {
            DbBackend::Postgres => "",
            _ => ", deleted_at",
        };
        let mut statements = vec!["ALTER TABLE session ADD COLUMN deleted_at {int}".to_owned()];
        for (name, columns) in LISTS {
            statements.push(format!("DROP INDEX {name}"));
            statements.push(format!("CREATE INDEX {name} ON session ({columns}{also}) WHERE deleted_at IS NULL"));
        }
        for (name, place) in NAMED {
            statements.push(format!("DROP INDEX {name}"));
            statements.push((*place).to_owned());
        }
        statements.extend(TRASH.iter().map(|statement| (*statement).to_owned()));
        let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
        crate::run(manager, &statements).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        crate::one_way()
    }
}

/// Every list, by owner and by project. The walk over everything (`session_created`) skips what is deleted as it goes:
/// made partial too, it would be PostgreSQL's choice for lists of one owner.
const LISTS: &[(&str, &str)] = &[
    ("session_owner_client", "owner, client_id, activity_at, id"),
    ("session_owner_activity", "owner, activity_at, id"),
    ("session_owner_created", "owner, created_at, id"),
    ("session_owner_updated", "owner, updated_at, id"),
    ("session_owner_ended_asc", "owner, ended_asc, updated_at, id"),
    ("session_owner_ended_desc", "owner, ended_desc, updated_at, id"),
    ("session_owner_name", "owner, name, id"),
    ("session_owner_size", "owner, markdown_size, id"),
    ("session_project_activity", "project_key, activity_at, id"),
    ("session_project_created", "project_key, created_at, id"),
    ("session_project_updated", "project_key, updated_at, id"),
    ("session_project_ended_asc", "project_key, ended_asc, updated_at, id"),
    ("session_project_ended_desc", "project_key, ended_desc, updated_at, id"),
    ("session_project_name", "project_key, name, id"),
    ("session_project_size", "project_key, markdown_size, id"),
];

/// Names that a session in the trash no longer holds, and the indexes that have conditions of their own.
const NAMED: &[(&str, &str)] = &[
    (
        "session_client",
        "CREATE UNIQUE INDEX session_client ON session (project_key, client_id) WHERE deleted_at IS NULL",
    ),
    (
        "session_alias",
        "CREATE UNIQUE INDEX session_alias ON session (owner, alias) WHERE alias IS NOT NULL AND deleted_at IS NULL",
    ),
    (
        "session_owner_parent",
        "CREATE INDEX session_owner_parent ON session (owner, parent_client_id, activity_at, id)
            WHERE parent_client_id IS NOT NULL AND deleted_at IS NULL",
    ),
    (
        "session_shared",
        "CREATE INDEX session_shared ON session (client_id, activity_at, id)
            WHERE share_status = 'unlisted' AND deleted_at IS NULL",
    ),
];

const TRASH: &[&str] = &[
    // The list, newest first; what an import asks; what is old enough to go; what goes with its project.
    "CREATE INDEX session_trash ON session (owner, deleted_at, id) WHERE deleted_at IS NOT NULL",
    "CREATE INDEX session_trash_project ON session (project_key, client_id) WHERE deleted_at IS NOT NULL",
    "CREATE INDEX session_trash_age ON session (deleted_at, id) WHERE deleted_at IS NOT NULL",
];
