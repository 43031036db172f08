//! Handoffs: rows, what happened to them, what was said about them; and the copy that a recipient gets.

use sea_orm::{IdenStatic as _, Iterable as _};
use sg_domain::handoff::HandoffSnapshot;
use sg_domain::page::SortValue;
use sg_domain::{
    ArchivedSession, Cursor, Error, Handoff, HandoffComment, HandoffEvent, HandoffEventKind, HandoffStatus, Page,
    PageRequest, Recipient, Result, SessionId, Tier, Timestamp, User, UserId,
};

use crate::entity::{exchange, message};
use crate::error::StoreResult;
use crate::filter::LIVE;
use crate::row::Row;
use crate::sql::{Sql, to_i64};
use crate::store::named;
use crate::{Store, Tx};

/// The list that cursors of handoffs name.
pub const HANDOFF_LIST: &str = "handoff.created.desc";

/// Which handoffs.
#[derive(Clone, Debug)]
pub enum HandoffBox {
    /// Those that an account is the recipient of.
    Inbox(User),
    /// Those that it sent.
    Sent(UserId),
}

const COLUMNS: [&str; 22] = [
    "h.id",
    "h.sender",
    "h.sender_email",
    "h.sender_tier",
    "h.recipient",
    "h.session_id",
    "h.archive_id",
    "h.title",
    "h.tool",
    "h.model",
    "h.message_count",
    "h.token_count",
    "h.message",
    "h.status",
    "h.created_at",
    "h.expires_at",
    "h.viewed_at",
    "h.claimed_at",
    "h.claimed_by",
    "h.claimed_archive",
    "h.revoked_at",
    "h.reason",
];

impl Store {
    /// The handoff of this id, whoever's it is: who may see it is the caller's to check.
    pub async fn handoff(&self, id: &str) -> Result<Option<Handoff>> {
        let mut sql = self.select(&COLUMNS);
        sql.add(" FROM handoff h WHERE h.id = ").text(id);
        Ok(self.row(sql.end(), decode).await?)
    }

    /// A page of handoffs, newest first; only forwards.
    pub async fn handoffs(&self, of: &HandoffBox, page: &PageRequest) -> Result<Page<Handoff>> {
        let limit = page.limit.unwrap_or(u32::MAX);
        let mut items = self.rows(self.handoffs_sql(of, page)?, decode).await?;
        let has_next = items.len() > limit as usize;
        items.truncate(limit as usize);
        Ok(Page { items, has_next, has_previous: page.after.is_some() })
    }

    pub(crate) fn handoffs_sql(&self, of: &HandoffBox, page: &PageRequest) -> Result<Sql> {
        let mut sql = self.select(&COLUMNS);
        sql.add(" FROM handoff h");
        boxed(&mut sql, of);
        if let Some(after) = &page.after {
            let [SortValue::Int(created_at), SortValue::Text(id)] = &after.key[..] else {
                return Err(Error::invalid("this cursor does not belong to this list, take one from its own pages"));
            };
            sql.add(" AND (h.created_at, h.id) < (").int(*created_at).add(", ").text(id).add(")");
        }
        sql.add(" ORDER BY h.created_at DESC, h.id DESC LIMIT ");
        sql.int(i64::from(page.limit.unwrap_or(u32::MAX)).saturating_add(1));
        Ok(sql.end())
    }

    /// How many handoffs there are.
    pub async fn handoff_count(&self, of: &HandoffBox) -> Result<u64> {
        let mut sql = self.select(&["count(*)"]);
        sql.add(" FROM handoff h");
        boxed(&mut sql, of);
        Ok(self.row(sql.end(), |row| row.count()).await?.unwrap_or(0))
    }

    /// What happened to a handoff, oldest first, at most so much.
    pub async fn handoff_events(&self, id: &str, limit: u32) -> Result<Vec<HandoffEvent>> {
        let mut sql = self.select(&EVENT_COLUMNS);
        sql.add(" FROM handoff_event e WHERE e.handoff_id = ").text(id);
        sql.add(" ORDER BY e.place LIMIT ").int(i64::from(limit));
        Ok(self.rows(sql.end(), decode_event).await?)
    }

