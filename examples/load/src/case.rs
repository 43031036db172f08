//! What is measured: the requests of each case, checked once before they are driven, and the ceiling beside them.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::Run;
use crate::client::{Connection, Measured, Request, drive};
use crate::seed::{LARGE_PROJECT, Seeded};
use crate::serve::{Child, PutOrder};

/// One kind of work.
pub(crate) struct Case {
    /// What it is called in the report.
    pub(crate) name: &'static str,
    /// The share of the ceiling that the design asks for.
    pub(crate) target: f64,
    /// Requests that are sent in turn.
    requests: Vec<Request>,
    /// The status they are answered with.
    status: u16,
    /// Looks at the first answer: how many things it must list, and where.
    expect: Option<(&'static str, usize)>,
    /// Asks with the ETag of the first answer, so that it was not modified.
    conditional: bool,
}

/// What came out.
pub(crate) struct Outcome {
    /// The case.
    pub(crate) name: &'static str,
    /// The share of the ceiling that the design asks for.
    pub(crate) target: f64,
    /// Bytes of one answer.
    pub(crate) bytes: usize,
    /// The server.
    pub(crate) server: Measured,
    /// Its ceiling.
    pub(crate) ceiling: Measured,
}

const LIST: &str = "query($project: String!) { sessions(filters: { projectId: $project }, first: 20) { \
    edges { cursor node { id name markdownSize startedAt endedAt metadata { agentName gitBranches llmModels } } } \
    pageInfo { hasNextPage endCursor } } }";
const NESTED: &str = "query($first: Int!) { projects { id name sessionCount sessions(first: $first) { \
    edges { node { id name createdAt updatedAt startedAt markdownSize metadata { agentName clientName gitBranches llmModels tags } } } } } }";
const SEARCH: &str = "query($query: String!, $branch: [String!]) { searchSessions(query: $query, limit: 10, \
    filters: { gitBranches: $branch }) { total results { id name rank snippet project { id name } \
    matchingMessages { snippet } } } }";

/// Paths that a cold case asks for in turn.
const COLD_PATHS: u32 = 8_192;

/// Every case over a seeded folder.
pub(crate) fn cases(seeded: &Seeded) -> Vec<Case> {
    let key = format!("Bearer {}", seeded.secret);
    let signed = |request: Request| request.header("authorization", &key);
    let graphql = |query: &str, variables: Value| {
        signed(Request::post("/api/v1/graphql", &json!({ "query": query, "variables": variables })))
            .header("accept", "application/graphql-response+json")
    };
    let session =
        |(project, id): &(String, String)| signed(Request::get(format!("/api/v1/projects/{project}/sessions/{id}")));
    let case = |name, target, requests| Case { name, target, requests, status: 200, expect: None, conditional: false };
    let in_large = seeded.sessions.min(LARGE_PROJECT) as usize;
    let (projects, recent) = ("/api/v1/projects?", "/api/v1/sessions/recent?limit=20&");
    let large = format!("/api/v1/projects/{}/sessions?", seeded.projects[0]);
    let sizes = format!("/api/v1/projects/{}/sessions/sizes?", seeded.projects[0]);
    let warm =
        |name, path: &str, expect| Case { expect: Some(expect), ..case(name, 0.60, vec![signed(Request::get(path))]) };
    // More of them than the server keeps answers of, in a circle: each is gone when its turn comes again.
    let cold = |name, path: &str, expect| Case {
        expect: Some(expect),
        ..case(name, 0.20, (0..COLD_PATHS).map(|n| signed(Request::get(format!("{path}turn={n}")))).collect())
    };
    let resume = |query: &str| signed(Request::post("/api/v1/search/resume", &json!({ "query": query })));
    let words = ["deadlock", "retry timeout", "compaction", "cache response", "\"the a\"", "keyset pagination"];
    let search = seeded.identifiers.iter().map(String::as_str).chain(words);
    let search = search.zip(crate::text::BRANCHES.iter().cycle());
    let list: Vec<_> = seeded.projects.iter().map(|p| graphql(LIST, json!({ "project": p }))).collect();
    let nested = graphql(NESTED, json!({ "first": 20 }));
    vec![
        cold("REST list of projects, cold", projects, ("/data/projects", seeded.projects.len())),
        warm("REST list of projects, warm", projects, ("/data/projects", seeded.projects.len())),
        cold("REST list of 20 sessions, cold", recent, ("/data/sessions", 20)),
        warm("REST list of 20 sessions, warm", recent, ("/data/sessions", 20)),
        cold("REST list of 1,000 sessions, cold", &large, ("/data/sessions", in_large)),
        warm("REST list of 1,000 sessions, warm", &large, ("/data/sessions", in_large)),
        cold("REST sizes of 1,000 sessions, cold", &sizes, ("/data/sessions", in_large)),
        warm("REST sizes of 1,000 sessions, warm", &sizes, ("/data/sessions", in_large)),
        Case {
            expect: Some(("/data/sessions/edges", 20)),
            ..case("GraphQL list of 20 sessions, cold", 0.05, anew(list.clone()))
        },
        Case { expect: Some(("/data/sessions/edges", 20)), ..case("GraphQL list of 20 sessions, warm", 0.60, list) },
        case("REST get of a session, warm", 0.60, seeded.samples.iter().map(session).collect()),
        case(
            "REST get as markdown, warm",
            0.60,
            seeded.samples.iter().map(|s| session(s).header("accept", "text/markdown")).collect(),
        ),
        Case {
            status: 304,
            conditional: true,
            ..case("REST get, not modified", 0.60, seeded.samples.iter().take(1).map(session).collect())
        },
        Case {
            expect: Some(("/data/projects", seeded.projects.len())),
            ..case("GraphQL nested, all projects x 20, cold", 0.05, anew(vec![nested.clone()]))
        },
        Case {
            expect: Some(("/data/projects", seeded.projects.len())),
            ..case("GraphQL nested, all projects x 20, warm", 0.60, vec![nested])
        },
        Case {
            expect: Some(("/data/searchSessions/results", 1)),
            ..case(
                "search, 10 highlighted hits",
                0.10,
                search.map(|(q, branch)| graphql(SEARCH, json!({ "query": q, "branch": [branch] }))).collect(),
            )
        },
        // No share is asked for: a list without an end is mostly its rows, which the lists above measure.
        case("search to resume, a word", 0.0, seeded.identifiers.iter().map(|word| resume(word)).collect()),
        Case {
            expect: Some(("/data/results", seeded.resumable as usize)),
            ..case("search to resume, two letters", 0.0, vec![resume("th"), resume("a t"), resume("_**user")])
        },
    ]
}

/// Requests that are answered anew each time, nothing from memory.
fn anew(requests: Vec<Request>) -> Vec<Request> {
    requests.into_iter().map(|request| request.header("cache-control", "no-store")).collect()
}

/// What peers are asked as well: a list of one project, and everything nested.
pub(crate) fn shared_with_peers(seeded: &Seeded) -> Vec<(&'static str, Vec<Request>)> {
    let ask = |query: &str, variables: Value| {
        Request::post("/api/v1/graphql", &json!({ "query": query, "variables": variables }))
            .header("authorization", &format!("Bearer {}", seeded.secret))
    };
    let list = seeded.projects.iter().map(|p| ask(LIST, json!({ "project": p }))).collect();
    let nested = |first: u32| anew(vec![ask(NESTED, json!({ "first": first }))]);
    vec![("GraphQL list of 20 sessions", anew(list)), ("GraphQL nested, all projects x 20", nested(20))]
}

/// A bit of everything, over and over: what memory must not grow with.
pub(crate) fn mixed(seeded: &Seeded) -> Vec<Request> {
    let all: Vec<_> =
        cases(seeded).into_iter().filter(|case| !case.conditional && !case.name.contains("two letters")).collect();
    let mut mixed: Vec<Request> = Vec::new();
    for turn in 0..64 {
        for case in &all {
            mixed.extend(case.requests.get(turn % case.requests.len()).cloned());
        }
    }
    mixed
}

/// The entries of a list or of an object.
fn entries(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    }
}

