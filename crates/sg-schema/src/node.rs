//! Anything that has an id, by that id.

use async_graphql::{ID, Interface};
use sg_domain::{ErrorKind, ExchangeId, JobId, KeyId, MessageId, SessionId};

use crate::device::{Device, devices};
use crate::exchange::{Exchange, exchange};
use crate::failure::{Nullable, Outcome};
use crate::handoff::Handoff;
use crate::job::Job;
use crate::key::{ApiKey, api_keys};
use crate::loader::Reach;
use crate::message::{Message, message};
use crate::project::{Project, project_or_null};
use crate::session::Session;
use crate::user::User;

/// Anything that has an id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The id, which `node(id:)` takes."))]
pub(crate) enum Node {
    /// A project.
    Project(Project),
    /// A session.
    Session(Session),
    /// A message.
    Message(Message),
    /// An exchange.
    Exchange(Exchange),
    /// A job.
    Job(Job),
    /// An API key.
    ApiKey(ApiKey),
    /// A device.
    Device(Device),
    /// A handoff.
    Handoff(Handoff),
    /// A user.
    User(User),
}

/// What has this id, or null when there is nothing that the caller may see. Every noun writes its ids in its own way, so
/// an id needs no type in front; a project's id is whatever its client chose and is looked at last.
pub(crate) async fn node(reach: &Reach, id: &str) -> Nullable<Node> {
    if let Ok(id) = id.parse::<MessageId>() {
        return wrap(message(reach, id).await);
    }
    if let Ok(id) = id.parse::<ExchangeId>() {
        return wrap(exchange(reach, id).await);
    }
    if let Ok(id) = id.parse::<SessionId>() {
        match reach.load(id).await {
            Ok(Some(session)) => return Some(Ok(Session::new(session).into())),
            Ok(None) => {}
            Err(failure) => return Some(Err(failure)),
        }
    }
    if let Ok(id) = id.parse::<JobId>() {
        match reach.app.job(&reach.caller, id).await {
            Ok(job) => return Some(Ok(Job(job).into())),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Some(Err(error.into())),
        }
    }
    if let Ok(id) = id.parse::<KeyId>() {
        match key_or_device(reach, id).await {
            Ok(None) => {}
            Ok(Some(found)) => return Some(Ok(found)),
            Err(failure) => return Some(Err(failure)),
        }
    }
    if id.starts_with("hnd_") {
        match reach.app.handoff(&reach.caller, id).await {
            Ok(found) => return Some(Ok(Handoff::new(found).into())),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Some(Err(error.into())),
        }
    }
    if let Ok(identity) = &reach.caller.identity
        && identity.user.as_str() == id
    {
        return Some(match reach.app.viewer(&reach.caller).await {
            Ok(user) => Ok(User(user).into()),
            Err(error) => Err(error.into()),
        });
    }
    wrap(project_or_null(reach, id).await)
}

/// Keys and devices have ids of one kind.
async fn key_or_device(reach: &Reach, id: KeyId) -> Outcome<Option<Node>> {
    if let Some(key) = api_keys(reach).await?.into_iter().find(|key| key.0.id == id) {
        return Ok(Some(key.into()));
    }
    let device = devices(reach).await?.into_iter().find(|device| device.0.id == id);
    Ok(device.map(Into::into))
}

fn wrap<T: Into<Node>>(found: Nullable<T>) -> Nullable<Node> {
    found.map(|found| found.map(Into::into))
}
