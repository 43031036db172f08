//! Deleting sessions, and the trash they go to.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use sg_app::{TRASH_LIST, trash_cursor};
use sg_domain::{Error, ErrorKind, Page, Scope, SessionId, TrashedSession};
use tokio::sync::OnceCell;

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::metadata::SessionMetadata;
use crate::page::{PageArgs, PageInfo};
use crate::project::{Project, project_by_key};
use crate::scalar::{DateTime, int};
use crate::session::Session;
use crate::session_change::named;

/// Which session is to be deleted.
#[derive(InputObject)]
pub(crate) struct DeleteSessionInput {
    /// The session's id on this server; its alias and the id its client gave it work too.
    id: Option<String>,
    /// The id of its project; goes with `sessionId`.
    project_id: Option<String>,
    /// The id that its client gave it; goes with `projectId`.
    session_id: Option<String>,
    /// The ETag that was seen last: if the session has another one by now, nothing changes and the answer is `CONFLICT`.
    etag: Option<String>,
}

/// What came of deleting a session.
#[derive(SimpleObject)]
pub(crate) struct DeleteSessionPayload {
    /// The id that the session had on this server, which `restoreSession` takes.
    deleted_session_id: ID,
    /// The id that its client knew it by.
    deleted_client_id: String,
    /// When it was deleted.
    deleted_at: DateTime,
    /// When it goes for good.
    purge_at: DateTime,
}

/// Which session is to come back.
#[derive(InputObject)]
pub(crate) struct RestoreSessionInput {
    /// The id that the session had on this server.
    id: String,
    /// The ETag that was seen last: if the session has another one, nothing changes and the answer is `CONFLICT`.
    etag: Option<String>,
}

/// What came of restoring a session.
#[derive(SimpleObject)]
pub(crate) struct RestoreSessionPayload {
    /// The session, as it was when it was deleted but for `updatedAt`.
    session: Session,
}

/// Which session is to go for good.
#[derive(InputObject)]
pub(crate) struct PurgeSessionInput {
    /// The id that the session had on this server.
    id: String,
    /// The ETag that was seen last: if the session has another one, nothing changes and the answer is `CONFLICT`.
    etag: Option<String>,
}

/// What came of purging a session.
#[derive(SimpleObject)]
pub(crate) struct PurgeSessionPayload {
    /// The id that the session had on this server.
    purged_session_id: ID,
    /// The id that its client knew it by.
    purged_client_id: String,
}

/// A session in the trash.
#[derive(Clone)]
pub(crate) struct DeletedSession {
    row: Arc<sg_domain::Session>,
    deleted_at: DateTime,
    purge_at: DateTime,
}

/// A session in the trash: what it was. What was said in it is told again once it is restored.
#[Object]
impl DeletedSession {
    /// The id that it had on this server, which `restoreSession` and `purgeSession` take.
    async fn id(&self) -> ID {
        ID(self.row.id.to_string())
    }

    /// The id that its client or agent gave it.
    fn client_id(&self) -> &str {
        &self.row.client_id
    }

    /// The id of its project.
    fn project_id(&self) -> &str {
        self.row.project_id.as_str()
    }

    /// Its project.
    async fn project(&self, ctx: &Context<'_>) -> Outcome<Project> {
        project_by_key(Reach::of(ctx), self.row.project_key).await
    }

    /// What it was called when it was sent.
    fn name(&self) -> &str {
        &self.row.name
    }

    /// What a person called it.
    fn user_title(&self) -> Option<&str> {
        self.row.user_title.as_deref()
    }

    /// Its alias, which another session may have since.
    fn alias(&self) -> Option<&str> {
        self.row.alias.as_deref()
    }

    /// When it was deleted.
    fn deleted_at(&self) -> DateTime {
        self.deleted_at
    }

    /// When it goes for good.
    fn purge_at(&self) -> DateTime {
        self.purge_at
    }

    /// When it was first stored here.
    fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it last changed before it was deleted.
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

    /// The state in which it was deleted, and will come back.
    fn etag(&self) -> String {
        format!("W/\"{}\"", self.row.etag)
    }

    /// Bytes of its markdown.
    fn markdown_size(&self) -> i32 {
        int(self.row.markdown_size)
    }

    /// Messages that were said in it.
    fn message_count(&self) -> i32 {
        int(self.row.counts.messages)
    }

    /// The start of the first prompt, at most 500 characters.
    fn first_exchange(&self) -> &str {
        &self.row.first_exchange
    }

    /// Where and by what it was made.
    fn metadata(&self) -> SessionMetadata {
        SessionMetadata(self.row.clone())
    }
}

