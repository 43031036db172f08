//! Sessions that have to do with another one: near topics before far ones, and only the caller's.

use sg_domain::{ContentBlock, Message, ProjectId, RelatedHit, RelatedQuery, RelatedReason, Role, Visibility};
use sg_search::{SearchIndex, SessionDocument};

use super::{day, engines, fill, id, session, user};

async fn related(index: &dyn SearchIndex, n: u64) -> Vec<RelatedHit> {
    related_to(index, n, "ann", 50).await
}

async fn related_to(index: &dyn SearchIndex, n: u64, who: &str, limit: usize) -> Vec<RelatedHit> {
    let query = RelatedQuery { visibility: Visibility::Owner(user(who)), session: id(n), limit };
    let hits = index.related(query).await.unwrap();
    for hit in &hits {
        assert!(hit.similarity > 0.0 && hit.similarity <= 1.0, "{hit:?}");
        assert_ne!(hit.session, id(n), "a session is not related to itself");
        assert!(!hit.reasons.is_empty(), "{hit:?}");
    }
    assert!(hits.windows(2).all(|pair| pair[0].similarity >= pair[1].similarity), "{hits:?}");
    hits
}

fn numbers(hits: &[RelatedHit]) -> Vec<u64> {
    hits.iter().map(|hit| (hit.session.0.as_u128() & 0xffff_ffff) as u64).collect()
}

fn in_project(mut document: SessionDocument, project: &str) -> SessionDocument {
    document.session.project_id = ProjectId::new(project).unwrap();
    project.clone_into(&mut document.project_name);
    document
}

fn touching(mut document: SessionDocument, path: &str) -> SessionDocument {
    document.messages.push(Message {
        blocks: vec![ContentBlock::ToolUse {
            id: Some("t".to_owned()),
            name: "Edit".to_owned(),
            input: serde_json::json!({ "file_path": path, "old_string": "a", "new_string": "b" }),
        }],
        ..Message::text(Role::Assistant, "")
    });
    document
}

fn on_branch(mut document: SessionDocument, branch: &str) -> SessionDocument {
    document.session.metadata.git_branches = Some(vec![branch.to_owned()]);
    document
}

const LOGIN: [&str; 3] = [
    "The login fails because the session token expired before the refresh. Fix the authentication middleware.",
    "The login fails: the authentication middleware says that the session token expired, after the refresh renewed it.",
    "Why does the token refresh race with the login? The middleware caches an expired session.",
];
const TIDES: [&str; 2] = [
    "Plot the tide gauge readings of the harbor as a chart with a moving average over the moon phases.",
    "The chart of harbor tides is empty when the gauge has no readings at new moon.",
];

