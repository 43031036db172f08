//! Sessions to seed.

use serde_json::Value;
use sg_app::NewSession;
use sg_domain::{ContentBlock, Message, ProjectId, Role, SessionMetadata, Timestamp, TokenUsage, Transcript};

use super::FixedClock;

/// A session to seed, with sensible values for all that a test does not care about.
#[derive(Clone, Debug)]
pub struct Sample {
    pub project: String,
    pub project_name: String,
    pub client_id: String,
    pub name: String,
    pub parent: Option<String>,
    pub metadata: SessionMetadata,
    pub messages: Vec<Message>,
    pub raw: Option<String>,
    pub session_data: Option<String>,
    /// Time of the first message, in microseconds; each further one is a minute later.
    pub started_at: i64,
}

impl Sample {
    /// A short Claude Code session in project `1111-2222-3333-4444`.
    pub fn new(client_id: &str) -> Self {
        Self {
            project: "1111-2222-3333-4444".to_owned(),
            project_name: "gateway".to_owned(),
            client_id: client_id.to_owned(),
            name: format!("Session {client_id}"),
            parent: None,
            metadata: SessionMetadata {
                client_name: Some("specstory-cli".to_owned()),
                agent_name: Some("Claude Code".to_owned()),
                git_branches: Some(vec!["main".to_owned()]),
                llm_models: Some(vec!["claude-opus-4-6".to_owned()]),
                ..SessionMetadata::default()
            },
            messages: Vec::new(),
            raw: None,
            session_data: None,
            started_at: FixedClock::START - 3_600_000_000,
        }
        .user("Why does the login fail?")
        .assistant("Because the token had expired.")
    }

    /// In another project.
    pub fn project(mut self, id: &str, name: &str) -> Self {
        (self.project, self.project_name) = (id.to_owned(), name.to_owned());
        self
    }

    /// Called something else.
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// With other metadata.
    pub fn with(mut self, change: impl FnOnce(&mut SessionMetadata)) -> Self {
        change(&mut self.metadata);
        self
    }

    /// Without the messages so far.
    pub fn silent(mut self) -> Self {
        self.messages.clear();
        self
    }

    /// The person says something.
    pub fn user(self, text: &str) -> Self {
        self.message(Message::text(Role::User, text))
    }

    /// The model says something, for 100 tokens in and 20 out.
    pub fn assistant(self, text: &str) -> Self {
        let usage = TokenUsage { input: 100, output: 20, ..TokenUsage::default() };
        let model = self.metadata.llm_models.as_ref().and_then(|m| m.first().cloned());
        self.message(Message { model, usage: Some(usage), ..Message::text(Role::Assistant, text) })
    }

    /// The model calls a tool, which answers.
    pub fn tool(self, name: &str, input: Value, output: &str) -> Self {
        let id = Some(format!("toolu_{}", self.messages.len()));
        let call = ContentBlock::ToolUse { id: id.clone(), name: name.to_owned(), input };
        let result = ContentBlock::ToolResult { tool_use_id: id, output: output.to_owned(), is_error: false };
        self.message(Message { blocks: vec![call], ..Message::text(Role::Assistant, "") })
            .message(Message { blocks: vec![result], ..Message::text(Role::Tool, "") })
    }

    /// Any message; it gets the next minute as its time.
    pub fn message(mut self, mut message: Message) -> Self {
        let minutes = self.messages.len() as i64;
        message.at.get_or_insert(Timestamp::from_micros(self.started_at + minutes * 60_000_000));
        self.messages.push(message);
        self
    }

    /// Moved to a time; messages keep their distances.
    pub fn at(mut self, time: &str) -> Self {
        let start = Timestamp::parse(time).unwrap().micros();
        let moved = start - self.started_at;
        self.started_at = start;
        for message in &mut self.messages {
            message.at = message.at.map(|at| at.plus_micros(moved));
        }
        self
    }

    /// As `App::put_session` takes it.
    pub fn into_new(self) -> NewSession {
        let times: Vec<_> = self.messages.iter().filter_map(|m| m.at).collect();
        let mut transcript = Transcript {
            client_id: self.client_id.clone(),
            format: "claude-code",
            name: self.name.clone(),
            parent_client_id: self.parent,
            agent_id: None,
            metadata: self.metadata.clone(),
            messages: self.messages,
            markdown: None,
            session_data: None,
            started_at: times.first().copied(),
            ended_at: times.last().copied(),
            raw: serde_json::Map::new(),
        };
        let markdown = sg_formats::specstory::write(&transcript);
        transcript.metadata = SessionMetadata::default();
        NewSession {
            project: ProjectId::new(self.project).unwrap(),
            project_name: self.project_name,
            client_id: self.client_id,
            name: self.name,
            markdown: markdown.into(),
            raw: self.raw.map(Into::into),
            session_data: self.session_data.map(Into::into),
            metadata: self.metadata,
            transcript: Some(transcript),
        }
    }
}
