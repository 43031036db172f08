//! The pages in a real browser: every one of them looked at, every form sent, and sessions that try to run something.

use std::time::Duration;

use serde_json::json;
use sg_app::{NewDevice, ProjectUpdate, SessionUpdate};
use sg_domain::{ContentBlock, Message, Role};

use super::node;
use crate::harness::{Account, Gateway, Sample};

const PASSWORD: &str = "correct horse battery staple";

/// What a hostile session says everywhere: each part runs something in a page that trusts it.
const EVIL: &str = "\"'><script>window.pwned=1;alert(1)</script><img src=x onerror=\"window.pwned=1;alert(1)\">\
    <svg onload=alert(1)><a href=\"javascript:alert(1)\" onmouseover=alert(1)>x</a>\u{202e}evil\u{2066}";

/// The same by the means of markdown.
const EVIL_MARKDOWN: &str = "[click](javascript:alert(1)) [data](data:text/html,<script>alert(1)</script>) \
    ![p](https://evil.example/p.png) ![s](data:image/svg+xml,<svg/onload=alert(1)>)\n\n\
    <details open ontoggle=alert(1)><summary onclick=alert(1)>s</summary></details>\n\n\
    <style>body{display:none}</style><link rel=stylesheet href=https://evil.example/x.css>\n\n\
    <form action=/logout method=post><button>free money</button></form><meta http-equiv=refresh content=\"0;https://evil.example\">\n\n\
    ```html\n<script>alert(1)</script>\n```\n\n``` \"onload=alert(1)\nx\n```\n\n<iframe srcdoc=\"<script>parent.pwned=1</script>\"></iframe>";

fn ordinary() -> Sample {
    Sample::new("b3f1c2d4-0001-4000-8000-000000000001")
        .silent()
        .named("Fix the connection pool")
        .with(|meta| {
            meta.tags = Some(vec!["database".to_owned(), "postmortem".to_owned()]);
            meta.folder = Some("/home/ana/code/tidepool".to_owned());
            meta.machine_name = Some("ana-laptop".to_owned());
        })
        .user("The API answers 500 under load since yesterday.\nPlease find out *why* and fix it. <T> is generic here.")
        .message(Message {
            blocks: vec![
                ContentBlock::Thinking { text: "A deadlock of the pool, perhaps: two connections in one request.".to_owned() },
                ContentBlock::text("I will look at the **pool** first."),
            ],
            ..Message::text(Role::Assistant, "")
        })
        .tool("Read", json!({ "file_path": "src/pool.rs" }), "pub fn acquire(&self) -> Guard {\n    // waits for ever\n    self.inner.lock()\n}\n")
        .tool("Bash", json!({ "command": "cargo test pool -- --nocapture", "description": "Run the pool's tests" }), "running 3 tests\ntest pool::waits ... FAILED\n")
        .assistant(
            "## What happens\n\nA request takes **two** connections:\n\n1. one for the transaction,\n2. one for the audit log.\n\n\
             With `max_connections = 4`, four requests hold one each and wait for the second.\n\n\
             ```rust\n/// Takes one connection for both.\npub async fn audit(tx: &mut Tx<'_>, line: &str) -> Result<()> {\n    \
             sqlx::query(\"insert into audit values ($1)\").bind(line).execute(&mut **tx).await?;\n    Ok(())\n}\n```\n\n\
             | before | after |\n|---|--:|\n| 500 of 1,000 | 0 of 1,000 |\n\n> Measured with 32 clients.\n\nSee [the guide](https://example.com/pool).",
        )
        .user("Good. Write a test for it.")
        .tool("Edit", json!({ "file_path": "tests/pool.rs", "old_string": "", "new_string": "#[tokio::test]\nasync fn one_connection_is_enough() {}\n" }), "")
        .assistant("Done: `one_connection_is_enough` holds it.")
}

