//! Handoffs, what happened to them, what was said about them (`contracts/sessionfs.md` 1.4).

use serde_json::{Value, json};
use sg_domain::{Handoff, HandoffComment, HandoffEvent, HandoffEventKind, HandoffStatus, Recipient, UserId};

use super::user_id;
use crate::sessionfs::time::stamp;

/// A handoff as a list and a change show it: what was said and what happened stands only in one that is read alone. Tickets, personas, teams and
/// attachments are parts of the hosted service that this server does not have.
pub(in crate::sessionfs) fn handoff(handoff: &Handoff) -> Value {
    let user = |id: &Option<UserId>| id.as_ref().map(user_id);
    let (address, recipient) = match &handoff.recipient {
        Recipient::Address(address) => (Some(address), None),
        Recipient::User(id) => (None, Some(user_id(id))),
    };
    let is_revoked = handoff.status == HandoffStatus::Revoked;
    let what = &handoff.snapshot;
    json!({
        "id": handoff.id,
        "session_id": handoff.archive,
        "recipient_session_id": handoff.claimed_archive,
        "sender_email": handoff.sender_email,
        "recipient_email": address,
        "message": handoff.message,
        "status": handoff.status.name(),
        "session_title": what.title,
        "session_tool": what.tool,
        "session_model_id": what.model,
        "session_message_count": what.messages,
        "session_total_tokens": what.tokens,
        "created_at": stamp(handoff.created_at),
        "claimed_at": handoff.claimed_at.map(stamp),
        "expires_at": stamp(handoff.expires_at),
        "recipient_user_id": recipient.or_else(|| user(&handoff.claimed_by)),
        "recipient_team_id": null,
        "ticket_id": null,
        "persona_name": null,
        "revoked_at": handoff.revoked_at.map(stamp),
        "revoked_by_user_id": is_revoked.then(|| user_id(&handoff.sender)),
        "revoke_reason": handoff.reason.as_ref().filter(|_| is_revoked),
        "handoff_kind": "individual",
        "viewed_at": handoff.viewed_at.map(stamp),
        "snapshot_persona_name": null,
        "snapshot_ticket_title": null,
        "sender_tier_snapshot": handoff.sender_tier.name(),
        "source_project_id": null,
        "attachments": [],
        "comments": [],
        "events": [],
        "active_ticket_payload": null,
        "dropped_attachments": [],
    })
}

/// One thing that was said about a handoff.
pub(in crate::sessionfs) fn comment(handoff: &str, comment: &HandoffComment) -> Value {
    json!({
        "id": comment.id,
        "handoff_id": handoff,
        "author_user_id": user_id(&comment.author),
        "content": comment.content,
        "created_at": stamp(comment.at),
    })
}

/// One thing that happened to a handoff.
pub(in crate::sessionfs) fn event(handoff: &str, event: &HandoffEvent) -> Value {
    let payload = match (event.kind, &event.note) {
        (_, None) => json!({}),
        (HandoffEventKind::Commented, Some(id)) => json!({ "comment_id": id }),
        (_, Some(reason)) => json!({ "reason": reason }),
    };
    json!({
        "id": event.id,
        "handoff_id": handoff,
        "event_type": event.kind.name(),
        "actor_user_id": event.actor.as_ref().map(user_id),
        "payload": payload,
        "created_at": stamp(event.at),
    })
}
