//! Exchanges: a prompt and its answer, as the session's markdown has them.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use sg_app::ExchangeText;
use sg_domain::{Error, ErrorKind, ExchangeId};

use crate::failure::{Nullable, Outcome};
use crate::loader::Reach;
use crate::scalar::{DateTime, int};
use crate::session::Session;

/// An exchange with its session.
pub(crate) struct Exchange {
    session: Arc<sg_domain::Session>,
    text: ExchangeText,
}

/// A prompt and its answer: the part of a session's markdown from one prompt to the next.
#[Object]
impl Exchange {
    /// The exchange's id on this server.
    pub(crate) async fn id(&self) -> ID {
        ID(ExchangeId { session: self.session.id, ordinal: self.text.exchange.ordinal }.to_string())
    }

    /// The id of its session.
    fn session_id(&self) -> ID {
        ID(self.session.id.to_string())
    }

    /// Its session.
    async fn session(&self, ctx: &Context<'_>) -> Outcome<Session> {
        match Reach::of(ctx).load(self.session.id).await? {
            Some(session) => Ok(Session::new(session)),
            None => Err(Error::not_found("session").into()),
        }
    }

    /// Its markdown.
    fn content(&self) -> &str {
        &self.text.content
    }

    /// Its place in the session, from 0.
    fn order_number(&self) -> i32 {
        int(self.text.exchange.ordinal.into())
    }

    /// When it began, where its headers tell; otherwise when the session was stored.
    fn created_at(&self) -> DateTime {
        DateTime(self.text.exchange.started_at.unwrap_or(self.session.created_at))
    }

    /// When it ended, where its headers tell; otherwise when the session last changed.
    fn updated_at(&self) -> DateTime {
        DateTime(self.text.exchange.ended_at.unwrap_or(self.session.updated_at))
    }

    /// When it began, where its headers tell.
    fn started_at(&self) -> Option<DateTime> {
        self.text.exchange.started_at.map(DateTime)
    }

    /// When it ended, where its headers tell.
    fn ended_at(&self) -> Option<DateTime> {
        self.text.exchange.ended_at.map(DateTime)
    }

    /// A title that a person gave it.
    fn user_title(&self) -> Option<&str> {
        self.text.exchange.user_title.as_deref()
    }

    /// Whether it is left out when the session is shared.
    fn hidden_from_share(&self) -> bool {
        self.text.exchange.hidden_from_share
    }
}

/// A session's exchanges, in order.
pub(crate) async fn exchanges(reach: &Reach, session: &Arc<sg_domain::Session>) -> Outcome<Vec<Exchange>> {
    // Before they are read: every one is a copy of its part of the markdown.
    reach.spend(session.counts.exchanges.saturating_add(1).saturating_mul(20))?;
    reach.spend_bytes(session.markdown_size)?;
    let texts = reach.app.exchanges(&reach.caller, session).await?;
    Ok(texts.into_iter().map(|text| Exchange { session: session.clone(), text }).collect())
}

/// The exchanges whose text holds any of these words, in any case.
pub(crate) fn holding(exchanges: Vec<Exchange>, words: &[String]) -> Vec<Exchange> {
    let words: Vec<_> = words.iter().map(|word| word.to_lowercase()).filter(|word| !word.is_empty()).collect();
    let holds = |exchange: &Exchange| {
        let text = exchange.text.content.to_lowercase();
        words.iter().any(|word| text.contains(word.as_str()))
    };
    exchanges.into_iter().filter(holds).collect()
}

/// One exchange, or null when there is none that the caller may see.
pub(crate) async fn exchange(reach: &Reach, id: ExchangeId) -> Nullable<Exchange> {
    let session = match reach.load(id.session).await {
        Ok(session) => session?,
        Err(failure) => return Some(Err(failure)),
    };
    match reach.app.exchanges(&reach.caller, &session).await {
        Ok(texts) => {
            let text = texts.into_iter().find(|text| text.exchange.ordinal == id.ordinal)?;
            Some(Ok(Exchange { session, text }))
        }
        Err(error) if error.kind == ErrorKind::NotFound => None,
        Err(error) => Some(Err(error.into())),
    }
}
