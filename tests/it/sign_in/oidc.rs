//! Signing in through an OpenID Connect provider: what works, and everything that must not.

use std::time::Duration;

use serde_json::json;
use sg_server::config::Config;

use super::browser::{Browser, encoded, field};
use super::provider::{CLIENT, Provider, SECRET};
use crate::harness::{Answer, FixedClock, Gateway};

const PUBLIC: &str = "http://sessions.test";

struct World {
    gateway: Gateway,
    provider: Provider,
    router: axum::Router,
}

impl World {
    async fn start() -> Self {
        Self::with(|config| config.oidc.allow_sign_up = true).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let gateway = Gateway::start().await;
        let provider = Provider::start(FixedClock::START / 1_000_000).await;
        provider.set(|b| b.claims = json!({ "email": "new@corp.example", "email_verified": true }));
        let mut config = Config::default();
        config.http.public_url = PUBLIC.to_owned();
        config.oidc.issuer = provider.url.clone();
        config.oidc.client_id = CLIENT.to_owned();
        config.oidc.client_secret = serde_json::from_value(json!(SECRET)).unwrap();
        change(&mut config);
        let router = sg_server::http::router(gateway.app.clone(), &config);
        Self { gateway, provider, router }
    }

    fn browser(&self) -> Browser {
        Browser::at(self.router.clone())
    }

    /// The address that the provider sends a browser back to, as a path.
    async fn consent(&self, browser: &mut Browser, next: &str) -> String {
        let answer = browser.get(&format!("/login/oidc?next={}", encoded(next))).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let back = self.provider.consent(answer.header("location"));
        back.strip_prefix(PUBLIC).unwrap_or_else(|| panic!("{back}")).to_owned()
    }

    async fn sign_in(&self, browser: &mut Browser) -> Answer {
        let back = self.consent(browser, "/projects").await;
        browser.get(&back).await
    }