    /// One of the things that happened to a handoff.
    pub async fn handoff_event(&self, handoff: &str, id: &str) -> Result<Option<HandoffEvent>> {
        let mut sql = self.select(&EVENT_COLUMNS);
        sql.add(" FROM handoff_event e WHERE e.handoff_id = ").text(handoff).add(" AND e.id = ").text(id);
        Ok(self.row(sql.end(), decode_event).await?)
    }

    /// What was said about a handoff, oldest first, at most so much.
    pub async fn handoff_comments(&self, id: &str, limit: u32) -> Result<Vec<HandoffComment>> {
        let mut sql = self.select(&COMMENT_COLUMNS);
        sql.add(" FROM handoff_comment c WHERE c.handoff_id = ").text(id);
        sql.add(" ORDER BY c.place LIMIT ").int(i64::from(limit));
        Ok(self.rows(sql.end(), decode_comment).await?)
    }

    /// One of the things that were said about a handoff.
    pub async fn handoff_comment(&self, handoff: &str, id: &str) -> Result<Option<HandoffComment>> {
        let mut sql = self.select(&COMMENT_COLUMNS);
        sql.add(" FROM handoff_comment c WHERE c.handoff_id = ").text(handoff).add(" AND c.id = ").text(id);
        Ok(self.row(sql.end(), decode_comment).await?)
    }

    /// Handoffs that wait although their time has passed, at most so many.
    pub async fn overdue_handoffs(&self, now: Timestamp, limit: u32) -> Result<Vec<String>> {
        let mut sql = self.select(&["h.id"]);
        sql.add(" FROM handoff h WHERE h.status = 'pending' AND h.expires_at <= ").time(now);
        sql.add(" ORDER BY h.expires_at LIMIT ").int(i64::from(limit));
        Ok(self.rows(sql.end(), |row| row.text()).await?)
    }
}

impl Tx {
    /// Adds a handoff.
    pub async fn insert_handoff(&self, new: &Handoff) -> Result<()> {
        let mut sql = self.sql(
            "INSERT INTO handoff (id, sender, sender_email, sender_tier, recipient, session_id, archive_id, title, tool,
             model, message_count, token_count, message, status, created_at, expires_at) VALUES (",
        );
        sql.text(&new.id).add(", ").text(new.sender.as_str()).add(", ").text(&new.sender_email);
        sql.add(", ").text(new.sender_tier.name()).add(", ").text(stored_recipient(&new.recipient));
        sql.add(", ").opt_text(new.session.map(|id| id.to_string()).as_deref()).add(", ").text(&new.archive);
        let HandoffSnapshot { title, tool, model, messages, tokens } = &new.snapshot;
        sql.add(", ").opt_text(title.as_deref()).add(", ").text(tool).add(", ").opt_text(model.as_deref());
        sql.add(", ").int(to_i64(*messages)).add(", ").int(to_i64(*tokens));
        sql.add(", ").opt_text(new.message.as_deref()).add(", ").text(new.status.name());
        sql.add(", ").time(new.created_at).add(", ").time(new.expires_at).add(")");
        self.run(sql).await?;
        Ok(())
    }

    /// A handoff, locked for this transaction: whatever changes one takes turns here.
    pub async fn handoff_for_update(&self, id: &str) -> Result<Option<Handoff>> {
        let mut sql = self.sql("SELECT ");
        sql.add(&COLUMNS.join(", ")).add(" FROM handoff h WHERE h.id = ").text(id).either("", " FOR UPDATE");
        Ok(self.row(sql, decode).await?)
    }

    /// Takes a handoff that waits, for one account; whether it was still to be taken. Of many who try, one hears yes.
    pub async fn claim_handoff(&self, id: &str, by: &UserId, archive: &str, now: Timestamp) -> Result<bool> {
        let mut sql = self.sql("UPDATE handoff SET status = 'claimed', claimed_at = ");
        sql.time(now).add(", claimed_by = ").text(by.as_str()).add(", claimed_archive = ").text(archive);
        sql.add(" WHERE id = ").text(id).add(" AND status = 'pending' AND expires_at > ").time(now);
        Ok(self.run(sql).await? > 0)
    }

