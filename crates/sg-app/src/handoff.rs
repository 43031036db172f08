//! Handoffs: sessions that one account gives to another. What both sides may do, and who is on neither.

use sg_domain::handoff::{HandoffSide, HandoffSnapshot};
use sg_domain::user::normalise_email;
use sg_domain::{
    ArchivedSession, Caller, Error, ErrorKind, Feature, Handoff, HandoffComment, HandoffEvent, HandoffEventKind,
    HandoffStatus, Identity, JobId, JobKind, Page, PageRequest, Recipient, Result, Scope, SessionId, Tier, User,
    UserId, Visibility,
};
use sg_store::{HandoffBox, Tx};

use crate::App;

/// A handoff that is wanted.
#[derive(Clone, Debug)]
pub struct NewHandoff {
    /// The session, by its id here, the id its client knows it by, or its alias.
    pub session: String,
    /// Who is meant. An address is normalised.
    pub recipient: Recipient,
    /// What is said of it.
    pub message: Option<String>,
    /// How long it can be taken; a week when it is not said.
    pub expires_in_hours: Option<i64>,
}

/// Which side of handoffs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandoffDirection {
    /// Those that the caller is given.
    Inbox,
    /// Those that the caller gives.
    Sent,
}

/// The longest message of a handoff, in characters.
pub const MAX_HANDOFF_MESSAGE_CHARS: usize = 2_000;
/// The longest comment, in characters.
pub const MAX_HANDOFF_COMMENT_CHARS: usize = 10_000;
/// The longest reason for taking one back or declining it, in characters.
pub const MAX_HANDOFF_REASON_CHARS: usize = 500;
/// How long a handoff may wait, in hours.
pub const HANDOFF_HOURS: std::ops::RangeInclusive<i64> = 1..=2_160;
const HOUR_MICROS: i64 = 3_600 * 1_000_000;
/// How long it waits when nothing is said.
const DEFAULT_HOURS: i64 = 168;
/// How long it waits at most below the largest tier.
const SMALL_TIER_HOURS: i64 = 720;
/// Comments on one handoff.
const MAX_COMMENTS: u32 = 1_000;
/// Handoffs whose time has passed that are noted in one sweep.
const EXPIRE_PART: u32 = 500;

impl App {
    /// `Forbidden`, with what would be needed, unless the caller may offer sessions at all.
    pub async fn require_handoffs(&self, caller: &Caller) -> Result<()> {
        let identity = caller.require(Scope::Write)?;
        self.require_feature(identity, Feature::Handoff).await
    }

    /// Offers one of the caller's sessions to somebody, who need not have an account yet. The mail that tells them is a job.
    pub async fn create_handoff(&self, caller: &Caller, new: NewHandoff) -> Result<Handoff> {
        let identity = caller.require(Scope::Write)?;
        self.require_feature(identity, Feature::Handoff).await?;
        check_text("message", new.message.as_deref(), 0, MAX_HANDOFF_MESSAGE_CHARS)?;
        let hours = new.expires_in_hours.unwrap_or(DEFAULT_HOURS);
        if !HANDOFF_HOURS.contains(&hours) {
            let (low, high) = (HANDOFF_HOURS.start(), HANDOFF_HOURS.end());
            return Err(Error::invalid(format!("a handoff waits {low} to {high} hours")).at("expiresInHours"));
        }
        let recipient = match new.recipient {
            Recipient::Address(text) => {
                Recipient::Address(normalise_email(&text).map_err(|error| error.at("recipientEmail"))?)
            }
            Recipient::User(id) => match self.store().user(&id).await? {
                Some(user) if user.disabled_at.is_none() => Recipient::User(id),
                _ => return Err(Error::not_found("recipient")),
            },
        };
        let found = self.live_archive(identity, &new.session).await?;
        let sender = self.user_of(identity).await?;
        let tier = self.tier_of(&sender);
        let hours = if tier == Tier::Enterprise { hours } else { hours.min(SMALL_TIER_HOURS) };
        let now = self.now();
        let handoff = Handoff {
            id: format!("hnd_{}", self.ids().secret_hex(8)),
            sender: sender.id,
            sender_email: sender.email,
            sender_tier: tier,
            recipient,
            session: Some(found.session.id),
            archive: found.archive.id.clone(),
            snapshot: snapshot(&found),
            message: new.message.filter(|text| !text.trim().is_empty()),
            status: HandoffStatus::Pending,
            created_at: now,
            expires_at: now.plus_micros(hours * HOUR_MICROS),
            viewed_at: None,
            claimed_at: None,
            claimed_by: None,
            claimed_archive: None,
            revoked_at: None,
            reason: None,
        };
        let tx = self.store().begin().await?;
        // Deleted since it was found: what is in the trash is not given away.
        if tx.session_by_id(&identity.user, found.session.id).await?.is_none() {
            return Err(Error::not_found("session"));
        }
        tx.insert_handoff(&handoff).await?;
        self.note(&tx, identity, &handoff, HandoffEventKind::Created, None).await?;
        tx.commit().await?;
        Ok(handoff)
    }

