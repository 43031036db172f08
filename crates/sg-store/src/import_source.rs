//! Files that were imported, so that importing them again is cheap.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, EntityTrait};
use sg_domain::{Result, Timestamp, UserId};

use crate::entity::import_source;
use crate::error::{StoreError, StoreResult};
use crate::row::Row;
use crate::sql::{storable, to_i64};
use crate::{Store, Tx};

/// What was seen of a file when it was last imported completely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportSource {
    /// Absolute path, as text.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Modification time.
    pub modified_at: Timestamp,
    /// Digest of what decides the outcome: reader version, redaction setting, content.
    pub fingerprint: String,
    /// Sessions it holds.
    pub sessions: u64,
}

const COLUMNS: [&str; 5] = ["i.path", "i.size", "i.modified_at", "i.fingerprint", "i.sessions"];

impl Store {
    /// Every file this owner has imported, by path.
    pub async fn import_sources(&self, owner: &UserId) -> Result<Vec<ImportSource>> {
        let mut sql = self.select(&COLUMNS);
        sql.add(" FROM import_source i WHERE i.owner = ").text(owner.as_str());
        sql.add(" ORDER BY i.path");
        Ok(self.rows(sql.end(), decode).await?)
    }
}

impl Tx {
    /// Notes a file, replacing what was noted of the same path.
    pub async fn put_import_source(&self, owner: &UserId, source: &ImportSource) -> Result<()> {
        use import_source::Column;
        let row = import_source::ActiveModel {
            owner: Set(storable(owner.as_str())),
            path: Set(storable(&source.path)),
            size: Set(to_i64(source.size)),
            modified_at: Set(source.modified_at.micros()),
            fingerprint: Set(storable(&source.fingerprint)),
            sessions: Set(to_i64(source.sessions)),
        };
        let replace = OnConflict::columns([Column::Owner, Column::Path])
            .update_columns([Column::Size, Column::ModifiedAt, Column::Fingerprint, Column::Sessions])
            .to_owned();
        import_source::Entity::insert(row)
            .on_conflict(replace)
            .exec_without_returning(&self.tx)
            .await
            .map_err(StoreError::from)?;
        Ok(())
    }
}

fn decode(row: &mut dyn Row) -> StoreResult<ImportSource> {
    Ok(ImportSource {
        path: row.text()?,
        size: row.count()?,
        modified_at: row.time()?,
        fingerprint: row.text()?,
        sessions: row.count()?,
    })
}
