//! Summaries of sessions.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use sg_app::ModelChoice;
use sg_domain::{ErrorKind, MadeNarrative};

use crate::failure::{Nullable, Outcome};
use crate::loader::{Reach, SummaryOf};
use crate::scalar::{DateTime, int};
use crate::session::Session;
use crate::share_link::written;

/// Messages that weigh as much as one object when a summary may have to be made of them.
const MESSAGES_PER_OBJECT: u64 = 10;

/// A session's summary.
pub(crate) struct SessionSummary(Arc<sg_app::SessionSummary>);

/// What a session's messages tell without a model reading them, and what a model told of it, if one was asked.
#[Object]
impl SessionSummary {
    /// What the session is called.
    fn title(&self) -> &str {
        self.0.title()
    }

    /// The agent it was made with, as its client names it.
    fn tool(&self) -> &str {
        self.0.tool()
    }

    /// The model that answered, where it is known.
    fn model(&self) -> Option<&str> {
        self.0.model()
    }

    /// The branch it ended on, where it is known.
    fn branch(&self) -> Option<&str> {
        self.0.branch()
    }

    /// The first seven digits of the commit it was on, where it is known.
    fn commit(&self) -> Option<&str> {
        self.0.commit()
    }

    /// From the first to the last message that tells its time, in minutes; at least 1 when two do.
    fn duration_minutes(&self) -> i32 {
        int(self.0.summary.facts.duration_minutes)
    }

    /// Messages, as its client counted them; else as they were stored.
    fn message_count(&self) -> i32 {
        int(self.0.messages())
    }

    /// Calls of tools, each once.
    fn tool_call_count(&self) -> i32 {
        int(self.0.summary.facts.tool_calls)
    }

    /// Paths that were written, in the order in which they first were.
    fn files_modified(&self) -> &[String] {
        &self.0.summary.facts.files_modified
    }

    /// Paths that were read or looked for and not written, in the order in which they first were.
    fn files_read(&self) -> &[String] {
        &self.0.summary.facts.files_read
    }

    /// Commands that were run.
    fn commands_executed(&self) -> i32 {
        int(self.0.summary.facts.commands)
    }

    /// Tests that passed or failed, of all runs.
    fn tests_run(&self) -> i32 {
        int(self.0.summary.facts.tests())
    }

    /// Tests that passed, of all runs.
    fn tests_passed(&self) -> i32 {
        int(self.0.summary.facts.tests_passed)
    }

    /// Tests that failed, of all runs.
    fn tests_failed(&self) -> i32 {
        int(self.0.summary.facts.tests_failed)
    }

    /// Packages that commands installed, as they were named.
    fn packages_installed(&self) -> &[String] {
        &self.0.summary.facts.packages
    }

    /// Lines that tell of errors, at most five, sorted.
    fn errors_encountered(&self) -> &[String] {
        &self.0.summary.facts.errors
    }

    /// What a model told of the session; null when none was asked. It stays when the session goes on.
    fn narrative(&self) -> Option<SessionNarrative> {
        self.0.summary.narrative.clone().map(SessionNarrative)
    }

    /// When the messages were read for it.
    fn generated_at(&self) -> DateTime {
        DateTime(self.0.summary.made_at)
    }
}

/// What a model told.
pub(crate) struct SessionNarrative(MadeNarrative);

/// What a model told of a session.
#[Object]
impl SessionNarrative {
    /// What happened, in some sentences.
    fn what_happened(&self) -> &str {
        &self.0.narrative.what_happened
    }

    /// What was decided.
    fn key_decisions(&self) -> &[String] {
        &self.0.narrative.key_decisions
    }

    /// How it ended.
    fn outcome(&self) -> &str {
        &self.0.narrative.outcome
    }

    /// What is left to do.
    fn open_issues(&self) -> &[String] {
        &self.0.narrative.open_issues
    }

    /// The model that told it.
    fn model(&self) -> &str {
        &self.0.model
    }

    /// When it did.
    fn generated_at(&self) -> DateTime {
        DateTime(self.0.made_at)
    }
}

/// Why a model told nothing.
#[derive(SimpleObject)]
pub(crate) struct NarrativeError {
    /// What went wrong, in one word, such as `llm_timeout`.
    code: String,
    /// The same in words.
    message: String,
}

/// Which session is to be summarized, and by whom.
#[derive(InputObject)]
pub(crate) struct SummarizeSessionInput {
    /// The session's id on this server; its alias and the id its client gave it work too.
    id: String,
    /// Whether the account's model is asked to tell what happened, too.
    #[graphql(default)]
    narrative: bool,
}

/// What came of summarizing a session.
#[derive(SimpleObject)]
pub(crate) struct SummarizeSessionPayload {
    /// The session.
    session: Session,
    /// Its summary as it is now.
    summary: SessionSummary,
    /// Why the model told nothing, when it was asked and did not; what an earlier one told stays.
    narrative_error: Option<NarrativeError>,
}

/// A session's summary; null when it has no messages.
pub(crate) async fn summary(ctx: &Context<'_>, session: &sg_domain::Session) -> Nullable<SessionSummary> {
    let reach = Reach::of(ctx);
    if let Err(error) = reach.spend(session.counts.messages / MESSAGES_PER_OBJECT) {
        return Some(Err(error.into()));
    }
    reach.load(SummaryOf(session.id)).await.transpose().map(|found| found.map(SessionSummary))
}

/// Makes a session's summary anew; with `narrative`, a model tells what happened.
pub(crate) async fn summarize_session(reach: &Reach, input: SummarizeSessionInput) -> Outcome<SummarizeSessionPayload> {
    let session = written(reach, &input.id).await?;
    let id = session.row().id;
    let nothing = |error: sg_domain::Error| match error.kind {
        ErrorKind::Invalid if error.input.is_none() => error.at("id"),
        _ => error,
    };
    if !input.narrative {
        let made = reach.app.summarize(&reach.caller, id).await.map_err(nothing)?;
        let summary = SessionSummary(Arc::new(made));
        return Ok(SummarizeSessionPayload { session, summary, narrative_error: None });
    }
    let (made, fault) = reach.app.narrate(&reach.caller, id, &ModelChoice::default()).await.map_err(nothing)?;
    let narrative_error = fault.map(|fault| NarrativeError { code: fault.code.to_owned(), message: fault.message });
    Ok(SummarizeSessionPayload { session, summary: SessionSummary(Arc::new(made)), narrative_error })
}
