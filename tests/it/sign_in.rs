//! People in browsers, through the whole stack: signing in and out, what a cookie is good for, forms of other sites.

mod browser;
mod oidc;
mod provider;
mod real;

use std::time::Duration;

use serde_json::json;
use sg_server::config::Config;

use self::browser::Browser;
use crate::harness::Gateway;

const PASSWORD: &str = "correct horse battery";

async fn gateway() -> Gateway {
    let gateway = Gateway::start().await;
    gateway.app.set_password(&gateway.me.caller, &gateway.me.user.id, PASSWORD).await.unwrap();
    gateway
}

fn browser(gateway: &Gateway) -> Browser {
    Browser::of(gateway, &Config::default())
}

fn credentials(password: &str) -> Vec<(&str, &str)> {
    vec![("email", "me@example.com"), ("password", password)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_and_out() {
    let gateway = gateway().await;
    let mut browser = browser(&gateway);
    let page = browser.get("/projects").await;
    assert_eq!((page.status, page.header("location")), (303, "/login?next=/projects"));
    let page = browser.get("/login?next=/projects%3Fx%3D1").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("name=\"next\" value=\"/projects?x=1\""), "{}", page.text());

    let mut form = credentials(PASSWORD);
    form.push(("next", "/projects?x=1"));
    let answer = browser.post("/login", &form).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/projects?x=1"));
    let cookie = answer.header("set-cookie").to_owned();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(pair.starts_with("sg_session=") && pair.len() == "sg_session=".len() + 64, "{cookie}");
    assert_eq!(attributes, "HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000");

    let page = browser.get("/projects").await;
    assert!(page.status == 200 && page.text().contains("me@example.com"), "{}", page.text());
    assert_eq!(browser.get("/login").await.header("location"), "/projects", "signed in already");

    let stolen = browser.cookie("sg_session").unwrap();
    let answer = browser.post("/logout", &[]).await;
    assert_eq!(answer.status, 403, "without the form's token");
    let token = browser.token("/projects").await;
    let answer = browser.post("/logout", &[("csrf", &token)]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/login"));
    assert_eq!(browser.cookie("sg_session"), None);
    assert_eq!(browser.get("/projects").await.status, 303);
    // Not only the browser forgot it.
    browser.set_cookie("sg_session", &stolen);
    assert_eq!(browser.get("/projects").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_tls_the_cookie_is_for_tls_alone() {
    let gateway = gateway().await;
    let mut config = Config::default();
    config.http.public_url = "https://sessions.example.com".to_owned();
    let mut browser = Browser::of(&gateway, &config);
    let answer = browser.post("/login", &credentials(PASSWORD)).await;
    assert!(answer.header("set-cookie").contains("; Secure;"), "{}", answer.header("set-cookie"));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_and_unknown_people_see_the_same_page() {
    let gateway = gateway().await;
    let mut browser = browser(&gateway);
    let wrong = browser.post("/login", &credentials("wrong horse battery")).await;
    let unknown = browser.post("/login", &[("email", "nobody@example.com"), ("password", PASSWORD)]).await;
    for answer in [&wrong, &unknown] {
        assert_eq!((answer.status, answer.header("set-cookie")), (401, ""));
        assert!(answer.text().contains("Wrong mail address or password."), "{}", answer.text());
        assert!(!answer.text().contains("horse"), "a password stands on the page");
    }
    let same = |answer: &crate::harness::Answer, email: &str| answer.text().replace(email, "");
    assert_eq!(same(&wrong, "me@example.com"), same(&unknown, "nobody@example.com"));
    let hostile = browser.post("/login", &[("email", "\"><script>x</script>"), ("next", "//evil.example")]).await;
    assert!(hostile.status == 401 && !hostile.text().contains("<script>x"), "{}", hostile.text());
    assert!(!hostile.text().contains("evil.example"), "{}", hostile.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_ends_in_429() {
    let gateway = gateway().await;
    let mut browser = browser(&gateway);
    for _ in 0..10 {
        assert_eq!(browser.post("/login", &credentials("wrong horse battery")).await.status, 401);
    }
    let answer = browser.post("/login", &credentials(PASSWORD)).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "900"));
    assert!(answer.text().contains("Too many attempts, try again in 15 minutes."), "{}", answer.text());
    gateway.clock.advance(Duration::from_secs(900));
    assert_eq!(browser.post("/login", &credentials(PASSWORD)).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leads_to_another_site() {
    let gateway = gateway().await;
    for next in ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\t/evil.example"]
    {
        let mut browser = browser(&gateway);
        let mut form = credentials(PASSWORD);
        form.push(("next", next));
        let answer = browser.post("/login", &form).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/projects"), "{next}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_of_other_sites_are_refused() {
    let gateway = gateway().await;
    let mut browser = browser(&gateway);
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site"), ("origin", "http://sessions.test")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ] {
        let answer = browser.post_with("/login", &credentials(PASSWORD), headers).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (403, ""), "{headers:?}");
    }
    let same = [("sec-fetch-site", "same-origin"), ("origin", "http://sessions.test")];
    assert_eq!(browser.post_with("/login", &credentials(PASSWORD), &same).await.status, 303);
    // Signed in, the token is needed too, and the right one alone does not do.
    let token = browser.token("/projects").await;
    let evil = [("origin", "https://evil.example")];
    assert_eq!(browser.post_with("/logout", &[("csrf", &token)], &evil).await.status, 403);
    let other = "f".repeat(64);
    assert_eq!(browser.post_with("/logout", &[("csrf", &other)], &same).await.status, 403);
    assert_eq!(browser.get("/projects").await.status, 200, "still signed in");
    assert_eq!(browser.post_with("/logout", &[("csrf", &token)], &same).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_one_browser_is_no_good_in_another() {
    let gateway = gateway().await;
    let (mut one, mut other) = (browser(&gateway), browser(&gateway));
    for browser in [&mut one, &mut other] {
        assert_eq!(browser.post("/login", &credentials(PASSWORD)).await.status, 303);
    }
    let token = one.token("/projects").await;
    assert_ne!(token, other.token("/projects").await);
    assert_eq!(other.post("/logout", &[("csrf", &token)]).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_form_is_refused() {
    let gateway = gateway().await;
    let mut browser = browser(&gateway);
    let json = r#"{"email":"me@example.com","password":"correct horse battery"}"#;
    assert_eq!(browser.send("POST", "/login", &[("content-type", "application/json")], json.into()).await.status, 415);
    assert_eq!(browser.send("POST", "/login", &[], "email=me".into()).await.status, 415);
    let large = format!("email={}", "x".repeat(100_000));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(browser.send("POST", "/login", &form, large.into()).await.status, 413);
    for odd in ["", "&&&", "email", "email=%FF%00&password=%ZZ", "email=a&email=b"] {
        let status = browser.send("POST", "/login", &form, odd.into()).await.status;
        assert!([400, 401].contains(&status), "{odd:?}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_is_no_credential_of_the_api() {
    let gateway = gateway().await;
    let mut browser = browser(&gateway);
    assert_eq!(browser.post("/login", &credentials(PASSWORD)).await.status, 303);
    for path in ["/api/v1/projects", "/api/v1/sessions/recent", "/api/v1/api-tokens", "/api/v1/billing/entitlement"] {
        assert_eq!(browser.get(path).await.status, 401, "{path}");
    }
    let query = json!({ "query": "{ viewer { email } }" }).to_string();
    for path in ["/graphql", "/api/v1/graphql"] {
        let answer = browser.send("POST", path, &[("content-type", "application/json")], query.clone().into()).await;
        assert_eq!(answer.status, 401, "{path}: {}", answer.text());
    }
    // Nor is the cookie's value, nor an API key a visitor.
    let bearer = format!("Bearer {}", browser.cookie("sg_session").unwrap());
    let answer = browser.send("GET", "/api/v1/projects", &[("authorization", &bearer)], "".into()).await;
    assert_eq!(answer.status, 401);
    let mut stranger = self::browser(&gateway);
    let key = format!("Bearer {}", gateway.me.key);
    let answer = stranger.send("GET", "/projects", &[("authorization", &key)], "".into()).await;
    assert_eq!(answer.status, 303);
    stranger.set_cookie("sg_session", &gateway.me.key);
    assert_eq!(stranger.get("/projects").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_by_itself_and_with_a_new_password() {
    let gateway = gateway().await;
    let mut browser = browser(&gateway);
    browser.post("/login", &credentials(PASSWORD)).await;
    gateway.clock.advance(Duration::from_secs(30 * 86_400 - 1));
    assert_eq!(browser.get("/projects").await.status, 200);
    gateway.clock.advance(Duration::from_secs(1));
    assert_eq!(browser.get("/projects").await.status, 303);
    browser.post("/login", &credentials(PASSWORD)).await;
    assert_eq!(browser.get("/projects").await.status, 200);
    gateway.app.set_password(&gateway.me.caller, &gateway.me.user.id, "another long one").await.unwrap();
    assert_eq!(browser.get("/projects").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_anew_ends_the_old_session() {
    let gateway = gateway().await;
    let mut browser = browser(&gateway);
    browser.post("/login", &credentials(PASSWORD)).await;
    let old = browser.cookie("sg_session").unwrap();
    browser.post("/login", &credentials(PASSWORD)).await;
    assert_ne!(browser.cookie("sg_session").as_ref(), Some(&old));
    browser.set_cookie("sg_session", &old);
    assert_eq!(browser.get("/projects").await.status, 303);
}
