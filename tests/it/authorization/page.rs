//! Pages: every one x {nobody, an API key, another account, a form without its token, the right one}. The rows are held
//! against the table of pages, so that a page without a row fails. And no API takes the cookie.

use std::collections::BTreeSet;

use axum::http::Method;
use sg_app::NewDevice;
use sg_web::page::{Access, PAGES, Page};

use crate::harness::{Account, Answer};
use crate::specstory::world::{FULL, MINE, OWN, THEIRS, Who, World};

const PASSWORD: &str = "correct horse battery staple";

/// What a page does.
struct Row {
    page: &'static str,
    /// What the form says, beside its token.
    form: &'static str,
    /// Whether its owner sees their own data on it.
    shows: bool,
}

const fn row(page: &'static str, form: &'static str, shows: bool) -> Row {
    Row { page, form, shows }
}

const ROWS: &[Row] = &[
    row("projects", "", true),
    row("project", "", true),
    row("change project", "name=changed", false),
    row("delete project", "", false),
    row("session", "", true),
    row("sharing", "", true),
    row("message", "", true),
    row("download", "", true),
    row("rename session", "title=changed", false),
    row("share session", "status=unlisted", false),
    row("delete session", "", false),
    row("change exchange", "title=changed&hidden=yes", false),
    row("shared session", "", false),
    row("search", "", true),
    row("API keys", "", false),
    row("API keys, as the SDKs name it", "", false),
    row("create API key", "name=made&scope=read&days=0", false),
    row("revoke API key", "", false),
    row("devices", "", false),
    row("revoke device", "", false),
    row("sign in a device", "", false),
    row("who is signed in, for the playground", "", false),
    row("resuming", "", false),
];

#[test]
fn every_page_has_a_row() {
    let pages: BTreeSet<_> = PAGES.iter().map(|page| page.name).collect();
    let rows: BTreeSet<_> = ROWS.iter().map(|row| row.page).collect();
    assert_eq!(pages, rows, "the pages on the left, the rows of this test on the right");
}

/// Somebody who is signed in to a world.
struct Browser {
    cookie: String,
    token: String,
}

impl Browser {
    async fn of(world: &World, account: &Account) -> Self {
        let app = &world.gateway.app;
        app.set_password(&account.caller, &account.user.id, PASSWORD).await.expect("a password");
        let session = app.sign_in(&account.user.email, PASSWORD, None).await.expect("signed in");
        let cookie = format!("sg_session={}", session.secret);
        let answer = world.gateway.call(Method::GET, "/projects").header("cookie", &cookie).send().await;
        let page = answer.text();
        let (_, behind) = page.split_once("name=\"csrf\" value=\"").unwrap_or_else(|| panic!("no token: {page}"));
        Self { cookie, token: behind.split('"').next().unwrap_or_default().to_owned() }
    }
}