fn hostile() -> Sample {
    let other = serde_json::Map::from_iter([(EVIL.to_owned(), json!(EVIL))]);
    Sample::new("b3f1c2d4-0002-4000-8000-000000000002")
        .project("evil", EVIL)
        .silent()
        .named(EVIL)
        .with(|meta| {
            let some = || Some(EVIL.to_owned());
            let list = || Some(vec![EVIL.to_owned()]);
            (meta.agent_name, meta.agent_version, meta.client_name, meta.client_version) =
                (some(), some(), some(), some());
            (meta.machine_name, meta.summary, meta.folder, meta.git_remote) = (some(), some(), some(), some());
            (meta.tags, meta.git_branches, meta.llm_models, meta.title) = (list(), list(), list(), some());
        })
        .user(&format!("heliotrope {EVIL}\n\n{EVIL_MARKDOWN}"))
        .message(Message {
            model: Some(EVIL.to_owned()),
            blocks: vec![
                ContentBlock::text(format!("heliotrope {EVIL}\n\n{EVIL_MARKDOWN}")),
                ContentBlock::Thinking { text: EVIL_MARKDOWN.to_owned() },
                ContentBlock::Image {
                    media_type: Some(EVIL.to_owned()),
                    source: Some("javascript:alert(1)".to_owned()),
                },
                ContentBlock::Other { kind: EVIL.to_owned(), value: other },
            ],
            ..Message::text(Role::Assistant, "")
        })
        .tool(
            EVIL,
            json!({ EVIL: EVIL, "command": EVIL, "file_path": "x.html\" onload=\"alert(1)", "content": EVIL }),
            EVIL,
        )
}

/// More than a page shows at once, in number and in size.
fn large() -> Sample {
    let mut sample = Sample::new("b3f1c2d4-0003-4000-8000-000000000003").silent().named("A long night");
    for turn in 0..400 {
        sample = sample.user(&format!("Question {turn}")).assistant(&format!("Answer {turn}: {}", "word ".repeat(200)));
    }
    sample.user("And the log?").tool(
        "Bash",
        json!({ "command": "cat server.log" }),
        &"a line of the log\n".repeat(60_000),
    )
}

async fn seed(gateway: &Gateway, me: &Account) {
    let app = &gateway.app;
    for sample in [ordinary(), large(), hostile()] {
        gateway.put(me, sample).await;
    }
    let mut agent = Sample::new("agent-0001").silent().named("Look through the logs").user("Look.").assistant("Seen.");
    agent.parent = Some("b3f1c2d4-0001-4000-8000-000000000001".to_owned());
    gateway.put(me, agent).await;
    let session = gateway.put(me, Sample::new("bare 50% ü?&#+").named("An id with everything")).await;
    app.update_session(
        &me.caller,
        &sg_domain::id::SessionRef::Id(session.id),
        SessionUpdate { user_title: Some(Some("Renamed by a person".to_owned())), ..SessionUpdate::default() },
    )
    .await
    .expect("renamed");
    for (id, icon, color) in
        [("1111-2222-3333-4444", "Rocket", "emerald"), ("evil", "\"><script>alert(1)</script>", "\"><b>")]
    {
        let update = ProjectUpdate { name: None, icon: Some(icon.to_owned()), color: Some(color.to_owned()) };
        app.update_project(&me.caller, &sg_domain::ProjectId::new(id).expect("an id"), update).await.expect("changed");
    }
    let device = NewDevice {
        hostname: EVIL.to_owned(),
        client: EVIL.to_owned(),
        client_version: "1.0".to_owned(),
        os: EVIL.to_owned(),
        username: EVIL.to_owned(),
    };
    app.create_device(&me.caller, &me.user.id, &device).await.expect("a device");
    app.set_password(&me.caller, &me.user.id, PASSWORD).await.expect("a password");
    gateway.run_jobs().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_works_and_nothing_in_a_session_runs() {
    let gateway = Gateway::start().await;
    seed(&gateway, &gateway.me).await;
    let other = gateway.other().await;
    gateway.app.set_password(&other.caller, &other.user.id, PASSWORD).await.expect("a password");
    gateway.clock.advance(Duration::from_secs(3_600));
    let server = gateway.listen().await;
    let facts = json!({
        "base": server.url,
        "me": { "email": gateway.me.user.email, "password": PASSWORD },
        "other": { "email": other.user.email, "password": PASSWORD },
        "key": gateway.me.key,
    });
    let ran = tokio::task::spawn_blocking(move || node("pages.mjs", &[&facts.to_string()])).await.expect("it ran");
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    gateway.run_jobs().await;
}
