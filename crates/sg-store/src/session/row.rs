//! A session to its row and back.

use sea_orm::ActiveValue::Set;
use sg_domain::session::{SessionBlobs, SessionCounts};
use sg_domain::{ProjectId, Session, SessionMetadata, ShareStatus, Timestamp, TokenUsage, UserId};

use super::SessionColumns;
use crate::entity::session::ActiveModel;
use crate::error::{StoreError, StoreResult};
use crate::row::Row;
use crate::sql::{storable, to_i64};
use crate::store::{named, stored_id};

/// Every column that is always read, in the order in which [`decode`] takes them.
const NARROW: [&str; 33] = [
    "s.id",
    "s.client_id",
    "s.project_key",
    "s.project_id",
    "s.owner",
    "s.name",
    "s.user_title",
    "s.alias",
    "s.format",
    "s.parent_client_id",
    "s.agent_id",
    "s.started_at",
    "s.ended_at",
    "s.created_at",
    "s.updated_at",
    "s.activity_at",
    "s.etag",
    "s.markdown_size",
    "s.raw_data_size",
    "s.session_data_size",
    "s.message_count",
    "s.turn_count",
    "s.tool_use_count",
    "s.exchange_count",
    "s.input_tokens",
    "s.output_tokens",
    "s.cache_read_tokens",
    "s.cache_write_tokens",
    "s.reasoning_tokens",
    "s.share_status",
    "s.markdown_blob",
    "s.raw_blob",
    "s.session_data_blob",
];

/// The columns to select.
pub(crate) fn columns(wide: SessionColumns) -> Vec<&'static str> {
    let mut columns = NARROW.to_vec();
    if wide.first_exchange {
        columns.push("s.first_exchange");
    }
    if wide.metadata {
        columns.push("s.metadata");
    }
    columns
}

/// Reads what [`columns`] selected.
pub(crate) fn decode(row: &mut dyn Row, wide: SessionColumns) -> StoreResult<Session> {
    Ok(Session {
        id: stored_id(row)?,
        client_id: row.text()?,
        project_key: stored_id(row)?,
        project_id: ProjectId::new(row.text()?).map_err(|e| StoreError::Corrupt(e.to_string()))?,
        owner: UserId(row.text()?),
        name: row.text()?,
        user_title: row.opt_text()?,
        alias: row.opt_text()?,
        format: row.text()?,
        parent_client_id: row.opt_text()?,
        agent_id: row.opt_text()?,
        started_at: row.opt_time()?,
        ended_at: row.opt_time()?,
        created_at: row.time()?,
        updated_at: row.time()?,
        activity_at: row.time()?,
        etag: row.text()?,
        markdown_size: row.count()?,
        raw_data_size: row.count()?,
        session_data_size: row.opt_int()?.map(|size| u64::try_from(size).unwrap_or(0)),
        counts: SessionCounts {
            messages: row.count()?,
            turns: row.count()?,
            tool_uses: row.count()?,
            exchanges: row.count()?,
        },
        usage: TokenUsage {
            input: row.count()?,
            output: row.count()?,
            cache_read: row.count()?,
            cache_write: row.count()?,
            reasoning: row.count()?,
        },
        share_status: {
            let name = row.text()?;
            let all = [ShareStatus::Private, ShareStatus::Unlisted];
            named(all.into_iter().find(|s| s.name() == name), "share status", &name)?
        },
        blobs: SessionBlobs { markdown: row.digest()?, raw: row.opt_digest()?, session_data: row.opt_digest()? },
        first_exchange: if wide.first_exchange { row.text()? } else { String::new() },
        metadata: if wide.metadata { serde_json::from_str(&row.text()?)? } else { SessionMetadata::default() },
    })
}

/// The row of a session.
pub(crate) fn encode(session: &Session) -> StoreResult<ActiveModel> {
    let opt = |text: &Option<String>| Set(text.as_deref().map(storable));
    let time = |at: Option<Timestamp>| at.map(Timestamp::micros);
    let (meta, usage, counts) = (&session.metadata, &session.usage, &session.counts);
    Ok(ActiveModel {
        id: Set(session.id.to_string()),
        owner: Set(storable(session.owner.as_str())),
        project_key: Set(session.project_key.to_string()),
        project_id: Set(storable(session.project_id.as_str())),
        client_id: Set(storable(&session.client_id)),
        name: Set(storable(&session.name)),
        user_title: opt(&session.user_title),
        alias: opt(&session.alias),
        format: Set(storable(&session.format)),
        parent_client_id: opt(&session.parent_client_id),
        agent_id: opt(&session.agent_id),
        started_at: Set(time(session.started_at)),
        ended_at: Set(time(session.ended_at)),
        ended_asc: Set(time(session.ended_at).unwrap_or(i64::MAX)),
        ended_desc: Set(time(session.ended_at).unwrap_or(i64::MIN)),
        created_at: Set(session.created_at.micros()),
        updated_at: Set(session.updated_at.micros()),
        activity_at: Set(session.activity_at.micros()),
        etag: Set(storable(&session.etag)),
        markdown_size: Set(to_i64(session.markdown_size)),
        raw_data_size: Set(to_i64(session.raw_data_size)),
        session_data_size: Set(session.session_data_size.map(to_i64)),
        message_count: Set(to_i64(counts.messages)),
        turn_count: Set(to_i64(counts.turns)),
        tool_use_count: Set(to_i64(counts.tool_uses)),
        exchange_count: Set(to_i64(counts.exchanges)),
        input_tokens: Set(to_i64(usage.input)),
        output_tokens: Set(to_i64(usage.output)),
        cache_read_tokens: Set(to_i64(usage.cache_read)),
        cache_write_tokens: Set(to_i64(usage.cache_write)),
        reasoning_tokens: Set(to_i64(usage.reasoning)),
        share_status: Set(session.share_status.name().to_owned()),
        client_name: opt(&meta.client_name),
        agent_name: opt(&meta.agent_name),
        device_id: opt(&meta.device_id),
        machine_name: opt(&meta.machine_name),
        folder: opt(&meta.folder),
        markdown_blob: Set(session.blobs.markdown.to_string()),
        raw_blob: Set(session.blobs.raw.map(|d| d.to_string())),
        session_data_blob: Set(session.blobs.session_data.map(|d| d.to_string())),
        first_exchange: Set(storable(&session.first_exchange)),
        metadata: Set(serde_json::to_string(meta)?),
        deleted_at: Set(None),
    })
}

/// What a session is labelled with: kind and value, each pair once.
pub(crate) fn labels(metadata: &SessionMetadata) -> Vec<(&'static str, String)> {
    let lists = [("branch", &metadata.git_branches), ("model", &metadata.llm_models), ("tag", &metadata.tags)];
    let mut labels: Vec<_> = lists
        .into_iter()
        .flat_map(|(kind, values)| values.iter().flatten().map(move |value| (kind, storable(value))))
        .collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}
