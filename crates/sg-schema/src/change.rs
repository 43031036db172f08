//! What happens to sessions, as subscribers hear it.

use async_graphql::{Enum, ID, Object};
use futures_util::stream::StreamExt as _;
use sg_app::ChangeRequest;
use sg_domain::change as domain;
use sg_domain::{Error, ProjectId};

use crate::failure::{Nullable, Outcome};
use crate::filter::{SessionFilters, Wanted};
use crate::loader::Reach;
use crate::scalar::DateTime;
use crate::session::Session;
use crate::stream::{Event, Source};

/// What happened to a session.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "ChangeKind", remote = "sg_domain::change::ChangeKind")]
pub(crate) enum ChangeKind {
    /// It was stored for the first time.
    Created,
    /// It, or one of its exchanges, is not what it was.
    Updated,
    /// It is gone, alone or with its project.
    Deleted,
    /// It was deleted and is back.
    Restored,
}

/// What happened to one session.
pub(crate) struct SessionChange(pub(crate) domain::SessionChange);

/// What happened to one session. The session itself is as it is when this is sent, which may be later than the change.
#[Object]
impl SessionChange {
    /// What happened.
    fn kind(&self) -> ChangeKind {
        self.0.kind.into()
    }

    /// The session's id on this server.
    fn session_id(&self) -> ID {
        ID(self.0.session.to_string())
    }

    /// The id that its client knows it by.
    fn client_id(&self) -> &str {
        &self.0.client_id
    }

    /// The project it is or was in, as clients know it.
    fn project_id(&self) -> &str {
        self.0.project_id.as_str()
    }

    /// The session as it is now; null when it is gone.
    async fn session(&self, ctx: &async_graphql::Context<'_>) -> Nullable<Session> {
        match Reach::of(ctx).load(self.0.session).await {
            Ok(session) => session.map(|session| Ok(Session::new(session))),
            Err(failure) => Some(Err(failure)),
        }
    }

    /// Where this lies among all changes: `since` goes on behind it.
    fn cursor(&self) -> String {
        self.0.place.cursor(&self.0.owner)
    }

    /// When it happened.
    fn changed_at(&self) -> DateTime {
        DateTime(self.0.at)
    }
}

/// Opens the changes that a subscriber asks for.
pub(crate) async fn session_changes(
    reach: &Reach,
    project_id: Option<String>,
    filters: Option<SessionFilters>,
    since: Option<String>,
) -> Outcome<Source> {
    reach.caller.require(sg_domain::Scope::Read)?;
    let Wanted { filter, text, cursor } = filters.unwrap_or_default().wanted(reach.app.now())?;
    if text.is_some() {
        let message = "filters.searchText does not work here: a change is told before it can be searched, leave it out";
        return Err(Error::invalid(message).with("field", "searchText").into());
    }
    if cursor.is_some() {
        let message = "filters.cursor does not work here, use since with the cursor of a change";
        return Err(Error::invalid(message).with("field", "cursor").into());
    }
    let project = project_id.map(ProjectId::new).transpose()?;
    let changes = reach.app.session_changes(&reach.caller, ChangeRequest { project, filter, since }).await?;
    Ok(changes.map(|change| change.map(Event::Session)).boxed())
}
