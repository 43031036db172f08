//! Storing a session: what changes, what does not, and what happens when several do it at once.

use axum::body::Bytes;
use sg_app::{NewSession, PutOutcome};
use sg_domain::id::SessionRef;
use sg_domain::{ErrorKind, ProjectId, SessionMetadata};

use crate::harness::{Engine, Gateway, Sample};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_session_again_writes_nothing() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        let me = gateway.me.caller.clone();
        let sample = Sample::new("s1");
        let first = gateway.seed(sample.clone()).await;
        let version = gateway.app.data_version(&me).await.unwrap();
        gateway.clock.advance(std::time::Duration::from_secs(60));
        let (again, outcome) = gateway.app.put_session(&me, sample.clone().into_new()).await.unwrap();
        assert_eq!(outcome, PutOutcome::Unchanged);
        assert_eq!((&again.etag, again.updated_at), (&first.etag, first.updated_at));
        assert_eq!(gateway.app.data_version(&me).await.unwrap(), version);

        let (changed, outcome) = gateway.app.put_session(&me, sample.named("Another name").into_new()).await.unwrap();
        assert_eq!(outcome, PutOutcome::Updated);
        assert_ne!(changed.etag, first.etag);
        assert_eq!((changed.id, changed.created_at), (first.id, first.created_at));
        assert!(gateway.app.data_version(&me).await.unwrap() > version);
        gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_later_upload_leaves_out_is_kept() {
    let gateway = Gateway::start().await;
    let me = &gateway.me.caller;
    let mut sample = Sample::new("s1").with(|m| m.tags = Some(vec!["urgent".to_owned()]));
    (sample.raw, sample.session_data) =
        (Some("raw one\r\n\0".to_owned()), Some(r#"{"schemaVersion":"1.0.0"}"#.to_owned()));
    gateway.seed(sample.clone()).await;
    let mut later = sample.into_new();
    (later.raw, later.session_data) = (None, None);
    later.metadata = SessionMetadata { machine_name: Some("vm".to_owned()), ..SessionMetadata::default() };
    let (session, outcome) = gateway.app.put_session(me, later).await.unwrap();
    assert_eq!(outcome, PutOutcome::Updated);
    assert_eq!(session.metadata.tags, Some(vec!["urgent".to_owned()]), "metadata merges by key");
    assert_eq!(session.metadata.machine_name.as_deref(), Some("vm"));
    assert_eq!(gateway.app.raw_data(me, &session).await.unwrap(), "raw one\r\n\0");
    assert_eq!(gateway.app.session_data(me, &session).await.unwrap(), r#"{"schemaVersion":"1.0.0"}"#);
    assert_eq!((session.raw_data_size, session.session_data_size), (10, Some(25)));
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn markdown_comes_back_byte_for_byte_and_prose_is_one_exchange() {
    let gateway = Gateway::start().await;
    let me = &gateway.me.caller;
    let markdown = Bytes::from_static("# Test Session\r\n\r\nplain \0 prose, no markers: naïve 日本語\n".as_bytes());
    let new = NewSession {
        project: ProjectId::new("p").unwrap(),
        project_name: "p".to_owned(),
        client_id: "c".to_owned(),
        name: "n".to_owned(),
        markdown: markdown.clone().into(),
        raw: None,
        session_data: None,
        metadata: SessionMetadata::default(),
        transcript: None,
    };
    let (session, _) = gateway.app.put_session(me, new).await.unwrap();
    assert_eq!(gateway.app.markdown(me, &session).await.unwrap(), markdown);
    assert_eq!(session.markdown_size, markdown.len() as u64);
    let exchanges = gateway.app.exchanges(me, &session).await.unwrap();
    assert_eq!(exchanges.len(), 1);
    assert!(exchanges[0].content.contains("plain \0 prose"));
    gateway.run_jobs().await;
    assert_eq!(super::search::found(&gateway, "prose").await, ["c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_first_uploads_at_once_make_one_project_and_one_session() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let gateway = Gateway::start_on(engine).await;
        let put = |n: usize| {
            let gateway = &gateway;
            let sample = Sample::new("same").user(&format!("from client {n}"));
            async move { gateway.app.put_session(&gateway.me.caller, sample.into_new()).await }
        };
        let results = futures_util::future::join_all((0..10).map(put)).await;
        let created = results.iter().filter(|r| matches!(r, Ok((_, PutOutcome::Created)))).count();
        assert_eq!(created, 1, "{engine:?}");
        assert!(results.iter().all(Result::is_ok), "{engine:?}: {:?}", results.iter().find(|r| r.is_err()));
        let projects = gateway.app.projects(&gateway.me.caller).await.unwrap();
        assert_eq!(projects.len(), 1);
        assert_eq!(projects[0].session_count, 1);
        gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_names_what_is_wrong_and_stores_nothing() {
    let gateway = Gateway::start().await;
    let me = &gateway.me.caller;
    let long = "x".repeat(256);
    for client_id in ["", "a/b", "a\nb", long.as_str()] {
        let error = gateway.app.put_session(me, Sample::new(client_id).into_new()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{client_id:?}");
        assert!(error.message.starts_with("session id must be"), "{}", error.message);
    }
    let error = gateway.app.put_session(me, Sample::new("s").named(" ").into_new()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(gateway.app.projects(me).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_session_is_not_found_again() {
    let gateway = Gateway::start().await;
    let me = &gateway.me.caller;
    let session = gateway.seed(Sample::new("s1").user("marmalade")).await;
    let wanted = SessionRef::Id(session.id);
    let other = gateway.other().await;
    assert_eq!(gateway.app.delete_session(&other.caller, &wanted).await.unwrap_err().kind, ErrorKind::NotFound);
    gateway.app.delete_session(me, &wanted).await.unwrap();
    assert_eq!(gateway.app.session(me, &wanted).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(gateway.app.projects(me).await.unwrap()[0].session_count, 0, "the project stays, empty");
    assert!(super::search::found(&gateway, "marmalade").await.is_empty(), "gone before its job has run");
    gateway.run_jobs().await;
    assert!(super::search::found(&gateway, "marmalade").await.is_empty());
}
