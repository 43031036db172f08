//! Sessions.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use bytes::Bytes;
use sg_domain::id::SessionRef;
use sg_domain::{Error, ErrorKind, ProjectId, Role};

use crate::event::{SessionEvent, events};
use crate::exchange::{Exchange, exchanges};
use crate::failure::{Nullable, Outcome};
use crate::loader::{Reach, Subagents};
use crate::message::{MessageConnection, MessageRole, message_query};
use crate::metadata::SessionMetadata;
use crate::page::PageArgs;
use crate::project::{Project, project_by_key};
use crate::related::{RelatedSession, related_sessions};
use crate::scalar::{DateTime, Decimal, int};
use crate::share_link::{ShareLink, share_links};
use crate::summary::{SessionSummary, summary};
use crate::usage::TokenUsage;

/// Who may read a session without signing in.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "ShareStatus", remote = "sg_domain::ShareStatus")]
pub(crate) enum ShareStatus {
    /// Nobody.
    Private,
    /// Whoever has the link.
    Unlisted,
}

/// Counts of one session.
#[derive(SimpleObject)]
#[graphql(name = "SessionCounts")]
pub(crate) struct SessionCounts {
    /// Messages.
    messages: i32,
    /// Messages of the person, side conversations left out.
    turns: i32,
    /// Calls of tools.
    tool_uses: i32,
    /// Exchanges of the markdown.
    exchanges: i32,
}

/// A session's row, with its project when that is known already.
#[derive(Clone)]
pub(crate) struct Session {
    row: Arc<sg_domain::Session>,
    project: Option<Arc<sg_domain::Project>>,
}

impl Session {
    /// A session on its own.
    pub(crate) fn new(row: Arc<sg_domain::Session>) -> Self {
        Self { row, project: None }
    }

    /// A session that was reached through its project.
    pub(crate) fn of_project(row: Arc<sg_domain::Session>, project: Arc<sg_domain::Project>) -> Self {
        Self { row, project: Some(project) }
    }

    /// The row.
    pub(crate) fn row(&self) -> &sg_domain::Session {
        &self.row
    }
}

/// One conversation with a coding agent.
#[Object]
impl Session {
    /// The session's id on this server.
    pub(crate) async fn id(&self) -> ID {
        ID(self.row.id.to_string())
    }

    /// The id that its client or agent gave it, unique inside the project.
    fn client_id(&self) -> &str {
        &self.row.client_id
    }

    /// The id of its project.
    fn project_id(&self) -> &str {
        self.row.project_id.as_str()
    }

    /// Its project.
    async fn project(&self, ctx: &Context<'_>) -> Outcome<Project> {
        match &self.project {
            Some(project) => Ok(Project(project.clone())),
            None => Box::pin(project_by_key(Reach::of(ctx), self.row.project_key)).await,
        }
    }

    /// What it was called when it was sent, often a file name.
    fn name(&self) -> &str {
        &self.row.name
    }

    /// What a person called it.
    fn user_title(&self) -> Option<&str> {
        self.row.user_title.as_deref()
    }

    /// A short name that a person gave it, unique per owner.
    fn alias(&self) -> Option<&str> {
        self.row.alias.as_deref()
    }

    /// The format it came in, such as `claude-code`; `specstory` for synced ones.
    fn format(&self) -> &str {
        &self.row.format
    }

    /// The subagent that this session is the transcript of.
    fn agent_id(&self) -> Option<&str> {
        self.row.agent_id.as_deref()
    }

    /// The whole session as markdown. Read only when it is asked for.
    async fn markdown_content(&self, ctx: &Context<'_>) -> Outcome<String> {
        let reach = Reach::of(ctx);
        reach.spend_bytes(self.row.markdown_size)?;
        Ok(text(&Box::pin(reach.app.markdown(&reach.caller, &self.row)).await?))
    }

    /// The agent's own file as text; null when there is none. Bytes that are not UTF-8 are replaced.
    async fn raw_data(&self, ctx: &Context<'_>) -> Nullable<String> {
        let reach = Reach::of(ctx);
        if let Err(error) = reach.spend_bytes(self.row.raw_data_size) {
            return Some(Err(error.into()));
        }
        nullable_text(Box::pin(reach.app.raw_data(&reach.caller, &self.row)).await)
    }

