//! The worker's side of the queue: claim, do, finish; back off when it fails.

use std::time::Duration;

use sg_domain::id::SessionRef;
use sg_domain::{
    ContentBlock, ErrorKind, Job, JobId, JobKind, Message, ProjectKey, Result, Session, SessionId, Timestamp,
    Visibility,
};
use sg_search::SessionDocument;
use sg_store::{JobCounts, MessageQuery};

use crate::App;
use crate::session_read::WHOLE_BYTES;

/// What one round of work did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobRun {
    /// Jobs that are done.
    pub done: usize,
    /// Jobs that failed and were put back.
    pub failed: usize,
}

/// Jobs taken in one round: enough to share a commit of the index, few enough to share it soon.
const BATCH: u32 = 128;
/// Sessions of a project that are enqueued in one transaction.
const PROJECT_PART: usize = 500;
/// Bytes of text of a page of messages, where a session is indexed that is not read as a whole.
const PAGE_BYTES: usize = 4 * 1_024 * 1_024;
/// Waits between attempts double up to this, in seconds.
const MAX_BACK_OFF_SECS: i64 = 600;

impl App {
    /// Does what is due: one round of at most a few hundred jobs. The server calls it in a loop; it acts for no caller.
    pub async fn run_jobs(&self) -> Result<JobRun> {
        let lease = Duration::from_secs(self.limits().job_lease_secs);
        let jobs = self.store().claim_jobs(BATCH, self.now(), lease).await?;
        if jobs.is_empty() {
            return Ok(JobRun::default());
        }
        let mut done = Vec::with_capacity(jobs.len());
        let mut failed = 0;
        for job in &jobs {
            // A job that ended the process each time never came to be put back.
            if job.attempts > self.limits().max_job_attempts {
                failed += 1;
                self.store().fail_job(job.id, "it never ended: the process stopped each time", None).await?;
                continue;
            }
            match self.run_job(&job.kind).await {
                Ok(()) => done.push(job),
                Err(error) => {
                    failed += 1;
                    self.put_back(job, &error).await?;
                }
            }
        }
        // A job is done when its work is durable: after the commit, not before.
        if let Err(error) = self.search().commit().await {
            for job in &done {
                self.put_back(job, &error).await?;
            }
            return Ok(JobRun { done: 0, failed: failed + done.len() });
        }
        let ids: Vec<_> = done.iter().map(|job| job.id).collect();
        self.store().finish_jobs(&ids, self.now()).await?;
        Ok(JobRun { done: ids.len(), failed })
    }

    /// Takes back what a worker that was killed had claimed, so that nothing waits for the end of its leases. Only for the
    /// one process that works the queue, before it starts; on a shared database leases end by themselves.
    pub async fn take_back_jobs(&self) -> Result<u64> {
        if self.store().engine() != "sqlite" {
            return Ok(0);
        }
        self.store().take_back_jobs(self.now()).await
    }

    async fn run_job(&self, kind: &JobKind) -> Result<()> {
        match kind {
            JobKind::IndexSession { session } => self.index_session(*session).await,
            JobKind::SweepBlobs => {
                self.sweep_sign_in().await?;
                self.forget_answers().await?;
                self.sweep_changes().await?;
                self.sweep_jobs().await?;
                // Before the blobs: theirs are nobody's now.
                self.purge_trash().await?;
                self.sweep_blobs().await.map(drop)
            }
            JobKind::SendVerification { user } => self.send_verification(user).await,
            JobKind::IndexProject { project } => self.index_project(*project).await,
            JobKind::UnindexSessions { sessions } => {
                for session in sessions {
                    // Put again since, under the same id, it has a job of its own; this one must not undo that.
                    self.index_session(*session).await?;
                }
                Ok(())
            }
        }
    }

