//! Handoffs: sessions that one account gives to another.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use sg_app::{HANDOFF_LIST, HandoffDirection, handoff_cursor};
use sg_domain::{Error, Page, Recipient, Scope};
use tokio::sync::OnceCell;

use crate::failure::{Nullable, Outcome};
use crate::loader::Reach;
use crate::page::{DEFAULT_FIRST, MAX_LIMIT, PageArgs, PageInfo, positive};
use crate::scalar::{BigInt, DateTime, int};
use crate::session::Session;

/// Where a handoff is in its life.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "HandoffStatus", remote = "sg_domain::HandoffStatus")]
pub(crate) enum HandoffStatus {
    /// Waits for the recipient.
    Pending,
    /// The recipient has taken it.
    Claimed,
    /// The recipient does not want it.
    Declined,
    /// The sender has taken it back.
    Revoked,
    /// Its time has passed.
    Expired,
}

/// What can happen to a handoff.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "HandoffEventKind", remote = "sg_domain::HandoffEventKind")]
pub(crate) enum HandoffEventKind {
    /// It was made.
    Created,
    /// The recipient looked at it for the first time.
    Viewed,
    /// The recipient took it.
    Claimed,
    /// The recipient does not want it.
    Declined,
    /// The sender took it back.
    Revoked,
    /// Somebody said something.
    Commented,
    /// Its time has passed.
    Expired,
}

/// Which side of handoffs.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandoffBox {
    /// Those that the caller is given.
    Inbox,
    /// Those that the caller gives.
    Sent,
}

/// A handoff.
#[derive(Clone)]
pub(crate) struct Handoff(pub(crate) Arc<sg_domain::Handoff>);

impl Handoff {
    pub(crate) fn new(handoff: sg_domain::Handoff) -> Self {
        Self(Arc::new(handoff))
    }
}

/// A session that is given to somebody: an offer that its recipient takes, declines, or lets pass. Only its sender and its
/// recipient see it.
#[Object]
impl Handoff {
    /// The handoff's id, which `sfs pull-handoff` takes too.
    pub(crate) async fn id(&self) -> ID {
        ID(self.0.id.clone())
    }

    /// Where it is in its life.
    fn status(&self) -> HandoffStatus {
        self.0.status.into()
    }

    /// The sender's mail address at that time.
    fn sender_email(&self) -> &str {
        &self.0.sender_email
    }

    /// The mail address it was sent to; null when it was sent to an account.
    fn recipient_email(&self) -> Option<&str> {
        match &self.0.recipient {
            Recipient::Address(address) => Some(address),
            Recipient::User(_) => None,
        }
    }

    /// The id of the account it was sent to, or that took it.
    fn recipient_user_id(&self) -> Option<ID> {
        let id = match &self.0.recipient {
            Recipient::Address(_) => self.0.claimed_by.as_ref(),
            Recipient::User(id) => Some(id),
        };
        id.map(|id| ID(id.to_string()))
    }

    /// What the sender said of it.
    fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// The session that is given, for its owner; null for everyone else, and when it is gone.
    async fn session(&self, ctx: &Context<'_>) -> Nullable<Session> {
        Reach::of(ctx).load(self.0.session?).await.map(|found| found.map(Session::new)).transpose()
    }

    /// What the session's client calls it.
    fn session_client_id(&self) -> &str {
        &self.0.archive
    }

    /// The session's title when it was offered. Whoever takes it gets it as it is then.
    fn session_title(&self) -> Option<&str> {
        self.0.snapshot.title.as_deref()
    }

    /// The agent that wrote the session.
    fn session_tool(&self) -> &str {
        &self.0.snapshot.tool
    }

    /// The model that answered in the session.
    fn session_model(&self) -> Option<&str> {
        self.0.snapshot.model.as_deref()
    }

    /// Messages of the session when it was offered, as its client counted them.
    fn session_message_count(&self) -> i32 {
        int(self.0.snapshot.messages)
    }

    /// Tokens of the session when it was offered, as its client counted them.
    fn session_token_count(&self) -> BigInt {
        BigInt(self.0.snapshot.tokens)
    }

