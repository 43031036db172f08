//! Share links and summaries: whose they are, what is counted, what goes with the session.

use sg_domain::{Digest, MadeNarrative, Narrative, ShareLink, ShareLinkId, Summary, SummaryFacts, UserId, Visibility};
use sg_store::GuessAllowance;
use uuid::Uuid;

use super::Fixture;
use super::sample::{at, exchanges, messages, owner, project, put_with, session};

fn link(n: u128, session: sg_domain::SessionId, owner: &UserId, ends: i64) -> ShareLink {
    ShareLink {
        id: ShareLinkId(Uuid::from_u128(n)),
        session,
        owner: owner.clone(),
        token_hash: Digest::of(&n.to_be_bytes()),
        password_hash: (n % 2 == 1).then(|| format!("hash-{n}")),
        created_at: at(n as i64),
        expires_at: at(ends),
        revoked_at: None,
    }
}

pub(crate) async fn links_are_their_owners_and_go_with_the_session(f: &Fixture) {
    let (ann, bob) = (owner("ann"), owner("bob"));
    let (mine, theirs) = (Visibility::Owner(ann.clone()), Visibility::Owner(bob.clone()));
    let key = project(&f.store, &ann, "p").await;
    let shared = session(6, &ann, "p", key);
    put_with(&f.store, &shared, &messages(1), &exchanges(1)).await;
    let links = [link(1, shared.id, &ann, 100), link(2, shared.id, &ann, 200), link(3, shared.id, &ann, 300)];
    let tx = f.store.begin().await.unwrap();
    for link in &links {
        assert!(tx.insert_share_link(link).await.unwrap());
    }
    assert!(!tx.insert_share_link(&link(4, shared.id, &bob, 100)).await.unwrap(), "another's session");
    assert_eq!(tx.open_share_links(shared.id, at(100)).await.unwrap(), 2, "one has ended");
    tx.commit().await.unwrap();
    let found = f.store.share_links(&mine, &[shared.id]).await.unwrap();
    assert_eq!(found, [links[2].clone(), links[1].clone(), links[0].clone()]);
    assert!(f.store.share_links(&theirs, &[shared.id]).await.unwrap().is_empty());
    assert!(f.store.share_links(&mine, &[]).await.unwrap().is_empty());

    let tx = f.store.begin().await.unwrap();
    assert!(!tx.revoke_share_link(&bob, links[0].id, None, at(50)).await.unwrap());
    assert!(!tx.revoke_share_link(&ann, links[0].id, Some("no archive"), at(50)).await.unwrap());
    assert!(tx.revoke_share_link(&ann, links[0].id, None, at(50)).await.unwrap());
    assert!(tx.revoke_share_link(&ann, links[0].id, None, at(60)).await.unwrap(), "again");
    tx.drop_ended_share_links(shared.id, at(250)).await.unwrap();
    assert_eq!(tx.revoke_links_of(shared.id, at(70)).await.unwrap(), 1, "the others are gone");
    tx.commit().await.unwrap();
    assert!(f.store.share_links(&mine, &[shared.id]).await.unwrap().is_empty());

    let tx = f.store.begin().await.unwrap();
    assert!(tx.trash_session(&ann, shared.id, at(80)).await.unwrap());
    assert!(!tx.insert_share_link(&link(5, shared.id, &ann, 900)).await.unwrap(), "in the trash");
    assert!(tx.purge_session(&ann, shared.id).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(f.store.share_target(&links[2].token_hash).await.unwrap(), None);
}

pub(crate) async fn guesses_are_counted_over_a_window(f: &Fixture) {
    let ann = owner("ann");
    let key = project(&f.store, &ann, "p").await;
    let shared = session(6, &ann, "p", key);
    put_with(&f.store, &shared, &messages(1), &exchanges(1)).await;
    let link = link(1, shared.id, &ann, 10_000);
    let tx = f.store.begin().await.unwrap();
    tx.insert_share_link(&link).await.unwrap();
    tx.commit().await.unwrap();
    let allowance = GuessAllowance { guesses: 2, window_micros: 10 * 1_000_000 };
    let guess = async |secs: i64| {
        let tx = f.store.begin().await.unwrap();
        let until = tx.count_share_guess(link.id, allowance, at(secs)).await.unwrap();
        tx.commit().await.unwrap();
        until
    };
    assert_eq!(guess(0).await, None);
    assert_eq!(guess(4).await, None);
    assert_eq!(guess(5).await, Some(at(10)), "the window begins with the first");
    let tx = f.store.begin().await.unwrap();
    tx.forgive_share_guess(link.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(guess(6).await, None);
    assert_eq!(guess(7).await, Some(at(10)));
    assert_eq!(guess(10).await, None, "a new window");
    assert_eq!(guess(11).await, None);
    assert_eq!(guess(12).await, Some(at(20)));
}

pub(crate) async fn a_summary_is_replaced_and_its_narrative_stays(f: &Fixture) {
    let (ann, bob) = (owner("ann"), owner("bob"));
    let mine = Visibility::Owner(ann.clone());
    let key = project(&f.store, &ann, "p").await;
    let told_of = session(6, &ann, "p", key);
    put_with(&f.store, &told_of, &messages(1), &exchanges(1)).await;
    let facts =
        SummaryFacts { files_modified: vec!["/ü\u{0}".to_owned()], tests_failed: 7, ..SummaryFacts::default() };
    let summary = Summary { session: told_of.id, made_of: Digest::of(b"1"), facts, made_at: at(5), narrative: None };
    let told = MadeNarrative { narrative: Narrative::default(), model: "m".to_owned(), made_at: at(6) };
    let tx = f.store.begin().await.unwrap();
    assert!(!tx.put_narrative(told_of.id, &told).await.unwrap(), "beside nothing");
    assert!(tx.put_summary(&summary).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(f.store.summaries(&mine, &[told_of.id]).await.unwrap(), std::slice::from_ref(&summary));
    assert!(f.store.summaries(&Visibility::Owner(bob), &[told_of.id]).await.unwrap().is_empty());
    let tx = f.store.begin().await.unwrap();
    assert!(tx.put_narrative(told_of.id, &told).await.unwrap());
    let again = Summary { made_of: Digest::of(b"2"), facts: SummaryFacts::default(), made_at: at(9), ..summary };
    assert!(tx.put_summary(&again).await.unwrap());
    let wanted = Summary { narrative: Some(told), ..again };
    assert_eq!(tx.summary(told_of.id).await.unwrap(), Some(wanted.clone()));
    assert!(tx.trash_session(&ann, told_of.id, at(80)).await.unwrap());
    assert!(!tx.put_summary(&wanted).await.unwrap(), "in the trash");
    tx.commit().await.unwrap();
    assert!(f.store.summaries(&mine, &[told_of.id]).await.unwrap().is_empty());
}
