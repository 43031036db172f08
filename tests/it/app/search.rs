//! Search through the app: what is found follows what is stored.

use sg_app::{SearchRequest, SessionColumns};
use sg_domain::{FacetField, RankBy, SessionFilter};

use crate::harness::{Account, Gateway, Sample};

/// A plain search.
pub fn request(text: &str) -> SearchRequest {
    SearchRequest {
        text: text.to_owned(),
        filter: SessionFilter::default(),
        rank_by: RankBy::Relevance,
        limit: 20,
        offset: 0,
        facets: Vec::new(),
        snippets: true,
        messages_per_hit: 3,
        columns: SessionColumns::ALL,
    }
}

/// The client ids that a search by `me` finds, best first.
pub async fn found(gateway: &Gateway, text: &str) -> Vec<String> {
    found_by(gateway, &gateway.me, text).await
}

async fn found_by(gateway: &Gateway, who: &Account, text: &str) -> Vec<String> {
    let answer = gateway.app.search_sessions(&who.caller, &request(text)).await.unwrap();
    assert_eq!(answer.page.total, answer.page.hits.len() as u64);
    answer.page.hits.iter().map(|hit| answer.sessions[&hit.session].client_id.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_updated_session_drops_its_old_words() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("s1").silent().user("the marmalade jar")).await;
    assert_eq!(found(&gateway, "marmalade").await, ["s1"]);
    gateway.seed(Sample::new("s1").silent().user("the honey jar")).await;
    assert!(found(&gateway, "marmalade").await.is_empty());
    assert_eq!(found(&gateway, "honey").await, ["s1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_finds_nothing() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("s1").user("marmalade")).await;
    let other = gateway.other().await;
    assert!(found_by(&gateway, &other, "marmalade").await.is_empty());
    let mut facets = request("marmalade");
    facets.facets = FacetField::ALL.to_vec();
    let answer = gateway.app.search_sessions(&other.caller, &facets).await.unwrap();
    assert!(answer.page.facets.iter().all(|(_, buckets)| buckets.is_empty()), "facets leak nothing");
    assert_eq!(answer.page.suggestion, None, "nor does a suggestion");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hit_points_at_its_message() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("s1").user("nothing here").assistant("look at parse_config_v2 in src/config.rs")).await;
    let answer = gateway.app.search_sessions(&gateway.me.caller, &request("parse_config_v2")).await.unwrap();
    let hit = &answer.page.hits[0];
    assert_eq!(hit.messages[0].ordinal, 3);
    assert!(hit.rank > 0.0 && hit.rank <= 1.0);
    assert!(hit.snippet.as_deref().unwrap().contains("<mark>"), "{:?}", hit.snippet);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_index_is_rebuilt_from_the_store() {
    let gateway = Gateway::start().await;
    for n in 0..5 {
        gateway.seed(Sample::new(&format!("s{n}")).user("marmalade")).await;
    }
    let mut steps = Vec::new();
    let end = gateway.app.reindex(&gateway.me.caller, |progress| steps.push(progress.done)).await.unwrap();
    assert_eq!((end.done, end.total), (5, 5));
    assert_eq!(steps, [1, 2, 3, 4, 5]);
    assert_eq!(found(&gateway, "marmalade").await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_has_a_bounded_length() {
    let gateway = Gateway::start().await;
    let error = gateway.app.search_sessions(&gateway.me.caller, &request(&"x".repeat(5_000))).await.unwrap_err();
    assert_eq!(error.kind, sg_domain::ErrorKind::Invalid);
    assert!(found(&gateway, "   ").await.is_empty());
}
