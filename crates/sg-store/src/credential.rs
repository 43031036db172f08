//! Whether a caller that was recognised once still is who they were.

use sg_domain::{Credential, Identity, Result, Timestamp};

use crate::Store;

impl Store {
    /// Whether the account is there and on, and its credential neither revoked, nor ended, nor signed out. A device counts as long
    /// as it holds an access token that has not ended.
    pub async fn is_good(&self, identity: &Identity, now: Timestamp) -> Result<bool> {
        let mut sql = self.select(&["1"]);
        sql.add(r#" FROM "user" u WHERE u.disabled_at IS NULL AND u.id = "#);
        sql.text(identity.user.as_str());
        let of_user = match identity.credential {
            Credential::Local => None,
            Credential::Key(id) => {
                Some((id, "api_key c WHERE c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > "))
            }
            Credential::Device(id) => {
                let token = "device_token c JOIN access_token t ON t.device_id = c.id WHERE c.revoked_at IS NULL AND (t.expires_at > ";
                Some((id, token))
            }
            Credential::Web(id) => Some((id, "web_session c WHERE (c.expires_at > ")),
        };
        if let Some((id, table)) = of_user {
            sql.add(" AND EXISTS (SELECT 1 FROM ").add(table).time(now).add(")");
            sql.add(" AND c.user_id = u.id AND c.id = ").text(&id.to_string()).add(")");
        }
        Ok(self.row(sql.end(), |row| row.int()).await?.is_some())
    }
}
