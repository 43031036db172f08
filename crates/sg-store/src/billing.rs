//! How much an account stores.

use sg_domain::{Result, UserId};

use crate::Store;
use crate::filter::LIVE;

impl Store {
    /// Bytes of an account's archives that are not in the trash.
    pub async fn archived_bytes(&self, owner: &UserId) -> Result<u64> {
        let mut sql = self.select(&["coalesce(sum(a.size_bytes), 0)"]);
        sql.add(" FROM archive a JOIN session s ON s.id = a.session_id WHERE ").add(LIVE);
        sql.add(" AND a.owner = ").text(owner.as_str());
        Ok(self.row(sql.end(), |row| row.count()).await?.unwrap_or_default())
    }
}