    /// Enqueues every session of a project, in parts, so that no transaction holds the writer for long.
    async fn index_project(&self, project: ProjectKey) -> Result<()> {
        let sessions = self.store().session_ids_of(project).await?;
        for part in sessions.chunks(PROJECT_PART) {
            let tx = self.store().begin().await?;
            for session in part {
                let job = JobKind::IndexSession { session: *session };
                tx.enqueue(JobId(self.ids().uuid()), None, &job, self.now()).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// Makes the index agree with the store about one session.
    async fn index_session(&self, id: SessionId) -> Result<()> {
        match self.session_document(id).await? {
            Some(document) => self.search().put(document).await,
            None => self.search().remove(id).await,
        }
    }

    /// Everything the index keeps of one session; `None` when the session is gone.
    pub(crate) async fn session_document(&self, id: SessionId) -> Result<Option<SessionDocument>> {
        let who = Visibility::everyone();
        let Some(session) = self.store().session(&who, &SessionRef::Id(id)).await? else { return Ok(None) };
        let project = self.store().projects_by_key(&who, &[session.project_key]).await?.pop();
        let messages = self.indexed_messages(&session).await?;
        Ok(Some(SessionDocument {
            project_name: project.map(|p| p.name).unwrap_or_default(),
            messages,
            exchanges: self.exchange_texts(&session).await?,
            session,
        }))
    }

    /// A session's messages, as many as the index takes: it stops at so much text of one session.
    async fn indexed_messages(&self, session: &Session) -> Result<Vec<Message>> {
        let who = Visibility::everyone();
        let mut query = MessageQuery::default();
        let mut messages = Vec::new();
        // What is known to be small is read at once. Messages come from the agent's file or from the markdown.
        let is_large = session.markdown_size.max(session.raw_data_size) > WHOLE_BYTES;
        query.limit = is_large.then_some(1);
        let mut bytes = 0;
        loop {
            let page = self.store().messages(&who, session.id, &query).await?;
            let before = bytes;
            for (ordinal, message) in page.items {
                query.after = Some(ordinal);
                bytes += text_bytes(&message);
                messages.push(message);
            }
            if !page.has_next || bytes >= sg_search::MAX_SESSION_BYTES {
                return Ok(messages);
            }
            // As many as make a page of a few megabytes, if the next ones are like the last.
            query.limit = query.limit.map(|limit| {
                let wanted = PAGE_BYTES / ((bytes - before) / limit as usize).max(1);
                u32::try_from(wanted).unwrap_or(u32::MAX).clamp(1, (limit * 4).min(1_000))
            });
        }
    }

    /// Removes blobs that no row has named for a day; returns how many.
    pub(crate) async fn sweep_blobs(&self) -> Result<u64> {
        let grace = i64::try_from(self.limits().orphan_blob_grace_secs).unwrap_or(i64::MAX / 1_000_000);
        let before = self.now().plus_micros(grace.saturating_mul(-1_000_000));
        self.store().blobs().sweep(self.store(), before).await
    }

    /// Puts a sweep of all that has had its time (sign-ins, kept answers, the log of changes, jobs, the trash, blobs) into
    /// the queue, unless one waits there. The server does it once in a while, for no caller.
    pub async fn schedule_sweep(&self) -> Result<()> {
        let tx = self.store().begin().await?;
        tx.enqueue(JobId(self.ids().uuid()), None, &JobKind::SweepBlobs, self.now()).await?;
        tx.commit().await
    }

    async fn put_back(&self, job: &Job, error: &sg_domain::Error) -> Result<()> {
        // `attempts` counts this one already.
        let again = (job.attempts < self.limits().max_job_attempts).then(|| self.back_off(job.attempts));
        tracing::warn!(job = %job.id, kind = job.kind.name(), attempts = job.attempts, dead = again.is_none(),
            error = ?error, "job failed");
        // Whose job it is reads this: what is ours alone stays in the log.
        let shown = if error.kind == ErrorKind::Internal { "internal error" } else { &error.message };
        self.store().fail_job(job.id, shown, again).await
    }

    fn back_off(&self, attempts: u32) -> Timestamp {
        let secs = 1_i64.checked_shl(attempts.min(30)).unwrap_or(i64::MAX).min(MAX_BACK_OFF_SECS);
        self.now().plus_micros(secs * 1_000_000)
    }

    /// How many jobs wait, run, and are dead. For readiness and the command line; tells nothing about data.
    pub async fn job_counts(&self) -> Result<JobCounts> {
        self.store().job_counts().await
    }
}

/// Bytes of a message's text, as nearly as it matters: what it holds beside text is small.
fn text_bytes(message: &Message) -> usize {
    let block = |block: &ContentBlock| match block {
        ContentBlock::Text { text } | ContentBlock::Thinking { text } => text.len(),
        ContentBlock::ToolResult { output, .. } => output.len(),
        ContentBlock::ToolUse { input, .. } => input.to_string().len(),
        ContentBlock::Image { .. } | ContentBlock::Other { .. } => 0,
    };
    message.blocks.iter().map(block).sum()
}
