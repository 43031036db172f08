//! Users, keys, devices, imported files, data versions.

use sg_domain::{ApiKey, DeviceToken, Dialect, Digest, ErrorKind, KeyId, NewApiKey, Scope, Scopes, User};
use sg_store::ImportSource;
use uuid::Uuid;

use super::Fixture;
use super::sample::{at, owner};

pub(crate) async fn users_are_unique_by_address(f: &Fixture) {
    let user = |name: &str, email: &str| User::new(owner(name), email.to_owned(), at(1));
    let ann = user("ann", "ann@example.com");
    let tx = f.store.begin().await.unwrap();
    tx.insert_user(&ann).await.unwrap();
    tx.insert_user(&user("bob", "bob@example.com")).await.unwrap();
    tx.commit().await.unwrap();

    let tx = f.store.begin().await.unwrap();
    let error = tx.insert_user(&user("eve", "ann@example.com")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(error.message.contains("ann@example.com"), "{error}");
    drop(tx);

    assert_eq!(f.store.user_by_email("ann@example.com").await.unwrap(), Some(ann.clone()));
    assert_eq!(f.store.user_by_email("Ann@example.com").await.unwrap(), None);
    assert_eq!(f.store.user(&ann.id).await.unwrap(), Some(ann));
    assert_eq!(f.store.user(&owner("eve")).await.unwrap(), None);
    let names: Vec<_> = f.store.users().await.unwrap().into_iter().map(|u| u.id.0).collect();
    assert_eq!(names, ["user_ann", "user_bob"]);
}

fn key(n: u128, user: &str) -> NewApiKey {
    let key = ApiKey {
        id: KeyId(Uuid::from_u128(n)),
        user: owner(user),
        name: format!("key {n}"),
        dialect: Dialect::Sessionfs,
        scopes: Scopes::of(&[Scope::Read, Scope::Write]),
        prefix: "sk_sfs_abc".to_owned(),
        created_at: at(i64::try_from(n).unwrap()),
        expires_at: Some(at(1_000)),
        last_used_at: None,
        revoked_at: None,
    };
    NewApiKey { key, hash: Digest::of(&n.to_le_bytes()) }
}

pub(crate) async fn keys_come_back_and_are_revoked_once(f: &Fixture) {
    let tx = f.store.begin().await.unwrap();
    for new in [key(2, "ann"), key(1, "ann"), key(3, "bob")] {
        tx.insert_key(&new).await.unwrap();
    }
    tx.commit().await.unwrap();
    let names = |keys: Vec<ApiKey>| keys.into_iter().map(|k| k.name).collect::<Vec<_>>();
    assert_eq!(names(f.store.keys(Some(&owner("ann"))).await.unwrap()), ["key 1", "key 2"]);
    assert_eq!(names(f.store.keys(None).await.unwrap()), ["key 1", "key 2", "key 3"]);
    assert_eq!(f.store.key_by_hash(&key(2, "ann").hash).await.unwrap(), Some(key(2, "ann").key));
    assert_eq!(f.store.key_by_hash(&Digest::of(b"other")).await.unwrap(), None);

    let id = key(2, "ann").key.id;
    let tx = f.store.begin().await.unwrap();
    assert!(!tx.revoke_key(Some(&owner("bob")), id, at(50)).await.unwrap(), "another user's key");
    assert!(tx.revoke_key(Some(&owner("ann")), id, at(51)).await.unwrap());
    assert!(tx.revoke_key(None, id, at(52)).await.unwrap());
    assert!(!tx.revoke_key(None, KeyId(Uuid::from_u128(99)), at(52)).await.unwrap());
    tx.commit().await.unwrap();
    let found = f.store.key_by_hash(&key(2, "ann").hash).await.unwrap().unwrap();
    assert_eq!(found.revoked_at, Some(at(51)), "the first time counts");
}

pub(crate) async fn the_use_of_a_key_is_noted_once_a_minute(f: &Fixture) {
    let new = key(1, "ann");
    let tx = f.store.begin().await.unwrap();
    tx.insert_key(&new).await.unwrap();
    tx.commit().await.unwrap();
    let used = async || f.store.key_by_hash(&new.hash).await.unwrap().unwrap().last_used_at;
    f.store.touch_key(new.key.id, at(10)).await.unwrap();
    assert_eq!(used().await, Some(at(10)));
    let before = f.store.statements();
    f.store.touch_key(new.key.id, at(69)).await.unwrap();
    assert_eq!(f.store.statements(), before, "a young note costs nothing");
    assert_eq!(used().await, Some(at(10)));
    // Another server has no memory of it, but the row has.
    f.again().await.touch_key(new.key.id, at(60)).await.unwrap();
    assert_eq!(used().await, Some(at(10)));
    f.store.touch_key(new.key.id, at(70)).await.unwrap();
    assert_eq!(used().await, Some(at(70)));
}

pub(crate) async fn device_tokens_come_back_and_are_revoked(f: &Fixture) {
    let token = DeviceToken {
        id: KeyId(Uuid::from_u128(5)),
        user: owner("ann"),
        hash: Digest::of(b"token"),
        hostname: "laptop".to_owned(),
        client: "specstory-cli".to_owned(),
        client_version: "2.3.4".to_owned(),
        os: "Linux".to_owned(),
        username: "ann".to_owned(),
        created_at: at(1),
        expires_at: at(2),
        last_used_at: None,
        revoked_at: None,
    };
    let tx = f.store.begin().await.unwrap();
    tx.insert_device_token(&token).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(f.store.device_token_by_hash(&token.hash).await.unwrap(), Some(token.clone()));
    assert_eq!(f.store.device_tokens(Some(&owner("ann"))).await.unwrap(), std::slice::from_ref(&token));
    assert_eq!(f.store.device_tokens(Some(&owner("bob"))).await.unwrap(), []);
    let tx = f.store.begin().await.unwrap();
    assert!(!tx.revoke_device_token(Some(&owner("bob")), token.id, at(9)).await.unwrap());
    assert!(tx.revoke_device_token(Some(&owner("ann")), token.id, at(9)).await.unwrap());
    tx.commit().await.unwrap();
    let found = f.store.device_token_by_hash(&token.hash).await.unwrap().unwrap();
    assert_eq!(found.revoked_at, Some(at(9)));
}

pub(crate) async fn import_sources_are_replaced_by_path(f: &Fixture) {
    let source = |path: &str, size: u64| ImportSource {
        path: path.to_owned(),
        size,
        modified_at: at(3).plus_micros(7),
        fingerprint: format!("v1 {size}"),
        sessions: 2,
    };
    let tx = f.store.begin().await.unwrap();
    tx.put_import_source(&owner("ann"), &source("/b", 1)).await.unwrap();
    tx.put_import_source(&owner("ann"), &source("/a", 1)).await.unwrap();
    tx.put_import_source(&owner("bob"), &source("/a", 9)).await.unwrap();
    tx.put_import_source(&owner("ann"), &source("/b", 5_000_000_000)).await.unwrap();
    tx.commit().await.unwrap();
    let found = f.store.import_sources(&owner("ann")).await.unwrap();
    assert_eq!(found, [source("/a", 1), source("/b", 5_000_000_000)]);
}

pub(crate) async fn the_data_version_moves_with_the_commit(f: &Fixture) {
    let (ann, bob) = (owner("ann"), owner("bob"));
    assert_eq!(f.store.data_version(&ann).await.unwrap(), 0);
    let tx = f.store.begin().await.unwrap();
    tx.bump_version(&ann).await.unwrap();
    assert_eq!(f.store.data_version(&ann).await.unwrap(), 0, "not committed yet");
    tx.commit().await.unwrap();
    assert_eq!(f.store.data_version(&ann).await.unwrap(), 1);
    let tx = f.store.begin().await.unwrap();
    tx.bump_version(&ann).await.unwrap();
    drop(tx);
    let tx = f.store.begin().await.unwrap();
    tx.bump_version(&ann).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(f.store.data_version(&ann).await.unwrap(), 2);
    assert_eq!(f.store.data_version(&bob).await.unwrap(), 0);
}

pub(crate) async fn it_opens_again_and_answers(f: &Fixture) {
    f.store.ping().await.unwrap();
    let again = f.again().await;
    again.ping().await.unwrap();
    assert_eq!(again.engine(), f.store.engine());
    assert!(!format!("{:?}", f.config).contains("store.db"), "a database url may hold a password");
}
