//! Indexing and searching 2,000 sessions of transcript-like text.
//!
//! `cargo bench -p sg-search` prints MB/s of indexed text, and the time of one search with ten hits and their snippets.

#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sg_domain::session::{SessionBlobs, SessionCounts};
use sg_domain::{
    Digest, FacetField, Message, ProjectId, ProjectKey, RankBy, Role, SearchQuery, Session, SessionFilter, SessionId,
    SessionMetadata, ShareStatus, Timestamp, TokenUsage, UserId, Visibility,
};
use sg_search::{SearchIndex, SessionDocument, TantivyConfig, TantivyIndex};
use tempfile::TempDir;
use uuid::Uuid;

const SESSIONS: u64 = 2_000;
const NOUNS: [&str; 24] = [
    "session",
    "parser",
    "database",
    "migration",
    "token",
    "request",
    "handler",
    "cache",
    "index",
    "worker",
    "snippet",
    "branch",
    "commit",
    "pipeline",
    "schema",
    "resolver",
    "cursor",
    "timeout",
    "stream",
    "buffer",
    "error",
    "config",
    "client",
    "server",
];
const VERBS: [&str; 12] =
    ["parse", "load", "store", "retry", "merge", "flush", "render", "fetch", "encode", "validate", "split", "resolve"];

/// The same numbers on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

fn paragraph(dice: &mut Dice, out: &mut String) {
    for _ in 0..12 {
        let (noun, verb) = (NOUNS[dice.roll(NOUNS.len())], VERBS[dice.roll(VERBS.len())]);
        let number = dice.roll(40_000);
        match dice.roll(5) {
            0 => out.push_str(&format!("let {noun}_{number} = {verb}_{noun}(&ctx.{noun}s)?;\n")),
            1 => out.push_str(&format!(
                "error[E{:04}]: src/{noun}/{verb}{number}.rs:{} failed\n",
                number % 800,
                dice.roll(400)
            )),
            2 => out.push_str(&format!(
                "The {noun} should {verb} before the next {noun}, see `{verb}{}`.\n",
                noun.to_uppercase()
            )),
            3 => out.push_str(&format!("running 1 test in {verb}ing {noun} ... ok ({number} ms)\n")),
            _ => out.push_str(&format!("I will {verb} the {noun} and then check that word{number} is gone.\n")),
        }
    }
}

fn document(n: u64) -> SessionDocument {
    let dice = &mut Dice(n + 1);
    let messages = (0..16).map(|i| {
        let mut text = String::new();
        paragraph(dice, &mut text);
        Message::text(if i % 2 == 0 { Role::User } else { Role::Assistant }, text)
    });
    let messages = messages.collect();
    let at = Timestamp::from_secs(1_760_000_000 + n as i64 * 600);
    let metadata = SessionMetadata {
        agent_name: Some(["Claude Code", "Codex CLI", "Gemini CLI"][n as usize % 3].to_owned()),
        git_branches: Some(vec![format!("feature/{}", n % 40)]),
        llm_models: Some(vec![format!("model-{}", n % 7)]),
        ..SessionMetadata::default()
    };
    let session = Session {
        id: SessionId(Uuid::from_u128(u128::from(n))),
        client_id: n.to_string(),
        project_key: ProjectKey(Uuid::nil()),
        project_id: ProjectId::new(format!("project-{}", n % 50)).unwrap(),
        owner: UserId("user_a".to_owned()),
        name: format!("{} the {}", VERBS[n as usize % VERBS.len()], NOUNS[n as usize % NOUNS.len()]),
        user_title: None,
        alias: None,
        format: "claude-code".to_owned(),
        parent_client_id: None,
        agent_id: None,
        started_at: Some(at),
        ended_at: Some(at),
        created_at: at,
        updated_at: at,
        activity_at: at,
        etag: n.to_string(),
        markdown_size: 0,
        raw_data_size: 0,
        session_data_size: None,
        counts: SessionCounts::default(),
        usage: TokenUsage::default(),
        first_exchange: String::new(),
        share_status: ShareStatus::default(),
        metadata,
        blobs: SessionBlobs { markdown: Digest::of(b""), raw: None, session_data: None },
    };
    SessionDocument { session, project_name: format!("Project {}", n % 50), messages, exchanges: Vec::new() }
}

fn bytes(document: &SessionDocument) -> u64 {
    let texts = document.messages.iter().flat_map(|message| &message.blocks).map(|block| match block {
        sg_domain::ContentBlock::Text { text } => text.len() as u64,
        _ => 0,
    });
    texts.sum()
}

fn query(text: &str) -> SearchQuery {
    SearchQuery {
        visibility: Visibility::Owner(UserId("user_a".to_owned())),
        text: text.to_owned(),
        filter: SessionFilter::default(),
        rank_by: RankBy::Relevance,
        limit: 10,
        offset: 0,
        facets: Vec::new(),
        snippets: true,
        messages_per_hit: 1,
        now: Timestamp::from_secs(1_762_000_000),
    }
}

fn benches(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let documents: Vec<_> = (0..SESSIONS).map(document).collect();
    let folder = TempDir::new().unwrap();
    let index = TantivyIndex::open(TantivyConfig::new(folder.path())).unwrap();
    runtime.block_on(async {
        for document in &documents {
            index.put(document.clone()).await.unwrap();
        }
        index.commit().await.unwrap();
    });

    let mut group = criterion.benchmark_group("index");
    let some = &documents[..200];
    group.sample_size(10).throughput(Throughput::Bytes(some.iter().map(bytes).sum()));
    group.bench_function("200 sessions and a commit", |bencher| {
        bencher.iter(|| {
            let folder = TempDir::new().unwrap();
            let index = TantivyIndex::open(TantivyConfig::new(folder.path())).unwrap();
            runtime.block_on(async {
                for document in some {
                    index.put(document.clone()).await.unwrap();
                }
                index.commit().await.unwrap();
            });
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("search");
    let filtered = SearchQuery {
        filter: SessionFilter { agent_names: vec!["Codex CLI".to_owned()], ..SessionFilter::default() },
        ..query("parse session timeout")
    };
    let cases = [
        ("rare word", query("word12345")),
        ("two words", query("migration timeout")),
        ("identifier", query("retry_database")),
        ("phrase", query("\"should flush before\"")),
        ("prefix", query("valid*")),
        ("three words and a filter", filtered.clone()),
        ("the same without snippets", SearchQuery { snippets: false, ..filtered.clone() }),
        ("the same with all facets", SearchQuery { facets: FacetField::ALL.to_vec(), ..filtered }),
        ("typing error", query("migratoin")),
    ];
    for (name, query) in cases {
        group.bench_function(name, |bencher| {
            bencher.iter(|| runtime.block_on(index.search(query.clone())).unwrap());
        });
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
