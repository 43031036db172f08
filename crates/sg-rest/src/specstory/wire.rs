//! The bodies, named and shaped as in SpecStory's reference, with the fields that its clients and the hosted service
//! have beyond it. They borrow from domain values and are written straight to bytes.
//!
//! Sizes and counts are JSON integers: one client reads them into a Go `int`.

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::value::RawValue;
use sg_domain::session::SessionSize;
use sg_domain::{Exchange, ExchangeId, Project, Session, SessionMetadata, Timestamp, wtf8};

use super::conditional;

pub(super) mod account;
pub(super) mod device;
pub(super) mod project;
pub(super) mod search;
pub(super) mod share;
pub(super) mod token;

/// `{"success":true}`.
#[derive(Serialize)]
pub(super) struct Success {
    pub(super) success: bool,
}

/// `{"success":true,"data":…}`.
#[derive(Serialize)]
pub(super) struct Envelope<T> {
    success: bool,
    data: T,
}

impl<T> Envelope<T> {
    pub(super) fn new(data: T) -> Self {
        Self { success: true, data }
    }
}

/// `{"success":false,"error":"…"}`.
#[derive(Serialize)]
pub(super) struct ErrorBody<'a> {
    pub(super) success: bool,
    pub(super) error: &'a str,
}

/// An instant as `YYYY-MM-DDTHH:MM:SS.mmmZ`.
#[derive(Clone, Copy)]
pub(super) struct Iso(pub(super) Timestamp);

impl Serialize for Iso {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.iso_millis().as_str())
    }
}

/// `data` of the list of projects.
#[derive(Serialize)]
pub(super) struct ProjectList<'a> {
    pub(super) projects: Vec<ProjectBody<'a>>,
    pub(super) total: usize,
}

/// `data` of one project.
#[derive(Serialize)]
pub(super) struct ProjectData<'a> {
    pub(super) project: ProjectBody<'a>,
}

/// Project.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProjectBody<'a> {
    id: &'a str,
    owner_id: &'a str,
    name: &'a str,
    icon: &'a str,
    color: &'a str,
    created_at: Iso,
    updated_at: Iso,
    session_count: u64,
    last_updated: Iso,
    last_activity_date: Iso,
    last_sync_date: Iso,
    total_markdown_size: u64,
    /// Only where resumable sessions were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions: Option<Vec<SessionSummary<'a>>>,
}

impl<'a> ProjectBody<'a> {
    pub(super) fn new(project: &'a Project) -> Self {
        // Never null: a project without sessions was last active when it last changed.
        let active = project.last_activity_at.unwrap_or(project.updated_at);
        Self {
            id: project.id.as_str(),
            owner_id: project.owner.as_str(),
            name: &project.name,
            icon: &project.icon,
            color: &project.color,
            created_at: Iso(project.created_at),
            updated_at: Iso(project.updated_at),
            session_count: project.session_count,
            last_updated: Iso(active),
            last_activity_date: Iso(active),
            last_sync_date: Iso(project.updated_at),
            total_markdown_size: project.total_markdown_size,
            sessions: None,
        }
    }

    pub(super) fn with_sessions(self, sessions: Vec<SessionSummary<'a>>) -> Self {
        Self { sessions: Some(sessions), ..self }
    }
}

/// The part of a project that is shown with a session.
#[derive(Serialize)]
pub(super) struct ProjectBrief<'a> {
    id: &'a str,
    name: &'a str,
    icon: &'a str,
    color: &'a str,
}

impl<'a> ProjectBrief<'a> {
    pub(super) fn new(project: &'a Project) -> Self {
        Self { id: project.id.as_str(), name: &project.name, icon: &project.icon, color: &project.color }
    }
}

/// `data` of a project's list of sessions.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionList<'a> {
    pub(super) sessions: Vec<SessionSummary<'a>>,
    pub(super) total: u64,
    pub(super) project_id: &'a str,
}

/// `data` of a session that was stored. `sessionId` is the id of the path: the SDKs read, head and delete with it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredSession<'a> {
    session_id: &'a str,
    project_id: &'a str,
    created_at: Iso,
}

impl<'a> StoredSession<'a> {
    pub(super) fn new(session: &'a Session) -> Self {
        Self {
            session_id: &session.client_id,
            project_id: session.project_id.as_str(),
            created_at: Iso(session.created_at),
        }
    }
}

