//! An account.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub email: String,
    pub created_at: i64,
    pub password: Option<String>,
    pub display_name: Option<String>,
    pub tier: Option<String>,
    pub email_verified_at: Option<i64>,
    pub disabled_at: Option<i64>,
    pub client_version: Option<String>,
    pub client_platform: Option<String>,
    pub client_device: Option<String>,
    pub last_sync_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