    /// The recipient's copy of the session, for the recipient; null for everyone else, and when it is gone.
    async fn claimed_session(&self, ctx: &Context<'_>) -> Nullable<Session> {
        let reach = Reach::of(ctx);
        let id = self.0.claimed_archive.as_deref()?;
        if let Err(error) = reach.spend(1) {
            return Some(Err(error.into()));
        }
        match reach.app.archive(&reach.caller, id).await {
            Ok(found) if found.archive.id == id => Some(Ok(Session::new(Arc::new(found.session)))),
            Err(error) if error.kind != sg_domain::ErrorKind::NotFound => Some(Err(error.into())),
            _ => None,
        }
    }

    /// When it was made.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// Until when it can be taken.
    fn expires_at(&self) -> DateTime {
        DateTime(self.0.expires_at)
    }

    /// When the recipient first looked at it.
    fn viewed_at(&self) -> Option<DateTime> {
        self.0.viewed_at.map(DateTime)
    }

    /// When the recipient took it.
    fn claimed_at(&self) -> Option<DateTime> {
        self.0.claimed_at.map(DateTime)
    }

    /// When the sender took it back.
    fn revoked_at(&self) -> Option<DateTime> {
        self.0.revoked_at.map(DateTime)
    }

    /// Why the sender took it back, or the recipient did not want it.
    fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// What is in the session, as it is now, for a recipient who thinks about taking it. `GONE` unless the handoff waits.
    async fn session_summary(&self, ctx: &Context<'_>) -> Nullable<HandoffSummary> {
        let reach = Reach::of(ctx);
        Some(match reach.app.handoff_summary(&reach.caller, &self.0.id).await {
            Ok((_, summary)) => Ok(HandoffSummary(summary)),
            Err(error) => Err(error.into()),
        })
    }

    /// What was said about it, oldest first.
    async fn comments(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 200.", default = 100)] first: Option<i32>,
    ) -> Outcome<Vec<HandoffComment>> {
        let (reach, first) = (Reach::of(ctx), positive("first", first.unwrap_or(100), MAX_LIMIT)?);
        let found = reach.app.handoff_comments(&reach.caller, &self.0.id, first).await?;
        reach.spend(found.len() as u64 + 1)?;
        Ok(found.into_iter().map(HandoffComment).collect())
    }

    /// What happened to it, oldest first.
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 200.", default = 100)] first: Option<i32>,
    ) -> Outcome<Vec<HandoffEvent>> {
        let (reach, first) = (Reach::of(ctx), positive("first", first.unwrap_or(100), MAX_LIMIT)?);
        let found = reach.app.handoff_events(&reach.caller, &self.0.id, first).await?;
        reach.spend(found.len() as u64 + 1)?;
        Ok(found.into_iter().map(HandoffEvent).collect())
    }
}

/// What is in a session that is offered.
pub(crate) struct HandoffSummary(sg_domain::HandoffSummary);

/// What is in a session that is offered, in short.
#[Object]
impl HandoffSummary {
    /// Files that were written, at most ten.
    fn files_modified(&self) -> &[String] {
        &self.0.files_modified
    }

    /// Commands that were run.
    fn command_count(&self) -> i32 {
        int(self.0.commands)
    }

    /// Tests that commands' output told of.
    fn test_count(&self) -> i32 {
        int(self.0.tests_run)
    }

    /// Those of them that passed.
    fn passed_test_count(&self) -> i32 {
        int(self.0.tests_passed)
    }

    /// Those of them that failed.
    fn failed_test_count(&self) -> i32 {
        int(self.0.tests_failed)
    }

    /// Lines that tell of an error, at most three.
    fn errors(&self) -> &[String] {
        &self.0.errors
    }

    /// The last things the agent said, the last first, at most three, each cut to 200 characters.
    fn last_answers(&self) -> &[String] {
        &self.0.last_answers
    }
}

/// Something that was said about a handoff.
pub(crate) struct HandoffComment(pub(crate) sg_domain::HandoffComment);