    /// One handoff, to its sender and its recipient; `NotFound` for everyone else. The recipient's first look is noted.
    pub async fn handoff(&self, caller: &Caller, id: &str) -> Result<Handoff> {
        let identity = caller.require(Scope::Read)?;
        let (mut handoff, side) = self.side(identity, id).await?;
        let is_first_look = side == HandoffSide::Recipient && handoff.viewed_at.is_none();
        if is_first_look && handoff.status == HandoffStatus::Pending {
            let (tx, now) = (self.store().begin().await?, self.now());
            if tx.handoff_for_update(id).await?.is_some() && tx.view_handoff(id, now).await? {
                self.note(&tx, identity, &handoff, HandoffEventKind::Viewed, None).await?;
                handoff.viewed_at = Some(now);
            }
            tx.commit().await?;
        }
        Ok(handoff)
    }

    /// A page of the caller's handoffs, newest first, whatever has become of them.
    pub async fn handoffs(
        &self,
        caller: &Caller,
        direction: HandoffDirection,
        page: &PageRequest,
    ) -> Result<Page<Handoff>> {
        let identity = caller.require(Scope::Read)?;
        let of = self.box_of(identity, direction).await?;
        let now = self.now();
        let page = self.store().handoffs(&of, page).await?;
        Ok(page.map(|handoff| Handoff { status: handoff.status_at(now), ..handoff }))
    }

    /// How many handoffs the caller has.
    pub async fn handoff_count(&self, caller: &Caller, direction: HandoffDirection) -> Result<u64> {
        let identity = caller.require(Scope::Read)?;
        let of = self.box_of(identity, direction).await?;
        self.store().handoff_count(&of).await
    }

    /// Takes a handoff back; its sender alone may. `Conflict` unless it waits.
    pub async fn revoke_handoff(&self, caller: &Caller, id: &str, reason: &str) -> Result<Handoff> {
        let identity = caller.require(Scope::Write)?;
        check_text("reason", Some(reason), 1, MAX_HANDOFF_REASON_CHARS)?;
        let (handoff, _) = self.side(identity, id).await?;
        if handoff.sender != identity.user {
            return Err(not_found());
        }
        self.end(identity, &handoff, HandoffEventKind::Revoked, Some(reason)).await
    }

    /// Declines a handoff; its recipient alone may. `Conflict` unless it waits, `Gone` when its time has passed.
    pub async fn decline_handoff(&self, caller: &Caller, id: &str, reason: Option<&str>) -> Result<Handoff> {
        let identity = caller.require(Scope::Write)?;
        check_text("reason", reason, 0, MAX_HANDOFF_REASON_CHARS)?;
        let (handoff, side) = self.side(identity, id).await?;
        if side != HandoffSide::Recipient {
            return Err(not_found());
        }
        if handoff.status == HandoffStatus::Expired {
            return Err(expired());
        }
        self.end(identity, &handoff, HandoffEventKind::Declined, reason).await
    }

