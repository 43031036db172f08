//! What both sides of a handoff do to it.

use std::sync::Arc;

use async_graphql::{InputObject, SimpleObject};
use sg_app::NewHandoff;
use sg_domain::Scope;

use crate::failure::Outcome;
use crate::handoff::{Handoff, HandoffComment, recipient};
use crate::loader::Reach;
use crate::session::Session;

/// A handoff that is wanted.
#[derive(InputObject)]
pub(crate) struct CreateHandoffInput {
    /// The session, by its id on this server, the id its client knows it by, or its alias. It came as an archive.
    session_id: String,
    /// The mail address of who is meant, who need not have an account yet. Instead of `recipientUserId`.
    recipient_email: Option<String>,
    /// The id of the account that is meant. Instead of `recipientEmail`.
    recipient_user_id: Option<String>,
    /// What to say of it, at most 2,000 characters.
    message: Option<String>,
    /// How many hours it can be taken, 1 to 2,160; a week when left out.
    expires_in_hours: Option<i32>,
}

/// What came of making a handoff.
#[derive(SimpleObject)]
pub(crate) struct CreateHandoffPayload {
    /// The handoff.
    handoff: Handoff,
}

/// Which handoff is to be taken.
#[derive(InputObject)]
pub(crate) struct ClaimHandoffInput {
    /// The handoff's id.
    id: String,
}

/// What came of taking a handoff.
#[derive(SimpleObject)]
pub(crate) struct ClaimHandoffPayload {
    /// The handoff.
    handoff: Handoff,
    /// The caller's copy of the session.
    session: Session,
}

/// Which handoff is to be taken back.
#[derive(InputObject)]
pub(crate) struct RevokeHandoffInput {
    /// The handoff's id.
    id: String,
    /// Why, 1 to 500 characters.
    reason: String,
}

/// What came of taking a handoff back.
#[derive(SimpleObject)]
pub(crate) struct RevokeHandoffPayload {
    /// The handoff.
    handoff: Handoff,
}

/// Which handoff is declined.
#[derive(InputObject)]
pub(crate) struct DeclineHandoffInput {
    /// The handoff's id.
    id: String,
    /// Why, at most 500 characters.
    reason: Option<String>,
}

/// What came of declining a handoff.
#[derive(SimpleObject)]
pub(crate) struct DeclineHandoffPayload {
    /// The handoff.
    handoff: Handoff,
}

/// What is said about a handoff.
#[derive(InputObject)]
pub(crate) struct CommentOnHandoffInput {
    /// The handoff's id.
    id: String,
    /// What is said, 1 to 10,000 characters.
    content: String,
}

/// What came of saying something about a handoff.
#[derive(SimpleObject)]
pub(crate) struct CommentOnHandoffPayload {
    /// What was said.
    comment: HandoffComment,
}

/// Offers a session to somebody.
pub(crate) async fn create_handoff(reach: &Reach, input: CreateHandoffInput) -> Outcome<CreateHandoffPayload> {
    may_change(reach)?;
    let CreateHandoffInput { session_id, recipient_email, recipient_user_id, message, expires_in_hours } = input;
    let new = NewHandoff {
        session: session_id,
        recipient: recipient(recipient_email, recipient_user_id)?,
        message,
        expires_in_hours: expires_in_hours.map(i64::from),
    };
    Ok(CreateHandoffPayload { handoff: Handoff::new(reach.app.create_handoff(&reach.caller, new).await?) })
}

/// Takes a handoff.
pub(crate) async fn claim_handoff(reach: &Reach, input: ClaimHandoffInput) -> Outcome<ClaimHandoffPayload> {
    may_change(reach)?;
    let claimed = reach.app.claim_handoff(&reach.caller, &input.id).await?;
    let copy = claimed.claimed_archive.clone().unwrap_or_default();
    let session = reach.app.archive(&reach.caller, &copy).await?.session;
    Ok(ClaimHandoffPayload { handoff: Handoff::new(claimed), session: Session::new(Arc::new(session)) })
}

/// Takes a handoff back.
pub(crate) async fn revoke_handoff(reach: &Reach, input: RevokeHandoffInput) -> Outcome<RevokeHandoffPayload> {
    may_change(reach)?;
    let revoked = reach.app.revoke_handoff(&reach.caller, &input.id, &input.reason).await?;
    Ok(RevokeHandoffPayload { handoff: Handoff::new(revoked) })
}

/// Declines a handoff.
pub(crate) async fn decline_handoff(reach: &Reach, input: DeclineHandoffInput) -> Outcome<DeclineHandoffPayload> {
    may_change(reach)?;
    let declined = reach.app.decline_handoff(&reach.caller, &input.id, input.reason.as_deref()).await?;
    Ok(DeclineHandoffPayload { handoff: Handoff::new(declined) })
}

/// Says something about a handoff.
pub(crate) async fn comment_on_handoff(
    reach: &Reach,
    input: CommentOnHandoffInput,
) -> Outcome<CommentOnHandoffPayload> {
    may_change(reach)?;
    let comment = reach.app.comment_on_handoff(&reach.caller, &input.id, &input.content).await?;
    Ok(CommentOnHandoffPayload { comment: HandoffComment(comment) })
}

/// The answers show what was changed: whoever may not read must hear so before anything has.
fn may_change(reach: &Reach) -> sg_domain::Result<()> {
    reach.caller.require(Scope::Write)?;
    reach.caller.require(Scope::Read)?;
    Ok(())
}