/// Something that one side said about a handoff to the other.
#[Object]
impl HandoffComment {
    /// The comment's id.
    async fn comment_id(&self) -> &str {
        &self.0.id
    }

    /// The id of who said it.
    fn author_id(&self) -> &str {
        self.0.author.as_str()
    }

    /// What was said.
    fn content(&self) -> &str {
        &self.0.content
    }

    /// When it was said.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.at)
    }
}

/// Something that happened to a handoff.
pub(crate) struct HandoffEvent(sg_domain::HandoffEvent);

/// Something that happened to a handoff.
#[Object]
impl HandoffEvent {
    /// What happened.
    fn kind(&self) -> HandoffEventKind {
        self.0.kind.into()
    }

    /// The id of who did it; null when it happened by itself.
    fn actor_id(&self) -> Option<&str> {
        self.0.actor.as_ref().map(sg_domain::UserId::as_str)
    }

    /// When.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.at)
    }
}

/// One handoff of a page, with its cursor.
#[derive(SimpleObject)]
pub(crate) struct HandoffEdge {
    /// Where the handoff lies in the list.
    cursor: String,
    /// The handoff.
    node: Handoff,
}

/// A page of handoffs.
pub(crate) struct HandoffConnection {
    page: Page<Handoff>,
    direction: HandoffDirection,
    total: OnceCell<u64>,
}

/// A page of handoffs, newest first.
#[Object]
impl HandoffConnection {
    /// The handoffs with their cursors.
    fn edges(&self) -> Vec<HandoffEdge> {
        let edge = |node: &Handoff| HandoffEdge { cursor: handoff_cursor(&node.0).encode(), node: node.clone() };
        self.page.items.iter().map(edge).collect()
    }

    /// The handoffs.
    fn nodes(&self) -> &[Handoff] {
        &self.page.items
    }

    /// Where this page lies in the list.
    fn page_info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.page.has_next,
            has_previous_page: self.page.has_previous,
            start_cursor: self.page.items.first().map(|node| handoff_cursor(&node.0).encode()),
            end_cursor: self.page.items.last().map(|node| handoff_cursor(&node.0).encode()),
        }
    }

    /// Number of handoffs in the list. Counted only when it is asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Outcome<i32> {
        let reach = Reach::of(ctx);
        let count = || reach.app.handoff_count(&reach.caller, self.direction);
        Ok(int(*self.total.get_or_try_init(count).await?))
    }
}

/// A page of the caller's handoffs.
pub(crate) async fn handoffs(
    reach: &Reach,
    of: HandoffBox,
    first: Option<i32>,
    after: Option<String>,
) -> Outcome<HandoffConnection> {
    let direction = match of {
        HandoffBox::Inbox => HandoffDirection::Inbox,
        HandoffBox::Sent => HandoffDirection::Sent,
    };
    let page = PageArgs { first: Some(first.unwrap_or(DEFAULT_FIRST)), after, ..PageArgs::default() };
    let page = reach.app.handoffs(&reach.caller, direction, &page.request(HANDOFF_LIST)?).await?;
    reach.spend(page.items.len() as u64 + 1)?;
    Ok(HandoffConnection { page: page.map(Handoff::new), direction, total: OnceCell::new() })
}

/// One handoff; `NOT_FOUND` to all but its sender and its recipient.
pub(crate) async fn handoff(reach: &Reach, id: &str) -> Outcome<Handoff> {
    reach.caller.require(Scope::Read)?;
    Ok(Handoff::new(reach.app.handoff(&reach.caller, id).await?))
}

/// Who is meant, of the two ways to say it.
pub(crate) fn recipient(email: Option<String>, user: Option<String>) -> sg_domain::Result<Recipient> {
    match (email, user) {
        (Some(email), None) => Ok(Recipient::Address(email)),
        (None, Some(id)) => Ok(Recipient::User(sg_domain::UserId(id))),
        _ => Err(Error::invalid("a handoff needs one recipient, send recipientEmail or recipientUserId").in_input()),
    }
}
