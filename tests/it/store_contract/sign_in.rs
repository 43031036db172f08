//! Passwords, browsers, device codes, access tokens.

use sg_domain::{AccessToken, DeviceCode, DeviceToken, Digest, ErrorKind, KeyId, Timestamp, User, WebSession};
use sg_store::{Store, Tx};
use uuid::Uuid;

use super::Fixture;
use super::sample::{at, owner};

fn id(n: u128) -> KeyId {
    KeyId(Uuid::from_u128(n))
}

async fn commit(store: &Store, work: impl AsyncFnOnce(&Tx) -> sg_domain::Result<()>) {
    let tx = store.begin().await.unwrap();
    work(&tx).await.unwrap();
    tx.commit().await.unwrap();
}

fn user(name: &str) -> User {
    User::new(owner(name), format!("{name}@example.com"), at(1))
}

pub(crate) async fn passwords_are_kept_beside_their_user(f: &Fixture) {
    commit(&f.store, async |tx| tx.insert_user(&user("ann")).await).await;
    let found = f.store.user_password("ann@example.com").await.unwrap();
    assert_eq!(found, Some((user("ann"), None)));
    let tx = f.store.begin().await.unwrap();
    assert!(tx.set_password(&owner("ann"), "$argon2id$x").await.unwrap());
    assert!(!tx.set_password(&owner("bob"), "$argon2id$x").await.unwrap());
    tx.commit().await.unwrap();
    let found = f.store.user_password("ann@example.com").await.unwrap();
    assert_eq!(found, Some((user("ann"), Some("$argon2id$x".to_owned()))));
    assert_eq!(f.store.user_password("bob@example.com").await.unwrap(), None);
}

fn browser(n: u128, name: &str) -> WebSession {
    let created_at = at(i64::try_from(n).unwrap());
    WebSession { id: id(n), user: owner(name), hash: Digest::of(&n.to_le_bytes()), created_at, expires_at: at(1_000) }
}

