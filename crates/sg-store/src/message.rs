//! Messages: rows of a session, bodies compressed.

use sea_orm::{IdenStatic as _, Iterable as _, Value};
use sg_domain::{Message, MessageId, Page, Result, Role, SessionId, Timestamp, TokenUsage, Visibility};

use crate::entity::message;
use crate::error::StoreResult;
use crate::filter::{LIVE, Seek, visible};
use crate::row::Row;
use crate::sql::{Sql, storable, to_i64};
use crate::store::{named, stored_id};
use crate::{Store, Tx};

mod body;

/// Which messages of a session.
#[derive(Clone, Debug, Default)]
pub struct MessageQuery {
    /// Only these roles; empty is all.
    pub roles: Vec<Role>,
    /// Only messages behind this ordinal.
    pub after: Option<u32>,
    /// Only messages before this ordinal.
    pub before: Option<u32>,
    /// Take the last ones of the range instead of the first.
    pub backward: bool,
    /// Centre the page on this ordinal instead (`after`, `before` and `backward` are ignored).
    pub around: Option<u32>,
    /// At most this many; `None` is all.
    pub limit: Option<u32>,
}

/// A page of messages with their ordinals, ascending.
pub type MessagePage = Page<(u32, Message)>;

const COLUMN_COUNT: usize = 16;

/// In the order of [`entity::message`](crate::entity::message).
const COLUMNS: [&str; COLUMN_COUNT] = [
    "m.session_id",
    "m.ordinal",
    "m.role",
    "m.at",
    "m.model",
    "m.agent_id",
    "m.is_sidechain",
    "m.source_id",
    "m.parent_source_id",
    "m.input_tokens",
    "m.output_tokens",
    "m.cache_read_tokens",
    "m.cache_write_tokens",
    "m.reasoning_tokens",
    "m.digest",
    "m.body",
];

impl Store {
    /// Messages of one session; an empty page when it may not be seen.
    pub async fn messages(&self, who: &Visibility, session: SessionId, query: &MessageQuery) -> Result<MessagePage> {
        if let Some(around) = query.around {
            return self.messages_around(who, session, query, around).await;
        }
        let mut rows = self.message_rows(who, session, query).await?;
        let limit = query.limit.map_or(usize::MAX, |limit| limit as usize);
        let more = rows.len() > limit;
        rows.truncate(limit);
        // An ordinal is a place of the list, so there is something at it or beyond.
        let (after, before) = (query.after.is_some(), query.before.is_some());
        if query.backward {
            rows.reverse();
            Ok(Page { items: rows, has_next: before, has_previous: more || after })
        } else {
            Ok(Page { items: rows, has_next: more || before, has_previous: after })
        }
    }

    /// Messages by id, of any sessions, in no order; those that may not be seen are left out.
    pub async fn messages_by_id(&self, who: &Visibility, ids: &[MessageId]) -> Result<Vec<(MessageId, Message)>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut wanted: Vec<_> = ids.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let wanted: Vec<_> = wanted.iter().map(|id| serde_json::json!([id.session.to_string(), id.ordinal])).collect();
        let mut sql = self.select_unpacked(&COLUMNS);
        sql.add(" FROM ").either("json_each(", "json_array_elements(").json(wanted.into());
        sql.either(
            ") w CROSS JOIN message m ON m.session_id = w.value ->> 0 AND m.ordinal = w.value ->> 1",
            "::json) w CROSS JOIN LATERAL (SELECT * FROM message m
                WHERE m.session_id = w.value ->> 0 AND m.ordinal = (w.value ->> 1)::bigint) m",
        );
        sql.add(" JOIN session s ON s.id = m.session_id");
        visible(&mut sql, who, Seek::Project);
        let rows = self.rows(sql, decode).await?;
        Ok(rows.into_iter().map(|(session, ordinal, message)| (MessageId { session, ordinal }, message)).collect())
    }

    /// How many messages of these roles (all when empty) a session has.
    pub async fn message_count(&self, who: &Visibility, session: SessionId, roles: &[Role]) -> Result<u64> {
        let mut sql = self.select(&["count(*)"]);
        sql.add(" FROM session s JOIN message m ON m.session_id = s.id");
        visible(&mut sql, who, Seek::Project);
        sql.add(" AND s.id = ").text(&session.to_string());
        with_roles(&mut sql, roles);
        Ok(self.rows(sql.end(), |row| row.count()).await?.into_iter().next().unwrap_or(0))
    }

    /// The page with a message in its middle: as many before it as there are and fit, the rest behind it; towards an
    /// end of the session the other side fills up.
    async fn messages_around(
        &self,
        who: &Visibility,
        session: SessionId,
        query: &MessageQuery,
        around: u32,
    ) -> Result<MessagePage> {
        let side = |before: bool| MessageQuery {
            roles: query.roles.clone(),
            after: if before { None } else { around.checked_sub(1) },
            before: before.then_some(around),
            backward: before,
            around: None,
            limit: query.limit,
        };
        let earlier = self.message_rows(who, session, &side(true)).await?;
        let mut later = self.message_rows(who, session, &side(false)).await?;
        let limit = query.limit.map_or(usize::MAX, |limit| limit as usize);
        let take_later = later.len().min(limit.saturating_sub((limit / 2).min(earlier.len())));
        let take_earlier = earlier.len().min(limit - take_later);
        let (has_previous, has_next) = (earlier.len() > take_earlier, later.len() > take_later);
        let mut items: Vec<_> = earlier.into_iter().take(take_earlier).collect();
        items.reverse();
        later.truncate(take_later);
        items.append(&mut later);
        Ok(Page { items, has_next, has_previous })
    }

    /// One more than the limit, in reading order (descending when backward).
    async fn message_rows(
        &self,
        who: &Visibility,
        session: SessionId,
        query: &MessageQuery,
    ) -> StoreResult<Vec<(u32, Message)>> {
        let sql = self.messages_sql(who, session, query);
        self.rows(sql, |row| decode(row).map(|(_, ordinal, message)| (ordinal, message))).await
    }

    pub(crate) fn messages_sql(&self, who: &Visibility, session: SessionId, query: &MessageQuery) -> Sql {
        let mut sql = self.select_unpacked(&COLUMNS);
        sql.add(" FROM message m WHERE m.session_id = ").text(&session.to_string());
        if let Visibility::Owner(owner) = who {
            sql.add(" AND EXISTS (SELECT 1 FROM session s WHERE s.id = ").text(&session.to_string());
            sql.either(" AND +s.owner = ", " AND s.owner = ").text(owner.as_str());
            sql.add(" AND ").add(LIVE).add(")");
        }
        if let Some(after) = query.after {
            sql.add(" AND m.ordinal > ").int(i64::from(after));
        }
        if let Some(before) = query.before {
            sql.add(" AND m.ordinal < ").int(i64::from(before));
        }
        with_roles(&mut sql, &query.roles);
        sql.add(if query.backward { " ORDER BY m.ordinal DESC" } else { " ORDER BY m.ordinal" });
        if let Some(limit) = query.limit {
            sql.add(" LIMIT ").int(i64::from(limit) + 1);
        }
        sql
    }
}

