//! Fills a folder with sessions through the operation that imports use, and tells how fast that was.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sg_app::{App, Ids as _, KeyRequest, NewSession, RandomIds};
use sg_domain::{Caller, Dialect, ProjectId, Scope, Scopes, SessionMetadata, UserId};
use tokio::task::JoinSet;

use crate::text::{self, Random};
use crate::{Run, gateway};

/// What a folder holds and how it is asked about.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Seeded {
    /// How many sessions.
    pub(crate) sessions: u32,
    kilobytes: u32,
    /// How many of them can be resumed.
    pub(crate) resumable: u32,
    /// The key of the user whose sessions they are.
    pub(crate) secret: String,
    /// The id of that user.
    pub(crate) user: UserId,
    /// Projects, as clients name them.
    pub(crate) projects: Vec<String>,
    /// Some sessions: the project and the session's client id.
    pub(crate) samples: Vec<(String, String)>,
    /// Identifiers that occur in sessions.
    pub(crate) identifiers: Vec<String>,
    /// Bytes of markdown that were stored.
    pub(crate) bytes: u64,
    /// Seconds until all of it was stored and indexed.
    pub(crate) seconds: f64,
}

impl Seeded {
    /// Million bytes a second into store and index together.
    pub(crate) fn megabytes_per_second(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.seconds.max(1e-9)
    }
}

/// Sessions of the first project; the others are spread over the rest.
pub(crate) const LARGE_PROJECT: u32 = 1_000;
/// Session data as small as it can be: what is measured is the markdown.
const SESSION_DATA: &str = r#"{"schemaVersion":"1.0.0","exchanges":[]}"#;

/// How many sessions are being stored at a time.
const WRITERS: u32 = 4;

/// Fills the folder, unless an earlier run with the same numbers has.
pub(crate) async fn seed(run: &Run, data: &Path) -> anyhow::Result<Seeded> {
    let note = data.join("seed.json");
    if let Ok(bytes) = std::fs::read(&note) {
        let seeded: Seeded =
            serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", note.display()))?;
        let same = (seeded.sessions, seeded.kilobytes, seeded.resumable, seeded.projects.len() as u32)
            == (run.sessions, run.kilobytes, run.resumable, run.projects);
        anyhow::ensure!(same, "{} was seeded with other numbers, use another folder", data.display());
        return Ok(seeded);
    }
    let app = gateway::open(data).await?;
    let local = Caller::local(UserId::from_uuid(RandomIds.uuid()));
    let user = app.create_user(&local, "load@example.org").await?;
    let caller = Caller::local(user.id.clone());
    let key = KeyRequest {
        user: user.id.clone(),
        name: "load".to_owned(),
        dialect: Dialect::Specstory,
        scopes: Scopes::of(&[Scope::Read, Scope::Write]),
        expires_at: None,
    };
    let secret = app.create_key(&caller, key).await?.secret;
    let projects: Vec<_> = (0..run.projects).map(|n| ProjectId::derive(&format!("example.org/load/{n}"))).collect();
    let started = Instant::now();
    let mut worker = JoinSet::from_iter([gateway::work(app.clone())]);
    let bytes = store(run, &app, &caller, &projects).await?;
    loop {
        let jobs = app.job_counts().await?;
        anyhow::ensure!(jobs.dead == 0, "{} sessions could not be indexed", jobs.dead);
        if jobs.ready + jobs.running == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seconds = started.elapsed().as_secs_f64();
    // Ended, not only told to: what serves next needs the index that it holds.
    worker.shutdown().await;
    let mut random = Random::new(4_711);
    let sample = |random: &mut Random| {
        let at = random.below(run.sessions as usize) as u32;
        (projects[project_of(at, run.projects)].to_string(), client_id(at))
    };
    let seeded = Seeded {
        sessions: run.sessions,
        kilobytes: run.kilobytes,
        resumable: run.resumable,
        secret,
        user: user.id,
        samples: (0..64).map(|_| sample(&mut random)).collect(),
        identifiers: (0..64).map(|_| text::identifier(&mut random)).collect(),
        projects: projects.iter().map(ToString::to_string).collect(),
        bytes,
        seconds,
    };
    std::fs::write(&note, serde_json::to_vec_pretty(&seeded)?)?;
    Ok(seeded)
}

/// Stores every session with a few writers at a time; returns the bytes of markdown.
async fn store(run: &Run, app: &App, caller: &Caller, projects: &[ProjectId]) -> anyhow::Result<u64> {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (app, caller, projects, run) = (app.clone(), caller.clone(), projects.to_vec(), run.clone());
        writers.spawn(async move {
            let mut bytes = 0;
            for at in (writer..run.sessions).step_by(WRITERS as usize) {
                let project = projects[project_of(at, run.projects)].clone();
                let mut new = session(at, project, run.kilobytes as usize * 1_000);
                new.session_data = (at < run.resumable).then(|| SESSION_DATA.into());
                bytes += new.markdown.len();
                app.put_session(&caller, new).await?;
                if writer == 0 && at % 1_000 == 0 && !run.json {
                    eprintln!("stored {at} of {} sessions", run.sessions);
                }
            }
            anyhow::Ok(bytes)
        });
    }
    let mut bytes = 0;
    while let Some(writer) = writers.join_next().await {
        bytes += writer??;
    }
    Ok(bytes)
}

fn project_of(at: u32, projects: u32) -> usize {
    let is_large = at < LARGE_PROJECT || projects == 1;
    if is_large { 0 } else { 1 + (at % (projects - 1)) as usize }
}

fn client_id(at: u32) -> String {
    format!("00000000-0000-4000-8000-{at:012x}")
}

/// Session number `at`, ready to be stored.
pub(crate) fn session(at: u32, project: ProjectId, bytes: usize) -> NewSession {
    let client_id = client_id(at);
    let mut random = Random::new(u64::from(at) + 99);
    let name = format!("{} in {}", text::identifier(&mut random), text::BRANCHES[at as usize % text::BRANCHES.len()]);
    NewSession {
        project_name: format!("load {project}"),
        project,
        name,
        markdown: text::session(at, &client_id, bytes).into(),
        raw: None,
        session_data: None,
        metadata: SessionMetadata {
            client_name: Some("sg-load".to_owned()),
            agent_name: Some("Claude Code".to_owned()),
            git_branches: Some(vec![text::BRANCHES[at as usize % text::BRANCHES.len()].to_owned()]),
            llm_models: Some(vec![text::MODELS[at as usize % text::MODELS.len()].to_owned()]),
            ..SessionMetadata::default()
        },
        transcript: None,
        client_id,
    }
}
