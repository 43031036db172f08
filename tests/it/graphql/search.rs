//! Search over GraphQL, with the documents that the shipped SDKs send.

use serde_json::json;

use super::texts;
use crate::harness::{Gateway, Sample};

/// What SpecStory's two SDKs send, to the letter.
const SDK: &str = "query SearchSessions($query: String!, $filters: SessionFilters, $limit: Int) { searchSessions(query: $query, filters: $filters, limit: $limit) { total results { id name projectId rank metadata { clientName tags } } } }";

async fn seeded() -> Gateway {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("a").named("a").user("The zeppelin landed safely")).await;
    gateway.seed(Sample::new("b").named("b").project("bbbb", "B").user("A zeppelin and another zeppelin")).await;
    gateway.seed(Sample::new("c").named("c").user("Nothing of the kind")).await;
    gateway
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdks_documents() {
    let gateway = seeded().await;
    for variables in [
        json!({ "query": "zeppelin" }),
        json!({ "query": "zeppelin", "limit": 200 }),
        json!({ "query": "zeppelin", "filters": { "projectIds": ["1111-2222-3333-4444", "bbbb"] }, "limit": 10 }),
    ] {
        let data = gateway.graphql(SDK, variables).await;
        let found = &data["searchSessions"];
        assert_eq!(found["total"], 2);
        let mut names = texts(&found["results"], "name");
        names.sort_unstable();
        assert_eq!(names, ["a", "b"]);
        let ranks: Vec<_> = found["results"].as_array().unwrap().iter().map(|r| r["rank"].as_f64().unwrap()).collect();
        assert!(ranks.iter().all(|rank| *rank > 0.0 && *rank <= 1.0) && ranks.is_sorted_by(|a, b| a >= b), "{ranks:?}");
        assert_eq!(found["results"][0]["metadata"]["clientName"], "specstory-cli");
    }
    let data = gateway.graphql(SDK, json!({ "query": "zeppelin", "filters": { "projectId": "bbbb" } })).await;
    assert_eq!(texts(&data["searchSessions"]["results"], "name"), ["b"]);
    for query in ["", "  ", "((( AND \"", "-", "*"] {
        let data = gateway.graphql(SDK, json!({ "query": query })).await;
        assert!(data["searchSessions"]["total"].is_u64(), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hits_with_everything() {
    let gateway = seeded().await;
    let query =
        "{ searchSessions(query: \"zeppelin\", first: 1, rankBy: RELEVANCE) { total totalCount query projectId tookMs
        edges { cursor node { sessionId clientId projectName userTitle snippet highlights markdownContent
          matchingMessages(first: 2) { ordinal role snippet message { id text ordinal } }
          matchingExchanges { orderNumber content } session { id metadata { agentName } } project { name } } }
        pageInfo { hasNextPage hasPreviousPage endCursor } facets { field buckets { value count } } } }";
    let found = &gateway.graphql(query, json!({})).await["searchSessions"];
    assert_eq!((&found["total"], &found["query"]), (&json!(2), &json!("zeppelin")));
    let hit = &found["edges"][0]["node"];
    assert!(hit["snippet"].as_str().unwrap().to_lowercase().contains("<mark>zeppelin</mark>"), "{hit:#}");
    assert!(!hit["highlights"].as_array().unwrap().is_empty());
    let message = &hit["matchingMessages"][0];
    assert_eq!(message["ordinal"], message["message"]["ordinal"]);
    assert!(message["message"]["text"].as_str().unwrap().contains("zeppelin"));
    let exchanges = hit["matchingExchanges"].as_array().unwrap();
    assert!(exchanges.len() == 1 && exchanges[0]["content"].as_str().unwrap().contains("zeppelin"), "{exchanges:?}");
    assert_eq!(hit["session"]["metadata"]["agentName"], "Claude Code");
    assert_eq!(hit["session"]["id"], hit["sessionId"]);
    let project = found["facets"].as_array().unwrap().iter().find(|f| f["field"] == "PROJECT").unwrap();
    assert_eq!(project["buckets"].as_array().unwrap().len(), 2);
    assert_eq!(found["pageInfo"]["hasNextPage"], true);
    let next = "query($c: String) { searchSessions(query: \"zeppelin\", first: 1, after: $c) { results { sessionId } pageInfo { hasNextPage hasPreviousPage } } }";
    let next = &gateway.graphql(next, json!({ "c": found["pageInfo"]["endCursor"] })).await["searchSessions"];
    assert_eq!(next["pageInfo"], json!({ "hasNextPage": false, "hasPreviousPage": true }));
    assert_ne!(next["results"][0]["sessionId"], hit["sessionId"]);
    let second = "{ searchSessions(query: \"zeppelin\", limit: 1, page: 2) { results { sessionId } } }";
    let second = &gateway.graphql(second, json!({})).await["searchSessions"];
    assert_eq!(second["results"], next["results"]);
}
