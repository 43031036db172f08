//! The search for sessions to resume.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use sg_app::SessionColumns;
use sg_domain::ProjectId;

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::project::{Project, project_by_key};
use crate::session::Session;

/// A session to resume that was found.
pub(crate) struct ResumableHit {
    session: Arc<sg_domain::Session>,
    project_name: String,
    snippet: String,
}

/// A session to resume that was found, with the place that matches.
#[Object]
impl ResumableHit {
    /// The session's id on this server.
    fn id(&self) -> ID {
        ID(self.session.id.to_string())
    }

    /// The id that its client or agent gave it.
    fn client_id(&self) -> &str {
        &self.session.client_id
    }

    /// The session itself.
    fn session(&self) -> Session {
        Session::new(self.session.clone())
    }

    /// Its project.
    async fn project(&self, ctx: &Context<'_>) -> Outcome<Project> {
        project_by_key(Reach::of(ctx), self.session.project_key).await
    }

    /// The name of its project.
    fn project_name(&self) -> &str {
        &self.project_name
    }

    /// Part of the first exchange that matches: plain text on one line, not HTML. U+0002 stands before and U+0003 behind
    /// each match, `…` where text was left out.
    fn snippet(&self) -> &str {
        &self.snippet
    }
}

/// Searches.
pub(crate) async fn resumable_sessions(
    ctx: &Context<'_>,
    query: &str,
    project: Option<String>,
) -> Outcome<Vec<ResumableHit>> {
    let reach = Reach::of(ctx);
    let session = ctx.look_ahead().field("session");
    let columns = SessionColumns {
        metadata: session.field("metadata").exists(),
        first_exchange: session.field("firstExchange").exists(),
    };
    let project = match project.map(ProjectId::new) {
        // Text that can be no id names a project that is not there.
        Some(Err(_)) => {
            reach.caller.require(sg_domain::Scope::Read)?;
            return Ok(Vec::new());
        }
        Some(Ok(project)) => Some(project),
        None => None,
    };
    let hits = reach.app.search_resumable(&reach.caller, query, project.as_ref(), columns).await?;
    // A hit and its session.
    reach.spend(2 * hits.len() as u64)?;
    let hit = |hit: sg_app::ResumableHit| ResumableHit {
        session: Arc::new(hit.session),
        project_name: hit.project_name,
        snippet: hit.snippet,
    };
    Ok(hits.into_iter().map(hit).collect())
}