    /// Ends a handoff that waits in another way; whether it did wait.
    pub async fn end_handoff(
        &self,
        id: &str,
        status: HandoffStatus,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<bool> {
        let mut sql = self.sql("UPDATE handoff SET status = ");
        sql.text(status.name()).add(", reason = ").opt_text(reason);
        if status == HandoffStatus::Revoked {
            sql.add(", revoked_at = ").time(now);
        }
        sql.add(" WHERE id = ").text(id).add(" AND status = 'pending'");
        Ok(self.run(sql).await? > 0)
    }

    /// Notes that the recipient has looked at a handoff; whether that was the first time.
    pub async fn view_handoff(&self, id: &str, now: Timestamp) -> Result<bool> {
        let mut sql = self.sql("UPDATE handoff SET viewed_at = ");
        sql.time(now).add(" WHERE id = ").text(id).add(" AND viewed_at IS NULL");
        Ok(self.run(sql).await? > 0)
    }

    /// Ends every offer of a session that still waits, as one whose time has passed: who brings a deleted session back does
    /// not offer it again. Returns how many.
    pub async fn expire_handoffs_of(&self, session: SessionId, now: Timestamp) -> Result<u64> {
        let mut sql = self.sql("UPDATE handoff SET status = 'expired', expires_at = CASE WHEN expires_at < ");
        sql.time(now).add(" THEN expires_at ELSE ").time(now).add(" END WHERE session_id = ");
        sql.text(&session.to_string()).add(" AND status = 'pending' RETURNING id");
        let ids = self.rows(sql, |row| row.text()).await?;
        for id in &ids {
            // One event of each offer: its id may follow from the offer's.
            let event = HandoffEvent {
                id: id.replacen("hnd_", "hev_", 1),
                kind: HandoffEventKind::Expired,
                actor: None,
                note: None,
                at: now,
            };
            self.add_handoff_event(id, &event).await?;
        }
        Ok(ids.len() as u64)
    }

    /// Adds to what happened to a handoff. Its row is locked, or was made in this transaction.
    pub async fn add_handoff_event(&self, handoff: &str, event: &HandoffEvent) -> Result<()> {
        let mut sql = self.sql("INSERT INTO handoff_event (handoff_id, place, id, kind, actor, note, at) SELECT ");
        sql.text(handoff).add(", coalesce(max(place) + 1, 0), ").text(&event.id).add(", ").text(event.kind.name());
        sql.add(", ").opt_text(event.actor.as_ref().map(UserId::as_str)).add(", ").opt_text(event.note.as_deref());
        sql.add(", ").time(event.at).add(" FROM handoff_event WHERE handoff_id = ").text(handoff);
        self.run(sql).await?;
        Ok(())
    }

    /// Adds to what was said about a handoff; `false` when there is too much already. Its row is locked.
    pub async fn add_handoff_comment(&self, handoff: &str, comment: &HandoffComment, most: u32) -> Result<bool> {
        let mut sql = self.sql("INSERT INTO handoff_comment (handoff_id, place, id, author, content, at) SELECT ");
        sql.text(handoff).add(", coalesce(max(place) + 1, 0), ").text(&comment.id).add(", ");
        sql.text(comment.author.as_str()).add(", ").text(&comment.content).add(", ").time(comment.at);
        sql.add(" FROM handoff_comment WHERE handoff_id = ").text(handoff);
        sql.add(" HAVING count(*) < ").int(i64::from(most));
        Ok(self.run(sql).await? > 0)
    }

    /// The session that a handoff is about, if it is still there: it stays as it is until this transaction has ended.
    pub async fn offered_session(&self, session: SessionId, archive: &str) -> Result<Option<ArchivedSession>> {
        let mut sql = self.sql("SELECT ");
        sql.either("1", "1::bigint")
            .add(" FROM session s WHERE s.id = ")
            .text(&session.to_string())
            .add(" AND ")
            .add(LIVE)
            .either("", " FOR SHARE");
        if self.row(sql, |row| row.int()).await?.is_none() {
            return Ok(None);
        }
        Ok(self.any_archive(archive).await?.filter(|found| found.session.id == session))
    }

    /// Writes all messages and exchanges of a session for another one, whose row is there and has none: titles and hidden
    /// flags too. Nothing is read: the database copies.
    pub async fn copy_content(&self, from: SessionId, to: SessionId) -> Result<()> {
        let messages: Vec<_> = message::Column::iter().map(|column| column.as_str().to_owned()).collect();
        let exchanges: Vec<_> = exchange::Column::iter().map(|column| column.as_str().to_owned()).collect();
        for (table, columns) in [("message", messages), ("exchange", exchanges)] {
            let rest: Vec<_> = columns.into_iter().filter(|column| column != "session_id").collect();
            let rest = rest.join(", ");
            let mut sql = self.sql("INSERT INTO ");
            sql.add(table).add(" (session_id, ").add(&rest).add(") SELECT ").text(&to.to_string());
            sql.add(", ").add(&rest).add(" FROM ").add(table).add(" WHERE session_id = ").text(&from.to_string());
            self.run(sql).await?;
        }
        Ok(())
    }
}

/// The place of a handoff in a list.
pub fn handoff_cursor(handoff: &Handoff) -> Cursor {
    let key = vec![SortValue::Int(handoff.created_at.micros()), SortValue::Text(handoff.id.clone())];
    Cursor { list: HANDOFF_LIST.to_owned(), key }
}

/// Adds ` WHERE` and which handoffs.
fn boxed(sql: &mut Sql, of: &HandoffBox) {
    match of {
        HandoffBox::Sent(user) => {
            sql.add(" WHERE h.sender = ").text(user.as_str());
        }
        HandoffBox::Inbox(user) => {
            // In one column: no account's id looks like an address.
            let recipients = [Recipient::User(user.id.clone()), Recipient::Address(user.email.clone())];
            let theirs: Vec<_> = recipients.iter().filter(|r| r.is(user)).map(stored_recipient).collect();
            sql.one_of(" WHERE h.recipient", &theirs);
        }
    }
}

fn stored_recipient(recipient: &Recipient) -> &str {
    match recipient {
        Recipient::Address(address) => address,
        Recipient::User(id) => id.as_str(),
    }
}

fn decode(row: &mut dyn Row) -> StoreResult<Handoff> {
    Ok(Handoff {
        id: row.text()?,
        sender: UserId(row.text()?),
        sender_email: row.text()?,
        sender_tier: {
            let name = row.text()?;
            named(Tier::parse(&name), "tier", &name)?
        },
        recipient: {
            let text = row.text()?;
            if text.contains('@') { Recipient::Address(text) } else { Recipient::User(UserId(text)) }
        },
        session: row.opt_text()?.as_deref().map(crate::row::parse).transpose()?,
        archive: row.text()?,
        snapshot: HandoffSnapshot {
            title: row.opt_text()?,
            tool: row.text()?,
            model: row.opt_text()?,
            messages: row.count()?,
            tokens: row.count()?,
        },
        message: row.opt_text()?,
        status: {
            let name = row.text()?;
            let found = HandoffStatus::ALL.into_iter().find(|status| status.name() == name);
            named(found, "handoff status", &name)?
        },
        created_at: row.time()?,
        expires_at: row.time()?,
        viewed_at: row.opt_time()?,
        claimed_at: row.opt_time()?,
        claimed_by: row.opt_text()?.map(UserId),
        claimed_archive: row.opt_text()?,
        revoked_at: row.opt_time()?,
        reason: row.opt_text()?,
    })
}

const EVENT_COLUMNS: [&str; 5] = ["e.id", "e.kind", "e.actor", "e.note", "e.at"];

fn decode_event(row: &mut dyn Row) -> StoreResult<HandoffEvent> {
    Ok(HandoffEvent {
        id: row.text()?,
        kind: {
            let name = row.text()?;
            let found = HandoffEventKind::ALL.into_iter().find(|kind| kind.name() == name);
            named(found, "handoff event", &name)?
        },
        actor: row.opt_text()?.map(UserId),
        note: row.opt_text()?,
        at: row.time()?,
    })
}

const COMMENT_COLUMNS: [&str; 4] = ["c.id", "c.author", "c.content", "c.at"];

fn decode_comment(row: &mut dyn Row) -> StoreResult<HandoffComment> {
    Ok(HandoffComment { id: row.text()?, author: UserId(row.text()?), content: row.text()?, at: row.time()? })
}
