//! Following changes: every one once and in order, whoever made it, for as long as the subscriber may hear it.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use sg_app::{App, ChangeRequest, KeyRequest, Limits, NewDevice, SessionUpdate};
use sg_domain::change::{ChangeKind, ChangePlace, SessionChange};
use sg_domain::id::SessionRef;
use sg_domain::{Caller, Dialect, Error, ErrorKind, ProjectId, Scope, Scopes, SessionFilter, UserId};

use tokio::task::JoinSet;

use crate::harness::{Engine, Gateway, Sample};

type Heard = BoxStream<'static, sg_domain::Result<SessionChange>>;

/// Long enough for any machine; what is late by that much does not come.
const PATIENCE: Duration = Duration::from_secs(60);

async fn follow(app: &App, caller: &Caller, request: ChangeRequest) -> Heard {
    app.session_changes(caller, request).await.unwrap()
}

async fn next(heard: &mut Heard) -> sg_domain::Result<SessionChange> {
    tokio::time::timeout(PATIENCE, heard.next()).await.expect("nothing was heard").expect("the end")
}

async fn told(heard: &mut Heard) -> (ChangeKind, String) {
    let change = next(heard).await.unwrap();
    (change.kind, change.client_id)
}

fn since(change: &SessionChange) -> ChangeRequest {
    ChangeRequest { since: Some(change.place.cursor(&change.owner)), ..ChangeRequest::default() }
}

fn code(error: &Error) -> &str {
    error.details.iter().find(|(name, _)| *name == "code").map_or(error.kind.code(), |(_, code)| code)
}

fn created(client_id: &str) -> (ChangeKind, String) {
    (ChangeKind::Created, client_id.to_owned())
}