fn asks(n: u64, text: &str) -> SessionDocument {
    let answer = "Let me have a look at that now, and then I will make the change.";
    session(n, &format!("Untitled {n}"), &[(Role::User, text), (Role::Assistant, answer)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn near_topics_come_before_far_ones() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let documents = [
            asks(1, LOGIN[0]),
            asks(2, LOGIN[1]),
            in_project(asks(3, LOGIN[1]), "p-two"),
            asks(4, TIDES[0]),
            in_project(asks(5, TIDES[1]), "p-two"),
            in_project(asks(6, LOGIN[2]), "p-three"),
            asks(7, "Bump the version of the release and write a changelog for customers."),
        ];
        fill(index, documents).await;
        let hits = related(index, 1).await;
        assert_eq!(numbers(&hits)[..2], [2, 3], "{name}: the same topic, the same project first: {hits:?}");
        assert!(numbers(&hits).contains(&6), "{name}: {hits:?}");
        assert!(!numbers(&hits).iter().any(|n| [4, 5, 7].contains(n)), "{name}: another topic: {hits:?}");
        assert_eq!(hits[0].reasons, [RelatedReason::Content, RelatedReason::Project], "{name}");
        assert_eq!(hits[1].reasons, [RelatedReason::Content], "{name}");
        assert_eq!(numbers(&related(index, 4).await), [5], "{name}");
        // The same question, the same answer.
        assert_eq!(related(index, 1).await, hits, "{name}");
        assert_eq!(numbers(&related_to(index, 1, "ann", 1).await), [2], "{name}");
        assert!(related_to(index, 1, "ann", 0).await.is_empty(), "{name}");
        assert!(related(index, 7).await.is_empty(), "{name}: nothing has to do with it");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_and_branches_count() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let documents = [
            on_branch(touching(asks(1, "Make it faster please."), "/home/ann/p/src/parser/lexer.rs"), "speed"),
            // The same file of another checkout, talked about in other words.
            on_branch(touching(asks(2, "There is a panic on empty input."), "/srv/p/src/parser/lexer.rs"), "main"),
            on_branch(touching(asks(3, "There is a panic on empty input."), "/srv/p/src/parser/lexer.rs"), "speed"),
            on_branch(touching(asks(4, "There is a panic on empty input."), "/srv/p/docs/readme.md"), "speed"),
        ];
        fill(index, documents).await;
        let hits = related(index, 1).await;
        assert_eq!(numbers(&hits)[..2], [3, 2], "{name}: {hits:?}");
        assert!(hits[0].reasons.ends_with(&[RelatedReason::Project, RelatedReason::Branch]), "{name}: {hits:?}");
        assert!(hits[1].reasons.contains(&RelatedReason::Files), "{name}: {hits:?}");
        assert!(!hits[1].reasons.contains(&RelatedReason::Branch), "{name}: {hits:?}");
        assert!(!numbers(&hits).contains(&4), "{name}: a branch alone is nothing: {hits:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_without_spaces_have_neighbours_too() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let documents = [
            asks(1, "認証ミドルウェアのトークン更新が失敗する原因を調べてください。"),
            asks(2, "トークン更新の競合で認証ミドルウェアが例外を投げます。"),
            asks(3, "潮位グラフの移動平均を描画して港のデータを表示する。"),
        ];
        fill(index, documents).await;
        assert_eq!(numbers(&related(index, 1).await), [2], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_tenants_are_never_told() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        fill(index, [asks(1, LOGIN[0]), asks(2, LOGIN[1]), asks(3, TIDES[0]), asks(4, TIDES[1])]).await;
        let before = related(index, 1).await;
        let theirs = (10..30).map(|n| {
            let mut document = asks(n, LOGIN[n as usize % 3]);
            document.session.owner = user("bob");
            document
        });
        fill(index, theirs).await;
        let after = related(index, 1).await;
        assert_eq!(numbers(&after), [2], "{name}");
        // Nor does it show in the figures that others say the same.
        assert!((before[0].similarity - after[0].similarity).abs() < 1e-9, "{name}: {before:?} {after:?}");
        assert!(related_to(index, 1, "bob", 50).await.is_empty(), "{name}: it is not his to ask about");
        assert!(!related_to(index, 10, "bob", 50).await.is_empty(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_empty_and_what_is_removed_is_gone() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        assert!(related(index, 1).await.is_empty(), "{name}: an empty index");
        fill(index, [asks(1, LOGIN[0]), asks(2, LOGIN[1]), asks(3, TIDES[0]), asks(4, "")]).await;
        assert!(related(index, 99).await.is_empty(), "{name}: not indexed yet");
        assert!(related(index, 4).await.is_empty(), "{name}: nothing was said");
        assert_eq!(numbers(&related(index, 1).await), [2], "{name}");
        index.remove(id(2)).await.unwrap();
        assert!(related(index, 1).await.is_empty(), "{name}");
        assert!(related(index, 2).await.is_empty(), "{name}");
        index.commit().await.unwrap();
        assert!(related(index, 1).await.is_empty(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equals_are_ordered_by_activity_then_id() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let mut documents: Vec<_> = (1..8).map(|n| asks(n, LOGIN[1])).collect();
        for document in &mut documents {
            document.session.name = "Same".to_owned();
        }
        documents[4].session.activity_at = day("2026-05-01");
        documents.push(asks(20, TIDES[0]));
        documents.extend((21..30).map(|n| asks(n, TIDES[1])));
        fill(index, documents).await;
        assert_eq!(numbers(&related(index, 3).await), [5, 1, 2, 4, 6, 7], "{name}");
    }
}

/// A session of a hundred thousand words is held against others by a sample of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_session_is_found_by_what_runs_through_it() {
    for (name, engine) in engines() {
        let index = &*engine.index;
        let chapter =
            |n: u64| format!("{} Step {n}: {}\n", LOGIN[n as usize % 3], "noise words of every kind ".repeat(20));
        let mut large = asks(1, LOGIN[0]);
        for n in 0..400 {
            large.messages.push(Message::text(Role::ALL[n as usize % 2], chapter(n)));
        }
        fill(index, [large, asks(2, LOGIN[1]), asks(3, TIDES[0]), asks(4, TIDES[1])]).await;
        assert_eq!(numbers(&related(index, 1).await), [2], "{name}");
        assert_eq!(numbers(&related(index, 2).await), [1], "{name}");
    }
}
