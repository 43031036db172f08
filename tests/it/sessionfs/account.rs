//! Accounts: who must show that a mail address is their own.

use serde_json::json;
use sg_app::{AccountRules, SignUpPolicy};

use super::world::World;
use crate::harness::Setup;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_shows_its_address_by_the_link_that_was_mailed() {
    let accounts = AccountRules {
        sign_up: SignUpPolicy::Open,
        verify_email: true,
        public_url: "https://sessions.example.com".to_owned(),
        ..AccountRules::default()
    };
    let world = World::start_as(Setup { accounts, ..Setup::default() }).await;
    let made = world.tell("nobody", "POST", "/api/v1/auth/signup", &json!({ "email": " Ana@Example.com " })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let key = made.json()["raw_key"].as_str().unwrap().to_owned();
    let as_her = [("authorization", format!("Bearer {key}"))];
    let as_her: Vec<_> = as_her.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let me = world.send("nobody", "GET", "/api/v1/auth/me", &as_her, Vec::new()).await.json();
    assert_eq!((&me["email"], &me["email_verified"]), (&json!("ana@example.com"), &json!(false)));
    world.gateway.run_jobs().await;
    let letters = world.gateway.outbox.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].to, "ana@example.com");
    let start = letters[0].text.find("https://sessions.example.com/api/v1/auth/verify").expect("a link");
    let link = letters[0].text[start..].split_whitespace().next().unwrap();
    let link = link.trim_start_matches("https://sessions.example.com");
    let page = world.send("nobody", "GET", link, &[], Vec::new()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let me = world.send("nobody", "GET", "/api/v1/auth/me", &as_her, Vec::new()).await.json();
    assert_eq!(me["email_verified"], true);
    // Somebody else's account is as it was.
    assert_eq!(world.get("/api/v1/auth/me").await.json()["email"], world.gateway.me.user.email);
}