/// SessionSummary.
///
/// `id` is the id that the client chose, as `clientId` is: what a client wrote is what it finds in lists and reads
/// again. Paths accept our own id too.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionSummary<'a> {
    id: &'a str,
    client_id: &'a str,
    project_id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_title: Option<&'a str>,
    markdown_size: u64,
    raw_data_size: u64,
    session_data_size: Option<u64>,
    created_at: Iso,
    updated_at: Iso,
    started_at: Option<Iso>,
    ended_at: Option<Iso>,
    metadata: Metadata<'a>,
    exchange_count: u64,
    first_exchange_content: &'a str,
    /// The same as the header of the session, to the byte: a client passes it back as `If-None-Match`.
    etag: Tag<'a>,
}

impl<'a> SessionSummary<'a> {
    pub(super) fn new(session: &'a Session) -> Self {
        Self {
            id: &session.client_id,
            client_id: &session.client_id,
            project_id: session.project_id.as_str(),
            name: &session.name,
            user_title: session.user_title.as_deref(),
            markdown_size: session.markdown_size,
            raw_data_size: session.raw_data_size,
            session_data_size: session.session_data_size,
            created_at: Iso(session.created_at),
            updated_at: Iso(session.updated_at),
            started_at: session.started_at.map(Iso),
            ended_at: session.ended_at.map(Iso),
            metadata: Metadata(&session.metadata),
            exchange_count: session.counts.exchanges,
            first_exchange_content: &session.first_exchange,
            etag: Tag(&session.etag),
        }
    }

    /// A guess at the bytes of one, for the size of the buffer.
    pub(super) const BYTES: usize = 1_200;
}

/// An ETag.
struct Tag<'a>(&'a str);

impl Serialize for Tag<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&conditional::tag(self.0))
    }
}

/// The metadata object: every field always there, `null` when it is not known. `agentVersion`, `folder` and
/// `gitRemote` are ours.
struct Metadata<'a>(&'a SessionMetadata);

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Taken apart, so that a new field of the domain is not forgotten here.
        let SessionMetadata {
            client_name,
            client_version,
            agent_name,
            agent_version,
            device_id,
            machine_name,
            git_branches,
            llm_models,
            tags,
            title,
            markdown_version,
            summary,
            folder,
            git_remote,
        } = self.0;
        let mut map = serializer.serialize_map(Some(14))?;
        map.serialize_entry("clientName", client_name)?;
        map.serialize_entry("clientVersion", client_version)?;
        map.serialize_entry("agentName", agent_name)?;
        map.serialize_entry("agentVersion", agent_version)?;
        map.serialize_entry("deviceId", device_id)?;
        map.serialize_entry("machineName", machine_name)?;
        map.serialize_entry("gitBranches", git_branches)?;
        map.serialize_entry("llmModels", llm_models)?;
        map.serialize_entry("tags", tags)?;
        map.serialize_entry("title", title)?;
        map.serialize_entry("markdownVersion", markdown_version)?;
        map.serialize_entry("summary", summary)?;
        map.serialize_entry("folder", folder)?;
        map.serialize_entry("gitRemote", git_remote)?;
        map.end()
    }
}

/// An entry of the recent sessions: a summary that names its project.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecentSession<'a> {
    #[serde(flatten)]
    summary: SessionSummary<'a>,
    session_id: &'a str,
    workspace_id: &'a str,
    project: Option<ProjectBrief<'a>>,
}

impl<'a> RecentSession<'a> {
    pub(super) fn new(session: &'a Session, project: Option<&'a Project>) -> Self {
        Self {
            summary: SessionSummary::new(session),
            session_id: &session.client_id,
            workspace_id: session.project_id.as_str(),
            project: project.map(ProjectBrief::new),
        }
    }
}

/// The whole body of the recent sessions. The Python SDK reads a top-level `sessions`, all others `data.sessions`: the
/// list is serialised once and stands in both places.
#[derive(Serialize)]
pub(super) struct RecentBody<'a> {
    success: bool,
    data: RecentData<'a>,
    sessions: &'a RawValue,
}