pub(crate) async fn browsers_come_back_and_are_signed_out(f: &Fixture) {
    commit(&f.store, async |tx| {
        for new in [browser(1, "ann"), browser(2, "ann"), browser(3, "bob"), browser(4, "ann")] {
            tx.insert_web_session(&new, 2).await?;
        }
        Ok(())
    })
    .await;
    let find = async |n| f.store.web_session_by_hash(&browser(n, "ann").hash).await.unwrap();
    assert_eq!(find(1).await, None, "the oldest of three made room");
    assert_eq!(find(2).await, Some(browser(2, "ann")));
    let tx = f.store.begin().await.unwrap();
    assert!(tx.delete_web_session(&browser(2, "ann").hash).await.unwrap());
    assert!(!tx.delete_web_session(&browser(2, "ann").hash).await.unwrap());
    assert_eq!(tx.delete_web_sessions(&owner("ann")).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!((find(2).await, find(4).await), (None, None));
    assert!(find(3).await.is_some(), "another user's browser");
}

pub(crate) async fn a_provider_s_person_is_linked_once(f: &Fixture) {
    commit(&f.store, async |tx| {
        tx.insert_user(&user("ann")).await?;
        tx.insert_user(&user("bob")).await?;
        tx.link_external("https://a.example", "1", &owner("ann"), at(1)).await?;
        tx.link_external("https://b.example", "1", &owner("bob"), at(1)).await
    })
    .await;
    let find = async |issuer, subject| f.store.user_by_external(issuer, subject).await.unwrap();
    assert_eq!(find("https://a.example", "1").await, Some(user("ann")));
    assert_eq!(find("https://b.example", "1").await, Some(user("bob")));
    assert_eq!(find("https://a.example", "2").await, None);
    let tx = f.store.begin().await.unwrap();
    let error = tx.link_external("https://a.example", "1", &owner("bob"), at(2)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
}

fn code(n: u128, text: &str, name: &str) -> DeviceCode {
    let created_at = at(i64::try_from(n).unwrap());
    DeviceCode {
        id: id(n),
        user: owner(name),
        hash: Digest::of(text.as_bytes()),
        created_at,
        expires_at: created_at.plus_micros(600_000_000),
        used_at: None,
    }
}

pub(crate) async fn a_device_code_is_used_once(f: &Fixture) {
    commit(&f.store, async |tx| {
        for new in
            [code(1, "aaaaaa", "ann"), code(2, "bbbbbb", "ann"), code(3, "cccccc", "bob"), code(4, "dddddd", "ann")]
        {
            tx.insert_device_code(&new, 2).await?;
        }
        Ok(())
    })
    .await;
    let take = async |text: &str, now: Timestamp| {
        let tx = f.store.begin().await.unwrap();
        let user = tx.use_device_code(&Digest::of(text.as_bytes()), now).await.unwrap();
        tx.commit().await.unwrap();
        user
    };
    assert_eq!(take("aaaaaa", at(5)).await, None, "voided by two newer ones");
    assert_eq!(take("BBBBBB", at(5)).await, None, "case counts");
    assert_eq!(take("bbbbbb", at(602)).await, None, "it has ended");
    assert_eq!(take("bbbbbb", at(601)).await, Some(owner("ann")));
    assert_eq!(take("bbbbbb", at(601)).await, None);
    assert_eq!(take("cccccc", at(5)).await, Some(owner("bob")));
    let used = f.store.device_code_by_hash(&Digest::of(b"bbbbbb")).await.unwrap();
    assert_eq!(used, Some(DeviceCode { used_at: Some(at(601)), ..code(2, "bbbbbb", "ann") }));
}

pub(crate) async fn a_used_or_ended_code_may_come_again(f: &Fixture) {
    commit(&f.store, async |tx| tx.insert_device_code(&code(1, "aaaaaa", "ann"), 5).await).await;
    let tx = f.store.begin().await.unwrap();
    let error = tx.insert_device_code(&code(2, "aaaaaa", "bob"), 5).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict, "while it is open it is taken");
    drop(tx);
    commit(&f.store, async |tx| tx.insert_device_code(&code(601, "aaaaaa", "bob"), 5).await).await;
    commit(&f.store, async |tx| tx.use_device_code(&code(1, "aaaaaa", "").hash, at(602)).await.map(drop)).await;
    commit(&f.store, async |tx| tx.insert_device_code(&code(603, "aaaaaa", "ann"), 5).await).await;
    let found = f.store.device_code_by_hash(&code(1, "aaaaaa", "").hash).await.unwrap();
    assert_eq!(found, Some(code(603, "aaaaaa", "ann")));
}

pub(crate) async fn one_code_lets_one_of_many_in(f: &Fixture) {
    commit(&f.store, async |tx| tx.insert_device_code(&code(1, "aaaaaa", "ann"), 5).await).await;
    let take = async || {
        let tx = f.store.begin().await.unwrap();
        let user = tx.use_device_code(&code(1, "aaaaaa", "").hash, at(2)).await.unwrap();
        tx.commit().await.unwrap();
        user
    };
    let taken = futures_util::future::join_all((0..8).map(|_| take())).await;
    assert_eq!(taken.iter().flatten().count(), 1, "{taken:?}");
}

fn device(n: u128, name: &str) -> DeviceToken {
    DeviceToken {
        id: id(n),
        user: owner(name),
        hash: Digest::of(format!("device {n}").as_bytes()),
        hostname: "laptop".to_owned(),
        client: "specstory-cli".to_owned(),
        client_version: String::new(),
        os: String::new(),
        username: String::new(),
        created_at: at(1),
        expires_at: at(1_000),
        last_used_at: None,
        revoked_at: None,
    }
}

fn access(n: u128, device: u128) -> AccessToken {
    let created_at = at(i64::try_from(n).unwrap());
    let hash = Digest::of(format!("access {n}").as_bytes());
    AccessToken { id: id(n), device: id(device), hash, created_at, expires_at: created_at.plus_micros(3_600_000_000) }
}

pub(crate) async fn access_tokens_know_their_device(f: &Fixture) {
    commit(&f.store, async |tx| {
        tx.insert_device_token(&device(1, "ann")).await?;
        tx.insert_device_token(&device(2, "bob")).await?;
        for (n, of) in [(11, 1), (12, 1), (13, 2), (14, 1)] {
            tx.insert_access_token(&access(n, of), 2).await?;
        }
        Ok(())
    })
    .await;
    let find = async |n| f.store.device_by_access_token(&access(n, 1).hash).await.unwrap();
    assert_eq!(find(11).await, None, "the oldest of three made room");
    assert_eq!(find(12).await, Some((access(12, 1).expires_at, device(1, "ann"), false)));
    assert_eq!(find(13).await, Some((access(13, 2).expires_at, device(2, "bob"), false)));
    commit(&f.store, async |tx| tx.revoke_device_token(None, id(1), at(20)).await.map(drop)).await;
    f.store.touch_device_token(id(1), at(21)).await.unwrap();
    let (_, revoked, _) = find(12).await.unwrap();
    assert_eq!((revoked.revoked_at, revoked.last_used_at), (Some(at(20)), Some(at(21))));
    assert_eq!(f.store.device_tokens(None).await.unwrap().len(), 2);
}

pub(crate) async fn what_has_ended_is_swept(f: &Fixture) {
    commit(&f.store, async |tx| {
        tx.insert_device_token(&device(1, "ann")).await?;
        tx.insert_access_token(&access(11, 1), 9).await?;
        tx.insert_device_code(&code(1, "aaaaaa", "ann"), 9).await?;
        tx.insert_web_session(&browser(1, "ann"), 9).await
    })
    .await;
    let sweep = async |before| {
        let tx = f.store.begin().await.unwrap();
        let gone = tx.sweep_sign_in(before).await.unwrap();
        tx.commit().await.unwrap();
        gone
    };
    assert_eq!(sweep(at(601)).await, 0);
    assert_eq!(sweep(at(1_001)).await, 2);
    assert!(f.store.device_by_access_token(&access(11, 1).hash).await.unwrap().is_some());
    assert_eq!(sweep(at(10_000)).await, 1);
    assert_eq!(f.store.device_tokens(None).await.unwrap().len(), 1, "devices are only revoked");
}
