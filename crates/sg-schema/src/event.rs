//! What happened in a session, told as its messages.

use async_graphql::{Context, SimpleObject};
use sg_app::MessageQuery;
use sg_domain::{MessageId, Role};

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::message::Message;
use crate::page::{MAX_LIMIT, positive};
use crate::scalar::DateTime;

/// Something that happened in a session: a message was said.
#[derive(SimpleObject)]
pub(crate) struct SessionEvent {
    /// When, where the agent tells.
    timestamp: Option<DateTime>,
    /// What: `user`, `assistant` or `system` said something, or a `tool` answered.
    #[graphql(name = "type")]
    kind: &'static str,
    /// The message.
    message: Message,
}

/// A session's events in order.
pub(crate) async fn events(
    ctx: &Context<'_>,
    session: &sg_domain::Session,
    limit: Option<i32>,
    offset: Option<i32>,
) -> Outcome<Vec<SessionEvent>> {
    let reach = Reach::of(ctx);
    let limit = positive("limit", limit.unwrap_or(MAX_LIMIT).min(MAX_LIMIT), MAX_LIMIT)?;
    let offset = u32::try_from(offset.unwrap_or(0))
        .map_err(|_| sg_domain::Error::invalid("offset must not be negative").with("field", "offset"))?;
    let after = offset.checked_sub(1);
    let query = MessageQuery { limit: Some(limit), after, ..MessageQuery::default() };
    reach.spend(10)?;
    let page = reach.app.messages(&reach.caller, session.id, &query).await?;
    reach.spend(page.items.len() as u64)?;
    let event = |(ordinal, message): (u32, sg_domain::Message)| {
        let (timestamp, kind) = (message.at.map(DateTime), Role::name(message.role));
        let id = MessageId { session: session.id, ordinal };
        SessionEvent { timestamp, kind, message: Message::new(id, std::sync::Arc::new(message)) }
    };
    Ok(page.items.into_iter().map(event).collect())
}
