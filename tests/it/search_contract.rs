//! What every search index must do, whatever engine is behind it. A new engine is one more factory in `engines`.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sg_domain::search::{FacetBucket, FacetField, RankBy};
use sg_domain::session::{SessionBlobs, SessionCounts};
use sg_domain::{
    ContentBlock, Digest, Message, ProjectId, ProjectKey, Role, SearchPage, SearchQuery, Session, SessionFilter,
    SessionId, SessionMetadata, ShareStatus, Timestamp, TokenUsage, UserId, Visibility,
};
use sg_search::{SearchIndex, SessionDocument, TantivyConfig, TantivyIndex};
use tempfile::TempDir;

/// An index under test and what must outlive it.
struct Engine {
    index: Box<dyn SearchIndex>,
    _folder: TempDir,
}

/// The engines, fresh and empty.
fn engines() -> Vec<(&'static str, Engine)> {
    let folder = TempDir::new().unwrap();
    let index = TantivyIndex::open(config(&folder)).unwrap();
    vec![("tantivy", Engine { index: Box::new(index), _folder: folder })]
}

fn config(folder: &TempDir) -> TantivyConfig {
    TantivyConfig { writer_memory_bytes: 15_000_000, ..TantivyConfig::new(folder.path().join("index")) }
}

fn id(n: u64) -> SessionId {
    format!("00000000-0000-7000-8000-{n:012x}").parse().unwrap()
}

fn user(name: &str) -> UserId {
    UserId(format!("user_{name}"))
}