fn with_roles(sql: &mut Sql, roles: &[Role]) {
    if !roles.is_empty() {
        let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
        sql.one_of(" AND m.role", &names);
    }
}

fn decode(row: &mut dyn Row) -> StoreResult<(SessionId, u32, Message)> {
    let session = stored_id(row)?;
    let ordinal = u32::try_from(row.int()?).unwrap_or(u32::MAX);
    let role = row.text()?;
    let role = named(Role::parse(&role), "role", &role)?;
    let at = row.opt_time()?;
    let (model, agent_id) = (row.opt_text()?, row.opt_text()?);
    let is_sidechain = row.flag()?;
    let (source_id, parent_source_id) = (row.opt_text()?, row.opt_text()?);
    let mut tokens = [None; 5];
    for slot in &mut tokens {
        *slot = row.opt_int()?.map(|n| u64::try_from(n).unwrap_or(0));
    }
    let [input, output, cache_read, cache_write, reasoning] = tokens;
    let usage = input.map(|input| TokenUsage {
        input,
        output: output.unwrap_or(0),
        cache_read: cache_read.unwrap_or(0),
        cache_write: cache_write.unwrap_or(0),
        reasoning: reasoning.unwrap_or(0),
    });
    row.bytes()?;
    let body = body::unpack(&row.bytes()?)?;
    let message = Message {
        source_id,
        parent_source_id,
        role,
        blocks: body.blocks,
        model,
        usage,
        at,
        is_sidechain,
        agent_id,
        raw: body.raw,
    };
    Ok((session, ordinal, message))
}

/// Rows in one insert: a full chunk is always the same statement, prepared once. SQLite and PostgreSQL take 32,766 and
/// 65,535 values in one.
const CHUNK: usize = 64;

/// Writes the messages of a session that are not stored yet: everything from the first that differs on.
pub(crate) async fn write(tx: &Tx, session: SessionId, messages: &[Message], known: bool) -> StoreResult<()> {
    let mut writer = MessageWriter::begin(tx, session, known).await?;
    writer.take(tx, messages).await?;
    writer.end(tx).await
}

impl Tx {
    /// Starts to write all messages of a session, in chunks: for sessions whose messages do not fit into memory. The
    /// session's row must have been written in this transaction.
    pub async fn write_messages(&self, session: SessionId) -> Result<MessageWriter> {
        Ok(MessageWriter::begin(self, session, true).await?)
    }
}

/// Writes a session's messages, a chunk at a time: those that are stored already, at the start of the list, are passed
/// over.
pub struct MessageWriter {
    id: String,
    /// The digests of the stored messages, one behind the other.
    stored: Vec<u8>,
    /// The next message's place.
    ordinal: usize,
    /// Whether a message has differed from the stored one.
    differs: bool,
    packer: body::Packer,
}

