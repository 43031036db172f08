//! Sessions and exchanges as the description names them.

use utoipa::ToSchema;

use super::project::ProjectBrief;

/// A project's sessions, the one that ended last first.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct SessionList {
    /// The sessions.
    sessions: Vec<SessionSummary>,
    /// How many there are, whatever the limit.
    total: u64,
    /// The project.
    project_id: String,
}

/// A session in a list.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct SessionSummary {
    /// The id that the client chose, as in paths.
    #[schema(example = "550e8400-e29b-41d4-a716-446655440000")]
    id: String,
    /// The same as `id`.
    #[schema(example = "550e8400-e29b-41d4-a716-446655440000")]
    client_id: String,
    /// Its project.
    #[schema(example = "0f81-fa3b-cc40-b565")]
    project_id: String,
    /// Its name.
    #[schema(example = "2026-01-16_16-40Z-where-does-it-grow")]
    name: String,
    /// The title that a person gave it.
    #[schema(nullable = false)]
    user_title: Option<String>,
    /// Bytes of its markdown, in UTF-8, as it was sent.
    markdown_size: u64,
    /// Bytes of the agent's own file.
    raw_data_size: u64,
    /// Bytes of its session data; null when there is none and it cannot be resumed.
    #[schema(required = true)]
    session_data_size: Option<u64>,
    /// When it was first sent.
    #[schema(format = DateTime, example = "2026-01-16T16:40:00.000Z")]
    created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime, example = "2026-01-16T16:46:41.000Z")]
    updated_at: String,
    /// The time of its first exchange.
    #[schema(format = DateTime, required = true)]
    started_at: Option<String>,
    /// The time of its last exchange.
    #[schema(format = DateTime, required = true)]
    ended_at: Option<String>,
    /// What is known of its making.
    metadata: Metadata,
    /// How many exchanges it has.
    exchange_count: u64,
    /// The beginning of the first one; empty where only resumable sessions are listed.
    first_exchange_content: String,
    /// The session's `ETag`, to the byte.
    #[schema(example = "W/\"2c26b46b68ffc68ff99b453c1d304134\"")]
    etag: String,
}

/// What is known of a session's making. Every field is there, null when it is not known.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct Metadata {
    /// The program that sent it.
    #[schema(required = true)]
    client_name: Option<String>,
    /// Its version.
    #[schema(required = true)]
    client_version: Option<String>,
    /// The agent.
    #[schema(required = true)]
    agent_name: Option<String>,
    /// The agent's version.
    #[schema(required = true)]
    agent_version: Option<String>,
    /// Names the machine.
    #[schema(required = true)]
    device_id: Option<String>,
    /// The machine's own name.
    #[schema(required = true)]
    machine_name: Option<String>,
    /// The branches it was on.
    #[schema(required = true)]
    git_branches: Option<Vec<String>>,
    /// The models that answered.
    #[schema(required = true)]
    llm_models: Option<Vec<String>>,
    /// Its tags.
    #[schema(required = true)]
    tags: Option<Vec<String>>,
    /// Its title.
    #[schema(required = true)]
    title: Option<String>,
    /// The version of its markdown's form.
    #[schema(required = true)]
    markdown_version: Option<String>,
    /// What it was about.
    #[schema(required = true)]
    summary: Option<String>,
    /// The folder it was held in.
    #[schema(required = true)]
    folder: Option<String>,
    /// The remote of that folder's repository.
    #[schema(required = true)]
    git_remote: Option<String>,
}

/// Sizes of a project's sessions.
#[derive(ToSchema)]
pub(in super::super) struct SizeList {
    /// Bytes of markdown by session id; bytes of session data by session id and `:sessionData`, where there is any.
    sessions: std::collections::BTreeMap<String, u64>,
}

/// The sessions of all projects that were active last. `sessions` stands beside `data` too, where one client reads it.
#[derive(ToSchema)]
pub(in super::super) struct RecentBody {
    /// Always `true`.
    #[schema(example = true)]
    success: bool,
    /// The sessions.
    data: RecentData,
    /// The same as in `data`.
    sessions: Vec<RecentSession>,
}

/// The sessions that were active last.
#[derive(ToSchema)]
pub(in super::super) struct RecentData {
    /// The sessions.
    sessions: Vec<RecentSession>,
    /// How many are listed.
    total: u64,
}

/// A session that names its project.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct RecentSession {
    #[serde(flatten)]
    summary: SessionSummary,
    /// The same as `id`.
    session_id: String,
    /// The same as `projectId`.
    workspace_id: String,
    /// Its project.
    #[schema(required = true)]
    project: Option<ProjectBrief>,
}

/// One session.
#[derive(ToSchema)]
pub(in super::super) struct SessionData {
    /// The session.
    session: SessionDetail,
}

/// A session with its content.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct SessionDetail {
    #[serde(flatten)]
    summary: SessionSummary,
    /// Its markdown.
    markdown_content: String,
    /// Who may read it.
    share_status: ShareStatus,
    /// Always `false`.
    should_skip_processing: bool,
    /// Its project.
    #[schema(required = true)]
    project: Option<ProjectBrief>,
    /// Its exchanges, in order.
    exchanges: Vec<Exchange>,
}

/// Who may read a session: its owner, or whoever has the link.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub(in super::super) enum ShareStatus {
    Private,
    Unlisted,
}

/// One exchange of a session.
#[derive(ToSchema)]
pub(in super::super) struct ExchangeData {
    /// The exchange, without its content.
    exchange: Exchange,
}

/// What a person asked and what was answered.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct Exchange {
    /// Its id, as in paths.
    id: String,
    /// Its session.
    session_id: String,
    /// Its part of the markdown. Not where only the exchange itself was changed.
    #[schema(nullable = false)]
    content: Option<String>,
    /// Its place in the session, from 0.
    order_number: u32,
    /// The time in its first header, else when the session was first sent.
    #[schema(format = DateTime)]
    created_at: String,
    /// The time in its last header, else when the session was last changed.
    #[schema(format = DateTime)]
    updated_at: String,
    /// The title that a person gave it.
    #[schema(nullable = false)]
    user_title: Option<String>,
    /// Whether those who have the session's link do not see it.
    hidden_from_share: bool,
    /// Always empty.
    #[schema(value_type = Object)]
    metadata: (),
}

/// A change of a session: at least one of the fields.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct SessionUpdate {
    /// The new title; null takes it away. Space around it is dropped.
    #[schema(
        min_length = 1,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        max_length = 500,
        example = "How rate limits work"
    )]
    user_title: Option<String>,
    /// Who may read it.
    #[schema(inline, nullable = false)]
    share_status: Option<ShareStatus>,
}

/// A change of an exchange: at least one of the fields.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct ExchangeUpdate {
    /// The new title; null takes it away. Space around it is dropped.
    #[schema(
        min_length = 1,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        max_length = 500,
        example = "The question"
    )]
    user_title: Option<String>,
    /// Whether those who have the session's link do not see it.
    #[schema(nullable = false)]
    hidden_from_share: Option<bool>,
}
