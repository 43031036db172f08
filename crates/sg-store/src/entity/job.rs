//! A job of the queue.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub owner: Option<String>,
    pub name: String,
    /// What it does, as JSON; also what makes two jobs the same.
    pub kind: String,
    pub state: String,
    pub attempts: i64,
    pub run_at: i64,
    /// `run_at`, or the end of the lease while it runs.
    pub due_at: i64,
    /// Whether it was enqueued again while it ran.
    pub again: i64,
    pub created_at: i64,
    pub last_error: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