impl Case {
    /// Drives the server, then the ceiling with the bytes of the server's first answer.
    pub(crate) async fn drive(&self, run: &Run, child: &Child) -> anyhow::Result<Outcome> {
        let mut connection = Connection::open(child.address).await?;
        let first = self.requests.first().context("a case without requests")?;
        let mut answer = connection.send(first).await?;
        anyhow::ensure!(answer.status == 200, "{}: {} {}", self.name, answer.status, answer.text());
        if let Some((pointer, at_least)) = self.expect {
            let body = answer.json()?;
            let found = body.pointer(pointer).map_or(0, entries);
            anyhow::ensure!(found >= at_least, "{}: {found} of {at_least} found: {}", self.name, answer.text());
        }
        let mut requests = self.requests.clone();
        if self.conditional {
            let tag = answer.header("etag").context("an answer without an ETag")?.to_owned();
            requests = requests.into_iter().map(|r| r.header("if-none-match", &tag)).collect();
            answer.body.clear();
        }
        let path = format!("/ceiling/{}", self.name.replace([' ', ','], "-"));
        let kind = answer.header("content-type").unwrap_or("text/plain").to_owned();
        let kept = Request::put(&path, answer.body.clone()).header("content-type", &kind);
        anyhow::ensure!(connection.send(&kept).await?.status == 200, "the ceiling of {} was not kept", self.name);
        let ceilings: Vec<_> = requests.iter().map(|request| request.clone().to(&path)).collect();
        // A short run first, so that neither side pays for cold caches or growing buffers.
        let warm = Duration::from_millis(300);
        drive(child.address, &requests, self.status, run.connections, warm).await?;
        drive(child.address, &ceilings, 200, run.connections, warm).await?;
        Ok(Outcome {
            name: self.name,
            target: self.target,
            bytes: answer.body.len(),
            server: drive(child.address, &requests, self.status, run.connections, run.time()).await?,
            ceiling: drive(child.address, &ceilings, 200, run.connections, run.time()).await?,
        })
    }
}