#[derive(Serialize)]
struct RecentData<'a> {
    sessions: &'a RawValue,
    total: usize,
}

impl<'a> RecentBody<'a> {
    pub(super) fn new(sessions: &'a RawValue, total: usize) -> Self {
        Self { success: true, data: RecentData { sessions, total }, sessions }
    }
}

/// `data` of the sizes: bytes of markdown by client id, and of session data by client id and `:sessionData` where there
/// is any.
pub(super) struct SizeList<'a>(pub(super) &'a [SessionSize]);

impl Serialize for SizeList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("sessions", &Sizes(self.0))?;
        map.end()
    }
}

struct Sizes<'a>(&'a [SessionSize]);

impl Serialize for Sizes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for session in self.0 {
            map.serialize_entry(&session.client_id, &session.markdown_size)?;
            if let Some(size) = session.session_data_size {
                map.serialize_key(&format_args!("{}:sessionData", session.client_id))?;
                map.serialize_value(&size)?;
            }
        }
        map.end()
    }
}

/// `data` of one session.
#[derive(Serialize)]
pub(super) struct SessionData<'a> {
    pub(super) session: SessionDetail<'a>,
}

/// SessionDetail.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionDetail<'a> {
    #[serde(flatten)]
    summary: SessionSummary<'a>,
    markdown_content: Wtf8<'a>,
    share_status: &'static str,
    should_skip_processing: bool,
    project: Option<ProjectBrief<'a>>,
    exchanges: Vec<ExchangeBody<'a>>,
}

impl<'a> SessionDetail<'a> {
    pub(super) fn new(
        session: &'a Session,
        project: Option<&'a Project>,
        markdown: &'a [u8],
        exchanges: &'a [Exchange],
    ) -> Self {
        Self {
            summary: SessionSummary::new(session),
            markdown_content: Wtf8(markdown),
            share_status: session.share_status.name(),
            should_skip_processing: false,
            project: project.map(ProjectBrief::new),
            exchanges: exchanges.iter().map(|exchange| ExchangeBody::new(session, exchange, markdown)).collect(),
        }
    }
}

/// Content as it is stored. A lone surrogate in it, which no text can hold, goes out as the escape that it came as.
struct Wtf8<'a>(&'a [u8]);

impl Serialize for Wtf8<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Ok(text) = std::str::from_utf8(self.0) {
            return serializer.serialize_str(text);
        }
        let mut json = String::with_capacity(self.0.len() * 9 / 8);
        json.push('"');
        wtf8::escape_json(self.0, &mut json);
        json.push('"');
        RawValue::from_string(json).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// `data` of one exchange.
#[derive(Serialize)]
pub(super) struct ExchangeData<'a> {
    pub(super) exchange: ExchangeBody<'a>,
}

/// An exchange of a session. It is as old as the times in its headers say, else as old as its session.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExchangeBody<'a> {
    id: String,
    session_id: &'a str,
    /// Its part of the markdown; left out where only the exchange itself was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Wtf8<'a>>,
    order_number: u32,
    created_at: Iso,
    updated_at: Iso,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_title: Option<&'a str>,
    hidden_from_share: bool,
    metadata: Empty,
}

impl<'a> ExchangeBody<'a> {
    fn new(session: &'a Session, exchange: &'a Exchange, markdown: &'a [u8]) -> Self {
        let place = usize::try_from(exchange.start).ok().zip(usize::try_from(exchange.end).ok());
        let content = place.and_then(|(start, end)| markdown.get(start..end)).unwrap_or_default();
        Self { content: Some(Wtf8(content)), ..Self::without_content(session, exchange) }
    }

    pub(super) fn without_content(session: &'a Session, exchange: &'a Exchange) -> Self {
        Self {
            id: ExchangeId { session: session.id, ordinal: exchange.ordinal }.to_string(),
            session_id: &session.client_id,
            content: None,
            order_number: exchange.ordinal,
            created_at: Iso(exchange.started_at.unwrap_or(session.created_at)),
            updated_at: Iso(exchange.ended_at.unwrap_or(session.updated_at)),
            user_title: exchange.user_title.as_deref(),
            hidden_from_share: exchange.hidden_from_share,
            metadata: Empty {},
        }
    }
}

/// `{}`.
#[derive(Serialize)]
struct Empty {}
