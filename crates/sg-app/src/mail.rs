//! Mail: what the operations say, and the port that the server sends it through.

use async_trait::async_trait;
use parking_lot::Mutex;
use sg_domain::{Error, ErrorKind, Result, Timestamp};

use crate::App;

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
    /// Sends one letter; returns when the mail server has taken it. Takes no longer than a worker may hold a job.
    async fn send(&self, letter: &Letter) -> Result<()>;
}

/// When the mail server last failed.
#[derive(Default)]
pub(crate) struct LastMailFailure(Mutex<Option<Timestamp>>);

/// So long after a failure nobody else tries: jobs run one after another, and each would wait for the same silence.
const PAUSE_MICROS: i64 = 1_000_000;

impl App {
    /// Sends a letter. Only jobs call it: a request must not wait for a mail server.
    pub(crate) async fn send_letter(&self, letter: &Letter) -> Result<()> {
        let unavailable = |message: &str| Error::new(ErrorKind::Unavailable, message);
        let Some(mailer) = &self.inner.mail else { return Err(unavailable("this server is not set up to send mail")) };
        let failed_at = *self.inner.mail_failure.0.lock();
        if failed_at.is_some_and(|at| self.now().micros().abs_diff(at.micros()) < PAUSE_MICROS.unsigned_abs()) {
            return Err(unavailable("the mail server failed a moment ago"));
        }
        let sent = mailer.send(letter).await;
        // A letter that is refused for what it is says nothing of the next one.
        if sent.as_ref().is_err_and(|error| error.kind == ErrorKind::Unavailable) {
            *self.inner.mail_failure.0.lock() = Some(self.now());
        }
        sent
    }
}

/// Text that means nothing to HTML.
pub(crate) fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_means_anything_to_html() {
        assert_eq!(escape_html(r#"<a href="x" id='y'>&amp;"#), "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;");
    }
}