/// How long a session takes from being stored to being found: the median of several.
pub(crate) async fn write_to_searchable(child: &Child, seeded: &Seeded) -> anyhow::Result<Duration> {
    let mut connection = Connection::open(child.address).await?;
    let key = format!("Bearer {}", seeded.secret);
    let mut times = Vec::new();
    let salt = std::process::id();
    for round in 0..5_u32 {
        let word = format!("zyx{salt}q{round}");
        let order = PutOrder {
            at: seeded.sessions + round,
            word: word.clone(),
            user: seeded.user.clone(),
            // Not the large one, which a case lists.
            project: seeded.projects.last().cloned().unwrap_or_default(),
        };
        let stored = connection.send(&Request::post("/load/put", &serde_json::to_value(&order)?)).await?;
        anyhow::ensure!(stored.status == 200, "storing failed: {}", stored.text());
        let started = Instant::now();
        let query = json!({ "query": "query($q: String!) { searchSessions(query: $q) { total } }", "variables": { "q": word } });
        let ask = Request::post("/api/v1/graphql", &query).header("authorization", &key);
        loop {
            let answer = connection.send(&ask).await?.json()?;
            if answer.pointer("/data/searchSessions/total").and_then(Value::as_u64) == Some(1) {
                break;
            }
            anyhow::ensure!(started.elapsed() < Duration::from_secs(20), "not found after 20 s: {answer}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        times.push(started.elapsed());
    }
    times.sort_unstable();
    times.get(times.len() / 2).copied().context("no round was run")
}
