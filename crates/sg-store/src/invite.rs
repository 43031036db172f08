//! Invitations.

use sg_domain::{Invite, Result, Timestamp, UserId};

use crate::error::StoreResult;
use crate::row::Row;
use crate::{Store, Tx};

impl Store {
    /// Every invitation, ended ones included, the oldest first.
    pub async fn invites(&self) -> Result<Vec<Invite>> {
        let mut sql = self.select(&["i.email", "i.invited_by", "i.created_at", "i.expires_at"]);
        sql.add(" FROM invite i ORDER BY i.created_at, i.email");
        Ok(self.rows(sql.end(), decode).await?)
    }
}

impl Tx {
    /// Adds an invitation; one of the same address takes its place.
    pub async fn put_invite(&self, invite: &Invite) -> Result<()> {
        let mut sql = self.sql("INSERT INTO invite (email, invited_by, created_at, expires_at) VALUES (");
        sql.text(&invite.email).add(", ").text(invite.invited_by.as_str());
        sql.add(", ").time(invite.created_at).add(", ").time(invite.expires_at);
        sql.add(
            ") ON CONFLICT (email) DO UPDATE SET invited_by = excluded.invited_by, created_at = excluded.created_at,
             expires_at = excluded.expires_at",
        );
        self.run(sql).await?;
        Ok(())
    }

    /// Uses an address's invitation up; whether there was one that had not ended.
    pub async fn use_invite(&self, email: &str, now: Timestamp) -> Result<bool> {
        let mut sql = self.sql("DELETE FROM invite WHERE email = ");
        sql.text(email).add(" AND expires_at > ").time(now);
        Ok(self.run(sql).await? > 0)
    }

    /// Takes an address's invitation back; whether there was one.
    pub async fn delete_invite(&self, email: &str) -> Result<bool> {
        let mut sql = self.sql("DELETE FROM invite WHERE email = ");
        sql.text(email);
        Ok(self.run(sql).await? > 0)
    }
}

fn decode(row: &mut dyn Row) -> StoreResult<Invite> {
    Ok(Invite { email: row.text()?, invited_by: UserId(row.text()?), created_at: row.time()?, expires_at: row.time()? })
}
