//! Changing many sessions at once. Each is a change of its own: what cannot be done to one is told beside what was done
//! to the others.

use std::sync::Arc;

use async_graphql::{ID, InputObject, SimpleObject};
use sg_app::SessionUpdate;
use sg_domain::id::SessionRef;
use sg_domain::{Error, Result, Scope};

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::session::Session;
use crate::session_change::of_tags;

/// The most sessions that one change takes.
const MAX_IDS: usize = 100;
/// What a change of one session weighs, in objects: it is a transaction of its own.
const OBJECTS_A_CHANGE: u64 = 20;

/// Which sessions are to be deleted.
#[derive(InputObject)]
pub(crate) struct DeleteSessionsInput {
    /// Their ids on this server, 1 to 100; each counts once.
    ids: Vec<String>,
}

/// Which sessions, and the tags they get or lose.
#[derive(InputObject)]
pub(crate) struct TagSessionsInput {
    /// Their ids on this server, 1 to 100; each counts once.
    ids: Vec<String>,
    /// Tags to add; those a session has already stay once.
    add: Option<Vec<String>>,
    /// Tags to take away; those a session does not have are no error.
    remove: Option<Vec<String>>,
}

/// Why one of many sessions was not changed.
#[derive(SimpleObject)]
pub(crate) struct SessionFailure {
    /// The id, as it was sent.
    id: String,
    /// The code that the error would have on its own, such as `NOT_FOUND`.
    code: String,
    /// What is wrong.
    message: String,
}

/// What came of deleting sessions.
#[derive(SimpleObject)]
pub(crate) struct DeleteSessionsPayload {
    /// The ids of those that are in the trash now, in the order they were sent.
    deleted_session_ids: Vec<ID>,
    /// Those that could not be deleted.
    failures: Vec<SessionFailure>,
}

/// What came of tagging sessions.
#[derive(SimpleObject)]
pub(crate) struct TagSessionsPayload {
    /// Those that have the tags now, in the order they were sent.
    sessions: Vec<Session>,
    /// Those that could not be tagged.
    failures: Vec<SessionFailure>,
}

/// Deletes sessions.
pub(crate) async fn delete_sessions(reach: &Reach, input: DeleteSessionsInput) -> Outcome<DeleteSessionsPayload> {
    reach.caller.require(Scope::Write)?;
    let mut payload = DeleteSessionsPayload { deleted_session_ids: Vec::new(), failures: Vec::new() };
    let ids = unique(input.ids)?;
    reach.spend(ids.len() as u64 * OBJECTS_A_CHANGE)?;
    for id in ids {
        let deleted = match own(&id) {
            Ok(session) => reach.app.delete_session(&reach.caller, &session).await,
            Err(error) => Err(error),
        };
        match deleted {
            Ok(session) => payload.deleted_session_ids.push(ID(session.id.to_string())),
            Err(error) => payload.failures.push(failure(id, error)?),
        }
    }
    Ok(payload)
}

/// Tags sessions.
pub(crate) async fn tag_sessions(reach: &Reach, input: TagSessionsInput) -> Outcome<TagSessionsPayload> {
    reach.caller.require(Scope::Write)?;
    // The answer shows them: whoever may not read must hear so before anything has changed.
    reach.caller.require(Scope::Read)?;
    let update = SessionUpdate {
        add_tags: input.add.unwrap_or_default(),
        remove_tags: input.remove.unwrap_or_default(),
        ..SessionUpdate::default()
    };
    if update == SessionUpdate::default() {
        return Err(Error::invalid("send tags to add or to remove").in_input().into());
    }
    update.check().map_err(of_tags)?;
    let mut payload = TagSessionsPayload { sessions: Vec::new(), failures: Vec::new() };
    let ids = unique(input.ids)?;
    reach.spend(ids.len() as u64 * OBJECTS_A_CHANGE)?;
    for id in ids {
        let tagged = match own(&id) {
            Ok(session) => reach.app.update_session(&reach.caller, &session, update.clone()).await,
            Err(error) => Err(error),
        };
        match tagged {
            Ok(session) => payload.sessions.push(Session::new(Arc::new(session))),
            Err(error) => payload.failures.push(failure(id, error)?),
        }
    }
    Ok(payload)
}

fn unique(mut ids: Vec<String>) -> Result<Vec<String>> {
    if !(1..=MAX_IDS).contains(&ids.len()) {
        return Err(Error::invalid(format!("ids must be 1 to {MAX_IDS}, send them in parts")).at("ids"));
    }
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    Ok(ids)
}

fn own(id: &str) -> Result<SessionRef> {
    id.parse().map(SessionRef::Id).map_err(|_| Error::not_found("session"))
}

/// What is the session's fault is told with it; what is ours, or ends everything, fails the whole field.
fn failure(id: String, error: Error) -> Result<SessionFailure> {
    use sg_domain::ErrorKind::{Conflict, Gone, Invalid, NotFound};
    match error.kind {
        Invalid | NotFound | Conflict | Gone => {
            Ok(SessionFailure { id, code: error.kind.code().to_owned(), message: error.message })
        }
        _ => Err(error),
    }
}