    /// SpecStory's session data as JSON text; null when no client sent it.
    async fn session_data(&self, ctx: &Context<'_>) -> Nullable<String> {
        let reach = Reach::of(ctx);
        if let Err(error) = reach.spend_bytes(self.row.session_data_size.unwrap_or_default()) {
            return Some(Err(error.into()));
        }
        nullable_text(Box::pin(reach.app.session_data(&reach.caller, &self.row)).await)
    }

    /// Bytes of the markdown.
    fn markdown_size(&self) -> i32 {
        int(self.row.markdown_size)
    }

    /// Bytes of the agent's own file; 0 when there is none.
    fn raw_data_size(&self) -> i32 {
        int(self.row.raw_data_size)
    }

    /// Bytes of the session data; null when there is none.
    fn session_data_size(&self) -> Option<i32> {
        self.row.session_data_size.map(int)
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

    /// Its end, else its start, else its last change: what date filters compare.
    fn last_activity(&self) -> DateTime {
        DateTime(self.row.activity_at)
    }

    /// Changes whenever anything a reader can see changes; as in the REST `ETag` header.
    fn etag(&self) -> String {
        format!("W/\"{}\"", self.row.etag)
    }

    /// Where and by what it was made.
    fn metadata(&self) -> SessionMetadata {
        SessionMetadata(self.row.clone())
    }

    /// Counts of messages, turns, tool calls and exchanges.
    fn counts(&self) -> SessionCounts {
        let counts = self.row.counts;
        SessionCounts {
            messages: int(counts.messages),
            turns: int(counts.turns),
            tool_uses: int(counts.tool_uses),
            exchanges: int(counts.exchanges),
        }
    }

    /// Tokens of all its messages, each answer counted once.
    fn usage(&self) -> TokenUsage {
        TokenUsage::of_session(&self.row)
    }

    /// What it cost, in US dollars: the same as `usage.cost`.
    async fn cost(&self, ctx: &Context<'_>) -> Outcome<Option<Decimal>> {
        Box::pin(TokenUsage::of_session(&self.row).dollars(ctx)).await
    }

    /// The sessions nearest to it by what was said and which files were touched, nearest first, then last activity first.
    /// Never itself; its subagents and the session that started it are sessions like any other. Empty while it is not
    /// indexed.
    async fn related_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 50.", default = 5)] limit: Option<i32>,
    ) -> Outcome<Vec<RelatedSession>> {
        Box::pin(related_sessions(ctx, &self.row, limit)).await
    }

    /// What happened in it, in order: an event for each message.
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many, 1 to 200; larger values count as 200.", default = 200)] limit: Option<i32>,
        #[graphql(desc = "Skip this many.", default = 0)] offset: Option<i32>,
    ) -> Outcome<Vec<SessionEvent>> {
        Box::pin(events(ctx, &self.row, limit, offset)).await
    }

    /// The start of the first prompt, at most 500 characters.
    fn first_exchange(&self) -> &str {
        &self.row.first_exchange
    }

    /// Who may read it without signing in.
    fn share_status(&self) -> ShareStatus {
        self.row.share_status.into()
    }

    /// The links that let whoever has one read it, newest first, at most a hundred: those that were not revoked, those that
    /// have ended among them.
    async fn share_links(&self, ctx: &Context<'_>) -> Outcome<Vec<ShareLink>> {
        Box::pin(share_links(ctx, &self.row)).await
    }

    /// What its messages tell without a model reading them; null when it has none. Made when it is first asked for, and
    /// anew when the session has changed.
    async fn summary(&self, ctx: &Context<'_>) -> Nullable<SessionSummary> {
        Box::pin(summary(ctx, &self.row)).await
    }

    /// Its messages, in the order they were said.
    #[allow(clippy::too_many_arguments, reason = "GraphQL arguments are Rust arguments here")]
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most this many from the front, 1 to 100; 20 when left out.")] first: Option<i32>,
        #[graphql(desc = "Only messages behind this cursor.")] after: Option<String>,
        #[graphql(desc = "At most this many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only messages before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only messages of this role.")] role: Option<MessageRole>,
        #[graphql(desc = "Only messages of any of these roles.")] roles: Option<Vec<MessageRole>>,
        #[graphql(desc = "A page centred on the message with this ordinal.")] around: Option<i32>,
    ) -> Outcome<MessageConnection> {
        let mut wanted: Vec<Role> = role.into_iter().chain(roles.unwrap_or_default()).map(Role::from).collect();
        wanted.sort_unstable_by_key(|role| role.name());
        wanted.dedup();
        let args = PageArgs { first, after, last, before, limit: None, offset: None };
        let query = message_query(&args, wanted.clone(), around)?;
        let reach = Reach::of(ctx);
        reach.spend(10)?;
        let page = Box::pin(reach.app.messages(&reach.caller, self.row.id, &query)).await?;
        reach.spend(page.items.len() as u64)?;
        let total = wanted.is_empty().then_some(self.row.counts.messages);
        Ok(MessageConnection::new(self.row.id, wanted, page, total))
    }

    /// Its exchanges: the markdown, cut at its prompts.
    async fn exchanges(&self, ctx: &Context<'_>) -> Outcome<Vec<Exchange>> {
        Box::pin(exchanges(Reach::of(ctx), &self.row)).await
    }

    /// The session that started this one, when this is a subagent's and the other is stored too.
    async fn parent(&self, ctx: &Context<'_>) -> Nullable<Session> {
        let parent = self.row.parent_client_id.clone()?;
        if let Err(error) = Reach::of(ctx).spend(10) {
            return Some(Err(error.into()));
        }
        let parent = SessionRef::InProject(self.row.project_id.clone(), parent);
        Box::pin(session_or_null(Reach::of(ctx), &parent)).await
    }

    /// The sessions of subagents that this session started, oldest first.
    async fn subagents(&self, ctx: &Context<'_>) -> Outcome<Vec<Session>> {
        let row = &self.row;
        let key =
            Subagents { project: row.project_key, project_id: row.project_id.clone(), parent: row.client_id.clone() };
        let found = Box::pin(Reach::of(ctx).load(key)).await?.unwrap_or_default();
        Reach::of(ctx).spend(found.len() as u64 + 1)?;
        let session = |row: &Arc<sg_domain::Session>| Session { row: row.clone(), project: self.project.clone() };
        Ok(found.iter().map(session).collect())
    }
}

