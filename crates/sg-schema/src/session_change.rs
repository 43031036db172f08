//! Changing and deleting sessions.

use std::sync::Arc;

use async_graphql::{ComplexObject, ID, InputObject, MaybeUndefined, SimpleObject};
use sg_app::SessionUpdate;
use sg_domain::{Error, ErrorKind};

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::scalar::DateTime;
use crate::session::{Session, ShareStatus, session_refs};

/// Which session, and what changes about it. A field that is left out stays as it is.
#[derive(InputObject)]
pub(crate) struct UpdateSessionInput {
    /// The session's id on this server; the id its client gave it works too.
    id: Option<String>,
    /// The id of its project; goes with `sessionId`.
    project_id: Option<String>,
    /// The id that its client gave it; goes with `projectId`.
    session_id: Option<String>,
    /// What to call it, 1 to 500 characters; null takes the title away.
    user_title: MaybeUndefined<String>,
    /// Who may read it without signing in.
    share_status: Option<ShareStatus>,
}

/// What came of a change of a session.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct UpdateSessionPayload {
    /// The session as it is now.
    session: Session,
}

/// The session's own fields, for clients that take the answer to be the session.
#[ComplexObject]
impl UpdateSessionPayload {
    /// The session's id on this server.
    async fn id(&self) -> ID {
        ID(self.session.row().id.to_string())
    }

    /// What the session is called now: as a person called it, else as it was sent.
    async fn name(&self) -> &str {
        self.session.row().user_title.as_deref().unwrap_or(&self.session.row().name)
    }

    /// When it last changed here.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.session.row().updated_at)
    }
}

/// Which session is to be deleted.
#[derive(InputObject)]
pub(crate) struct DeleteSessionInput {
    /// The session's id on this server; the id its client gave it works too.
    id: Option<String>,
    /// The id of its project; goes with `sessionId`.
    project_id: Option<String>,
    /// The id that its client gave it; goes with `projectId`.
    session_id: Option<String>,
}

/// What came of deleting a session.
#[derive(SimpleObject)]
pub(crate) struct DeleteSessionPayload {
    /// The id that the session had on this server.
    deleted_session_id: ID,
    /// The id that its client knew it by.
    deleted_client_id: String,
}

/// Changes a session.
pub(crate) async fn update_session(reach: &Reach, input: UpdateSessionInput) -> Outcome<UpdateSessionPayload> {
    reach.caller.require(sg_domain::Scope::Write)?;
    // The answer shows it: whoever may not read must hear so before anything has changed.
    reach.caller.require(sg_domain::Scope::Read)?;
    let UpdateSessionInput { id, project_id, session_id, user_title, share_status } = input;
    let update = SessionUpdate { user_title: given(user_title), share_status: share_status.map(Into::into) };
    let refs = session_refs(id.as_deref(), project_id.as_deref(), session_id.as_deref())?;
    for session in &refs {
        match reach.app.update_session(&reach.caller, session, update.clone()).await {
            Err(error) if error.kind == ErrorKind::NotFound => {}
            changed => return Ok(UpdateSessionPayload { session: Session::new(Arc::new(changed?)) }),
        }
    }
    Err(Error::not_found("session").into())
}

/// Deletes a session.
pub(crate) async fn delete_session(reach: &Reach, input: DeleteSessionInput) -> Outcome<DeleteSessionPayload> {
    let DeleteSessionInput { id, project_id, session_id } = input;
    let refs = session_refs(id.as_deref(), project_id.as_deref(), session_id.as_deref())?;
    for session in &refs {
        let session = match reach.app.delete_session(&reach.caller, session).await {
            Err(error) if error.kind == ErrorKind::NotFound => continue,
            deleted => deleted?,
        };
        let deleted_session_id = ID(session.id.to_string());
        return Ok(DeleteSessionPayload { deleted_session_id, deleted_client_id: session.client_id });
    }
    Err(Error::not_found("session").into())
}

/// A field that may be left out, null or a value.
pub(crate) fn given<T>(field: MaybeUndefined<T>) -> Option<Option<T>> {
    match field {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}