fn day(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn now() -> Timestamp {
    day("2026-06-01T12:00:00Z")
}

/// A session of Ann's with these messages.
fn session(n: u64, title: &str, messages: &[(Role, &str)]) -> SessionDocument {
    let digest = Digest::of(b"");
    let at = day("2026-01-15T10:00:00Z");
    let session = Session {
        id: id(n),
        client_id: format!("client-{n}"),
        project_key: ProjectKey("00000000-0000-7000-8000-00000000000a".parse().unwrap()),
        project_id: ProjectId::new("p-one").unwrap(),
        owner: user("ann"),
        name: title.to_owned(),
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
        etag: format!("etag-{n}"),
        markdown_size: 0,
        raw_data_size: 0,
        session_data_size: None,
        counts: SessionCounts::default(),
        usage: TokenUsage::default(),
        first_exchange: String::new(),
        share_status: ShareStatus::default(),
        metadata: SessionMetadata::default(),
        blobs: SessionBlobs { markdown: digest, raw: None, session_data: None },
    };
    let messages = messages.iter().map(|(role, text)| Message::text(*role, *text)).collect();
    SessionDocument { session, project_name: "One".to_owned(), messages }
}

/// A session in which the person says one thing.
fn says(n: u64, text: &str) -> SessionDocument {
    session(n, &format!("Untitled {n}"), &[(Role::User, text)])
}

fn query(text: &str) -> SearchQuery {
    SearchQuery {
        visibility: Visibility::Owner(user("ann")),
        text: text.to_owned(),
        filter: SessionFilter::default(),
        rank_by: RankBy::Relevance,
        limit: 50,
        offset: 0,
        facets: Vec::new(),
        snippets: true,
        messages_per_hit: 3,
        now: now(),
    }
}

async fn fill(index: &dyn SearchIndex, documents: impl IntoIterator<Item = SessionDocument>) {
    for document in documents {
        index.put(document).await.unwrap();
    }
    index.commit().await.unwrap();
}

async fn search(index: &dyn SearchIndex, text: &str) -> SearchPage {
    index.search(query(text)).await.unwrap()
}

fn ids(page: &SearchPage) -> Vec<SessionId> {
    page.hits.iter().map(|hit| hit.session).collect()
}

/// The numbers of the sessions found, ascending.
async fn found(index: &dyn SearchIndex, text: &str) -> Vec<u64> {
    numbers(&search(index, text).await)
}

fn numbers(page: &SearchPage) -> Vec<u64> {
    let mut numbers: Vec<u64> = page.hits.iter().map(|hit| (hit.session.0.as_u128() & 0xffff_ffff) as u64).collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identifiers_are_found_whole_and_by_part() {
    const TABLE: &[(&str, &[&str], &[&str])] = &[
        (
            "parse_session_id",
            &["parse_session_id", "PARSE_SESSION_ID", "parse", "session", "parse_session", "session_id", "parse_ses*"],
            &["arse_session", "parsed_session_id"],
        ),
        (
            "parseSessionId",
            &[
                "parseSessionId",
                "parsesessionid",
                "parse",
                "session",
                "parse_session_id",
                "\"parse session id\"",
                "parseSes*",
            ],
            &["arseSession"],
        ),
        ("HTTPServerError", &["HTTPServerError", "httpservererror", "http", "server", "error"], &["ttp", "pserver"]),
        ("my-cool-crate", &["my-cool-crate", "cool", "\"cool crate\"", "my-cool", "my_cool_crate"], &["my-crate"]),
        (
            "src/auth/mod.rs",
            &["src/auth/mod.rs", "auth/mod.rs", "mod.rs", "auth", "\"auth mod\"", "src/auth", "src/au*"],
            &["src/mod.rs", "auth/rs"],
        ),
        (
            "/home/me/work/tokenizer.rs:42:17",
            &["tokenizer.rs", "/home/me/work/tokenizer.rs", "tokenizer.rs:42", "work/tokenizer"],
            &["home/work"],
        ),
        ("foo.bar.bazQux", &["foo.bar.bazQux", "bar.bazqux", "bazQux", "qux"], &["foo.bazqux"]),
        (
            "std::collections::HashMap<String>",
            &["std::collections::HashMap", "HashMap", "collections::HashMap", "hash", "string"],
            &["std::HashMap"],
        ),
        ("error[E0308]: mismatched", &["E0308", "e0308", "error[E0308]"], &["E0309", "0308"]),
        ("v1.22.333", &["v1.22.333", "1.22.333", "1.22", "22.333"], &["1.333"]),
        (
            "3f786850e387550fdab836ed7e6dc881de23001b",
            &["3f786850e387550fdab836ed7e6dc881de23001b", "3f786850*", "3F786850E387550FDAB836ED7E6DC881DE23001B"],
            &["3f786851*"],
        ),
        (
            "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
            &["6f9619ff-8b86-d011-b42d-00cf4fc964ff", "6f9619ff", "b42d-00cf4fc964ff"],
            &["6f9619ff-d011"],
        ),
        ("jane.doe@example.com", &["jane.doe@example.com", "jane.doe", "example.com", "doe"], &["jane@example.com"]),
        (
            "https://docs.rs/serde_json/1.0.140/?q=a&r=b",
            &["https://docs.rs/serde_json/1.0.140/?q=a&r=b", "docs.rs", "serde_json", "docs.rs/serde_json"],
            &["docs.rs/json"],
        ),
        ("__init__ self.__dict__", &["__init__", "init", "self.__dict__", "__dict__"], &["__name__"]),
        ("written in C++ and C#", &["c++", "C#", "c++ c#"], &["g++"]),
        ("café Übergröße naïve", &["cafe", "café", "CAFÉ", "ubergrosse", "naive"], &["caf"]),
        ("the users were running migrations", &["user", "run", "migration", "running migration"], &["runner"]),
        (
            "mcp__github__create_issue",
            &["mcp__github__create_issue", "github", "create_issue", "issue"],
            &["mcp_issue"],
        ),
        ("OAuthToken graphQL", &["oauthtoken", "token", "graphql", "GraphQL"], &["auto"]),
    ];
    for (name, engine) in engines() {
        let index = &*engine.index;
        fill(index, TABLE.iter().enumerate().map(|(i, (text, ..))| says(i as u64, &format!("We saw {text} there"))))
            .await;
        for (i, (text, hits, misses)) in TABLE.iter().enumerate() {
            for hit in *hits {
                assert!(found(index, hit).await.contains(&(i as u64)), "{name}: {hit} finds {text}");
            }
            for miss in *misses {
                let page = search(index, miss).await;
                let is_guess = page.suggestion.is_some();
                assert!(is_guess || !numbers(&page).contains(&(i as u64)), "{name}: {miss} does not find {text}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_without_spaces_are_found_by_any_part() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let texts = [
            (1, "我们需要修复数据库连接问题"),
            (2, "検索エンジンのデータベースを修正しました"),
            (3, "데이터베이스 연결을 수정했습니다"),
            (4, "ﾃﾞｰﾀ と ＡＢＣ"),
            (5, "ค้นหาข้อมูลในระบบ"),
        ];
        fill(index, texts.map(|(n, text)| says(n, text))).await;
        let cases: [(&str, &[u64]); 14] = [
            ("数据库", &[1]),
            ("数据库连接", &[1]),
            ("库", &[1]),
            ("连接", &[1]),
            ("接连", &[]),
            ("データベース", &[2]),
            ("データ", &[2, 4]),
            ("検索", &[2]),
            ("修", &[1, 2]),
            ("데이터", &[3]),
            ("연결", &[3]),
            ("abc", &[4]),
            ("ข้อมูล", &[5]),
            ("修复 OR 修正", &[1, 2]),
        ];
        for (text, want) in cases {
            assert_eq!(found(index, text).await, want, "{name}: {text}");
        }
        let page = search(index, "数据库").await;
        assert_eq!(page.hits[0].snippet.as_deref(), Some("我们需要修复<mark>数据库</mark>连接问题"), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn query_syntax_means_what_it_says() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let mut labelled = session(4, "Deploy pipeline", &[(Role::User, "ship it"), (Role::Assistant, "login works")]);
        labelled.project_name = "Rocket Lab".to_owned();
        labelled.session.metadata = SessionMetadata {
            agent_name: Some("Codex CLI".into()),
            git_branches: Some(vec!["feature/login-form".into()]),
            llm_models: Some(vec!["gpt-5.2-codex".into()]),
            tags: Some(vec!["needs review".into()]),
            ..SessionMetadata::default()
        };
        labelled.session.activity_at = day("2026-05-20T00:00:00Z");
        labelled.messages[1].blocks.push(ContentBlock::ToolUse {
            id: Some("t".into()),
            name: "mcp__linear__get_issue".into(),
            input: serde_json::json!({"path": "deploy.yaml"}),
        });
        let documents = [
            session(1, "Fix login", &[(Role::User, "the login page is broken"), (Role::Assistant, "database timeout")]),
            says(2, "the database page is slow"),
            says(3, "broken database login"),
            labelled,
        ];
        fill(index, documents).await;
        let cases: [(&str, &[u64]); 48] = [
            ("login", &[1, 3, 4]),
            ("login broken", &[1, 3]),
            ("login AND broken", &[1, 3]),
            ("login database", &[1, 3]),
            ("\"login page\"", &[1]),
            ("\"page login\"", &[]),
            ("timeout OR slow", &[1, 2]),
            ("database -login", &[2]),
            ("database NOT login", &[2]),
            ("NOT database", &[4]),
            ("-database -login", &[]),
            ("-database", &[4]),
            ("(timeout OR slow) AND page", &[1, 2]),
            ("login (timeout OR (slow page))", &[1]),
            ("-(login OR slow)", &[]),
            ("data*", &[1, 2, 3]),
            ("title:login", &[1]),
            ("title:\"deploy pipeline\"", &[4]),
            ("title:depl*", &[4]),
            ("role:user login", &[1, 3]),
            ("login role:assistant", &[4]),
            ("role:assistant (timeout OR login)", &[1, 4]),
            ("role:nobody", &[]),
            ("role:assistant", &[1, 4]),
            ("tool:mcp__linear__get_issue", &[4]),
            ("tool:linear deploy", &[4]),
            ("tool:linear ship", &[]),
            ("tool:bash", &[]),
            ("branch:feature/login-form", &[4]),
            ("branch:feature/*", &[4]),
            ("branch:login", &[4]),
            ("tag:\"needs review\"", &[4]),
            ("project:rocket", &[4]),
            ("project:p-one", &[1, 2, 3, 4]),
            ("agent:codex", &[4]),
            ("model:gpt-5.2-codex", &[4]),
            ("model:gpt*", &[4]),
            ("after:2026-05-01", &[4]),
            ("before:2026-05-01 login", &[1, 3]),
            ("after:30d", &[4]),
            ("before:2026 login", &[]),
            ("-after:2026-05 page", &[1, 2]),
            ("rocket", &[4]),
            ("TITLE:login", &[1]),
            ("the", &[1, 2]),
            ("the slow", &[2]),
            ("", &[]),
            (" \t\n ", &[]),
        ];
        for (text, want) in cases {
            let page = search(index, text).await;
            assert_eq!(numbers(&page), want, "{name}: {text}");
            assert_eq!(page.total, want.len() as u64, "{name}: total of {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_text_ever_fails() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        fill(index, (0..20).map(|n| says(n, "some words (and) \"quotes\" foo:bar a-b c_d 数据库"))).await;
        let odd = [
            "(",
            ")",
            "((((",
            "))))",
            "\"",
            "\"\"",
            "\"open",
            "AND",
            "OR",
            "NOT",
            "-",
            "--",
            "- -",
            "*",
            "a*",
            "**",
            "title:",
            "title:\"",
            "title:*",
            "before:",
            "before:soon",
            "after:99999999d",
            "unknown:thing",
            "a:b:c",
            "()",
            "( OR )",
            "NOT NOT NOT foo",
            "-(-foo)",
            "OR foo AND",
            "foo AND OR NOT bar",
            "\u{0}",
            "\u{1}foo",
            "\u{feff}",
            "\\",
            "[a TO b]",
            "{}",
            "a^2",
            "foo~3",
            "+foo -",
            "🦀",
            "e\u{301}\u{301}\u{301}",
            "\u{202e}txt",
            "'; DROP TABLE session; --",
            "<script>",
            "role:",
            "tool:***",
            "::",
            "a::",
            "://",
            "_",
            "__",
            "\u{301}",
            "c++ +++ ###",
            "\u{1100}\u{1161}",
            "＂full＂",
        ];
        for text in odd {
            let page = index.search(query(text)).await;
            assert!(page.is_ok(), "{name}: {text:?}: {page:?}");
        }
        for long in [
            "(".repeat(100_000),
            "a ".repeat(100_000),
            "-".repeat(10_000),
            "x".repeat(1_000_000),
            "数".repeat(50_000),
            "\"a ".repeat(5_000),
        ] {
            assert!(index.search(query(&long)).await.is_ok(), "{name}: long");
        }
        let strategy = prop_oneof![
            "\\PC{0,40}",
            "[a-z\"()*:\\- ]{0,60}",
            prop::collection::vec(
                prop::sample::select(vec![
                    "AND",
                    "OR",
                    "NOT",
                    "-",
                    "(",
                    ")",
                    "\"",
                    "foo",
                    "words",
                    "title:",
                    "role:user",
                    "tool:x",
                    "before:2026",
                    "*",
                    " ",
                    "数据",
                    "a_b",
                    "aB",
                    "\u{301}",
                    "ﾃﾞ",
                    "::",
                ]),
                0..25
            )
            .prop_map(|parts| parts.join(" ")),
            prop::collection::vec(any::<char>(), 0..60).prop_map(|chars| chars.into_iter().collect::<String>()),
        ];
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
            let run = runner.run(&strategy, |text| {
                let page = runtime.block_on(index.search(query(&text)));
                prop_assert!(page.is_ok(), "{:?}", page);
                let page = page.unwrap();
                prop_assert!(page.hits.len() as u64 <= page.total);
                Ok(())
            });
            run.unwrap_or_else(|error| panic!("{name}: {error}"));
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn best_comes_first_and_every_page_continues_the_last() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let filler = "nothing of note happens in this long message about other things ".repeat(8);
        let apart = format!("zebra {filler}");
        let documents = [
            session(1, "Plain", &[(Role::User, &apart), (Role::Assistant, &format!("{filler} crossing"))]),
            session(2, "Plain", &[(Role::User, &format!("{filler} zebra crossing {filler}"))]),
            session(3, "Zebra crossing", &[(Role::User, &format!("{filler} zebra crossing {filler}"))]),
        ];
        fill(index, documents).await;
        let page = search(index, "zebra crossing").await;
        assert_eq!(ids(&page), [id(3), id(2), id(1)], "{name}: title, then together, then apart");
        for hit in &page.hits {
            assert!(hit.rank > 0.0 && hit.rank <= 1.0, "{name}: {}", hit.rank);
        }
        assert!(page.hits.windows(2).all(|pair| pair[0].rank >= pair[1].rank), "{name}");

        // The same text: the newer first, then by id.
        let documents = (10..30).map(|n| {
            let mut document = says(n, "quokka");
            document.session.name = "Same".to_owned();
            document.session.client_id = "same".to_owned();
            document.session.activity_at = day("2026-05-01").plus_micros(if n == 25 { 86_400_000_000 } else { 0 });
            document
        });
        fill(index, documents).await;
        let all = ids(&search(index, "quokka").await);
        let want: Vec<_> = [25].into_iter().chain((10..30).filter(|n| *n != 25)).map(id).collect();
        assert_eq!(all, want, "{name}");
        let mut paged = Vec::new();
        for offset in (0..40).step_by(7) {
            let page = index.search(SearchQuery { limit: 7, offset, ..query("quokka") }).await.unwrap();
            assert_eq!(page.total, 20, "{name}");
            paged.extend(ids(&page));
        }
        assert_eq!(paged, want, "{name}");
        let none = index.search(SearchQuery { limit: 0, ..query("quokka") }).await.unwrap();
        assert_eq!((none.hits.len(), none.total), (0, 20), "{name}");

        // By activity, whatever the relevance.
        let mut old = session(40, "Wombat", &[(Role::User, "wombat wombat wombat")]);
        old.session.activity_at = day("2025-01-01");
        let mut new = says(41, "a wombat was mentioned here in passing among many other words of this message");
        new.session.activity_at = day("2026-05-30");
        fill(index, [old, new]).await;
        let recent = SearchQuery { rank_by: RankBy::Recent, ..query("wombat") };
        assert_eq!(ids(&index.search(recent).await.unwrap()), [id(41), id(40)], "{name}");
        assert_eq!(ids(&search(index, "wombat").await), [id(40), id(41)], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hit_points_at_its_messages() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let long = "filler line\n".repeat(3_000);
        let mut document = session(
            1,
            "Messages",
            &[
                (Role::User, "please look"),
                (Role::Assistant, &format!("{long}the walrus is in the middle\n{long}")),
                (Role::User, "walrus walrus"),
                (Role::System, "nothing"),
            ],
        );
        document.messages.push(Message {
            blocks: vec![ContentBlock::ToolResult {
                tool_use_id: None,
                output: format!("{}\nnarwhal\n{}", "x y z\n".repeat(2_500), "x y z\n".repeat(2_500)),
                is_error: false,
            }],
            ..Message::text(Role::Tool, "")
        });
        fill(index, [document]).await;
        let page = search(index, "walrus").await;
        let messages: BTreeSet<_> = page.hits[0].messages.iter().map(|m| (m.ordinal, m.role.name())).collect();
        assert_eq!(messages, BTreeSet::from([(1, "assistant"), (2, "user")]), "{name}");
        assert_eq!(page.hits[0].messages[0].ordinal, 2, "{name}");
        assert_eq!(page.hits[0].snippet.as_deref(), Some("<mark>walrus</mark> <mark>walrus</mark>"), "{name}");
        assert_eq!(page.hits[0].highlights, ["walrus"], "{name}");
        let one = SearchQuery { messages_per_hit: 1, ..query("walrus") };
        assert_eq!(index.search(one).await.unwrap().hits[0].messages.len(), 1, "{name}");
        let none = index.search(SearchQuery { messages_per_hit: 0, ..query("walrus") }).await.unwrap();
        assert!(none.hits[0].messages.is_empty() && none.hits[0].snippet.is_some(), "{name}");
        let bare = index.search(SearchQuery { snippets: false, ..query("walrus") }).await.unwrap();
        assert!(bare.hits[0].snippet.is_none() && bare.hits[0].messages[0].snippet.is_none(), "{name}");
        let page = search(index, "narwhal").await;
        assert_eq!((page.hits[0].messages[0].ordinal, page.hits[0].messages[0].role), (4, Role::Tool), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snippets_are_safe_and_short() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let filler = "lorem ipsum dolor sit amet ".repeat(60);
        let documents = [
            says(1, "<script>alert(\"kangaroo\")</script> & <img src=x onerror='kangaroo'>"),
            says(2, &format!("{filler} the platypus_handler failed {filler}")),
            session(3, "<b>Title echidna</b>", &[(Role::User, "hello")]),
            says(4, &"é".repeat(5_000)),
            says(5, &format!("{}cassowary{}", "数".repeat(700), "据".repeat(700))),
        ];
        fill(index, documents).await;
        let page = search(index, "kangaroo").await;
        assert_eq!(
            page.hits[0].snippet.as_deref(),
            Some(
                "&lt;script&gt;alert(&quot;<mark>kangaroo</mark>&quot;)&lt;/script&gt; &amp; &lt;img src=x \
                 onerror=&#39;<mark>kangaroo</mark>&#39;&gt;"
            ),
            "{name}"
        );
        let snippet = search(index, "platypus").await.hits[0].snippet.clone().unwrap();
        assert!(snippet.contains("the <mark>platypus</mark>_handler failed"), "{name}: {snippet}");
        assert!(snippet.starts_with('…') && snippet.ends_with('…'), "{name}: {snippet}");
        assert!((150..320).contains(&snippet.len()), "{name}: {} {snippet}", snippet.len());
        let snippet = search(index, "title:echidna").await.hits[0].snippet.clone().unwrap();
        assert_eq!(snippet, "&lt;b&gt;Title <mark>echidna</mark>&lt;/b&gt;", "{name}");
        let snippet = search(index, "cassowary").await.hits[0].snippet.clone().unwrap();
        assert!(snippet.contains("<mark>cassowary</mark>"), "{name}: {snippet}");
        // Every tag is a mark, whatever is asked.
        for text in ["script", "img src", "onerror*", "\"alert kangaroo\"", "b title", "-nothing", "lt", "amp", "数据"]
        {
            for hit in search(index, text).await.hits {
                let html = hit.snippet.unwrap().replace("<mark>", "").replace("</mark>", "");
                assert!(!html.contains(['<', '>', '"', '\'']), "{name}: {text}: {html}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typing_error_is_forgiven_and_told() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let mut secret = says(2, "hippopotamus");
        secret.session.owner = user("bob");
        fill(index, [says(1, "the migration of the database"), secret]).await;
        let page = search(index, "migrtaion database").await;
        assert_eq!(numbers(&page), [1], "{name}");
        assert_eq!(page.suggestion.as_deref(), Some("migration database"), "{name}");
        assert!(page.hits[0].snippet.as_ref().unwrap().contains("<mark>migration</mark>"), "{name}");
        assert_eq!(search(index, "migration").await.suggestion, None, "{name}");
        // Another tenant's word is neither found nor told.
        let page = search(index, "hippopotamos").await;
        assert_eq!((page.total, page.suggestion), (0, None), "{name}");
        let page = search(index, "zzzzzzz").await;
        assert_eq!((page.total, page.suggestion), (0, None), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_what_is_not_theirs() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let mut other = says(2, "shared word");
        other.session.owner = user("bob");
        other.session.metadata.tags = Some(vec!["bob's".into()]);
        fill(index, [says(1, "shared word"), other]).await;
        let facets = vec![FacetField::Tag];
        let as_ann = index.search(SearchQuery { facets: facets.clone(), ..query("shared") }).await.unwrap();
        assert_eq!(numbers(&as_ann), [1], "{name}");
        assert_eq!(as_ann.facets, [(FacetField::Tag, vec![])], "{name}");
        assert_eq!(found(index, "-nothing").await, [1], "{name}");
        let filter = SessionFilter { session_ids: Some(vec![id(2)]), ..SessionFilter::default() };
        let by_id = index.search(SearchQuery { filter, ..query("shared") }).await.unwrap();
        assert_eq!(by_id.total, 0, "{name}");
        for (who, want) in [
            (Visibility::Owner(user("bob")), vec![2]),
            (Visibility::everyone(), vec![1, 2]),
            (Visibility::Owner(user("eve")), vec![]),
        ] {
            let page = index.search(SearchQuery { visibility: who, ..query("shared") }).await.unwrap();
            assert_eq!(numbers(&page), want, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facets_count_sessions_of_the_query() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let documents = (0..12).map(|n| {
            let mut document = session(
                n,
                "F",
                &[(Role::User, "gecko gecko"), (Role::Assistant, if n < 10 { "gecko" } else { "newt" })],
            );
            if n >= 10 {
                document.messages[0] = Message::text(Role::User, "newt");
            }
            document.session.project_id = ProjectId::new(if n % 3 == 0 { "p-three" } else { "p-rest" }).unwrap();
            document.session.metadata.agent_name = (n % 2 == 0).then(|| "Claude Code".to_owned());
            document.session.metadata.git_branches = Some(vec!["main".into(), format!("b{}", n % 2), "main".into()]);
            document.session.metadata.llm_models = Some(vec!["m1".into()]);
            document.session.activity_at = day("2026-03-01").plus_micros(n as i64 % 4 * 86_400_000_000);
            document
        });
        fill(index, documents).await;
        // In several segments, and with one that was replaced and one that was removed.
        let mut again = says(0, "gecko");
        again.session.metadata.tags = Some(vec!["new".into()]);
        fill(index, [again]).await;
        index.remove(id(9)).await.unwrap();
        let all = SearchQuery { facets: FacetField::ALL.to_vec(), ..query("gecko") };
        let page = index.search(all).await.unwrap();
        assert_eq!(page.total, 9, "{name}");
        let want: [&[(&str, u64)]; 6] = [
            &[("p-rest", 6), ("p-three", 2), ("p-one", 1)],
            &[("Claude Code", 4)],
            &[("m1", 8)],
            &[("main", 8), ("b0", 4), ("b1", 4)],
            &[("new", 1)],
            &[("2026-03-03", 2), ("2026-03-04", 2), ("2026-03-02", 2), ("2026-03-01", 2), ("2026-01-15", 1)],
        ];
        for ((field, buckets), want) in page.facets.iter().zip(want) {
            let mut want: Vec<_> =
                want.iter().map(|(v, count)| FacetBucket { value: (*v).into(), count: *count }).collect();
            want.sort_by(|a, b| b.count.cmp(&a.count).then(a.value.cmp(&b.value)));
            assert_eq!(*buckets, want, "{name}: {field:?}");
        }
        assert_eq!(page.facets.iter().map(|(field, _)| *field).collect::<Vec<_>>(), FacetField::ALL, "{name}");
        // Facets do not depend on the page.
        let page =
            index.search(SearchQuery { limit: 1, facets: vec![FacetField::Model], ..query("gecko") }).await.unwrap();
        assert_eq!(page.facets[0].1, [FacetBucket { value: "m1".into(), count: 8 }], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_seen_after_commit_and_removals_at_once() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        index.put(says(1, "first wording")).await.unwrap();
        assert_eq!(search(index, "wording").await.total, 0, "{name}: not yet");
        index.commit().await.unwrap();
        assert_eq!(found(index, "first").await, [1], "{name}");
        assert_eq!((index.status().sessions, index.status().documents), (1, 1), "{name}");
        // Replacing drops the old words.
        fill(index, [says(1, "second wording")]).await;
        assert_eq!(found(index, "first").await, [0; 0], "{name}");
        assert_eq!(found(index, "wording").await, [1], "{name}");
        // Removal hides at once, everywhere.
        fill(index, [says(2, "second wording")]).await;
        index.remove(id(1)).await.unwrap();
        let counted = SearchQuery { facets: vec![FacetField::Project], ..query("second") };
        let page = index.search(counted.clone()).await.unwrap();
        assert_eq!((numbers(&page), page.total, page.facets[0].1[0].count), (vec![2], 1, 1), "{name}");
        assert_eq!(found(index, "-nothing").await, [2], "{name}");
        // Writing it again before the commit brings the new one back, not the old one.
        index.put(says(1, "third wording")).await.unwrap();
        assert_eq!(found(index, "wording").await, [2], "{name}");
        index.commit().await.unwrap();
        assert_eq!(found(index, "wording").await, [1, 2], "{name}");
        assert_eq!(found(index, "third").await, [1], "{name}");
        // And a removal after a write that was not committed wins.
        index.put(says(3, "third wording")).await.unwrap();
        index.remove(id(3)).await.unwrap();
        index.remove(id(99)).await.unwrap();
        index.commit().await.unwrap();
        assert_eq!(found(index, "wording").await, [1, 2], "{name}");
        let held: BTreeMap<_, _> = index.sessions().await.unwrap().into_iter().collect();
        assert_eq!(held, BTreeMap::from([(id(1), "etag-1".to_owned()), (id(2), "etag-2".to_owned())]), "{name}");
        assert_eq!(index.status().sessions, 2, "{name}");
        assert!(index.status().bytes > 0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_swaps_in_whole_and_loses_no_write() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        fill(index, (0..50).map(|n| says(n, "old lizard"))).await;
        let mut rebuild = index.rebuild().await.unwrap();
        assert!(index.rebuild().await.is_err(), "{name}: one at a time");
        for n in 0..25 {
            rebuild.put(says(n, "new lizard")).await.unwrap();
        }
        // Writes meanwhile: before and after the rebuild gets to the session, and of ones it never sees.
        index.put(says(3, "live lizard")).await.unwrap();
        index.put(says(30, "live lizard")).await.unwrap();
        index.put(says(70, "live lizard")).await.unwrap();
        index.remove(id(4)).await.unwrap();
        index.remove(id(31)).await.unwrap();
        index.commit().await.unwrap();
        assert_eq!(search(index, "live").await.total, 3, "{name}: the old one serves on");
        assert_eq!(search(index, "lizard").await.total, 49, "{name}");
        for n in 25..50 {
            rebuild.put(says(n, "new lizard")).await.unwrap();
        }
        assert_eq!(search(index, "new").await.total, 0, "{name}");
        index.put(says(71, "late lizard")).await.unwrap();
        let searches = async {
            for _ in 0..50 {
                let total = search(index, "lizard").await.total;
                assert!(total == 49 || total == 50, "{name}: {total}");
            }
        };
        let (finished, ()) = tokio::join!(rebuild.finish(), searches);
        finished.unwrap();
        assert_eq!(search(index, "lizard").await.total, 50, "{name}");
        assert_eq!(search(index, "old").await.total, 0, "{name}");
        assert_eq!(found(index, "live").await, [3, 30, 70], "{name}");
        assert_eq!(found(index, "late").await, [71], "{name}");
        assert!(!index.status().needs_rebuild, "{name}");
        fill(index, [says(80, "after lizard")]).await;
        assert_eq!(search(index, "lizard").await.total, 51, "{name}");
        // One that is given up changes nothing, and makes room for another.
        let mut dropped = index.rebuild().await.unwrap();
        dropped.put(says(1, "dropped lizard")).await.unwrap();
        drop(dropped);
        assert_eq!(search(index, "dropped").await.total, 0, "{name}");
        let next = loop {
            match index.rebuild().await {
                Ok(next) => break next,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        next.finish().await.unwrap();
        assert_eq!(search(index, "lizard").await.total, 0, "{name}: an empty rebuild is an empty index");
    }
}

fn values() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "a", "b", "A", "a b", "é", "/w", "/w/x", "/w/xy", "/w/x/y", "C:\\w", "C:\\w\\x", "/"])
        .prop_map(str::to_owned)
}

fn maybe<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop::option::weighted(0.6, of)
}

fn lists() -> impl Strategy<Value = Option<Vec<String>>> {
    maybe(prop::collection::vec(values(), 0..3))
}

fn times() -> impl Strategy<Value = Timestamp> {
    (0..6_i64).prop_map(|n| Timestamp::from_secs(1_700_000_000 + n * 40_000))
}

fn documents() -> impl Strategy<Value = SessionDocument> {
    let facts = (maybe(values()), maybe(values()), maybe(values()), maybe(values()), maybe(values()), maybe(values()));
    let more = (lists(), lists(), lists(), times(), times(), maybe(0..2_u64), 0..3_usize, 0..2_usize);
    (0..40_u64, facts, more).prop_map(|(n, facts, more)| {
        let mut document = says(n, "constant");
        let (client_name, agent_name, device_id, machine_name, folder, parent) = facts;
        let (git_branches, llm_models, tags, activity_at, created_at, data, project, owner) = more;
        document.session.metadata = SessionMetadata {
            client_name,
            agent_name,
            device_id,
            machine_name,
            folder,
            git_branches,
            llm_models,
            tags,
            ..SessionMetadata::default()
        };
        document.session.parent_client_id = parent;
        document.session.activity_at = activity_at;
        document.session.created_at = created_at;
        document.session.session_data_size = data;
        document.session.project_id = ProjectId::new(["p", "q", "P"][project]).unwrap();
        document.session.owner = user(["ann", "bob"][owner]);
        document
    })
}

fn filters() -> impl Strategy<Value = SessionFilter> {
    let list = || prop_oneof![3 => Just(Vec::new()), 2 => prop::collection::vec(values(), 1..3)].boxed();
    let leaf = (
        (
            prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(prop::sample::select(vec!["p", "q", "zz"]).prop_map(str::to_owned), 1..3)],
            prop::option::weighted(0.15, prop::collection::vec((0..40_u64).prop_map(id), 0..30)),
            list(),
            list(),
            list(),
            list(),
        ),
        (list(), list(), list(), list(), list()),
        (
            prop::option::weighted(0.2, times()),
            prop::option::weighted(0.2, times()),
            prop::option::weighted(0.2, times()),
            prop::option::weighted(0.2, any::<bool>()),
            prop::option::weighted(0.2, any::<bool>()),
        ),
    );
    // Few fields at a time: a filter that nothing passes shows nothing.
    let leaf = (leaf, any::<u32>()).prop_map(|((one, two, three), mask)| {
        let on = |bit: u32| mask >> (bit * 2) & 3 == 0;
        let keep = |bit: u32, list: Vec<String>| if on(bit) { list } else { Vec::new() };
        SessionFilter {
            project_ids: keep(0, one.0),
            session_ids: one.1,
            client_names: keep(1, one.2),
            agent_names: keep(2, one.3),
            device_ids: keep(3, one.4),
            machine_names: keep(4, one.5),
            git_branches: keep(5, two.0),
            llm_models: keep(6, two.1),
            tags: keep(7, two.2),
            folders: keep(8, two.3),
            parent_client_ids: keep(9, two.4),
            active_from: three.0,
            active_to: three.1,
            created_from: three.2,
            has_git_branches: three.3,
            resumable: three.4,
            ..SessionFilter::default()
        }
    });
    leaf.prop_recursive(3, 12, 3, |inner| {
        (
            inner.clone(),
            prop::collection::vec(inner.clone(), 0..3),
            prop::collection::vec(inner.clone(), 0..3),
            prop::option::weighted(0.3, inner),
        )
            .prop_map(|(base, and, or, not)| SessionFilter { and, or, not: not.map(Box::new), ..base })
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_agree_with_their_definition() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let runtime = tokio::runtime::Handle::current();
        let strategy = (prop::collection::vec(documents(), 1..25), prop::collection::vec(filters(), 25));
        tokio::task::block_in_place(|| {
            let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
            let mut held: BTreeMap<SessionId, Session> = BTreeMap::new();
            let held = std::cell::RefCell::new(&mut held);
            let run = runner.run(&strategy, |(documents, filters)| {
                let mut held = held.borrow_mut();
                runtime.block_on(fill(index, documents.clone()));
                held.extend(documents.into_iter().map(|document| (document.session.id, document.session)));
                for filter in filters {
                    for (owner, text) in [(Some(user("ann")), "constant"), (None, "-absent")] {
                        let visibility = owner.clone().map_or(Visibility::everyone(), Visibility::Owner);
                        let want: Vec<_> = held
                            .values()
                            .filter(|session| visibility.allows(&session.owner) && filter.matches(session))
                            .map(|session| session.id)
                            .collect();
                        let asked = SearchQuery {
                            visibility,
                            filter: filter.clone(),
                            snippets: false,
                            limit: 100,
                            facets: vec![FacetField::Branch],
                            ..query(text)
                        };
                        let page = runtime.block_on(index.search(asked)).unwrap();
                        let mut got = ids(&page);
                        got.sort();
                        prop_assert_eq!(&got, &want, "{:?}", filter);
                        prop_assert_eq!(page.total, want.len() as u64);
                        let mut branches: BTreeMap<String, u64> = BTreeMap::new();
                        for session in want.iter().map(|id| &held[id]) {
                            let values: BTreeSet<_> = session.metadata.git_branches.iter().flatten().cloned().collect();
                            values.into_iter().for_each(|value| *branches.entry(value).or_default() += 1);
                        }
                        let counted =
                            page.facets[0].1.iter().map(|b| (b.value.clone(), b.count)).collect::<BTreeMap<_, _>>();
                        prop_assert_eq!(counted, branches);
                    }
                }
                Ok(())
            });
            run.unwrap_or_else(|error| panic!("{name}: {error}"));
        });
    }
}