impl MessageWriter {
    async fn begin(tx: &Tx, session: SessionId, known: bool) -> StoreResult<Self> {
        let stored = if known { stored_digests(tx, session).await? } else { Vec::new() };
        let packer = body::Packer::new()?;
        Ok(Self { id: session.to_string(), stored, ordinal: 0, differs: false, packer })
    }

    /// Writes the next messages.
    pub async fn write(&mut self, tx: &Tx, messages: &[Message]) -> Result<()> {
        Ok(self.take(tx, messages).await?)
    }

    /// Ends the list: what is stored beyond it is removed.
    pub async fn finish(self, tx: &Tx) -> Result<()> {
        Ok(self.end(tx).await?)
    }

    async fn take(&mut self, tx: &Tx, messages: &[Message]) -> StoreResult<()> {
        let mut next = None;
        let mut same = 0;
        while !self.differs && same < messages.len() {
            let digest = body::digest(&messages[same])?;
            if self.stored.chunks_exact(body::DIGEST_BYTES).nth(self.ordinal) != Some(digest.as_slice()) {
                self.cut(tx).await?;
                self.differs = true;
                next = Some(digest);
                break;
            }
            same += 1;
            self.ordinal += 1;
        }
        for messages in messages[same..].chunks(CHUNK) {
            let mut sql = insert(tx, messages.len());
            for message in messages {
                let digest = match next.take() {
                    Some(digest) => digest,
                    None => body::digest(message)?,
                };
                let ordinal = to_i64(self.ordinal as u64);
                sql.values.extend(values(&self.id, ordinal, message, digest.to_vec(), self.packer.pack(message)?));
                self.ordinal += 1;
            }
            tx.run(sql).await?;
        }
        Ok(())
    }

    async fn end(self, tx: &Tx) -> StoreResult<()> {
        if self.differs { Ok(()) } else { self.cut(tx).await }
    }

    /// Removes what is stored from the next message's place on.
    async fn cut(&self, tx: &Tx) -> StoreResult<()> {
        if self.stored.len() / body::DIGEST_BYTES <= self.ordinal {
            return Ok(());
        }
        let mut sql = tx.sql("DELETE FROM message WHERE session_id = ");
        sql.text(&self.id).add(" AND ordinal >= ").int(to_i64(self.ordinal as u64));
        tx.run(sql).await?;
        Ok(())
    }
}

/// The digests of all stored messages, one behind the other, in one row.
async fn stored_digests(tx: &Tx, session: SessionId) -> StoreResult<Vec<u8>> {
    let mut sql = tx.sql("SELECT ");
    sql.either("group_concat(hex(d.digest), '')", "string_agg(encode(d.digest, 'hex'), '' ORDER BY d.ordinal)");
    sql.add(" FROM (SELECT digest, ordinal FROM message WHERE session_id = ").text(&session.to_string());
    sql.add(" ORDER BY ordinal) d");
    let text = tx.row(sql, |row| row.opt_text()).await?.flatten().unwrap_or_default();
    hex::decode(&text).map_err(|e| crate::error::StoreError::Corrupt(format!("message digests are not hex: {e}")))
}

fn insert(tx: &Tx, rows: usize) -> Sql {
    let names: Vec<&str> = message::Column::iter().map(|column| column.as_str()).collect();
    let mut sql = tx.sql("INSERT INTO message (");
    sql.add(&names.join(", ")).add(") VALUES ");
    let mut place = 0;
    for row in 0..rows {
        sql.add(if row == 0 { "(" } else { ", (" });
        for column in 0..COLUMN_COUNT {
            place += 1;
            sql.add(if column == 0 { "" } else { ", " });
            let postgres = format!("${place}");
            sql.either("?", &postgres);
        }
        sql.add(")");
    }
    sql.values.reserve(rows * COLUMN_COUNT);
    sql
}

fn values(session: &str, ordinal: i64, message: &Message, digest: Vec<u8>, body: Vec<u8>) -> [Value; COLUMN_COUNT] {
    let int = |value: Option<i64>| Value::BigInt(value);
    let text = |value: Option<&str>| Value::String(value.map(storable));
    let tokens = |of: fn(&TokenUsage) -> u64| int(message.usage.as_ref().map(|usage| to_i64(of(usage))));
    [
        text(Some(session)),
        int(Some(ordinal)),
        text(Some(message.role.name())),
        int(message.at.map(Timestamp::micros)),
        text(message.model.as_deref()),
        text(message.agent_id.as_deref()),
        int(Some(i64::from(message.is_sidechain))),
        text(message.source_id.as_deref()),
        text(message.parent_source_id.as_deref()),
        tokens(|u| u.input),
        tokens(|u| u.output),
        tokens(|u| u.cache_read),
        tokens(|u| u.cache_write),
        tokens(|u| u.reasoning),
        Value::Bytes(Some(digest)),
        Value::Bytes(Some(body)),
    ]
}
