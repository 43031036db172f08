//! Sessions that have to do with another one.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use sg_domain::RelatedHit;

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::metadata::SessionMetadata;
use crate::page::positive;
use crate::project::{Project, project_by_key};
use crate::scalar::{DateTime, int};
use crate::selection::Rows;
use crate::session::Session;

/// What two sessions have in common.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "RelatedReason", remote = "sg_domain::RelatedReason")]
pub(crate) enum RelatedReason {
    /// Much of the one's own vocabulary is said in the other.
    Content,
    /// Tools touched, or people named, the same files.
    Files,
    /// They are of one project.
    Project,
    /// They were on one branch of one project.
    Branch,
}

/// A session that has to do with another one.
pub(crate) struct RelatedSession {
    hit: RelatedHit,
    session: Arc<sg_domain::Session>,
}

/// A session that has to do with another one, with how near it is.
#[Object]
impl RelatedSession {
    /// The session itself.
    fn session(&self) -> Session {
        Session::new(self.session.clone())
    }

    /// How near it is, above 0 and at most 1: the share of the other session's own vocabulary and files that it holds,
    /// weighted by whether they are of one project and were on one branch.
    fn similarity(&self) -> f64 {
        self.hit.similarity
    }

    /// Why, the weightiest reason first.
    fn reasons(&self) -> Vec<RelatedReason> {
        self.hit.reasons.iter().map(|reason| (*reason).into()).collect()
    }

    /// The session's id on this server.
    fn id(&self) -> ID {
        ID(self.session.id.to_string())
    }

    /// The id that its client or agent gave it.
    fn client_id(&self) -> &str {
        &self.session.client_id
    }

    /// The id of its project.
    fn project_id(&self) -> &str {
        self.session.project_id.as_str()
    }

    /// Its project.
    async fn project(&self, ctx: &Context<'_>) -> Outcome<Project> {
        project_by_key(Reach::of(ctx), self.session.project_key).await
    }

    /// What the session was called when it was sent.
    fn name(&self) -> &str {
        &self.session.name
    }

    /// What a person called it.
    fn user_title(&self) -> Option<&str> {
        self.session.user_title.as_deref()
    }

    /// When it was first stored here.
    fn created_at(&self) -> DateTime {
        DateTime(self.session.created_at)
    }

    /// When it last changed here.
    fn updated_at(&self) -> DateTime {
        DateTime(self.session.updated_at)
    }

    /// The first time in the conversation, where it is known.
    fn started_at(&self) -> Option<DateTime> {
        self.session.started_at.map(DateTime)
    }

    /// The last time in the conversation, where it is known.
    fn ended_at(&self) -> Option<DateTime> {
        self.session.ended_at.map(DateTime)
    }

    /// Its end, else its start, else its last change.
    fn last_activity(&self) -> DateTime {
        DateTime(self.session.activity_at)
    }

    /// Bytes of the markdown.
    fn markdown_size(&self) -> i32 {
        int(self.session.markdown_size)
    }

    /// Bytes of the agent's own file; 0 when there is none.
    fn raw_data_size(&self) -> i32 {
        int(self.session.raw_data_size)
    }

    /// Changes whenever anything a reader can see changes; as in the REST `ETag` header.
    fn etag(&self) -> String {
        format!("W/\"{}\"", self.session.etag)
    }

    /// Where and by what the session was made.
    fn metadata(&self) -> SessionMetadata {
        SessionMetadata(self.session.clone())
    }
}

/// The most sessions one list shows.
const MAX_RELATED: i32 = 50;

/// The sessions nearest to one.
pub(crate) async fn related_sessions(
    ctx: &Context<'_>,
    session: &sg_domain::Session,
    limit: Option<i32>,
) -> Outcome<Vec<RelatedSession>> {
    let reach = Reach::of(ctx);
    let limit = positive("limit", limit.unwrap_or(5), MAX_RELATED)?;
    reach.spend(100)?;
    let rows = Rows::of_list(ctx);
    let columns = sg_app::SessionColumns {
        metadata: rows.select("metadata") || rows.select_below("session", "metadata"),
        first_exchange: rows.select_below("session", "firstExchange"),
    };
    let found = reach.app.related_sessions(&reach.caller, session.id, limit, columns).await?;
    reach.spend(found.len() as u64)?;
    Ok(found.into_iter().map(|(hit, session)| RelatedSession { hit, session: Arc::new(session) }).collect())
}