/// One session of a page of the trash, with its cursor.
#[derive(SimpleObject)]
pub(crate) struct DeletedSessionEdge {
    /// Where the session lies in the list.
    cursor: String,
    /// The session.
    node: DeletedSession,
}

/// A page of the trash.
pub(crate) struct DeletedSessionConnection {
    page: Page<(String, DeletedSession)>,
    total: OnceCell<u64>,
}

/// A page of the trash, last deleted first.
#[Object]
impl DeletedSessionConnection {
    /// The sessions with their cursors.
    fn edges(&self) -> Vec<DeletedSessionEdge> {
        let edge = |(cursor, node): &(String, DeletedSession)| DeletedSessionEdge {
            cursor: cursor.clone(),
            node: node.clone(),
        };
        self.page.items.iter().map(edge).collect()
    }

    /// The sessions.
    fn nodes(&self) -> Vec<DeletedSession> {
        self.page.items.iter().map(|(_, session)| session.clone()).collect()
    }

    /// Where this page lies in the list.
    fn page_info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.page.has_next,
            has_previous_page: self.page.has_previous,
            start_cursor: self.page.items.first().map(|(cursor, _)| cursor.clone()),
            end_cursor: self.page.items.last().map(|(cursor, _)| cursor.clone()),
        }
    }

    /// Number of sessions in the trash. Counted only when it is asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Outcome<i32> {
        let reach = Reach::of(ctx);
        Ok(int(*self.total.get_or_try_init(|| reach.app.trashed_count(&reach.caller)).await?))
    }
}

/// The caller's trash.
pub(crate) async fn deleted_sessions(reach: &Reach, args: PageArgs) -> Outcome<DeletedSessionConnection> {
    let page = reach.app.trashed_sessions(&reach.caller, &args.request(TRASH_LIST)?).await?;
    reach.spend(page.items.len() as u64 + 1)?;
    let item = |trashed: TrashedSession| {
        let cursor = trash_cursor(&trashed).encode();
        let (deleted_at, purge_at) = (DateTime(trashed.deleted_at), DateTime(reach.app.purge_at(trashed.deleted_at)));
        (cursor, DeletedSession { row: Arc::new(trashed.session), deleted_at, purge_at })
    };
    Ok(DeletedSessionConnection { page: page.map(item), total: OnceCell::new() })
}

/// Deletes a session.
pub(crate) async fn delete_session(reach: &Reach, input: DeleteSessionInput) -> Outcome<DeleteSessionPayload> {
    reach.caller.require(Scope::Write)?;
    let DeleteSessionInput { id, project_id, session_id, etag } = input;
    let refs = named(id.as_deref(), project_id.as_deref(), session_id.as_deref())?;
    for session in &refs {
        let deleted = match reach.app.delete_session_if(&reach.caller, session, etag.as_deref()).await {
            Err(error) if error.kind == ErrorKind::NotFound => continue,
            deleted => deleted?,
        };
        return Ok(DeleteSessionPayload {
            deleted_session_id: ID(deleted.session.id.to_string()),
            deleted_client_id: deleted.session.client_id,
            deleted_at: DateTime(deleted.deleted_at),
            purge_at: DateTime(reach.app.purge_at(deleted.deleted_at)),
        });
    }
    Err(Error::not_found("session").into())
}

/// Restores a session.
pub(crate) async fn restore_session(reach: &Reach, input: RestoreSessionInput) -> Outcome<RestoreSessionPayload> {
    reach.caller.require(Scope::Write)?;
    // The answer shows it: whoever may not read must hear so before anything has changed.
    reach.caller.require(Scope::Read)?;
    let id = trashed_id(&input.id)?;
    let session = reach.app.restore_session(&reach.caller, id, input.etag.as_deref()).await?;
    Ok(RestoreSessionPayload { session: Session::new(Arc::new(session)) })
}

/// Purges a session.
pub(crate) async fn purge_session(reach: &Reach, input: PurgeSessionInput) -> Outcome<PurgeSessionPayload> {
    reach.caller.require(Scope::Write)?;
    let id = trashed_id(&input.id)?;
    let session = reach.app.purge_session(&reach.caller, id, input.etag.as_deref()).await?;
    Ok(PurgeSessionPayload { purged_session_id: ID(session.id.to_string()), purged_client_id: session.client_id })
}

/// Text that can be no id names a session that is not there.
fn trashed_id(text: &str) -> sg_domain::Result<SessionId> {
    text.parse().map_err(|_| Error::not_found("deleted session"))
}