/// A session by any of the ways clients name one.
pub(crate) async fn session(
    reach: &Reach,
    id: Option<&str>,
    project_id: Option<&str>,
    session_id: Option<&str>,
) -> Outcome<Session> {
    let refs = session_refs(id, project_id, session_id)?;
    let mut failed = Error::not_found("session");
    for session in refs {
        match reach.app.session(&reach.caller, &session).await {
            Ok(session) => return Ok(Session::new(Arc::new(session))),
            Err(error) if error.kind == ErrorKind::NotFound => failed = error,
            Err(error) => return Err(error.into()),
        }
    }
    for (name, value) in [("projectId", project_id), ("sessionId", session_id.or(id))] {
        if let Some(value) = value {
            failed = failed.with(name, value);
        }
    }
    Err(failed.into())
}

/// What the ids that name a session may mean, likeliest first.
pub(crate) fn session_refs(
    id: Option<&str>,
    project_id: Option<&str>,
    session_id: Option<&str>,
) -> sg_domain::Result<Vec<SessionRef>> {
    match (id, project_id, session_id) {
        (Some(id), None, None) | (None, None, Some(id)) => Ok(any_project(id)),
        (None, Some(project), Some(id)) => Ok(vec![SessionRef::InProject(ProjectId::new(project)?, id.to_owned())]),
        _ => Err(Error::invalid("name the session by id, or by projectId and sessionId")),
    }
}

/// Our own id first; many agents' ids look the same. Whoever gives an alias that is an id means something else by it.
fn any_project(id: &str) -> Vec<SessionRef> {
    let own = id.parse().ok().map(SessionRef::Id);
    let alias = sg_domain::id::alias(id).is_ok().then(|| SessionRef::Alias(id.to_owned()));
    own.into_iter().chain([SessionRef::Client(id.to_owned())]).chain(alias).collect()
}

async fn session_or_null(reach: &Reach, session: &SessionRef) -> Nullable<Session> {
    match reach.app.session(&reach.caller, session).await {
        Ok(session) => Some(Ok(Session::new(Arc::new(session)))),
        Err(error) if error.kind == ErrorKind::NotFound => None,
        Err(error) => Some(Err(error.into())),
    }
}

fn nullable_text(content: sg_domain::Result<Bytes>) -> Nullable<String> {
    match content {
        Ok(bytes) => Some(Ok(text(&bytes))),
        Err(error) if error.kind == ErrorKind::NotFound => None,
        Err(error) => Some(Err(error.into())),
    }
}

fn text(bytes: &Bytes) -> String {
    sg_domain::wtf8::lossy(bytes).into_owned()
}
