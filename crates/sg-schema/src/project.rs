//! Projects.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use sg_domain::{Error, ErrorKind, ProjectId};

use crate::failure::{Nullable, Outcome};
use crate::filter::SessionFilters;
use crate::loader::Reach;
use crate::page::PageArgs;
use crate::scalar::{BigInt, DateTime, int};
use crate::session::Session;
use crate::session_connection::{SessionArgs, SessionConnection, project_session_list, project_sessions};
use crate::stats::{ProjectActivity, ProjectStats};

/// A project.
#[derive(Clone)]
pub(crate) struct Project(pub(crate) Arc<sg_domain::Project>);

/// The sessions of one repository or folder.
#[Object]
impl Project {
    /// The id that clients know the project by, such as `0f81-fa3b-cc40-b565`.
    pub(crate) async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// The id of the user who owns it.
    fn owner_id(&self) -> &str {
        self.0.owner.as_str()
    }

    /// Its name.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The name of its icon, such as `FolderKanban`.
    fn icon(&self) -> &str {
        &self.0.icon
    }

    /// The name of its colour, such as `blue`.
    fn color(&self) -> &str {
        &self.0.color
    }

    /// When it was first stored here.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it or its list of sessions last changed here.
    fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// The latest activity of its sessions; when it has none, the time it last changed.
    fn last_updated(&self) -> DateTime {
        DateTime(self.0.last_activity_at.unwrap_or(self.0.updated_at))
    }

    /// The latest activity of its sessions; null while it has none.
    fn last_activity(&self) -> Option<DateTime> {
        self.0.last_activity_at.map(DateTime)
    }

    /// Number of sessions.
    fn session_count(&self) -> i32 {
        int(self.0.session_count)
    }

    /// Bytes of markdown of all its sessions.
    fn total_markdown_size(&self) -> BigInt {
        BigInt(self.0.total_markdown_size)
    }

    /// When its sessions happened, and from how many machines.
    async fn activity(&self, ctx: &Context<'_>) -> Outcome<ProjectActivity> {
        let reach = Reach::of(ctx);
        reach.spend(10)?;
        Ok(Box::pin(reach.app.project_activity(&reach.caller, self.0.key)).await?.into())
    }

    /// Figures of its sessions.
    fn stats(&self) -> ProjectStats {
        ProjectStats::of(self.0.clone())
    }

    /// Its sessions. With `first`, `after`, `last` or `before` pages work as in Relay; otherwise `limit` and `offset`
    /// decide.
    #[allow(clippy::too_many_arguments, reason = "GraphQL arguments are Rust arguments here")]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions; all of the project when left out.")] filters: Option<SessionFilters>,
        #[graphql(desc = "At most this many, 1 to 200; larger values count as 200.", default = 200)] limit: Option<i32>,
        #[graphql(desc = "Skip this many.", default = 0)] offset: Option<i32>,
        #[graphql(desc = "At most this many from the front, 1 to 100; 20 when only a cursor is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only sessions behind this cursor.")] after: Option<String>,
        #[graphql(desc = "At most this many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only sessions before this cursor.")] before: Option<String>,
        #[graphql(
            desc = "Sort by `createdAt`, `updatedAt`, `endedAt`, `lastActivity`, `name` or `markdownSize`.",
            default_with = "Some(\"createdAt\".to_owned())"
        )]
        order_by: Option<String>,
        #[graphql(desc = "`asc` or `desc`.", default_with = "Some(\"desc\".to_owned())")] order_direction: Option<
            String,
        >,
    ) -> Outcome<SessionConnection> {
        let page = PageArgs { first, after, last, before, limit, offset };
        Box::pin(project_sessions(ctx, &self.0, SessionArgs { filters, page, order_by, order_direction })).await
    }

    /// The same sessions as a plain list: what a document gets that selects a session's own fields from `sessions`.
    #[allow(clippy::too_many_arguments, reason = "GraphQL arguments are Rust arguments here")]
    async fn session_list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions; all of the project when left out.")] filters: Option<SessionFilters>,
        #[graphql(desc = "At most this many, 1 to 200; larger values count as 200.", default = 200)] limit: Option<i32>,
        #[graphql(desc = "Skip this many.", default = 0)] offset: Option<i32>,
        #[graphql(desc = "At most this many from the front, 1 to 100; 20 when only a cursor is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only sessions behind this cursor.")] after: Option<String>,
        #[graphql(desc = "At most this many from the back, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only sessions before this cursor.")] before: Option<String>,
        #[graphql(
            desc = "Sort by `createdAt`, `updatedAt`, `endedAt`, `lastActivity`, `name` or `markdownSize`.",
            default_with = "Some(\"createdAt\".to_owned())"
        )]
        order_by: Option<String>,
        #[graphql(desc = "`asc` or `desc`.", default_with = "Some(\"desc\".to_owned())")] order_direction: Option<
            String,
        >,
    ) -> Outcome<Vec<Session>> {
        let page = PageArgs { first, after, last, before, limit, offset };
        Box::pin(project_session_list(ctx, &self.0, SessionArgs { filters, page, order_by, order_direction })).await
    }
}

/// One project by the id that clients know it by.
pub(crate) async fn project(reach: &Reach, id: &str) -> Outcome<Project> {
    let id = ProjectId::new(id)?;
    Ok(Project(Arc::new(reach.app.project(&reach.caller, &id).await?)))
}

/// As [`project`], or null when there is none that the caller may see.
pub(crate) async fn project_or_null(reach: &Reach, id: &str) -> Nullable<Project> {
    let id = ProjectId::new(id).ok()?;
    match reach.app.project(&reach.caller, &id).await {
        Ok(project) => Some(Ok(Project(Arc::new(project)))),
        Err(error) if error.kind == ErrorKind::NotFound => None,
        Err(error) => Some(Err(error.into())),
    }
}

/// The project that a row belongs to.
pub(crate) async fn project_by_key(reach: &Reach, key: sg_domain::ProjectKey) -> Outcome<Project> {
    let found = reach.load(key).await?;
    Ok(Project(found.ok_or_else(|| Error::not_found("project"))?))
}
