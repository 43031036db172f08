//! People in browsers: passwords, sessions, providers.

use std::time::Duration;

use sg_app::SignUp;
use sg_domain::caller::Anonymous;
use sg_domain::{Caller, ClientAddress, Credential, ErrorKind, ExternalIdentity, Scope};

use crate::harness::Gateway;

const PASSWORD: &str = "correct horse battery";

fn from(last: u8) -> Option<ClientAddress> {
    Some(ClientAddress::new([192, 0, 2, last].into()))
}

async fn with_password() -> Gateway {
    let gateway = Gateway::start().await;
    gateway.app.set_password(&gateway.me.caller, &gateway.me.user.id, PASSWORD).await.unwrap();
    gateway
}

async fn identify(gateway: &Gateway, secret: &str) -> Caller {
    gateway.app.identify_web(Some(secret), "test".to_owned()).await.unwrap()
}

async fn refused(gateway: &Gateway, email: &str, password: &str, from: Option<ClientAddress>) -> (ErrorKind, String) {
    let error = gateway.app.sign_in(email, password, from).await.err().expect("refused");
    (error.kind, error.message)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_signed_in_until_it_signs_out() {
    let gateway = with_password().await;
    let first = gateway.app.sign_in(" ME@example.com", PASSWORD, from(1)).await.unwrap();
    let second = gateway.app.sign_in("me@example.com", PASSWORD, from(1)).await.unwrap();
    assert_eq!((first.user.email.as_str(), first.secret.len()), ("me@example.com", 64));
    let caller = identify(&gateway, &first.secret).await;
    let identity = caller.identity.as_ref().unwrap();
    assert_eq!(identity.user, gateway.me.user.id);
    assert!(matches!(identity.credential, Credential::Web(_)));
    assert!(caller.require(Scope::Write).is_ok());
    assert_eq!(caller.require(Scope::Admin).unwrap_err().kind, ErrorKind::Forbidden);
    // The cookie is no bearer credential.
    let bearer = gateway.app.identify(Some(&first.secret), "test".to_owned()).await.unwrap();
    assert_eq!(bearer.identity, Err(Anonymous::Unknown));

    gateway.app.sign_out(&first.secret).await.unwrap();
    gateway.app.sign_out(&first.secret).await.unwrap();
    assert_eq!(identify(&gateway, &first.secret).await.identity, Err(Anonymous::Unknown));
    assert!(identify(&gateway, &second.secret).await.identity.is_ok());
    gateway.clock.advance(Duration::from_secs(30 * 86_400));
    assert_eq!(identify(&gateway, &second.secret).await.identity, Err(Anonymous::Expired));
    let nobody = gateway.app.identify_web(None, "test".to_owned()).await.unwrap();
    assert_eq!(nobody.identity, Err(Anonymous::Missing));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_signs_every_browser_out() {
    let gateway = with_password().await;
    let old = gateway.app.sign_in("me@example.com", PASSWORD, None).await.unwrap();
    gateway.app.set_password(&gateway.me.caller, &gateway.me.user.id, "another long one").await.unwrap();
    assert!(identify(&gateway, &old.secret).await.identity.is_err());
    assert_eq!(refused(&gateway, "me@example.com", PASSWORD, None).await.0, ErrorKind::Unauthenticated);
    gateway.app.sign_in("me@example.com", "another long one", None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_operator_sets_passwords_and_short_ones_are_refused() {
    let gateway = with_password().await;
    let session = gateway.app.sign_in("me@example.com", PASSWORD, None).await.unwrap();
    let web = identify(&gateway, &session.secret).await;
    let set = async |caller: &Caller, password: &str| {
        gateway.app.set_password(caller, &gateway.me.user.id, password).await.unwrap_err().kind
    };
    assert_eq!(set(&web, "another long one").await, ErrorKind::Forbidden);
    assert_eq!(set(&gateway.me.caller, "too short").await, ErrorKind::Invalid);
    assert_eq!(set(&gateway.me.caller, &"x".repeat(1_001)).await, ErrorKind::Invalid);
    let nobody = sg_domain::UserId("user_nobody".to_owned());
    let error = gateway.app.set_password(&gateway.me.caller, &nobody, PASSWORD).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_addresses_and_wrong_passwords_look_the_same() {
    let gateway = with_password().await;
    // An account without a password, one that is not there, no address at all, and a password that is too long to be one.
    gateway.other().await;
    let long = "x".repeat(2_000);
    for (email, password) in [
        ("me@example.com", "wrong horse battery"),
        ("other@example.com", ""),
        ("nobody@example.com", PASSWORD),
        ("", ""),
        ("me@example.com", &long),
    ] {
        let (kind, message) = refused(&gateway, email, password, from(1)).await;
        assert_eq!((kind, message.as_str()), (ErrorKind::Unauthenticated, "wrong mail address or password"), "{email}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_passwords_is_stopped_without_locking_the_owner_out() {
    let gateway = with_password().await;
    for _ in 0..10 {
        assert_eq!(refused(&gateway, "me@example.com", "wrong wrong", from(1)).await.0, ErrorKind::Unauthenticated);
    }
    let (kind, message) = refused(&gateway, "me@example.com", PASSWORD, from(1)).await;
    assert_eq!(kind, ErrorKind::RateLimited { retry_after: Duration::from_secs(900) });
    assert_eq!(message, "too many attempts, try again in 15 minutes");
    // Whether there is such an account does not show.
    for _ in 0..10 {
        assert_eq!(refused(&gateway, "nobody@example.com", "wrong", from(1)).await.0, ErrorKind::Unauthenticated);
    }
    assert!(matches!(refused(&gateway, "nobody@example.com", "x", from(1)).await.0, ErrorKind::RateLimited { .. }));
    gateway.app.sign_in("me@example.com", PASSWORD, from(2)).await.unwrap();
    gateway.clock.advance(Duration::from_secs(900));
    gateway.app.sign_in("me@example.com", PASSWORD, from(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_password_nor_cookie_is_on_disk() {
    let gateway = with_password().await;
    let session = gateway.app.sign_in("me@example.com", PASSWORD, None).await.unwrap();
    for file in std::fs::read_dir(gateway.dir()).unwrap().map(|f| f.unwrap().path()).filter(|p| p.is_file()) {
        let bytes = std::fs::read(&file).unwrap();
        for secret in [PASSWORD, &session.secret] {
            let holds = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!holds, "{} holds {secret}", file.display());
        }
    }
}

fn person(subject: &str, email: &str) -> ExternalIdentity {
    ExternalIdentity {
        issuer: "https://id.example.com".to_owned(),
        subject: subject.to_owned(),
        email: email.to_owned(),
        is_email_verified: true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_s_person_gets_an_account_only_where_settings_say_so() {
    let gateway = Gateway::start().await;
    let app = &gateway.app;
    let closed = SignUp::default();
    let open = SignUp { allow_sign_up: true, ..SignUp::default() };
    let company = SignUp { allowed_domains: vec!["Corp.example".to_owned()], ..open.clone() };
    let no = async |who: &ExternalIdentity, rule: &SignUp| app.sign_in_external(who, rule).await.err().map(|e| e.kind);
    let forbidden = Some(ErrorKind::Forbidden);

    assert_eq!(no(&person("1", "new@corp.example"), &closed).await, forbidden);
    assert_eq!(no(&person("1", "new@evil.example"), &company).await, forbidden);
    assert_eq!(no(&person("1", "new@corp.example.evil.example"), &company).await, forbidden);
    let unverified = ExternalIdentity { is_email_verified: false, ..person("1", "new@corp.example") };
    assert_eq!(no(&unverified, &open).await, forbidden);
    assert_eq!(no(&person("", "new@corp.example"), &open).await, Some(ErrorKind::Invalid));
    assert_eq!(no(&person("1", "no address"), &open).await, Some(ErrorKind::Invalid));

    let made = app.sign_in_external(&person("1", "New@corp.example"), &company).await.unwrap();
    assert_eq!(made.user.email, "new@corp.example");
    assert_eq!(identify(&gateway, &made.secret).await.identity.unwrap().user, made.user.id);
    // Known by subject from then on, whatever the rules and the address are.
    let again = app.sign_in_external(&person("1", "renamed@corp.example"), &closed).await.unwrap();
    assert_eq!(again.user, made.user);
    // Another person with that address, or the same subject elsewhere, is not them.
    assert_eq!(no(&person("2", "new@corp.example"), &open).await, forbidden);
    let elsewhere = ExternalIdentity { issuer: "https://evil.example".to_owned(), ..person("1", "new@corp.example") };
    assert_eq!(no(&elsewhere, &open).await, forbidden);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_matched_by_address_only_where_settings_say_so() {
    let gateway = Gateway::start().await;
    let me = person("7", "ME@example.com");
    let open = SignUp { allow_sign_up: true, ..SignUp::default() };
    let error = gateway.app.sign_in_external(&me, &open).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Forbidden);
    let matching = SignUp { link_by_email: true, ..SignUp::default() };
    let linked = gateway.app.sign_in_external(&me, &matching).await.unwrap();
    assert_eq!(linked.user, gateway.me.user);
    let again = gateway.app.sign_in_external(&me, &SignUp::default()).await.unwrap();
    assert_eq!(again.user, gateway.me.user);
}
