//! Reads on PostgreSQL, through SeaORM's pool.

use sea_orm::{ConnectionTrait, DatabaseConnection};

use crate::error::StoreResult;
use crate::row::{OrmRow, PackedRow, Row};
use crate::sql::Sql;

/// Runs a read; packed ones come as one value.
pub(crate) async fn rows<T>(
    db: &DatabaseConnection,
    sql: Sql,
    decode: impl Fn(&mut dyn Row) -> StoreResult<T>,
) -> StoreResult<Vec<T>> {
    if !sql.packed {
        let rows = db.query_all_raw(sql.statement()).await?;
        return rows.iter().map(|row| decode(&mut OrmRow::new(row))).collect();
    }
    let Some(row) = db.query_one_raw(sql.statement()).await? else { return Ok(Vec::new()) };
    let text: String = row.try_get_by_index(0)?;
    let rows: Vec<Vec<serde_json::Value>> = serde_json::from_str(&text)?;
    rows.into_iter().map(|row| decode(&mut PackedRow::new(row))).collect()
}
