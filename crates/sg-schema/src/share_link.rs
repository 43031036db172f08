//! Links that let whoever has one read a session.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use sg_app::{MAX_LINK_HOURS, NewShareLink};
use sg_domain::{Error, ErrorKind, Scope};

use crate::failure::Outcome;
use crate::loader::{LinksOf, Reach};
use crate::scalar::DateTime;
use crate::session::{Session, session_refs};

/// A link without its token, of which only a hash is stored.
pub(crate) struct ShareLink(pub(crate) sg_domain::ShareLink);

/// A link that lets whoever has it read a session's archive without signing in. Its address was shown once, when it was
/// made.
#[Object]
impl ShareLink {
    /// The link's id, which `revokeShareLink` takes; no secret.
    fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// Whether a password opens it.
    fn has_password(&self) -> bool {
        self.0.password_hash.is_some()
    }

    /// When it was made.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it stops working.
    fn expires_at(&self) -> DateTime {
        DateTime(self.0.expires_at)
    }
}

/// A link that is wanted.
#[derive(InputObject)]
pub(crate) struct CreateShareLinkInput {
    /// The session's id on this server; its alias and the id its client gave it work too. Only sessions that were pushed
    /// as archives have such links; `shareStatus` shares the others.
    id: String,
    /// How long it works, 1 to 8760 hours.
    #[graphql(default = 24)]
    expires_in_hours: i32,
    /// What opens it beside its address, at most 1000 bytes; nothing when left out or empty.
    password: Option<String>,
}

/// What came of making a link.
#[derive(SimpleObject)]
pub(crate) struct CreateShareLinkPayload {
    /// The link.
    share_link: ShareLink,
    /// Its address, shown this once; without a host when the server was not told its own.
    url: String,
    /// The session it leads to.
    session: Session,
}

/// Which link is to be revoked.
#[derive(InputObject)]
pub(crate) struct RevokeShareLinkInput {
    /// The link's id.
    id: String,
}

/// What came of revoking a link.
#[derive(SimpleObject)]
pub(crate) struct RevokeShareLinkPayload {
    /// The id of the link, which no longer works.
    revoked_share_link_id: ID,
}

/// A session's links.
pub(crate) async fn share_links(ctx: &Context<'_>, session: &sg_domain::Session) -> Outcome<Vec<ShareLink>> {
    let reach = Reach::of(ctx);
    let found = reach.load(LinksOf(session.id)).await?.unwrap_or_default();
    reach.spend(found.len() as u64)?;
    Ok(found.iter().cloned().map(ShareLink).collect())
}

/// Makes a link.
pub(crate) async fn create_share_link(reach: &Reach, input: CreateShareLinkInput) -> Outcome<CreateShareLinkPayload> {
    let session = written(reach, &input.id).await?;
    // What is below 1 is as bad as what is above the longest.
    let hours = u32::try_from(input.expires_in_hours).unwrap_or(MAX_LINK_HOURS + 1);
    let new = NewShareLink { hours, password: input.password };
    let made = reach.app.create_share_link(&reach.caller, session.row().id, new).await?;
    let url = reach.app.share_link_address(&made.token);
    Ok(CreateShareLinkPayload { share_link: ShareLink(made.link), url, session })
}

/// Revokes a link.
pub(crate) async fn revoke_share_link(reach: &Reach, input: RevokeShareLinkInput) -> Outcome<RevokeShareLinkPayload> {
    reach.caller.require(Scope::Write)?;
    let id = input.id.parse().map_err(|_| Error::not_found("share link"))?;
    reach.app.revoke_share_link(&reach.caller, id, None).await?;
    Ok(RevokeShareLinkPayload { revoked_share_link_id: ID(input.id) })
}

/// The session that an input names by one id, for a caller who may change it and see it.
pub(crate) async fn written(reach: &Reach, id: &str) -> Outcome<Session> {
    reach.caller.require(Scope::Write)?;
    for session in session_refs(Some(id), None, None)? {
        match reach.app.session(&reach.caller, &session).await {
            Ok(session) => return Ok(Session::new(Arc::new(session))),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::not_found("session").into())
}