    /// Says something about a handoff to its other side.
    pub async fn comment_on_handoff(&self, caller: &Caller, id: &str, content: &str) -> Result<HandoffComment> {
        let identity = caller.require(Scope::Write)?;
        check_text("content", Some(content), 1, MAX_HANDOFF_COMMENT_CHARS)?;
        let (handoff, _) = self.side(identity, id).await?;
        let comment = HandoffComment {
            id: format!("hcm_{}", self.ids().secret_hex(8)),
            author: identity.user.clone(),
            content: content.to_owned(),
            at: self.now(),
        };
        let tx = self.store().begin().await?;
        tx.handoff_for_update(id).await?;
        if !tx.add_handoff_comment(id, &comment, MAX_COMMENTS).await? {
            return Err(Error::new(ErrorKind::Conflict, format!("a handoff takes at most {MAX_COMMENTS} comments")));
        }
        self.note(&tx, identity, &handoff, HandoffEventKind::Commented, Some(&comment.id)).await?;
        tx.commit().await?;
        Ok(comment)
    }

    /// What was said about a handoff, oldest first.
    pub async fn handoff_comments(&self, caller: &Caller, id: &str, limit: u32) -> Result<Vec<HandoffComment>> {
        let identity = caller.require(Scope::Read)?;
        self.side(identity, id).await?;
        self.store().handoff_comments(id, limit).await
    }

    /// What happened to a handoff, oldest first.
    pub async fn handoff_events(&self, caller: &Caller, id: &str, limit: u32) -> Result<Vec<HandoffEvent>> {
        let identity = caller.require(Scope::Read)?;
        self.side(identity, id).await?;
        self.store().handoff_events(id, limit).await
    }

    /// Notes of handoffs whose time has passed that it has; returns how many.
    pub(crate) async fn expire_handoffs(&self) -> Result<u64> {
        let overdue = self.store().overdue_handoffs(self.now(), EXPIRE_PART).await?;
        for id in &overdue {
            self.expire(id).await?;
        }
        Ok(overdue.len() as u64)
    }

    /// A handoff and the side of it that the caller is on. Access comes first: whoever is on neither hears the same of one
    /// that waits, one whose time has passed and one that never was.
    pub(crate) async fn side(&self, identity: &Identity, id: &str) -> Result<(Handoff, HandoffSide)> {
        let mut handoff = self.store().handoff(id).await?.ok_or_else(not_found)?;
        let side = handoff.side_of(&self.user_of(identity).await?)?;
        let status = handoff.status_at(self.now());
        if status != handoff.status {
            self.expire(id).await?;
            handoff.status = status;
        }
        Ok((handoff, side))
    }

    /// Writes down that something happened, and has it mailed to the other side.
    pub(crate) async fn note(
        &self,
        tx: &Tx,
        identity: &Identity,
        handoff: &Handoff,
        kind: HandoffEventKind,
        note: Option<&str>,
    ) -> Result<()> {
        let event = HandoffEvent {
            id: format!("hev_{}", self.ids().secret_hex(8)),
            kind,
            actor: Some(identity.user.clone()),
            note: note.map(str::to_owned),
            at: self.now(),
        };
        tx.add_handoff_event(&handoff.id, &event).await?;
        let is_mailed = !matches!(kind, HandoffEventKind::Viewed | HandoffEventKind::Expired);
        if is_mailed && self.inner.mail.is_some() {
            let job = JobKind::HandoffMail { handoff: handoff.id.clone(), event: event.id };
            tx.enqueue(JobId(self.ids().uuid()), Some(&identity.user), &job, self.now()).await?;
        }
        Ok(())
    }

