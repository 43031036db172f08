//! What words, identifiers and operators find.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sg_domain::{ContentBlock, Role, SessionMetadata};

use super::{day, engines, fill, found, numbers, query, says, search, session};

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