    /// A sign-in that must come to nothing.
    async fn refused(&self, status: u16, with: &str) {
        let mut browser = self.browser();
        let answer = self.sign_in(&mut browser).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.text().contains(with), "no {with:?}: {}", answer.text());
        assert_eq!(browser.cookie("sg_session"), None);
        assert_eq!(browser.get("/projects").await.status, 303);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_through_the_provider_and_back_to_where_they_were() {
    let world = World::start().await;
    let mut browser = world.browser();
    let page = browser.get("/login?next=/resume%3Fa%3Db").await.text();
    assert!(
        page.contains("/login/oidc?next=/resume%3Fa%3Db") && page.contains("Sign in with OpenID Connect"),
        "{page}"
    );
    let back = world.consent(&mut browser, "/resume?a=b").await;
    let begun = browser.cookie("sg_oidc").expect("a cookie of the sign-in");
    let answer = browser.get(&back).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/resume?a=b"), "{}", answer.text());
    assert_eq!(browser.cookie("sg_oidc"), None, "good for one answer");
    let page = browser.get("/projects").await;
    assert!(page.status == 200 && page.text().contains("new@corp.example"), "{}", page.text());

    // The same answer again, even in the same browser, is nobody's.
    let mut again = world.browser();
    again.set_cookie("sg_oidc", &begun);
    world.provider.set(|b| b.claims["sub"] = "person-2".into());
    let answer = again.get(&back).await;
    assert_ne!(answer.header("location"), "/resume?a=b", "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signed_in_before_is_the_same_person_with_another_address() {
    let world = World::start().await;
    let mut browser = world.browser();
    assert_eq!(world.sign_in(&mut browser).await.status, 303);
    world.provider.set(|b| b.claims["email"] = "renamed@corp.example".into());
    let mut later = world.browser();
    assert_eq!(world.sign_in(&mut later).await.status, 303);
    assert!(later.get("/projects").await.text().contains("new@corp.example"));
    let users = world.gateway.app.users(&world.gateway.me.caller).await.unwrap();
    assert_eq!(users.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_only_userinfo_tells_counts_when_it_is_verified_there() {
    let world = World::start().await;
    world.provider.set(|b| {
        b.claims = json!({});
        b.userinfo = json!({ "sub": "person-1", "email": "new@corp.example", "email_verified": "true" });
    });
    assert_eq!(world.sign_in(&mut world.browser()).await.status, 303);
    world.provider.set(|b| b.userinfo = json!({ "sub": "person-1" }));
    world.refused(403, "does not tell your mail address").await;
    world.provider.set(|b| b.userinfo = json!({ "sub": "person-1", "email": "new@corp.example" }));
    world.refused(403, "has not verified your mail address").await;
    // The userinfo of somebody else.
    world
        .provider
        .set(|b| b.userinfo = json!({ "sub": "person-9", "email": "me@example.com", "email_verified": true }));
    world.refused(503, "does not answer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_say_who_may_come_in() {
    let closed = World::with(|_| {}).await;
    closed.refused(403, "There is no account for you").await;
    let company = World::with(|config| {
        config.oidc.allow_sign_up = true;
        config.oidc.allowed_domains = vec!["other.example".to_owned()];
    })
    .await;
    company.refused(403, "There is no account for you").await;
    let open = World::start().await;
    open.provider.set(|b| b.claims["email"] = "me@example.com".into());
    open.refused(403, "not linked to this provider").await;
    open.provider.set(|b| b.claims["email_verified"] = false.into());
    open.refused(403, "has not verified your mail address").await;
    let matching = World::with(|config| config.oidc.link_by_email = true).await;
    matching.provider.set(|b| b.claims["email"] = "me@example.com".into());
    let mut browser = matching.browser();
    assert_eq!(matching.sign_in(&mut browser).await.status, 303);
    assert!(browser.get("/projects").await.text().contains("me@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_is_not_what_it_should_be_is_refused() {
    let world = World::start().await;
    let now = FixedClock::START / 1_000_000;
    let cannot = "cannot be trusted";
    for (what, claims) in [
        ("another nonce", json!({ "nonce": "another" })),
        ("no nonce", json!({ "nonce": null })),
        ("another audience", json!({ "aud": "another client" })),
        ("another audience too", json!({ "aud": [CLIENT, "another client"], "azp": "another client" })),
        ("another issuer", json!({ "iss": "https://evil.example" })),
        ("too old", json!({ "exp": now, "iat": now - 300 })),
        ("another access token", json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" })),
    ] {
        world.provider.set(|b| {
            b.claims = json!({ "email": "new@corp.example", "email_verified": true });
            b.claims.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        });
        println!("{what}");
        world.refused(403, cannot).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_the_provider_did_not_sign_is_refused() {
    let world = World::start().await;
    let cannot = "cannot be trusted";
    // Nobody's signature, as the provider says it might send, with and without the old one behind it.
    world.provider.set(|b| b.header = json!({ "alg": "none" }));
    world.refused(403, cannot).await;
    world.provider.set(|b| b.tamper = |token| token[..=token.rfind('.').unwrap()].to_owned());
    world.refused(403, cannot).await;
    // The shared secret's algorithm, with some signature.
    world.provider.set(|b| (b.header, b.tamper) = (json!({ "alg": "HS256" }), |token| token));
    world.refused(403, cannot).await;
    // A key that is not published, under the name of one that is.
    world.provider.set(|b| (b.header, b.key) = (json!({ "alg": "EdDSA" }), 2));
    world.refused(403, cannot).await;
    // Something that is no token.
    for tamper in [|_| "x".to_owned(), |_| "a.b.c".to_owned(), |token: String| token.replacen('.', ".e30", 1)] {
        world.provider.set(|b| (b.key, b.tamper) = (1, tamper));
        let mut browser = world.browser();
        let status = world.sign_in(&mut browser).await.status;
        assert!([403, 503].contains(&status), "{status}");
        assert_eq!(browser.cookie("sg_session"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_of_the_provider_are_fetched_once_they_are_needed() {
    let world = World::start().await;
    assert_eq!(world.sign_in(&mut world.browser()).await.status, 303);
    world.provider.set(|b| (b.key, b.published) = (2, vec![1, 2]));
    world.gateway.clock.advance(Duration::from_secs(60));
    assert_eq!(world.sign_in(&mut world.browser()).await.status, 303);
    let discovered = world.provider.behaviour.lock().unwrap().discovered;
    assert_eq!(discovered, 2, "once at first and once for the new key");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_good_only_in_the_browser_that_asked() {
    let world = World::start().await;
    let mut attacker = world.browser();
    let back = world.consent(&mut attacker, "/projects").await;
    // Another browser, without and with a sign-in of its own; another state; none.
    let mut victim = world.browser();
    let begin_again = "was not begun in this browser";
    for path in [&back, &back.replace("state=", "state=x"), &back.replace("&state=", "&x="), "/login/oidc/callback"] {
        let answer = victim.get(path).await;
        assert!(answer.status == 400 && answer.text().contains(begin_again), "{path}: {}", answer.text());
    }
    victim.get("/login/oidc").await;
    let answer = victim.get(&back).await;
    assert!(answer.status == 400 && answer.text().contains(begin_again), "{}", answer.text());
    assert_eq!(victim.cookie("sg_session"), None);
    // Its own begun sign-in is over with that, too.
    assert_eq!(victim.cookie("sg_oidc"), None);
    assert_eq!(attacker.get(&back).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_s_refusal_is_a_page() {
    let world = World::start().await;
    for (error, status, text) in [("access_denied", 403, "you changed your mind"), ("<script>", 403, "could not sign")]
    {
        let mut browser = world.browser();
        let back = world.consent(&mut browser, "/projects").await;
        let state = encoded(&field(&back, "state"));
        let answer = browser.get(&format!("/login/oidc/callback?error={}&state={state}", encoded(error))).await;
        assert!(answer.status == status && answer.text().contains(text), "{}", answer.text());
        assert!(!answer.text().contains("<script>"), "{}", answer.text());
    }
    // A code that the provider does not know any more, and an answer in another provider's name.
    let mut browser = world.browser();
    let back = world.consent(&mut browser, "/projects").await;
    let answer = browser.get(&back.replace("the%20code", "another")).await;
    assert!(answer.status == 403 && answer.text().contains("takes its code back"), "{}", answer.text());
    let back = world.consent(&mut browser, "/projects").await;
    let answer = browser.get(&format!("{back}&iss=https%3A%2F%2Fevil.example")).await;
    assert!(answer.status == 403 && answer.text().contains("another provider"), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_is_a_page_and_asked_again_later() {
    let world = World::start().await;
    world.provider.set(|b| b.status = Some(503));
    let mut browser = world.browser();
    for _ in 0..3 {
        let answer = browser.get("/login/oidc").await;
        assert!(answer.status == 503 && answer.text().contains("does not answer"), "{}", answer.text());
    }
    assert_eq!(world.provider.behaviour.lock().unwrap().discovered, 3, "one round of tries, then a rest");
    world.provider.set(|b| b.status = None);
    world.gateway.clock.advance(Duration::from_secs(10));
    assert_eq!(world.sign_in(&mut browser).await.status, 303);
    // Away between the two halves of a sign-in.
    let mut other = world.browser();
    let back = world.consent(&mut other, "/projects").await;
    world.provider.set(|b| b.status = Some(500));
    let answer = other.get(&back).await;
    assert!(answer.status == 503 && answer.text().contains("does not answer"), "{}", answer.text());
    // What is known of it is used on when it is old.
    world.gateway.clock.advance(Duration::from_secs(2 * 3_600));
    assert_eq!(other.get("/login/oidc").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_there_is_no_such_page() {
    let gateway = Gateway::start().await;
    let mut browser = Browser::of(&gateway, &Config::default());
    assert!(!browser.get("/login").await.text().contains("oidc"));
    for path in ["/login/oidc", "/login/oidc/callback?code=x&state=y"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_tls_no_other_host_can_set_the_cookie_of_a_sign_in() {
    let world = World::with(|config| config.http.public_url = "https://sessions.test".to_owned()).await;
    let answer = world.browser().get("/login/oidc").await;
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-sg_oidc=state=") && cookie.contains("; HttpOnly; SameSite=Lax; Secure; Path=/;"),
        "{cookie}"
    );
    assert_eq!(field(answer.header("location"), "redirect_uri"), "https://sessions.test/login/oidc/callback");
}
