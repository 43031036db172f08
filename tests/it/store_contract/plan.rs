//! Every list seeks in an index that gives its order: nothing is scanned whole, nothing is sorted.

use sg_domain::change::ChangePlace;
use sg_domain::id::SessionRef;
use sg_domain::{AnalyticsScope, Direction, PageRequest, SessionFilter, SessionOrder, UsageBy, Visibility};
use sg_store::{MessageQuery, session_cursor};

use super::Fixture;
use super::sample::{at, messages, owner, project, put, put_with, session};

fn check(engine: &str, plan: &[String], index: &str, what: &str) {
    let text = plan.join("\n");
    let (found, bad): (bool, &[&str]) = match engine {
        "sqlite" => (text.contains(&format!("USING INDEX {index}")), &["TEMP B-TREE", "SCAN s\n", "SCAN m\n"]),
        _ => (text.contains(index), &["Sort Key", "Seq Scan on session", "Seq Scan on message"]),
    };
    assert!(found, "{what}: not by {index}\n{text}");
    let lines = format!("{text}\n");
    for bad in bad {
        assert!(!lines.contains(bad), "{what}: {bad}\n{text}");
    }
}

pub(crate) async fn every_list_is_backed_by_an_index(f: &Fixture) {
    let ann = owner("ann");
    let who = Visibility::Owner(ann.clone());
    let key = project(&f.store, &ann, "p").await;
    let sessions: Vec<_> = (0..200).map(|n| session(n, &ann, "p", key)).collect();
    put(&f.store, &sessions).await;
    let engine = f.store.engine();
    let everything = SessionFilter::default();
    let of_project = SessionFilter { project_ids: vec!["p".to_owned()], ..Default::default() };
    for order in SessionOrder::ALL {
        for way in [Direction::Asc, Direction::Desc] {
            let name = match order {
                SessionOrder::Activity => "activity",
                SessionOrder::CreatedAt => "created",
                SessionOrder::UpdatedAt => "updated",
                SessionOrder::EndedAt if way == Direction::Asc => "ended_asc",
                SessionOrder::EndedAt => "ended_desc",
                SessionOrder::Name => "name",
                SessionOrder::MarkdownSize => "size",
            };
            let place = Some(session_cursor(&sessions[100], order, way));
            let pages = [
                PageRequest::first(20),
                PageRequest { after: place.clone(), ..PageRequest::first(20) },
                PageRequest { before: place, backward: true, ..PageRequest::first(20) },
                PageRequest { offset: 50, ..PageRequest::first(20) },
            ];
            for page in &pages {
                let what = format!("{order:?} {way:?} {page:?}");
                let plan = f.store.explain_sessions(&who, &everything, order, way, page).await.unwrap();
                check(engine, &plan, &format!("session_owner_{name}"), &what);
                if engine == "sqlite" && (page.after.is_some() || page.before.is_some()) {
                    // The cursor bounds the scan; it does not filter rows.
                    let seeks = plan.iter().any(|line| line.contains(")<(?,?") || line.contains(")>(?,?"));
                    assert!(seeks, "{what}\n{plan:?}");
                }
                let plan = f.store.explain_sessions(&who, &of_project, order, way, page).await.unwrap();
                check(engine, &plan, &format!("session_project_{name}"), &what);
            }
            let plan = f.store.explain_sessions_by_project(&who, &[key], order, way).await.unwrap();
            check(engine, &plan, &format!("session_project_{name}"), &format!("by project {order:?} {way:?}"));
        }
    }
    // Maintenance walks everything.
    let place = session_cursor(&sessions[9], SessionOrder::CreatedAt, Direction::Asc);
    let page = PageRequest { after: Some(place), ..PageRequest::first(20) };
    let plan = f
        .store
        .explain_sessions(&Visibility::Everyone, &everything, SessionOrder::CreatedAt, Direction::Asc, &page)
        .await
        .unwrap();
    check(engine, &plan, "session_created", "maintenance");

    put_with(&f.store, &sessions[0], &messages(50), &[]).await;
    for query in [
        MessageQuery { limit: Some(5), ..Default::default() },
        MessageQuery { limit: Some(5), after: Some(3), before: Some(40), backward: true, ..Default::default() },
    ] {
        let plan = f.store.explain_messages(&who, sessions[0].id, &query).await.unwrap();
        let index = if engine == "sqlite" { "sqlite_autoindex_message_1" } else { "message_pkey" };
        check(engine, &plan, index, "messages");
    }
}