/// Sixteen tasks write, a subscriber that comes back again and again hears each change once, in order.
async fn nothing_is_missed_or_told_twice(engine: Engine) {
    const TASKS: usize = 16;
    const EACH: usize = 6;
    let gateway = Gateway::start_on(engine).await;
    let caller = gateway.me.caller.clone();
    let beside = gateway.beside().await;
    let mut heard = follow(&gateway.app, &caller, ChangeRequest::default()).await;
    let mut writers = JoinSet::new();
    for task in 0..TASKS {
        // Half of them in another process, which nothing is heard of without a look.
        let app = if task % 2 == 0 { gateway.app.clone() } else { beside.clone() };
        let caller = caller.clone();
        writers.spawn(async move {
            for n in 0..EACH {
                let sample = Sample::new(&format!("s{task}-{n}")).project(&format!("p{}", task % 5), "p");
                app.put_session(&caller, sample.into_new()).await.unwrap();
            }
        });
    }
    let app = gateway.app.clone();
    let mut looking = JoinSet::new();
    looking.spawn(async move { app.hear_others().await });
    let mut all: Vec<SessionChange> = Vec::new();
    while all.len() < TASKS * EACH {
        let change = next(&mut heard).await.unwrap();
        if all.len() % 7 == 6 {
            heard = follow(&gateway.app, &caller, since(&change)).await;
        }
        all.push(change);
    }
    looking.abort_all();
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    assert!(all.windows(2).all(|pair| pair[0].place < pair[1].place), "out of order");
    assert!(all.iter().all(|change| change.kind == ChangeKind::Created));
    assert_eq!(all.iter().map(|change| change.session).collect::<HashSet<_>>().len(), TASKS * EACH);
    let (mut again, last) = (Vec::new(), TASKS * EACH);
    let from_the_start = ChangePlace::end_of(all[0].place.version - 1).cursor(&gateway.me.user.id);
    let mut heard =
        follow(&gateway.app, &caller, ChangeRequest { since: Some(from_the_start), ..Default::default() }).await;
    while again.len() < last {
        again.push(next(&mut heard).await.unwrap());
    }
    assert_eq!(again, all, "whoever asks later hears the same");
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missed_or_told_twice_on_sqlite() {
    nothing_is_missed_or_told_twice(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_missed_or_told_twice_on_postgresql() {
    nothing_is_missed_or_told_twice(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_postgresql_hear_each_other_and_a_lost_connection_loses_nothing() {
    let gateway = Gateway::start_on(Engine::Postgres).await;
    let (one, two) = (gateway.app.clone(), gateway.beside().await);
    let caller = gateway.me.caller.clone();
    let mut hearing = JoinSet::new();
    for app in [one.clone(), two.clone()] {
        hearing.spawn(async move { app.hear_others().await });
    }
    let mut at_one = follow(&one, &caller, ChangeRequest::default()).await;
    let mut at_two = follow(&two, &caller, ChangeRequest::default()).await;
    let put = async |app: &App, id: &str| drop(app.put_session(&caller, Sample::new(id).into_new()).await.unwrap());
    put(&one, "a").await;
    put(&two, "b").await;
    for heard in [&mut at_one, &mut at_two] {
        assert_eq!([told(heard).await, told(heard).await], [created("a"), created("b")]);
    }
    // Both have looked at what was there when they began to listen: from here on only the message can have told them in
    // less time than the next look takes.
    put(&one, "c").await;
    let quickly = Duration::from_secs(10);
    assert_eq!(tokio::time::timeout(quickly, told(&mut at_two)).await.expect("no message came"), created("c"));
    assert_eq!(told(&mut at_one).await, created("c"));

    for round in 0..3 {
        let ended = gateway
            .psql(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                 WHERE datname = current_database() AND query LIKE 'LISTEN%'",
            )
            .await;
        let ended: usize = ended.trim().parse().unwrap();
        assert!(ended > 0 || round > 0, "nobody was listening");
        let id = format!("d{round}");
        put(&one, &id).await;
        for heard in [&mut at_one, &mut at_two] {
            assert_eq!(told(heard).await, created(&id));
        }
    }
    hearing.abort_all();
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_writes_into_the_sqlite_file_is_heard_after_a_look() {
    let gateway = Gateway::start().await;
    let beside = gateway.beside().await;
    let caller = &gateway.me.caller;
    let mut heard = follow(&gateway.app, caller, ChangeRequest::default()).await;
    beside.put_session(caller, Sample::new("cli").into_new()).await.unwrap();
    gateway.app.look_for_changes().await.unwrap();
    assert_eq!(told(&mut heard).await, created("cli"));
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_consumer_is_let_go_and_can_come_back() {
    let limits = Limits { max_changes_behind: 5, ..Limits::default() };
    let gateway = Gateway::start_with(Engine::Sqlite, limits).await;
    let caller = &gateway.me.caller;
    let mut heard = follow(&gateway.app, caller, ChangeRequest::default()).await;
    for n in 0..5 {
        gateway.put(&gateway.me, Sample::new(&format!("a{n}"))).await;
    }
    assert_eq!(told(&mut heard).await, created("a0"), "as far behind as may be");
    let mut slow = follow(&gateway.app, caller, ChangeRequest::default()).await;
    for n in 0..6 {
        gateway.put(&gateway.me, Sample::new(&format!("b{n}"))).await;
    }
    let error = next(&mut slow).await.unwrap_err();
    assert_eq!(code(&error), "SLOW_CONSUMER");
    assert!(slow.next().await.is_none());
    // The error says where to go on; what there was before one came back is no reason to be let go again.
    let cursor = error.details.iter().find(|(name, _)| *name == "cursor").unwrap().1.clone();
    let mut back = follow(&gateway.app, caller, ChangeRequest { since: Some(cursor), ..Default::default() }).await;
    for n in 0..6 {
        assert_eq!(told(&mut back).await, created(&format!("b{n}")));
    }
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_kept_any_more_is_said_to_be() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        let (app, caller) = (&gateway.app, &gateway.me.caller);
        let start = ChangeRequest { since: Some(app.change_cursor(caller).await.unwrap()), ..Default::default() };
        let mut heard = follow(app, caller, start.clone()).await;
        gateway.put(&gateway.me, Sample::new("a")).await;
        let first = next(&mut heard).await.unwrap();
        gateway.clock.advance(Duration::from_secs(25 * 3_600));
        app.schedule_sweep().await.unwrap();
        gateway.run_jobs().await;
        let expired = app.session_changes(caller, start).await.err().unwrap();
        assert_eq!((code(&expired), expired.kind), ("CHANGES_EXPIRED", ErrorKind::Gone));
        // Whoever had heard everything goes on, and so does who never left.
        let mut back = follow(app, caller, since(&first)).await;
        gateway.put(&gateway.me, Sample::new("b")).await;
        assert_eq!((told(&mut back).await, told(&mut heard).await), (created("b"), created("b")));
        // One that is behind when the sweep comes is told so, not given what is left.
        gateway.put(&gateway.me, Sample::new("c")).await;
        gateway.clock.advance(Duration::from_secs(25 * 3_600));
        app.schedule_sweep().await.unwrap();
        gateway.run_jobs().await;
        assert_eq!(code(&next(&mut back).await.unwrap_err()), "CHANGES_EXPIRED");
        // From before the database was restored to an earlier state.
        let ahead = ChangePlace::end_of(1_000_000).cursor(&gateway.me.user.id);
        let ahead = ChangeRequest { since: Some(ahead), ..Default::default() };
        assert_eq!(code(&app.session_changes(caller, ahead).await.err().unwrap()), "CHANGES_EXPIRED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_is_none_or_another_s_is_refused() {
    let gateway = Gateway::start().await;
    let other = gateway.other().await;
    let theirs = gateway.app.change_cursor(&other.caller).await.unwrap();
    for bad in [theirs.as_str(), "", "x", "eyJ", &"a".repeat(5_000)] {
        let request = ChangeRequest { since: Some(bad.to_owned()), ..Default::default() };
        let error = gateway.app.session_changes(&gateway.me.caller, request).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Invalid, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_hears_its_own_alone() {
    let gateway = Gateway::start().await;
    let other = gateway.other().await;
    let mut theirs = follow(&gateway.app, &other.caller, ChangeRequest::default()).await;
    let session = gateway.put(&gateway.me, Sample::new("mine")).await;
    gateway.app.delete_session(&gateway.me.caller, &SessionRef::Id(session.id)).await.unwrap();
    gateway.put(&other, Sample::new("theirs")).await;
    assert_eq!(told(&mut theirs).await, created("theirs"));
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_read_any_more_hears_nothing_more() {
    let gateway = Gateway::start().await;
    let (app, me) = (&gateway.app, &gateway.me);
    let identify = async |secret: &str| app.identify(Some(secret), "test".to_owned()).await.unwrap();
    let request = |expires_at| KeyRequest {
        user: me.user.id.clone(),
        name: "k".to_owned(),
        dialect: Dialect::Specstory,
        scopes: Scopes::of(&[Scope::Read, Scope::Write]),
        expires_at,
    };
    let mut put = 0;
    let mut change = async || {
        put += 1;
        gateway.put(me, Sample::new(&format!("s{put}"))).await;
    };
    let refused = async |heard: &mut Heard| {
        assert_eq!(next(heard).await.unwrap_err().kind, ErrorKind::Unauthenticated);
        assert!(heard.next().await.is_none());
    };

    // A key that is revoked: at once, without waiting for a change.
    let key = app.create_key(&me.caller, request(None)).await.unwrap();
    let caller = identify(&key.secret).await;
    let mut heard = follow(app, &caller, ChangeRequest::default()).await;
    change().await;
    assert_eq!(told(&mut heard).await.0, ChangeKind::Created);
    app.revoke_key(&me.caller, key.key.id).await.unwrap();
    refused(&mut heard).await;

    // One that is revoked while changes wait.
    let key = app.create_key(&me.caller, request(None)).await.unwrap();
    let caller = identify(&key.secret).await;
    let mut heard = follow(app, &caller, ChangeRequest::default()).await;
    change().await;
    change().await;
    told(&mut heard).await;
    app.revoke_key(&me.caller, key.key.id).await.unwrap();
    refused(&mut heard).await;

    // A key that ends.
    let ends_at = app.now().plus_micros(3_600_000_000);
    let key = app.create_key(&me.caller, request(Some(ends_at))).await.unwrap();
    let caller = identify(&key.secret).await;
    let mut heard = follow(app, &caller, ChangeRequest::default()).await;
    gateway.clock.advance(Duration::from_secs(3_601));
    change().await;
    refused(&mut heard).await;

    // A device that is revoked, and one whose last access token has ended.
    for is_revoked in [true, false] {
        let device = app.create_device(&me.caller, &me.user.id, &NewDevice::default()).await.unwrap();
        let access = app.device_refresh(Some(&device.secret)).await.unwrap();
        let caller = identify(&access.secret).await;
        let mut heard = follow(app, &caller, ChangeRequest::default()).await;
        change().await;
        told(&mut heard).await;
        if is_revoked {
            app.revoke_device(&me.caller, device.token.id).await.unwrap();
        } else {
            gateway.clock.advance(Duration::from_secs(2 * 86_400));
            change().await;
        }
        refused(&mut heard).await;
    }

    // An account that is not there.
    let gone = Caller::local(UserId("user_gone".to_owned()));
    let mut heard = follow(app, &gone, ChangeRequest::default()).await;
    app.put_session(&gone, Sample::new("x").into_new()).await.unwrap();
    refused(&mut heard).await;

    let write_only = gateway.key_with(me, &[Scope::Write]).await;
    let caller = identify(&write_only).await;
    let error = app.session_changes(&caller, ChangeRequest::default()).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Forbidden);
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_filter_and_what_is_deleted_is_told_by_its_project() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        let (app, caller) = (&gateway.app, &gateway.me.caller);
        let request = |filter: SessionFilter| ChangeRequest { filter, ..ChangeRequest::default() };
        let of_project = ChangeRequest { project: Some(ProjectId::new("p").unwrap()), ..Default::default() };
        let tagged = SessionFilter { tags: vec!["x".to_owned()], ..Default::default() };
        let in_p = SessionFilter { project_ids: vec!["p".to_owned()], ..Default::default() };
        let not_codex = SessionFilter { agent_names: vec!["Codex CLI".to_owned()], ..Default::default() };
        let not_codex = SessionFilter { not: Some(Box::new(not_codex)), ..Default::default() };
        let mut all = Vec::new();
        for request in [of_project, request(tagged), request(in_p), request(not_codex)] {
            all.push(follow(app, caller, request).await);
        }
        let a = gateway.put(&gateway.me, Sample::new("a").project("p", "p")).await;
        let tag = |sample: Sample| sample.with(|m| m.tags = Some(vec!["x".to_owned()]));
        let b = gateway.put(&gateway.me, tag(Sample::new("b").project("q", "q"))).await;
        let codex = Sample::new("c").project("q", "q").with(|m| m.agent_name = Some("Codex CLI".to_owned()));
        gateway.put(&gateway.me, codex).await;
        // Nobody has taken anything yet: what is told is held against how it is when it is.
        for session in [&a, &b] {
            app.delete_session(caller, &SessionRef::Id(session.id)).await.unwrap();
        }
        gateway.put(&gateway.me, tag(Sample::new("d").project("p", "p"))).await;
        let deleted = |id: &str| (ChangeKind::Deleted, id.to_owned());
        let wanted = [
            vec![created("a"), deleted("a"), created("d")],
            vec![deleted("a"), deleted("b"), created("d")],
            vec![deleted("a"), created("d")],
            vec![deleted("a"), deleted("b"), created("d")],
        ];
        for (heard, wanted) in all.iter_mut().zip(wanted) {
            for wanted in wanted {
                assert_eq!(told(heard).await, wanted);
            }
        }
        gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_change_is_told_once() {
    let gateway = Gateway::start().await;
    let (app, caller) = (&gateway.app, &gateway.me.caller);
    let mut heard = follow(app, caller, ChangeRequest::default()).await;
    let sample = |text: &str| Sample::new("a").project("p", "p").user(text);
    let session = gateway.put(&gateway.me, sample("one")).await;
    app.put_session(caller, sample("one").into_new()).await.unwrap();
    gateway.put(&gateway.me, sample("two")).await;
    let id = SessionRef::Id(session.id);
    let title = |title: &str| SessionUpdate { user_title: Some(Some(title.to_owned())), ..Default::default() };
    app.update_session(caller, &id, title("t")).await.unwrap();
    app.update_session(caller, &id, title("t")).await.unwrap();
    let exchange = sg_domain::ExchangeId { session: session.id, ordinal: 0 };
    let hide = sg_app::ExchangeUpdate { hidden_from_share: Some(true), ..Default::default() };
    app.update_exchange(caller, &id, exchange, hide).await.unwrap();
    gateway.put(&gateway.me, Sample::new("b").project("p", "p")).await;
    let rename = sg_app::ProjectUpdate { name: Some("renamed".to_owned()), ..Default::default() };
    app.update_project(caller, &ProjectId::new("p").unwrap(), rename).await.unwrap();
    app.delete_project(caller, &ProjectId::new("p").unwrap()).await.unwrap();
    let updated = (ChangeKind::Updated, "a".to_owned());
    for wanted in [created("a"), updated.clone(), updated.clone(), updated, created("b")] {
        assert_eq!(told(&mut heard).await, wanted);
    }
    let (one, other) = (next(&mut heard).await.unwrap(), next(&mut heard).await.unwrap());
    assert_eq!([one.kind, other.kind], [ChangeKind::Deleted; 2]);
    assert_eq!(one.place.version, other.place.version, "a project is deleted at once");
    // In the middle of it one can leave and come back.
    let mut back = follow(app, caller, since(&one)).await;
    assert_eq!(next(&mut back).await.unwrap(), other);
    gateway.run_jobs().await;
}