/// How a request shows who sends it.
enum As<'a> {
    Nobody,
    Key(&'a str),
    Browser(&'a Browser),
    /// With the cookie, without the form's token.
    Forged(&'a Browser),
}

async fn ask(world: &World, page: &Page, path: &str, form: &str, who: &As<'_>) -> Answer {
    let method = Method::from_bytes(page.method.as_bytes()).expect("a method");
    let mut call = world.gateway.call(method, path);
    let mut token = "";
    match who {
        As::Nobody => {}
        As::Key(key) => call = call.key(key),
        As::Forged(browser) => call = call.header("cookie", &browser.cookie),
        As::Browser(browser) => {
            call = call.header("cookie", &browser.cookie);
            token = &browser.token;
        }
    }
    if page.method == "POST" {
        call = call.header("content-type", "application/x-www-form-urlencoded").body(format!("csrf={token}&{form}"));
    }
    call.send().await
}

/// A world where the first account has everything that a page may name.
async fn world() -> (World, String, String) {
    let world = World::start().await;
    let me = world.caller(Who::Me).clone();
    let app = &world.gateway.app;
    let key = app.keys(&me, false).await.expect("keys")[0].id.to_string();
    let device = NewDevice {
        hostname: "host".to_owned(),
        client: "specstory-cli".to_owned(),
        client_version: "1".to_owned(),
        os: String::new(),
        username: String::new(),
    };
    let owner = &world.gateway.me.user.id;
    let device = app.create_device(&me, owner, &device).await.expect("a device").token.id.to_string();
    (world, key, device)
}

fn path(page: &Page, key: &str, device: &str) -> String {
    let id = if page.path.contains("device") { device } else { key };
    let mut path = page.path.replace("{pid}", OWN).replace("{sid}", FULL).replace("{ordinal}", "0");
    path = path.replace("{what}", "markdown").replace("{id}", id);
    if page.name == "search" {
        path.push_str("?q=");
        path.push_str(MINE);
    }
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_themselves_to_their_owner_alone() {
    for page in PAGES {
        let row = ROWS.iter().find(|row| row.page == page.name).expect("a row");
        let (world, key, device) = world().await;
        let path = path(page, &key, &device);
        let me = world.account(Who::Me);
        let (mine, theirs) = (Browser::of(&world, me).await, Browser::of(&world, world.account(Who::Other)).await);
        let at = format!("{} {path}", page.method);

        // Nobody, and an API key, which is nobody here, however good it is.
        for who in [As::Nobody, As::Key(&me.key)] {
            let answer = ask(&world, page, &path, row.form, &who).await;
            assert!(!answer.text().contains(MINE), "{at}: {}", answer.text());
            match page.access {
                Access::Open => assert!([200, 404].contains(&answer.status), "{at}: {}", answer.status),
                _ => {
                    assert_eq!(answer.status, 303, "{at}: {}", answer.text());
                    assert!(answer.header("location").starts_with("/login"), "{at}: {}", answer.header("location"));
                }
            }
        }
        // Another account.
        let answer = ask(&world, page, &path, row.form, &As::Browser(&theirs)).await;
        assert!(!answer.text().replace(&format!("value=\"{MINE}\""), "").contains(MINE), "{at}: {}", answer.text());
        if page.access == Access::Owner {
            assert_eq!(answer.status, 404, "{at}: {}", answer.text());
        }
        // A form that another site made.
        if page.method == "POST" {
            let answer = ask(&world, page, &path, row.form, &As::Forged(&mine)).await;
            assert_eq!(answer.status, 403, "{at}: {}", answer.text());
        }
        // The right one, last: it may be gone afterwards.
        let answer = ask(&world, page, &path, row.form, &As::Browser(&mine)).await;
        let expected = match (page.name, page.method) {
            ("shared session", _) => 404,
            ("create API key", _) | (_, "GET") => 200,
            _ => 303,
        };
        assert_eq!(answer.status, expected, "{at}: {}", answer.text());
        assert!(!answer.header("location").starts_with("/login"), "{at}");
        assert_eq!(answer.text().contains(MINE), row.shows, "{at}: {}", answer.text());
        assert!(!answer.text().contains(THEIRS), "{at}: {}", answer.text());
        for (name, part) in [
            ("content-security-policy", "default-src 'none'"),
            ("cache-control", "no-store"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("x-robots-tag", "noindex"),
        ] {
            assert!(answer.header(name).contains(part), "{at}: {name} is {:?}", answer.header(name));
        }
        assert!(!answer.header("content-security-policy").contains("unsafe"), "{at}");
        world.gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_downloads_is_a_file_that_runs_nothing() {
    let (world, ..) = world().await;
    let mine = Browser::of(&world, world.account(Who::Me)).await;
    let base = format!("/projects/{}/sessions/{FULL}", crate::specstory::world::SHARED);
    let get = async |path: String| world.gateway.call(Method::GET, &path).header("cookie", &mine.cookie).send().await;
    for what in ["markdown", "raw", "session-data"] {
        let answer = get(format!("{base}/download/{what}")).await;
        assert_eq!(answer.status, 200, "{what}");
        assert!(answer.header("content-disposition").starts_with("attachment; filename=\""), "{what}");
        assert!(answer.header("content-security-policy").contains("sandbox"), "{what}");
        assert!(!answer.header("content-type").contains("html"), "{what}");
    }
    let markdown = get(format!("{base}/download/markdown")).await;
    assert_eq!(markdown.text(), crate::specstory::world::full_markdown(MINE));
    let session = format!("/projects/{OWN}/sessions/{FULL}");
    for none in
        ["/download/raw", "/download/session-data", "/download/nothing", "/messages/99", "/messages/x", "/exchanges"]
    {
        let answer = get(format!("{session}{none}")).await;
        assert_eq!(answer.status, 404, "{none}: {}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_api_takes_the_cookie_of_the_pages() {
    let (world, ..) = world().await;
    let mine = Browser::of(&world, world.account(Who::Me)).await;
    for route in sg_rest::specstory::ROUTES.iter().filter(|route| route.scope.is_some()) {
        let path = route.path.replace("{pid}", OWN).replace("{sid}", FULL);
        for method in route.methods {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let call = world.gateway.call(method, &path).header("cookie", &mine.cookie);
            let answer = call.header("content-type", "application/json").body("{}").send().await;
            assert_eq!(answer.status, 401, "{} {path}: {}", route.name, answer.text());
        }
    }
    let query = serde_json::json!({ "query": "{ projects { name } }" });
    let call = world.gateway.call(Method::POST, "/api/v1/graphql").header("cookie", &mine.cookie).json(&query);
    let answer = call.send().await;
    assert_eq!(answer.status, 401, "{}", answer.text());
}

/// The playground's way in: the cookie together with the token that only this server's own pages can read.
#[tokio::test(flavor = "multi_thread")]
async fn graphql_takes_the_cookie_only_with_the_token_of_its_pages_and_from_here() {
    let (world, ..) = world().await;
    let mine = Browser::of(&world, world.account(Who::Me)).await;
    let theirs = Browser::of(&world, world.account(Who::Other)).await;
    let visitor = |site: &'static str| {
        let call = world.gateway.call(Method::GET, "/playground/visitor").header("cookie", &mine.cookie);
        call.header("sec-fetch-site", site).send()
    };
    let told = visitor("same-origin").await;
    assert_eq!(told.json()["visitor"]["token"], mine.token.as_str());
    assert_eq!(told.headers.get("access-control-allow-origin"), None);
    assert!(visitor("cross-site").await.json()["visitor"].is_null());
    let query = serde_json::json!({ "query": "{ viewer { email } }" });
    for (cookie, token, site, status) in [
        (&mine.cookie, mine.token.as_str(), "same-origin", 200),
        (&mine.cookie, "", "same-origin", 401),
        (&mine.cookie, theirs.token.as_str(), "same-origin", 401),
        (&theirs.cookie, mine.token.as_str(), "same-origin", 401),
        (&mine.cookie, mine.token.as_str(), "cross-site", 401),
        (&mine.cookie, mine.token.as_str(), "same-site", 401),
    ] {
        let call = world.gateway.call(Method::POST, "/api/v1/graphql").json(&query).header("cookie", cookie);
        let answer = call.header("x-csrf-token", token).header("sec-fetch-site", site).send().await;
        assert_eq!(answer.status, status, "{token} {site}: {}", answer.text());
    }
    // Nowhere else.
    let call = world.gateway.call(Method::GET, "/api/v1/projects").header("cookie", &mine.cookie);
    assert_eq!(call.header("x-csrf-token", &mine.token).send().await.status, 401);
    // A page of another origin may not even ask to send it.
    let asked = world.gateway.call(Method::OPTIONS, "/api/v1/graphql").send().await;
    assert!(!asked.header("access-control-allow-headers").to_lowercase().contains("csrf"));
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_name_nothing_are_pages_that_say_so() {
    let (world, ..) = world().await;
    let mine = Browser::of(&world, world.account(Who::Me)).await;
    for path in [
        "/projects/nope",
        "/projects/%00",
        "/projects/%ff",
        "/projects/a%2Fb",
        &format!("/projects/{OWN}/sessions/nope"),
        &format!("/projects/{OWN}/sessions/%F0%9F"),
        &format!("/projects/{}/sessions/{FULL}", "x".repeat(5_000)),
        "/share/nope",
        "/share/%ff",
    ] {
        let answer = world.gateway.call(Method::GET, path).header("cookie", &mine.cookie).send().await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        assert!(answer.text().contains("There is no such page"), "{path}: {}", answer.text());
        assert!(answer.text().contains("Sign out"), "{path}: the visitor stays signed in");
    }
    for path in [
        format!("/projects/{OWN}/sessions/{FULL}?at=4294967295&after=x&before=-1"),
        format!("/projects/{OWN}/sessions/{FULL}?before=0"),
        format!("/projects/{OWN}/sessions/{FULL}/sharing?page=4294967295"),
        format!("/projects/{OWN}?page=4294967295"),
        "/search?q=%ff%00&page=x".to_owned(),
        "/search?q=a&page=4294967295".to_owned(),
    ] {
        let answer = world.gateway.call(Method::GET, &path).header("cookie", &mine.cookie).send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}
