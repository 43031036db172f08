//! Messages, and pages of them.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use sg_app::{MessagePage, MessageQuery};
use sg_domain::page::SortValue;
use sg_domain::{ContentBlock as Block, Cursor, Error, MessageId, Result, Role, SessionId};
use tokio::sync::OnceCell;

use crate::content::ContentBlock;
use crate::failure::{Nullable, Outcome};
use crate::loader::Reach;
use crate::page::{PageArgs, PageInfo};
use crate::scalar::{DateTime, int};
use crate::session::Session;
use crate::usage::TokenUsage;

/// Who speaks.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "MessageRole", remote = "Role")]
pub(crate) enum MessageRole {
    /// The person.
    User,
    /// The model.
    Assistant,
    /// Instructions around the conversation, summaries included.
    System,
    /// A message that only carries tool results.
    Tool,
}

/// A message with its place.
pub(crate) struct Message {
    id: MessageId,
    message: Arc<sg_domain::Message>,
}

impl Message {
    pub(crate) fn new(id: MessageId, message: Arc<sg_domain::Message>) -> Self {
        Self { id, message }
    }
}

/// One turn of a session, as the agent recorded it.
#[Object]
impl Message {
    /// The message's id on this server.
    pub(crate) async fn id(&self) -> ID {
        ID(self.id.to_string())
    }

    /// The id of its session.
    fn session_id(&self) -> ID {
        ID(self.id.session.to_string())
    }

    /// Its session.
    async fn session(&self, ctx: &Context<'_>) -> Outcome<Session> {
        match Reach::of(ctx).load(self.id.session).await? {
            Some(session) => Ok(Session::new(session)),
            None => Err(Error::not_found("session").into()),
        }
    }

    /// Its place in the session, from 0; what `messages(around:)` takes.
    fn ordinal(&self) -> i32 {
        int(self.id.ordinal.into())
    }

    /// Who speaks.
    fn role(&self) -> MessageRole {
        self.message.role.into()
    }

    /// What is said, in order.
    fn blocks(&self) -> Vec<ContentBlock> {
        self.message.blocks.iter().map(ContentBlock::from).collect()
    }

    /// The text blocks joined by blank lines: what a person reads.
    fn text(&self) -> String {
        let texts = self.message.blocks.iter().filter_map(|block| match block {
            Block::Text { text } => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n\n")
    }

    /// The model that wrote it.
    fn model(&self) -> Option<&str> {
        self.message.model.as_deref()
    }

    /// Tokens that this answer cost, where the agent tells.
    fn usage(&self, ctx: &Context<'_>) -> Option<TokenUsage> {
        TokenUsage::of_message(Reach::of(ctx), self.id.session, &self.message)
    }

    /// When it was said, where the agent tells.
    fn created_at(&self) -> Option<DateTime> {
        self.message.at.map(DateTime)
    }

    /// Whether it belongs to a side conversation (a subagent's) inside the same session.
    fn is_sidechain(&self) -> bool {
        self.message.is_sidechain
    }

    /// The subagent that said it.
    fn agent_id(&self) -> Option<&str> {
        self.message.agent_id.as_deref()
    }

    /// The agent's own id of the message.
    fn source_id(&self) -> Option<&str> {
        self.message.source_id.as_deref()
    }

    /// The agent's own id of the message that this one answers.
    fn parent_source_id(&self) -> Option<&str> {
        self.message.parent_source_id.as_deref()
    }

    /// Number of tool calls in it.
    fn tool_use_count(&self) -> i32 {
        int(self.message.tool_uses() as u64)
    }

    /// Fields of the agent's record that have no field here, as they came.
    fn raw(&self) -> Option<serde_json::Value> {
        let raw = &self.message.raw;
        if raw.is_empty() { None } else { Some(serde_json::Value::Object(raw.clone())) }
    }
}

/// One message of a page, with its cursor.
#[derive(SimpleObject)]
pub(crate) struct MessageEdge {
    /// Where the message lies in the list.
    cursor: String,
    /// The message.
    node: Message,
}

/// A page of a session's messages.
pub(crate) struct MessageConnection {
    session: SessionId,
    roles: Vec<Role>,
    page: MessagePageOf,
    /// Known without asking when no role is left out.
    known_total: Option<u64>,
    total: OnceCell<u64>,
}

struct MessagePageOf {
    items: Vec<(u32, Arc<sg_domain::Message>)>,
    has_next: bool,
    has_previous: bool,
}

/// The list that message cursors belong to.
const LIST: &str = "message.ordinal.asc";

impl MessageConnection {
    pub(crate) fn new(session: SessionId, roles: Vec<Role>, page: MessagePage, known_total: Option<u64>) -> Self {
        let items = page.items.into_iter().map(|(ordinal, message)| (ordinal, Arc::new(message))).collect();
        let page = MessagePageOf { items, has_next: page.has_next, has_previous: page.has_previous };
        Self { session, roles, page, known_total, total: OnceCell::new() }
    }

    fn message(&self, (ordinal, message): &(u32, Arc<sg_domain::Message>)) -> Message {
        Message::new(MessageId { session: self.session, ordinal: *ordinal }, message.clone())
    }

    async fn count(&self, ctx: &Context<'_>) -> Outcome<u64> {
        if let Some(total) = self.known_total {
            return Ok(total);
        }
        let reach = Reach::of(ctx);
        let count = || reach.app.message_count(&reach.caller, self.session, &self.roles);
        Ok(*self.total.get_or_try_init(count).await?)
    }
}

/// A page of a session's messages, in the order they were said.
#[Object]
impl MessageConnection {
    /// The messages with their cursors.
    fn edges(&self) -> Vec<MessageEdge> {
        let edge = |item: &(u32, _)| MessageEdge { cursor: cursor(item.0), node: self.message(item) };
        self.page.items.iter().map(edge).collect()
    }

    /// The messages.
    fn nodes(&self) -> Vec<Message> {
        self.page.items.iter().map(|item| self.message(item)).collect()
    }

    /// The same as `nodes`.
    fn items(&self) -> Vec<Message> {
        self.page.items.iter().map(|item| self.message(item)).collect()
    }

    /// Where this page lies in the list.
    fn page_info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.page.has_next,
            has_previous_page: self.page.has_previous,
            start_cursor: self.page.items.first().map(|item| cursor(item.0)),
            end_cursor: self.page.items.last().map(|item| cursor(item.0)),
        }
    }

