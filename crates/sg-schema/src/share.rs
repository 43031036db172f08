//! Sessions that somebody shares by link.

use async_graphql::{ID, Object};
use sg_app::ExchangeText;
use sg_domain::{ErrorKind, ExchangeId};
use std::sync::Arc;

use crate::failure::Nullable;
use crate::loader::Reach;
use crate::metadata::SessionMetadata;
use crate::scalar::{DateTime, int};

/// A shared session.
pub(crate) struct SharedSession {
    shared: sg_app::SharedSession,
    row: Arc<sg_domain::Session>,
}

/// A session as whoever has its link sees it: without what its owner hides, and nothing of the machine it was made on.
#[Object]
impl SharedSession {
    /// The session's id on this server.
    async fn id(&self) -> ID {
        ID(self.row.id.to_string())
    }

    /// The id that its client gave it.
    fn client_id(&self) -> &str {
        &self.row.client_id
    }

    /// What it was called when it was sent.
    fn name(&self) -> &str {
        &self.row.name
    }

    /// What its owner calls it.
    fn user_title(&self) -> Option<&str> {
        self.row.user_title.as_deref()
    }

    /// The name of its project.
    fn project_name(&self) -> Option<&str> {
        self.shared.project.as_ref().map(|project| project.name.as_str())
    }

    /// When it was first stored here.
    fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed here.
    fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// The first time in the conversation, where it is known.
    fn started_at(&self) -> Option<DateTime> {
        self.row.started_at.map(DateTime)
    }

    /// The last time in the conversation, where it is known.
    fn ended_at(&self) -> Option<DateTime> {
        self.row.ended_at.map(DateTime)
    }

    /// By what it was made.
    fn metadata(&self) -> SessionMetadata {
        SessionMetadata(self.row.clone())
    }

    /// The exchanges that are not hidden, in order.
    fn exchanges(&self) -> Vec<SharedExchange<'_>> {
        self.shared.exchanges.iter().map(|text| SharedExchange { row: &self.row, text }).collect()
    }

    /// The session as markdown, made anew from those exchanges.
    fn markdown_content(&self) -> String {
        self.shared.markdown()
    }
}

/// An exchange of a shared session.
pub(crate) struct SharedExchange<'a> {
    row: &'a sg_domain::Session,
    text: &'a ExchangeText,
}

/// An exchange of a shared session that its owner does not hide.
#[Object]
impl SharedExchange<'_> {
    /// The exchange's id on this server.
    async fn id(&self) -> ID {
        ID(ExchangeId { session: self.row.id, ordinal: self.text.exchange.ordinal }.to_string())
    }

    /// Its place in the session, from 0; those of hidden exchanges are missing.
    fn order_number(&self) -> i32 {
        int(self.text.exchange.ordinal.into())
    }

    /// A title that its owner gave it.
    fn user_title(&self) -> Option<&str> {
        self.text.exchange.user_title.as_deref()
    }

    /// Its markdown.
    fn content(&self) -> &str {
        &self.text.content
    }
}

/// A shared session by its id or the id its client gave it; null when nobody shares one.
pub(crate) async fn shared_session(reach: &Reach, id: &str) -> Nullable<SharedSession> {
    if let Err(error) = reach.caller.require(sg_domain::Scope::Read) {
        return Some(Err(error.into()));
    }
    match reach.app.shared_session(id).await {
        Ok(shared) => {
            let size = shared.exchanges.iter().map(|exchange| exchange.content.len() as u64).sum();
            if let Err(error) = reach.spend_bytes(size) {
                return Some(Err(error.into()));
            }
            let row = Arc::new(shared.session.clone());
            Some(Ok(SharedSession { shared, row }))
        }
        Err(error) if error.kind == ErrorKind::NotFound => None,
        Err(error) => Some(Err(error.into())),
    }
}
