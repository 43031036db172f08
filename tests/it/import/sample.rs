//! The sample sessions in `examples/sessions`: each is read whole, lands in its project, and is worth searching.

use std::collections::BTreeSet;
use std::path::Path;

use sg_app::import::ImportFile;
use sg_app::import::ImportOutcome;

use super::{file, files_below, found, import};
use crate::harness::Gateway;

/// The sample files as an importer sees them: the members of a `.sfs` folder are one session.
fn samples() -> Vec<ImportFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/sessions");
    let mut files: Vec<ImportFile> = Vec::new();
    for path in files_below(&root) {
        let below = path.strip_prefix(&root).expect("below the samples").to_string_lossy().replace('\\', "/");
        let name = path.file_name().and_then(|n| n.to_str()).expect("a name").to_owned();
        let bytes = std::fs::read(&path).expect("a readable sample");
        match below.split_once(".sfs/") {
            Some((folder, _)) => {
                let folder = format!("/samples/{folder}.sfs");
                let at = files.iter().position(|f| f.path.starts_with(&folder));
                let at = at.unwrap_or_else(|| {
                    files.push(file(&format!("{folder}/manifest.json"), Vec::new()));
                    files.len() - 1
                });
                match name.as_str() {
                    "manifest.json" => files[at].bytes = bytes.into(),
                    _ => files[at].siblings.push((name, bytes.into())),
                }
            }
            None if name == "README.md" || name.starts_with(".project") => {}
            None => files.push(file(&format!("/samples/{below}"), bytes)),
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_is_read_whole_and_a_second_time_changes_nothing() {
    let gateway = Gateway::start().await;
    let (app, user) = (&gateway.app, &gateway.me.caller);
    let reports = import(app, user, samples()).await;
    gateway.run_jobs().await;
    for (sample, report) in samples().iter().zip(&reports) {
        assert_eq!(report.refused, None, "{}", sample.path);
        assert!(report.skipped.is_empty(), "{}: {:?}", sample.path, report.skipped);
        assert_eq!(report.sessions.len(), 1, "{}", sample.path);
        assert_eq!(report.sessions[0].outcome, ImportOutcome::Created, "{}", sample.path);
    }
    let formats: BTreeSet<_> = reports.iter().flat_map(|r| &r.sessions).map(|s| s.format).collect();
    assert_eq!(formats, BTreeSet::from(["claude-code", "codex", "gemini-cli", "sessionfs", "specstory"]));
    let again = import(app, user, samples()).await;
    assert!(again.iter().flat_map(|r| &r.sessions).all(|s| s.outcome == ImportOutcome::Unchanged));
    assert_eq!(app.job_counts().await.expect("counts").ready, 0, "a second import leaves nothing to index");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_a_sample_are_counted_and_cannot_be_found() {
    let gateway = Gateway::start().await;
    let (app, user) = (&gateway.app, &gateway.me.caller);
    let reports = import(app, user, samples()).await;
    gateway.run_jobs().await;
    let redacted: u64 = reports.iter().flat_map(|r| r.redacted.values()).sum();
    assert!(redacted >= 8, "{redacted} secrets were taken out");
    for secret in [
        "AKIAIOSFODNN7EXAMPLE",
        "bPxRfiCYzzFAKEKEYz",
        "n0t-a-real-Passw0rd-9",
        "ghp_notARealTokenNotARealToken0123456789",
    ] {
        assert_eq!(found(app, user, &format!("\"{secret}\"")).await, [""; 0], "{secret}");
    }
    assert_eq!(found(app, user, "CloudTrail GetCallerIdentity").await.len(), 1, "what is not secret stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_searches_that_the_samples_suggest_find_something() {
    let gateway = Gateway::start().await;
    let (app, user) = (&gateway.app, &gateway.me.caller);
    import(app, user, samples()).await;
    gateway.run_jobs().await;
    let readme = include_str!("../../../examples/sessions/README.md");
    let suggested = readme.split("Searches worth trying:").nth(1).and_then(|rest| rest.split("\n\n").next());
    let searches: Vec<_> = suggested.expect("suggestions").split('`').skip(1).step_by(2).collect();
    assert!(searches.len() >= 5, "{searches:?}");
    for search in searches {
        assert!(!found(app, user, search).await.is_empty(), "{search}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_folder_is_kept_whole() {
    let gateway = Gateway::start().await;
    let (app, user) = (&gateway.app, &gateway.me.caller);
    let folder: Vec<_> = samples().into_iter().filter(|f| f.path.ends_with(".sfs/manifest.json")).collect();
    let mut wanted: Vec<_> = folder[0].siblings.iter().map(|(name, bytes)| (name.clone(), bytes.to_vec())).collect();
    wanted.push(("manifest.json".to_owned(), folder[0].bytes.to_vec()));
    wanted.sort();
    let report = import(app, user, folder).await;
    gateway.run_jobs().await;
    let id = sg_domain::id::SessionRef::Client(report[0].sessions[0].client_id.clone());
    let session = app.session(user, &id).await.expect("the session");
    let raw = app.raw_data(user, &session).await.expect("its archive");
    let members = sg_formats::sessionfs::unpack(&raw, &sg_formats::sessionfs::Limits::default()).expect("an archive");
    let mut kept: Vec<_> = members.into_iter().map(|m| (m.name, m.bytes)).collect();
    kept.sort();
    assert_eq!(kept, wanted);
}

const FIGURES: &str = "usage { input output cacheRead cacheWrite reasoning total cost unpricedTokens }";

/// An exact sum of decimal numbers, in millionths of a micro-dollar; null is nothing.
fn dollars<'a>(costs: impl Iterator<Item = &'a serde_json::Value>) -> u128 {
    let read = |cost: &serde_json::Value| {
        let (whole, behind) = cost.as_str().unwrap_or("0.0").split_once('.').expect("a point");
        whole.parse::<u128>().expect("a number") * 1_000_000_000_000
            + format!("{behind:0<12}").parse::<u128>().expect("digits")
    };
    costs.map(read).sum()
}

/// However tokens and costs are grouped, they add up to those of the sessions, each answer once.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_costs_add_up_however_they_are_grouped() {
    use crate::harness::Engine;
    let mut answers = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        import(&gateway.app, &gateway.me.caller, samples()).await;
        gateway.run_jobs().await;
        let query = format!(
            "{{ sessions {{ nodes {{ cost {FIGURES} messages(first: 100) {{ pageInfo {{ hasNextPage }} nodes {{ {FIGURES} }} }} }} }}
            projects {{ id stats {{ cost {FIGURES} }} }} stats {{ cost {FIGURES} }}
            analytics {{ totalSessions {FIGURES} usageByModel {{ model {FIGURES} }} usageByProject {{ project {{ id }} {FIGURES} }}
                usageByDay {{ date {FIGURES} }} usageByAgent {{ agent {FIGURES} }} }} }}"
        );
        let data = gateway.graphql(&query, serde_json::json!({})).await;
        let analytics = &data["analytics"];
        let all = &analytics["usage"];
        assert!(all["total"].as_u64().expect("tokens") > 100_000, "{all}");
        assert!(all["unpricedTokens"].as_u64().expect("tokens") < all["total"].as_u64().expect("tokens"), "{all}");
        let list = |value: &serde_json::Value| value.as_array().expect("a list").clone();
        let sessions = list(&data["sessions"]["nodes"]);
        let mut messages = Vec::new();
        for session in &sessions {
            assert_eq!(session["messages"]["pageInfo"]["hasNextPage"], false, "a sample is longer than a page");
            messages.extend(list(&session["messages"]["nodes"]).into_iter().filter(|m| !m["usage"].is_null()));
            assert_eq!(session["cost"], session["usage"]["cost"]);
        }
        for (what, groups) in [
            ("sessions", sessions),
            ("messages", messages),
            ("projects", list(&data["projects"]).iter().map(|p| p["stats"].clone()).collect()),
            ("stats", vec![data["stats"].clone()]),
            ("by model", list(&analytics["usageByModel"])),
            ("by project", list(&analytics["usageByProject"])),
            ("by day", list(&analytics["usageByDay"])),
            ("by agent", list(&analytics["usageByAgent"])),
        ] {
            for field in ["input", "output", "cacheRead", "cacheWrite", "reasoning", "total", "unpricedTokens"] {
                let sum: u64 = groups.iter().map(|group| group["usage"][field].as_u64().expect("a number")).sum();
                assert_eq!(sum, all[field].as_u64().expect("a number"), "{what} {field}: {groups:#?}");
            }
            assert_eq!(
                dollars(groups.iter().map(|g| &g["usage"]["cost"])),
                dollars([&all["cost"]].into_iter()),
                "{what}"
            );
        }
        // A model without a price costs nothing known, and that is not nothing.
        for group in list(&analytics["usageByModel"]) {
            let unpriced = group["usage"]["unpricedTokens"] == group["usage"]["total"];
            assert_eq!(group["usage"]["cost"].is_null(), unpriced, "{group}");
        }
        answers.push(data);
    }
    assert_eq!(answers[0]["analytics"], answers[1]["analytics"], "the engines differ");
}
