//! Projects as the description names them.

use utoipa::ToSchema;

use super::session::SessionSummary;

/// Projects, the one with the last activity first.
#[derive(ToSchema)]
pub(in super::super) struct ProjectList {
    /// The projects.
    projects: Vec<ListedProject>,
    /// How many there are.
    total: u64,
}

/// One project.
#[derive(ToSchema)]
pub(in super::super) struct ProjectData {
    /// The project.
    project: Project,
}

/// A project: the sessions of one repository or folder.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct Project {
    /// Its id, as in paths. The command line derives it from the git remote or the folder.
    #[schema(example = "0f81-fa3b-cc40-b565")]
    id: String,
    /// The account it belongs to.
    #[schema(example = "user_0190000000007000800000000000000a")]
    owner_id: String,
    /// Its name.
    #[schema(example = "getspecstory")]
    name: String,
    /// The name of its icon.
    #[schema(example = "FolderKanban")]
    icon: String,
    /// The name of its colour.
    #[schema(example = "blue")]
    color: String,
    /// When it was made.
    #[schema(format = DateTime, example = "2026-01-16T16:40:00.000Z")]
    created_at: String,
    /// When it, or a session of it, was last changed.
    #[schema(format = DateTime, example = "2026-01-16T16:46:41.000Z")]
    updated_at: String,
    /// Its sessions.
    session_count: u64,
    /// When something last happened in its sessions.
    #[schema(format = DateTime)]
    last_updated: String,
    /// The same as `lastUpdated`.
    #[schema(format = DateTime)]
    last_activity_date: String,
    /// When a session was last sent.
    #[schema(format = DateTime)]
    last_sync_date: String,
    /// Bytes of markdown of all its sessions.
    total_markdown_size: u64,
}

/// A project in the list.
#[derive(ToSchema)]
pub(in super::super) struct ListedProject {
    #[serde(flatten)]
    project: Project,
    /// Its sessions that can be resumed. Only with `resumable=true`.
    #[schema(nullable = false)]
    sessions: Option<Vec<SessionSummary>>,
}

/// The part of a project that is shown with a session.
#[derive(ToSchema)]
pub(in super::super) struct ProjectBrief {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// The name of its icon.
    icon: String,
    /// The name of its colour.
    color: String,
}

/// A change of a project: at least one of the fields.
#[derive(ToSchema)]
pub(in super::super) struct ProjectUpdate {
    /// The new name. Space around it is dropped.
    #[schema(
        min_length = 1,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        max_length = 255,
        nullable = false,
        example = "Gateway"
    )]
    name: Option<String>,
    /// The new icon: the name of one, or an emoji.
    #[schema(
        min_length = 1,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        max_length = 64,
        nullable = false,
        example = "Rocket"
    )]
    icon: Option<String>,
    /// The new colour: the name of one, or `#rrggbb`.
    #[schema(
        min_length = 1,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        max_length = 64,
        nullable = false,
        example = "emerald"
    )]
    color: Option<String>,
}

/// What was sent, as it was stored.
#[derive(ToSchema)]
pub(in super::super) struct ProjectChange {
    /// The name, if one was sent.
    #[schema(nullable = false)]
    name: Option<String>,
    /// The icon, if one was sent.
    #[schema(nullable = false)]
    icon: Option<String>,
    /// The colour, if one was sent.
    #[schema(nullable = false)]
    color: Option<String>,
}

/// A project that was deleted.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct DeletedProject {
    /// The project as it was.
    deleted_project: ProjectStub,
    /// When it was deleted.
    #[schema(format = DateTime)]
    deleted_at: String,
}

/// What is left to say of a deleted project.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct ProjectStub {
    /// Its id.
    id: String,
    /// The account it belonged to.
    owner_id: String,
    /// Its name.
    name: String,
    /// The name of its icon.
    icon: String,
    /// The name of its colour.
    color: String,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// A project's activity, in `data` and, for the script that reads it there, at the top.
#[derive(ToSchema)]
pub(in super::super) struct ActivityBody {
    /// Always `true`.
    #[schema(example = true)]
    success: bool,
    /// The activity.
    data: Activity,
    /// The project.
    project_id: String,
    /// Its sessions.
    sessions: ActivitySessions,
    /// The machines that sent them.
    contributors: ActivityContributors,
    /// When they were.
    activity: ActivityTimes,
}

/// A project's activity.
#[derive(ToSchema)]
pub(in super::super) struct Activity {
    /// The project.
    project_id: String,
    /// Its sessions.
    sessions: ActivitySessions,
    /// The machines that sent them.
    contributors: ActivityContributors,
    /// When they were.
    activity: ActivityTimes,
}

/// How many sessions there were.
#[derive(ToSchema)]
pub(in super::super) struct ActivitySessions {
    /// Ever.
    total: u64,
    /// In the last 30 days.
    last_30_days: u64,
    /// In the last 7 days.
    last_7_days: u64,
}

/// How many machines sent sessions.
#[derive(ToSchema)]
pub(in super::super) struct ActivityContributors {
    /// Ever.
    total: u64,
    /// In the last 30 days.
    active_last_30_days: u64,
}

/// When sessions were.
#[derive(ToSchema)]
pub(in super::super) struct ActivityTimes {
    /// The first.
    #[schema(format = DateTime, required = true)]
    first_session: Option<String>,
    /// The last.
    #[schema(format = DateTime, required = true)]
    last_session: Option<String>,
    /// Sessions a week, from the first to the last, to two places.
    avg_sessions_per_week: f64,
}
