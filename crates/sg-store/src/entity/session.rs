//! A session without its messages.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub owner: String,
    pub project_key: String,
    /// The project as clients name it, which never changes.
    pub project_id: String,
    pub client_id: String,
    pub name: String,
    pub user_title: Option<String>,
    pub alias: Option<String>,
    pub format: String,
    pub parent_client_id: Option<String>,
    pub agent_id: Option<String>,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    /// `ended_at`, or the largest number: sessions without one come last in ascending order.
    pub ended_asc: i64,
    /// `ended_at`, or the smallest number: sessions without one come last in descending order.
    pub ended_desc: i64,
    pub created_at: i64,
    pub updated_at: i64,
    pub activity_at: i64,
    pub etag: String,
    pub markdown_size: i64,
    pub raw_data_size: i64,
    pub session_data_size: Option<i64>,
    pub message_count: i64,
    pub turn_count: i64,
    pub tool_use_count: i64,
    pub exchange_count: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub cache_read_tokens: i64,
    pub cache_write_tokens: i64,
    pub reasoning_tokens: i64,
    pub share_status: String,
    pub client_name: Option<String>,
    pub agent_name: Option<String>,
    pub device_id: Option<String>,
    pub machine_name: Option<String>,
    pub folder: Option<String>,
    pub markdown_blob: String,
    pub raw_blob: Option<String>,
    pub session_data_blob: Option<String>,
    pub first_exchange: String,
    /// The whole metadata as JSON; the columns above repeat what filters ask for.
    pub metadata: String,
    /// When it was put into the trash; nothing but the trash knows it since.
    pub deleted_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
