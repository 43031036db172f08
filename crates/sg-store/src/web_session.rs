//! Signed-in browsers, and sweeping up what has ended of all ways to sign in.

use sg_domain::{Digest, Result, Timestamp, UserId, WebSession};

use crate::row::Row;
use crate::store::stored_id;
use crate::{Store, Tx};

impl Store {
    /// The browser with the cookie of this hash, ended ones included; none of an account that was turned off.
    pub async fn web_session_by_hash(&self, hash: &Digest) -> Result<Option<WebSession>> {
        let mut sql = self.select(&["w.id", "w.user_id", "w.hash", "w.created_at", "w.expires_at"]);
        sql.add(r#" FROM web_session w JOIN "user" u ON u.id = w.user_id WHERE u.disabled_at IS NULL AND w.hash = "#);
        sql.text(&hash.to_string());
        let session = self.row(sql.end(), |row: &mut dyn Row| {
            Ok(WebSession {
                id: stored_id(row)?,
                user: UserId(row.text()?),
                hash: row.digest()?,
                created_at: row.time()?,
                expires_at: row.time()?,
            })
        });
        Ok(session.await?)
    }
}

impl Tx {
    /// Adds a browser; of its user's only the `keep` newest stay signed in.
    pub async fn insert_web_session(&self, session: &WebSession, keep: u32) -> Result<()> {
        let user = session.user.as_str();
        let mut sql = self.sql("INSERT INTO web_session (id, user_id, hash, created_at, expires_at) VALUES (");
        sql.text(&session.id.to_string()).add(", ").text(user).add(", ").text(&session.hash.to_string());
        sql.add(", ").time(session.created_at).add(", ").time(session.expires_at).add(")");
        self.run(sql).await?;
        let mut sql = self.sql("DELETE FROM web_session WHERE user_id = ");
        sql.text(user).add(" AND id NOT IN (SELECT id FROM web_session WHERE user_id = ").text(user);
        sql.add(" ORDER BY created_at DESC, id DESC LIMIT ").int(keep.into()).add(")");
        self.run(sql).await?;
        Ok(())
    }

    /// Signs the browser with the cookie of this hash out; whether it was signed in.
    pub async fn delete_web_session(&self, hash: &Digest) -> Result<bool> {
        let mut sql = self.sql("DELETE FROM web_session WHERE hash = ");
        sql.text(&hash.to_string());
        Ok(self.run(sql).await? > 0)
    }

    /// Signs every browser of a user out; how many there were.
    pub async fn delete_web_sessions(&self, user: &UserId) -> Result<u64> {
        let mut sql = self.sql("DELETE FROM web_session WHERE user_id = ");
        sql.text(user.as_str());
        Ok(self.run(sql).await?)
    }

    /// Removes browsers, device codes and access tokens that ended before a time; how many rows.
    pub async fn sweep_sign_in(&self, before: Timestamp) -> Result<u64> {
        let mut gone = 0;
        for table in ["web_session", "device_code", "access_token"] {
            let mut sql = self.sql("DELETE FROM ");
            sql.add(table).add(" WHERE expires_at < ").time(before);
            gone += self.run(sql).await?;
        }
        Ok(gone)
    }
}
