//! What is known about a session besides what was said.

use async_graphql::Object;
use sg_domain::Session;
use std::sync::Arc;

/// The metadata of a session whose metadata column was read.
pub(crate) struct SessionMetadata(pub(crate) Arc<Session>);

/// Facts about where and by what a session was made. Every one of them may be unknown.
#[Object]
impl SessionMetadata {
    /// The program that sent the session here, such as `specstory-cli`.
    fn client_name(&self) -> Option<&str> {
        self.0.metadata.client_name.as_deref()
    }

    /// The version of that program.
    fn client_version(&self) -> Option<&str> {
        self.0.metadata.client_version.as_deref()
    }

    /// The coding agent by its display name, such as `Claude Code`.
    fn agent_name(&self) -> Option<&str> {
        self.0.metadata.agent_name.as_deref()
    }

    /// The agent's version.
    fn agent_version(&self) -> Option<&str> {
        self.0.metadata.agent_version.as_deref()
    }

    /// A stable id of the machine the session ran on.
    fn device_id(&self) -> Option<&str> {
        self.0.metadata.device_id.as_deref()
    }

    /// The name of that machine.
    fn machine_name(&self) -> Option<&str> {
        self.0.metadata.machine_name.as_deref()
    }

    /// Git branches the session was on, in order of first use.
    fn git_branches(&self) -> Option<&[String]> {
        self.0.metadata.git_branches.as_deref()
    }

    /// Models that answered, in order of first use.
    fn llm_models(&self) -> Option<&[String]> {
        self.0.metadata.llm_models.as_deref()
    }

    /// Labels that people gave the session.
    fn tags(&self) -> Option<&[String]> {
        self.0.metadata.tags.as_deref()
    }

    /// A title that the client chose.
    fn title(&self) -> Option<&str> {
        self.0.metadata.title.as_deref()
    }

    /// The version of the markdown's layout, such as `v2.1.0`.
    fn markdown_version(&self) -> Option<&str> {
        self.0.metadata.markdown_version.as_deref()
    }

    /// A short account of the session.
    fn summary(&self) -> Option<&str> {
        self.0.metadata.summary.as_deref()
    }

    /// The folder the agent worked in, absolute.
    fn folder(&self) -> Option<&str> {
        self.0.metadata.folder.as_deref()
    }

    /// The git remote of that folder, without credentials.
    fn git_remote(&self) -> Option<&str> {
        self.0.metadata.git_remote.as_deref()
    }
}