pub(crate) async fn following_changes_and_looking_for_work_seek(f: &Fixture) {
    let ann = owner("ann");
    let is_sqlite = f.store.engine() == "sqlite";
    let changes = f.store.explain_changes(&ann, ChangePlace { version: 7, ordinal: -1 }).await.unwrap();
    let index =
        if is_sqlite { "sqlite_autoindex_change_1 (owner=? AND (version,ordinal)>(?,?))" } else { "change_pkey" };
    let jobs = f.store.explain_due_jobs(at(0)).await.unwrap();
    for (plan, index) in [(changes, index), (jobs, "job_due")] {
        let text = plan.join("\n");
        assert!(text.contains(index), "not by {index}\n{text}");
        assert!(!text.contains("Seq Scan on"), "{text}");
        // The page is in order before it is cut; joined to the owner's row it is at most sorted again.
        assert!(!text.contains("TEMP B-TREE") || text.contains("LEFT-JOIN"), "{text}");
    }
}

pub(crate) async fn tokens_are_summed_from_an_index_alone(f: &Fixture) {
    let ann = owner("ann");
    let who = Visibility::Owner(ann.clone());
    let key = project(&f.store, &ann, "p").await;
    for n in 0..20 {
        put_with(&f.store, &session(n, &ann, "p", key), &messages(40), &[]).await;
    }
    let of_project = AnalyticsScope { project: Some(key), ..AnalyticsScope::default() };
    for scope in [AnalyticsScope::default(), of_project] {
        for by in UsageBy::ALL {
            let plan = f.store.explain_usage(&who, &scope, by).await.unwrap().join("\n");
            let wanted = match f.store.engine() {
                "sqlite" => "SEARCH m USING COVERING INDEX message_usage (session_id=?)",
                _ => "message_usage",
            };
            assert!(plan.contains(wanted), "{by:?}\n{plan}");
            assert!(!plan.contains("SCAN s\n") && !plan.contains("SCAN m"), "{by:?}\n{plan}");
        }
    }
}

pub(crate) async fn lookups_and_counts_read_no_more_than_they_must(f: &Fixture) {
    let ann = owner("ann");
    let who = Visibility::Owner(ann.clone());
    let key = project(&f.store, &ann, "p").await;
    let sessions: Vec<_> = (0..200).map(|n| session(n, &ann, "p", key)).collect();
    put(&f.store, &sessions).await;
    let in_project = |id: &str| SessionRef::InProject(sg_domain::ProjectId::new("p").unwrap(), id.to_owned());
    for reference in [
        SessionRef::Id(sessions[1].id),
        in_project("client-1"),
        in_project(&sessions[1].id.to_string()),
        SessionRef::Client("client-1".to_owned()),
        SessionRef::Alias("fix-it".to_owned()),
    ] {
        let plan = f.store.explain_session(&who, &reference).await.unwrap().join("\n");
        assert!(!plan.contains("SCAN s") && !plan.contains("Seq Scan on session"), "{reference:?}\n{plan}");
    }
    let page = PageRequest::first(20);
    let plan = f.store.explain_trashed_sessions(&who, &page).await.unwrap();
    check(f.store.engine(), &plan, "session_trash", "the trash");
    // Counting reads the index alone. PostgreSQL decides that by what it knows of its pages.
    if f.store.engine() == "sqlite" {
        let of_project = SessionFilter { project_ids: vec!["p".to_owned()], ..Default::default() };
        for (filter, index) in
            [(SessionFilter::default(), "session_owner_activity"), (of_project, "session_project_activity")]
        {
            let filter = SessionFilter { active_from: Some(sessions[3].activity_at), ..filter };
            let plan = f.store.explain_session_count(&who, &filter).await.unwrap().join("\n");
            let wanted = if index.contains("owner") { "COVERING INDEX session_owner_activity" } else { index };
            assert!(plan.contains(wanted), "{filter:?}\n{plan}");
        }
    }
}
