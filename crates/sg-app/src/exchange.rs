//! Exchanges: the session's markdown, cut at its prompts.

use sg_domain::{Caller, Exchange, Result, Scope, Session, SessionId, Visibility, wtf8};

use crate::App;

/// An exchange with its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeText {
    /// The exchange.
    pub exchange: Exchange,
    /// Its part of the markdown.
    pub content: String,
}

impl App {
    /// A session's exchanges in order, without their text: for a surface that holds the markdown already and cuts it
    /// with [`Exchange::slice`].
    pub async fn exchange_spans(&self, caller: &Caller, session: SessionId) -> Result<Vec<Exchange>> {
        let identity = caller.require(Scope::Read)?;
        self.store().exchanges(&Visibility::of(identity), session).await
    }

    /// A session's exchanges in order, with their text.
    pub async fn exchanges(&self, caller: &Caller, session: &Session) -> Result<Vec<ExchangeText>> {
        let identity = caller.require(Scope::Read)?;
        let exchanges = self.store().exchanges(&Visibility::of(identity), session.id).await?;
        if exchanges.is_empty() {
            return Ok(Vec::new());
        }
        let markdown = self.markdown(caller, session).await?;
        let markdown = wtf8::lossy(&markdown);
        let with_text = |exchange: Exchange| ExchangeText { content: exchange.slice(&markdown).to_owned(), exchange };
        Ok(exchanges.into_iter().map(with_text).collect())
    }
}