    /// The caller's live archive of a name.
    pub(crate) async fn live_archive(&self, identity: &Identity, name: &str) -> Result<ArchivedSession> {
        let who = Visibility::of(identity);
        let found = match name.parse::<SessionId>() {
            Ok(id) => {
                let mut found = self.store().archives_of(&who, &[id]).await?;
                found.retain(|found| found.deleted_at.is_none());
                found.pop()
            }
            Err(_) => self.store().archive(&who, name).await?,
        };
        found.ok_or_else(|| Error::not_found("session"))
    }

    pub(crate) async fn user_of(&self, identity: &Identity) -> Result<User> {
        self.store().user(&identity.user).await?.ok_or_else(Error::unauthenticated)
    }

    async fn box_of(&self, identity: &Identity, direction: HandoffDirection) -> Result<HandoffBox> {
        Ok(match direction {
            HandoffDirection::Inbox => HandoffBox::Inbox(self.user_of(identity).await?),
            HandoffDirection::Sent => HandoffBox::Sent(identity.user.clone()),
        })
    }

    /// Ends a handoff that waits.
    async fn end(
        &self,
        identity: &Identity,
        handoff: &Handoff,
        kind: HandoffEventKind,
        reason: Option<&str>,
    ) -> Result<Handoff> {
        let (status, verb) = match kind {
            HandoffEventKind::Revoked => (HandoffStatus::Revoked, "revoke"),
            _ => (HandoffStatus::Declined, "decline"),
        };
        let now = self.now();
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        let tx = self.store().begin().await?;
        let stored = tx.handoff_for_update(&handoff.id).await?.ok_or_else(not_found)?;
        // Taken by the recipient, or passed, a moment ago counts as well.
        let is_at = stored.status_at(now);
        if is_at != HandoffStatus::Pending || !tx.end_handoff(&handoff.id, status, reason, now).await? {
            return Err(Error::new(ErrorKind::Conflict, format!("cannot {verb} a {} handoff", is_at.name())));
        }
        self.note(&tx, identity, handoff, kind, reason).await?;
        let ended = tx.handoff_for_update(&handoff.id).await?.ok_or_else(not_found)?;
        tx.commit().await?;
        Ok(ended)
    }

    async fn expire(&self, id: &str) -> Result<()> {
        let tx = self.store().begin().await?;
        tx.handoff_for_update(id).await?;
        if tx.end_handoff(id, HandoffStatus::Expired, None, self.now()).await? {
            let event = HandoffEvent {
                id: format!("hev_{}", self.ids().secret_hex(8)),
                kind: HandoffEventKind::Expired,
                actor: None,
                note: None,
                at: self.now(),
            };
            tx.add_handoff_event(id, &event).await?;
        }
        tx.commit().await
    }

    /// The address of an account, where there is one.
    pub(crate) async fn address_of(&self, user: &UserId) -> Result<Option<String>> {
        Ok(self.store().user(user).await?.map(|user| user.email))
    }
}

pub(crate) fn not_found() -> Error {
    Error::not_found("handoff")
}

pub(crate) fn expired() -> Error {
    Error::new(ErrorKind::Gone, "handoff has expired")
}

fn snapshot(found: &ArchivedSession) -> HandoffSnapshot {
    let facts = &found.archive.facts;
    HandoffSnapshot {
        title: Some(found.session.title().to_owned()),
        tool: facts.source_tool.clone(),
        model: facts.model_id.clone(),
        messages: facts.messages,
        tokens: facts.input_tokens.saturating_add(facts.output_tokens),
    }
}

fn check_text(field: &'static str, text: Option<&str>, fewest: usize, most: usize) -> Result<()> {
    let is_good = |text: &str| text.trim().chars().count() >= fewest && text.chars().count() <= most;
    if text.is_none_or(is_good) {
        return Ok(());
    }
    Err(Error::invalid(format!("{field} must have {fewest} to {most} characters")).with("field", field).at(field))
}
