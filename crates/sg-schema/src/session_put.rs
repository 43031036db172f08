//! Storing sessions.

use std::sync::Arc;

use async_graphql::{Enum, InputObject, SimpleObject};
use bytes::Bytes;
use sg_app::{NewSession, PutOutcome};
use sg_domain::{Error, ProjectId, Scope};

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::session::Session;

/// A session to be stored, new or known by its project and its client's id. The body of a request is bounded: large
/// sessions go in over REST.
#[derive(InputObject)]
pub(crate) struct PutSessionInput {
    /// The id that clients know its project by; the project is made when there is none.
    project_id: String,
    /// The project's name, when it has to be made.
    project_name: String,
    /// The id that its client gives it, unique inside the project.
    session_id: String,
    /// What it is called, often a file name.
    name: String,
    /// The readable form, kept byte for byte.
    markdown: String,
    /// The agent's own file, kept byte for byte.
    raw_data: String,
    /// SpecStory's session data (JSON text), kept byte for byte; what is stored stays when it is left out.
    session_data: Option<String>,
    /// What its client says of it; merged by field into what is stored.
    metadata: Option<SessionMetadataInput>,
    /// The ETag that was seen last: if the session has another one by now, or is gone, nothing changes and the answer is
    /// `CONFLICT`.
    etag: Option<String>,
}

/// Facts about where and by what a session was made. A field that is left out or null stays as it is.
#[derive(InputObject, Default)]
pub(crate) struct SessionMetadataInput {
    /// The program that sends the session, such as `specstory-cli`.
    client_name: Option<String>,
    /// The version of that program.
    client_version: Option<String>,
    /// The coding agent by its display name, such as `Claude Code`.
    agent_name: Option<String>,
    /// A stable id of the machine the session ran on.
    device_id: Option<String>,
    /// The name of that machine.
    machine_name: Option<String>,
    /// Branches the session was on.
    git_branches: Option<Vec<String>>,
    /// Models that answered.
    llm_models: Option<Vec<String>>,
    /// Labels that people gave.
    tags: Option<Vec<String>>,
    /// A title that the client chose.
    title: Option<String>,
    /// The version of the markdown's layout, such as `v2.1.0`.
    markdown_version: Option<String>,
    /// A short account of the session.
    summary: Option<String>,
}

/// What storing a session did.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(name = "PutOutcome", remote = "PutOutcome")]
pub(crate) enum Put {
    /// It is new.
    Created,
    /// It was there in another state.
    Updated,
    /// It was there just so; nothing was written.
    Unchanged,
}

/// What came of storing a session.
#[derive(SimpleObject)]
pub(crate) struct PutSessionPayload {
    /// The session as it is now.
    session: Session,
    /// Whether it is new, changed or was there just so.
    outcome: Put,
}

/// Stores a session.
pub(crate) async fn put_session(reach: &Reach, input: PutSessionInput) -> Outcome<PutSessionPayload> {
    reach.caller.require(Scope::Write)?;
    // The answer shows it: whoever may not read must hear so before anything has changed.
    reach.caller.require(Scope::Read)?;
    for (field, text) in [
        ("projectName", &input.project_name),
        ("name", &input.name),
        ("markdown", &input.markdown),
        ("rawData", &input.raw_data),
    ] {
        if text.is_empty() {
            let error = Error::invalid(format!("{field} must not be empty")).with("field", field);
            return Err(error.at(field).into());
        }
    }
    let content = |text: String| Bytes::from(text).into();
    let metadata = input.metadata.unwrap_or_default();
    let new = NewSession {
        project: ProjectId::new(input.project_id).map_err(|error| error.at("projectId"))?,
        project_name: input.project_name,
        client_id: input.session_id,
        name: input.name,
        markdown: content(input.markdown),
        raw: Some(content(input.raw_data)),
        session_data: input.session_data.filter(|data| !data.is_empty()).map(content),
        metadata: sg_domain::SessionMetadata {
            client_name: metadata.client_name,
            client_version: metadata.client_version,
            agent_name: metadata.agent_name,
            device_id: metadata.device_id,
            machine_name: metadata.machine_name,
            git_branches: metadata.git_branches,
            llm_models: metadata.llm_models,
            tags: metadata.tags,
            title: metadata.title,
            markdown_version: metadata.markdown_version,
            summary: metadata.summary,
            ..sg_domain::SessionMetadata::default()
        },
        transcript: None,
    };
    let (session, outcome) = reach.app.put_session_if(&reach.caller, new, input.etag.as_deref()).await?;
    Ok(PutSessionPayload { session: Session::new(Arc::new(session)), outcome: outcome.into() })
}
