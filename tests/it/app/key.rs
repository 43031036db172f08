//! API keys: shown once, stored as a hash, revoked at once.

use std::time::Duration;

use sg_app::{KeyRequest, NewDevice};
use sg_domain::caller::Anonymous;
use sg_domain::{Caller, Dialect, ErrorKind, Scope, Scopes};

use crate::harness::Gateway;

fn request(gateway: &Gateway) -> KeyRequest {
    KeyRequest {
        user: gateway.me.user.id.clone(),
        name: "laptop".to_owned(),
        dialect: Dialect::Sessionfs,
        scopes: Scopes::of(&[Scope::Read]),
        expires_at: Some(gateway.app.now().plus_micros(3_600_000_000)),
    }
}

async fn identify(gateway: &Gateway, secret: &str) -> Caller {
    gateway.app.identify(Some(secret), "test".to_owned()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_works_until_it_expires_or_is_revoked() {
    let gateway = Gateway::start().await;
    let first = gateway.app.create_key(&gateway.me.caller, request(&gateway)).await.unwrap();
    let second = gateway.app.create_key(&gateway.me.caller, request(&gateway)).await.unwrap();
    assert!(first.secret.starts_with("sk_sfs_") && first.secret.len() == "sk_sfs_".len() + 32);

    let caller = identify(&gateway, &first.secret).await;
    assert_eq!(caller.identity.as_ref().unwrap().user, gateway.me.user.id);
    assert_eq!(caller.dialect, Dialect::Sessionfs);
    assert_eq!(caller.require(Scope::Write).unwrap_err().kind, ErrorKind::Forbidden);

    gateway.app.revoke_key(&gateway.me.caller, first.key.id).await.unwrap();
    assert_eq!(identify(&gateway, &first.secret).await.identity, Err(Anonymous::Revoked));
    gateway.app.revoke_key(&gateway.me.caller, first.key.id).await.unwrap();

    assert!(identify(&gateway, &second.secret).await.identity.is_ok());
    gateway.clock.advance(Duration::from_secs(3_600));
    assert_eq!(identify(&gateway, &second.secret).await.identity, Err(Anonymous::Expired));
    assert_eq!(identify(&gateway, "sk_sfs_00000000000000000000000000000000").await.identity, Err(Anonymous::Unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn last_use_is_noted_to_the_minute() {
    let gateway = Gateway::start().await;
    let created = gateway.app.create_key(&gateway.me.caller, request(&gateway)).await.unwrap();
    let used = async |gateway: &Gateway| {
        let keys = gateway.app.keys(&gateway.me.caller, false).await.unwrap();
        keys.into_iter().find(|k| k.id == created.key.id).unwrap().last_used_at
    };
    assert_eq!(used(&gateway).await, None);
    identify(&gateway, &created.secret).await;
    let first = used(&gateway).await;
    assert_eq!(first, Some(gateway.app.now()));
    gateway.clock.advance(Duration::from_secs(30));
    identify(&gateway, &created.secret).await;
    assert_eq!(used(&gateway).await, first);
    gateway.clock.advance(Duration::from_secs(31));
    identify(&gateway, &created.secret).await;
    assert_eq!(used(&gateway).await, Some(gateway.app.now()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_is_nowhere_on_disk() {
    let gateway = Gateway::start().await;
    let created = gateway.app.create_key(&gateway.me.caller, request(&gateway)).await.unwrap();
    let secret = created.secret.as_bytes();
    for file in std::fs::read_dir(gateway.dir()).unwrap().map(|f| f.unwrap().path()).filter(|p| p.is_file()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(secret.len()).any(|w| w == secret), "{} holds the secret", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hands_out_more_than_they_have() {
    let gateway = Gateway::start().await;
    let other = gateway.other().await;
    let reader = gateway.key_with(&gateway.me, &[Scope::Read, Scope::Write]).await;
    let caller = identify(&gateway, &reader).await;
    let ask = |user: &sg_domain::UserId, scopes: &[Scope]| KeyRequest {
        user: user.clone(),
        scopes: Scopes::of(scopes),
        ..request(&gateway)
    };
    let kind = async |request| gateway.app.create_key(&caller, request).await.err().map(|e| e.kind);
    assert_eq!(kind(ask(&other.user.id, &[Scope::Read])).await, Some(ErrorKind::NotFound));
    assert_eq!(kind(ask(&gateway.me.user.id, &[Scope::Admin])).await, Some(ErrorKind::Forbidden));
    assert_eq!(kind(ask(&gateway.me.user.id, &[])).await, Some(ErrorKind::Invalid));
    assert_eq!(kind(ask(&gateway.me.user.id, &[Scope::Write])).await, None);
    let keys = gateway.app.keys(&other.caller, false).await.unwrap();
    let error = gateway.app.revoke_key(&caller, keys[0].id).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound, "another tenant's key");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_outlives_what_made_it() {
    let gateway = Gateway::start().await;
    let writes =
        |expires_at| KeyRequest { scopes: Scopes::of(&[Scope::Read, Scope::Write]), expires_at, ..request(&gateway) };
    let hour = gateway.app.now().plus_micros(3_600_000_000);
    let parent = gateway.app.create_key(&gateway.me.caller, writes(Some(hour))).await.unwrap();
    let parent = identify(&gateway, &parent.secret).await;
    for late in [None, Some(hour.plus_micros(1))] {
        let refused = gateway.app.create_key(&parent, writes(late)).await.map(|_| ());
        assert_eq!(refused.unwrap_err().kind, ErrorKind::Invalid);
    }
    gateway.app.create_key(&parent, writes(Some(hour))).await.unwrap();

    let device =
        gateway.app.create_device(&gateway.me.caller, &gateway.me.user.id, &NewDevice::default()).await.unwrap();
    let access = gateway.app.device_refresh(Some(&device.secret)).await.unwrap();
    let device = identify(&gateway, &access.secret).await;
    let refused = gateway.app.create_key(&device, writes(Some(hour))).await.map(|_| ());
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Forbidden);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_make_keys_are_counted_by_the_day() {
    let gateway = Gateway::start().await;
    let maker = identify(&gateway, &gateway.me.key).await;
    let mut made = 0;
    let refused = loop {
        match gateway.app.create_key(&maker, request(&gateway)).await {
            Ok(key) => gateway.app.revoke_key(&gateway.me.caller, key.key.id).await.unwrap(),
            Err(error) => break error,
        }
        made += 1;
        assert!(made < 1_000, "nobody counts");
    };
    assert!(matches!(refused.kind, ErrorKind::RateLimited { .. }), "{refused}");
    gateway.clock.advance(Duration::from_secs(25 * 3_600));
    gateway.app.create_key(&maker, request(&gateway)).await.unwrap();
}
