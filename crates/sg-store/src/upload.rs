//! Archives that arrive in parts. A part's bytes are a blob, put before its row.

use sg_domain::{Digest, Result, Timestamp, Upload, UserId, Visibility};

use crate::error::StoreResult;
use crate::row::Row;
use crate::sql::{Sql, to_i64};
use crate::{Store, Tx};

const COLUMNS: [&str; 9] = [
    "u.id",
    "u.owner",
    "u.archive_id",
    "u.total_bytes",
    "u.digest",
    "u.part_bytes",
    "u.part_count",
    "u.completed_at",
    "u.expires_at",
];

impl Store {
    /// An upload by its id.
    pub async fn upload(&self, who: &Visibility, id: &str) -> Result<Option<Upload>> {
        let mut sql = self.select(&COLUMNS);
        sql.add(" FROM upload u WHERE u.id = ").text(id);
        visible(&mut sql, who);
        Ok(self.row(sql.end(), decode).await?)
    }

    /// The parts that have come, in order: their numbers and where they lie.
    pub async fn upload_parts(&self, upload: &Upload) -> Result<Vec<(u32, Digest)>> {
        let mut sql = self.select(&["p.number", "p.digest"]);
        sql.add(" FROM upload_part p WHERE p.upload_id = ").text(&upload.id).add(" ORDER BY p.number");
        Ok(self.rows(sql.end(), |row| Ok((u32::try_from(row.count()?).unwrap_or(u32::MAX), row.digest()?))).await?)
    }
}

impl Tx {
    /// How many uploads of an owner are under way. They are counted one transaction after the other.
    pub async fn pending_uploads(&self, owner: &UserId, now: Timestamp) -> Result<u64> {
        // The account is what several of its requests have in common.
        let mut sql = self.sql(r#"SELECT id FROM "user" WHERE id = "#);
        sql.text(owner.as_str()).either("", " FOR NO KEY UPDATE");
        self.row(sql, |row| row.text()).await?;
        let mut sql = self.sql("SELECT count(*) FROM upload u WHERE u.completed_at IS NULL AND u.owner = ");
        sql.text(owner.as_str()).add(" AND u.expires_at > ").time(now);
        Ok(self.row(sql, |row| row.count()).await?.unwrap_or(0))
    }

    /// Writes an upload that begins.
    pub async fn insert_upload(&self, upload: &Upload) -> Result<()> {
        let mut sql = self.sql(
            "INSERT INTO upload (id, owner, archive_id, total_bytes, digest, part_bytes, part_count, expires_at) VALUES (",
        );
        sql.text(&upload.id).add(", ").text(upload.owner.as_str()).add(", ").text(&upload.archive);
        sql.add(", ").int(to_i64(upload.total_bytes)).add(", ").text(&upload.digest.to_string());
        sql.add(", ").int(to_i64(upload.part_bytes)).add(", ").int(i64::from(upload.part_count));
        sql.add(", ").time(upload.expires_at).add(")");
        self.run(sql).await?;
        Ok(())
    }

    /// Notes that a part has come; one that comes again takes the first one's place. Whether its upload still takes parts.
    pub async fn put_upload_part(&self, upload: &str, number: u32, digest: Digest, now: Timestamp) -> Result<bool> {
        let mut sql = self.sql("INSERT INTO upload_part (upload_id, number, digest) SELECT u.id, ");
        // PostgreSQL does not know the type of a bare value there.
        sql.either("", "CAST(").int(i64::from(number)).either("", " AS bigint)").add(", ");
        sql.either("", "CAST(").text(&digest.to_string()).either("", " AS text)");
        sql.add(" FROM upload u WHERE u.completed_at IS NULL AND u.id = ").text(upload);
        sql.add(" AND u.expires_at > ").time(now);
        sql.add(" ON CONFLICT (upload_id, number) DO UPDATE SET digest = excluded.digest");
        Ok(self.run(sql).await? > 0)
    }

    /// Notes that an upload became its archive. Its parts are not needed any more.
    pub async fn complete_upload(&self, upload: &str, now: Timestamp) -> Result<()> {
        let mut sql = self.sql("UPDATE upload SET completed_at = ");
        sql.time(now).add(" WHERE id = ").text(upload);
        self.run(sql).await?;
        let mut sql = self.sql("DELETE FROM upload_part WHERE upload_id = ");
        sql.text(upload);
        self.run(sql).await?;
        Ok(())
    }

    /// Gives an upload up; whether there was one. Blobs of its parts stay for the sweep.
    pub async fn delete_upload(&self, owner: &UserId, id: &str) -> Result<bool> {
        let mut sql = self.sql("DELETE FROM upload WHERE id = ");
        sql.text(id).add(" AND owner = ").text(owner.as_str());
        Ok(self.run(sql).await? > 0)
    }

    /// Gives up what has taken no part any more since a time; returns how many.
    pub async fn delete_uploads(&self, expired_before: Timestamp) -> Result<u64> {
        let mut sql = self.sql("DELETE FROM upload WHERE expires_at < ");
        sql.time(expired_before);
        Ok(self.run(sql).await?)
    }
}

fn visible(sql: &mut Sql, who: &Visibility) {
    if let Visibility::Owner(owner) = who {
        sql.add(" AND u.owner = ").text(owner.as_str());
    }
}

fn decode(row: &mut dyn Row) -> StoreResult<Upload> {
    Ok(Upload {
        id: row.text()?,
        owner: UserId(row.text()?),
        archive: row.text()?,
        total_bytes: row.count()?,
        digest: row.digest()?,
        part_bytes: row.count()?,
        part_count: u32::try_from(row.count()?).unwrap_or(u32::MAX),
        completed_at: row.opt_time()?,
        expires_at: row.time()?,
    })
}