    /// Number of messages of the wanted roles in the whole session.
    async fn total_count(&self, ctx: &Context<'_>) -> Outcome<i32> {
        Ok(int(self.count(ctx).await?))
    }

    /// The same as `totalCount`.
    async fn total(&self, ctx: &Context<'_>) -> Outcome<i32> {
        Ok(int(self.count(ctx).await?))
    }

    /// Whether messages follow this page.
    fn has_next_page(&self) -> bool {
        self.page.has_next
    }

    /// Whether messages precede this page.
    fn has_previous_page(&self) -> bool {
        self.page.has_previous
    }
}

/// The messages that paging arguments ask for.
pub(crate) fn message_query(args: &PageArgs, roles: Vec<Role>, around: Option<i32>) -> Result<MessageQuery> {
    let args =
        PageArgs { first: args.first.or(args.last.is_none().then_some(crate::page::DEFAULT_FIRST)), ..args.clone() };
    let page = args.request(LIST)?;
    let around = around
        .map(|ordinal| u32::try_from(ordinal).map_err(|_| Error::invalid("around must not be negative")))
        .transpose()?;
    if around.is_some() && (page.after.is_some() || page.before.is_some() || page.backward) {
        return Err(Error::invalid("around does not go with after, before or last, send one of them"));
    }
    let ordinal = |cursor: Option<Cursor>| cursor.as_ref().map(ordinal).transpose();
    Ok(MessageQuery {
        roles,
        after: ordinal(page.after)?,
        before: ordinal(page.before)?,
        backward: page.backward,
        around,
        limit: page.limit,
    })
}

fn cursor(ordinal: u32) -> String {
    Cursor { list: LIST.to_owned(), key: vec![SortValue::Int(ordinal.into())] }.encode()
}

fn ordinal(cursor: &Cursor) -> Result<u32> {
    match cursor.key.as_slice() {
        [SortValue::Int(ordinal)] => u32::try_from(*ordinal).ok(),
        _ => None,
    }
    .ok_or_else(|| Error::invalid("this cursor does not belong to this list, take one from its own pages"))
}

/// One message, or null when there is none that the caller may see.
pub(crate) async fn message(reach: &Reach, id: MessageId) -> Nullable<Message> {
    match reach.load(id).await {
        Ok(found) => found.map(|message| Ok(Message::new(id, message))),
        Err(failure) => Some(Err(failure)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_messages() {
        let query = message_query(&PageArgs::default(), Vec::new(), None).unwrap();
        assert_eq!((query.limit, query.backward), (Some(20), false));
        let args = PageArgs { last: Some(2), before: Some(cursor(9)), ..PageArgs::default() };
        let query = message_query(&args, vec![Role::User], None).unwrap();
        assert_eq!((query.limit, query.backward, query.before), (Some(2), true, Some(9)));
        assert_eq!(message_query(&PageArgs::default(), Vec::new(), Some(5)).unwrap().around, Some(5));
        assert!(message_query(&PageArgs::default(), Vec::new(), Some(-1)).is_err());
        assert!(message_query(&args, Vec::new(), Some(1)).is_err());
        let session = Cursor { list: LIST.to_owned(), key: vec![SortValue::Text("x".to_owned())] }.encode();
        let args = PageArgs { after: Some(session), ..PageArgs::default() };
        assert!(message_query(&args, Vec::new(), None).is_err());
    }
}
