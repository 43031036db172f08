//! What is answered about a project that was changed or deleted, and a project's activity.

use serde::Serialize;
use sg_domain::stats::ProjectActivity;
use sg_domain::{Project, Timestamp};

use super::Iso;

/// `data` of a change of a project: what was sent, as it was stored.
#[derive(Serialize)]
pub(in super::super) struct ProjectChange<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) icon: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) color: Option<&'a str>,
}

/// `data` of a deleted project.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct DeletedProject<'a> {
    deleted_project: ProjectStub<'a>,
    deleted_at: Iso,
}

/// What is left to say of a deleted project.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProjectStub<'a> {
    id: &'a str,
    owner_id: &'a str,
    name: &'a str,
    icon: &'a str,
    color: &'a str,
    created_at: Iso,
    updated_at: Iso,
}

impl<'a> DeletedProject<'a> {
    pub(in super::super) fn new(project: &'a Project, at: Timestamp) -> Self {
        let deleted_project = ProjectStub {
            id: project.id.as_str(),
            owner_id: project.owner.as_str(),
            name: &project.name,
            icon: &project.icon,
            color: &project.color,
            created_at: Iso(project.created_at),
            updated_at: Iso(project.updated_at),
        };
        Self { deleted_project, deleted_at: Iso(at) }
    }
}

/// The whole body of a project's activity. The script that asks for it reads the fields at the top; `data` holds the
/// same, as everywhere else.
#[derive(Serialize)]
pub(in super::super) struct ActivityBody<'a> {
    success: bool,
    data: Activity<'a>,
    #[serde(flatten)]
    activity: Activity<'a>,
}

/// A project's activity.
#[derive(Clone, Copy, Serialize)]
struct Activity<'a> {
    project_id: &'a str,
    sessions: ActivitySessions,
    contributors: ActivityContributors,
    activity: ActivityTimes,
}

#[derive(Clone, Copy, Serialize)]
struct ActivitySessions {
    total: u64,
    last_30_days: u64,
    last_7_days: u64,
}

#[derive(Clone, Copy, Serialize)]
struct ActivityContributors {
    total: u64,
    active_last_30_days: u64,
}

#[derive(Clone, Copy, Serialize)]
struct ActivityTimes {
    first_session: Option<Iso>,
    last_session: Option<Iso>,
    /// The one number that is not whole; no client reads it into an integer.
    avg_sessions_per_week: f64,
}

impl<'a> ActivityBody<'a> {
    pub(in super::super) fn new(project: &'a Project, figures: &ProjectActivity) -> Self {
        let activity = Activity {
            project_id: project.id.as_str(),
            sessions: ActivitySessions {
                total: figures.sessions,
                last_30_days: figures.sessions_last_month,
                last_7_days: figures.sessions_last_week,
            },
            contributors: ActivityContributors {
                total: figures.machines,
                active_last_30_days: figures.machines_last_month,
            },
            activity: ActivityTimes {
                first_session: figures.first_at.map(Iso),
                last_session: figures.last_at.map(Iso),
                avg_sessions_per_week: (figures.sessions_per_week() * 100.0).round() / 100.0,
            },
        };
        Self { success: true, data: activity, activity }
    }
}
