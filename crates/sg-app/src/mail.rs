//! Mail: what the operations say, and the port that the server sends it through.

use async_trait::async_trait;
use sg_domain::Result;

/// A mail to one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The address it goes to.
    pub to: String,
    /// One line without control characters.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML; what comes from people in it is escaped.
    pub html: String,
}

/// Sends mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends one letter; returns when the mail server has taken it.
    async fn send(&self, letter: &Letter) -> Result<()>;
}
