//! Showing that a mail address is one's own: a link that only its mailbox gets.
//!
//! The link carries who it is for, the address and until when, signed; nothing of it is stored. It is made when the mail is
//! sent, so that what waits in the queue opens nothing.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sg_domain::{Error, Result, User, UserId};

use crate::mail::escape_html;
use crate::{App, Letter};

/// What the key that signs links is derived for.
const PURPOSE: &str = "mail address verification";
/// How long a link works.
const LINK_SECS: i64 = 24 * 60 * 60;
/// Longer than any link of ours.
const MAX_TOKEN_BYTES: usize = 2_048;

/// What a link says.
#[derive(Serialize, Deserialize)]
struct Claims {
    user_id: String,
    email: String,
    /// Seconds of the epoch.
    exp: i64,
}

impl App {
    /// Takes a mail address for its account's own, by the link that was mailed to it; again changes nothing. With
    /// `is_peek` it only tells whether it would: who looks a link over before its reader does asks so. `Invalid`, with why,
    /// for a link that has ended, is not one of this server's or names an address that the account no longer has;
    /// `NotFound` when the account is gone.
    pub async fn verify_email(&self, token: &str, is_peek: bool) -> Result<User> {
        let claims = self.read_link(token)?;
        if claims.exp <= self.now().micros() / 1_000_000 {
            return Err(Error::invalid("the verification link has expired"));
        }
        let id = UserId(claims.user_id);
        let user = self.store().user(&id).await?.ok_or_else(|| Error::not_found("user"))?;
        if user.email != claims.email {
            return Err(Error::invalid("the account has another mail address now"));
        }
        if user.email_verified_at.is_none() && !is_peek {
            let tx = self.store().begin().await?;
            tx.set_email_verified(&user.id, self.now()).await?;
            tx.commit().await?;
        }
        Ok(user)
    }

    /// Sends an account its link, unless it is not needed any more.
    pub(crate) async fn send_verification(&self, user: &UserId) -> Result<()> {
        let Some(user) = self.store().user(user).await? else { return Ok(()) };
        if user.email_verified_at.is_some() || user.disabled_at.is_some() {
            return Ok(());
        }
        let letter = self.verification_letter(&user)?;
        self.send_letter(&letter).await
    }

    fn verification_letter(&self, user: &User) -> Result<Letter> {
        let server = &self.inner.accounts.public_url;
        let link = format!("{server}/api/v1/auth/verify?token={}", self.write_link(user)?);
        let (shown_server, shown_link) = (escape_html(server), escape_html(&link));
        Ok(Letter {
            to: user.email.clone(),
            subject: "Verify your mail address".to_owned(),
            text: format!(
                "Somebody made an account with this mail address at {server}.\n\nIf it was you, open this link to show \
                 that the address is yours. It works for 24 hours:\n\n{link}\n\nIf it was not you, you need not do \
                 anything.\n"
            ),
            html: format!(
                "<p>Somebody made an account with this mail address at {shown_server}.</p>\n<p>If it was you, \
                 <a href=\"{shown_link}\">show that the address is yours</a>. The link works for 24 hours.</p>\n<p>If it \
                 was not you, you need not do anything.</p>\n"
            ),
        })
    }

    fn write_link(&self, user: &User) -> Result<String> {
        let exp = self.now().micros() / 1_000_000 + LINK_SECS;
        let claims = Claims { user_id: user.id.to_string(), email: user.email.clone(), exp };
        let key = EncodingKey::from_secret(&self.inner.vault.key(PURPOSE));
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).map_err(Error::internal)
    }

    fn read_link(&self, token: &str) -> Result<Claims> {
        let wrong = || Error::invalid("the verification link is not valid");
        if token.len() > MAX_TOKEN_BYTES {
            return Err(wrong());
        }
        let mut rules = Validation::new(Algorithm::HS256);
        // By the clock of the operations, not the library's.
        rules.validate_exp = false;
        let key = DecodingKey::from_secret(&self.inner.vault.key(PURPOSE));
        let read = jsonwebtoken::decode::<Claims>(token, &key, &rules);
        read.map(|read| read.claims).map_err(|error| wrong().because(error))
    }
}
