//! Searching as someone types: 1,000 sessions to resume of 200 KB each, ten exchanges a session, with a vocabulary that
//! grows as code's does.
//!
//! `cargo bench -p sg-search --bench exchanges` prints the time of one search with all its snippets.

#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use sg_domain::session::{SessionBlobs, SessionCounts};
use sg_domain::{
    Digest, ExchangeQuery, ProjectId, ProjectKey, Session, SessionId, SessionMetadata, ShareStatus, Timestamp,
    TokenUsage, UserId, Visibility,
};
use sg_search::{SearchIndex, SessionDocument, TantivyConfig, TantivyIndex};
use tempfile::TempDir;
use uuid::Uuid;

const SESSIONS: u64 = 1_000;
const EXCHANGES: u64 = 10;
const EXCHANGE_BYTES: usize = 20_000;
const WORDS: &str = "the of and to a in is it you that he was for on are with as his they be at one have this from or had
    by hot but some what there we can out other were all your when up use word how said an each she which do their time
    if will way about many then them would write like so these her long make thing see him two has look more day could
    go come did my sound no most number who over know water than call first people may down side been now find session
    token request handler cache index worker snippet branch commit pipeline schema resolver cursor timeout stream buffer";

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

fn exchange(dice: &mut Dice) -> String {
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut text = String::with_capacity(EXCHANGE_BYTES + 64);
    while text.len() < EXCHANGE_BYTES {
        let (one, two) = (words[dice.roll(words.len())], words[dice.roll(words.len())]);
        match dice.roll(12) {
            0 => text.push_str(&format!("{one}_{two}{} ", dice.roll(1_000_000))),
            1 => text.push_str(&format!("src/{one}/{two}.rs:{}\n", dice.roll(900))),
            2 => text.push_str(&format!("{:x}{:x} ", dice.roll(1 << 30), dice.roll(1 << 30))),
            3 => text.push_str(&format!("{one}{} ", dice.roll(50_000))),
            _ => text.push_str(&format!("{one} {two} ")),
        }
    }
    text
}

fn document(n: u64) -> SessionDocument {
    let dice = &mut Dice(n + 1);
    let at = Timestamp::from_secs(1_760_000_000 + n as i64 * 600);
    let session = Session {
        id: SessionId(Uuid::from_u128(u128::from(n))),
        client_id: n.to_string(),
        project_key: ProjectKey(Uuid::nil()),
        project_id: ProjectId::new("project").unwrap(),
        owner: UserId("user_a".to_owned()),
        name: "A session".to_owned(),
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
        session_data_size: Some(1),
        counts: SessionCounts::default(),
        usage: TokenUsage::default(),
        first_exchange: String::new(),
        share_status: ShareStatus::default(),
        metadata: SessionMetadata::default(),
        blobs: SessionBlobs { markdown: Digest::of(b""), raw: None, session_data: None },
    };
    let exchanges = (0..EXCHANGES).map(|_| exchange(dice)).collect();
    SessionDocument { session, project_name: "Project".to_owned(), messages: Vec::new(), exchanges }
}

fn benches(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let folder = TempDir::new().unwrap();
    let index = TantivyIndex::open(TantivyConfig::new(folder.path())).unwrap();
    runtime.block_on(async {
        for n in 0..SESSIONS {
            index.put(document(n)).await.unwrap();
        }
        index.commit().await.unwrap();
    });
    let bytes = SESSIONS * EXCHANGES * EXCHANGE_BYTES as u64;
    println!("the index holds {:.2} bytes for each byte of text", index.status().bytes as f64 / bytes as f64);

    let mut group = criterion.benchmark_group("exchanges");
    group.sample_size(20);
    for text in [
        "th",
        "t",
        "a t",
        "toke",
        "session",
        "\"session token\"",
        "src/t",
        "token.r",
        "the of and to a",
        "cache_index1",
    ] {
        let found = ask(&runtime, &index, text);
        group.bench_function(format!("{text} ({found} found)"), |bencher| {
            bencher.iter(|| ask(&runtime, &index, text));
        });
    }
    group.finish();
}

fn ask(runtime: &tokio::runtime::Runtime, index: &TantivyIndex, text: &str) -> usize {
    let visibility = Visibility::Owner(UserId("user_a".to_owned()));
    let query = ExchangeQuery { visibility, text: text.to_owned(), project: None };
    runtime.block_on(index.exchanges(query)).unwrap().len()
}

criterion_group!(all, benches);
criterion_main!(all);
