//! Changing sessions.

use std::sync::Arc;

use async_graphql::{ComplexObject, ID, InputObject, MaybeUndefined, SimpleObject};
use sg_app::SessionUpdate;
use sg_domain::id::SessionRef;
use sg_domain::{Error, ErrorKind, ProjectId, Result, Scope};

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::scalar::DateTime;
use crate::session::{Session, ShareStatus, session_refs};

/// Which session, and what changes about it. A field that is left out stays as it is.
#[derive(InputObject)]
pub(crate) struct UpdateSessionInput {
    /// The session's id on this server; its alias and the id its client gave it work too.
    id: Option<String>,
    /// The id of its project; goes with `sessionId`.
    project_id: Option<String>,
    /// The id that its client gave it; goes with `projectId`.
    session_id: Option<String>,
    /// The ETag that was seen last: if the session has another one by now, nothing changes and the answer is `CONFLICT`.
    etag: Option<String>,
    /// What to call it, 1 to 500 characters; null takes the title away.
    user_title: MaybeUndefined<String>,
    /// The name it came with, 1 to 255 characters. The next upload by its client brings that one's name again.
    name: Option<String>,
    /// A short name that stands for its id, unique among the caller's sessions: 3 to 100 letters, digits, hyphens and
    /// underscores. Null takes it away.
    alias: MaybeUndefined<String>,
    /// All its tags, in place of those it has; an empty list or null takes all away. At most 100 of 1 to 100 characters.
    tags: MaybeUndefined<Vec<String>>,
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

/// Which session, and the tags it gets or loses.
#[derive(InputObject)]
pub(crate) struct TagSessionInput {
    /// The session's id on this server; its alias and the id its client gave it work too.
    id: Option<String>,
    /// The id of its project; goes with `sessionId`.
    project_id: Option<String>,
    /// The id that its client gave it; goes with `projectId`.
    session_id: Option<String>,
    /// The ETag that was seen last: if the session has another one by now, nothing changes and the answer is `CONFLICT`.
    etag: Option<String>,
    /// Tags to add; those it has already stay once. A session has at most 100, of 1 to 100 characters.
    add: Option<Vec<String>>,
    /// Tags to take away; those it does not have are no error.
    remove: Option<Vec<String>>,
}

/// What came of tagging a session.
#[derive(SimpleObject)]
pub(crate) struct TagSessionPayload {
    /// The session as it is now.
    session: Session,
}

/// Changes a session.
pub(crate) async fn update_session(reach: &Reach, input: UpdateSessionInput) -> Outcome<UpdateSessionPayload> {
    let UpdateSessionInput { id, project_id, session_id, etag, user_title, name, alias, tags, share_status } = input;
    let update = SessionUpdate {
        user_title: given(user_title),
        share_status: share_status.map(Into::into),
        name,
        alias: given(alias),
        tags: given(tags).map(Option::unwrap_or_default),
        etag,
        ..SessionUpdate::default()
    };
    let message = "send what is to change: userTitle, name, alias, tags or shareStatus";
    let session = changed(reach, (id, project_id, session_id), update, message).await?;
    Ok(UpdateSessionPayload { session })
}

/// Gives a session tags, or takes some away.
pub(crate) async fn tag_session(reach: &Reach, input: TagSessionInput) -> Outcome<TagSessionPayload> {
    let TagSessionInput { id, project_id, session_id, etag, add, remove } = input;
    let update = SessionUpdate {
        add_tags: add.unwrap_or_default(),
        remove_tags: remove.unwrap_or_default(),
        etag,
        ..SessionUpdate::default()
    };
    let changed = changed(reach, (id, project_id, session_id), update, "send tags to add or to remove").await;
    Ok(TagSessionPayload { session: changed.map_err(|failure| failure.map(of_tags))? })
}

/// The operation's fields by the names they have here.
pub(crate) fn of_tags(mut error: Error) -> Error {
    if let Some(first) = error.input.as_mut().and_then(|path| path.first_mut()) {
        match first.as_str() {
            "addTags" | "tags" => *first = "add".to_owned(),
            "removeTags" => *first = "remove".to_owned(),
            _ => {}
        }
    }
    error
}

type Ids = (Option<String>, Option<String>, Option<String>);

async fn changed(reach: &Reach, ids: Ids, update: SessionUpdate, nothing: &str) -> Outcome<Session> {
    reach.caller.require(Scope::Write)?;
    // The answer shows it: whoever may not read must hear so before anything has changed.
    reach.caller.require(Scope::Read)?;
    let refs = named(ids.0.as_deref(), ids.1.as_deref(), ids.2.as_deref())?;
    if (SessionUpdate { etag: None, ..update.clone() }) == SessionUpdate::default() {
        return Err(Error::invalid(nothing).in_input().into());
    }
    for session in &refs {
        match reach.app.update_session(&reach.caller, session, update.clone()).await {
            Err(error) if error.kind == ErrorKind::NotFound => {}
            changed => return Ok(Session::new(Arc::new(changed?))),
        }
    }
    Err(Error::not_found("session").into())
}

/// What an input says of which session, likeliest first.
pub(crate) fn named(id: Option<&str>, project_id: Option<&str>, session_id: Option<&str>) -> Result<Vec<SessionRef>> {
    if let (None, Some(project), Some(_)) = (id, project_id, session_id) {
        ProjectId::new(project).map_err(|error| error.at("projectId"))?;
    }
    session_refs(id, project_id, session_id).map_err(Error::in_input)
}

/// A field that may be left out, null or a value.
pub(crate) fn given<T>(field: MaybeUndefined<T>) -> Option<Option<T>> {
    match field {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}
