//! The shape of the documents that SpecStory's clients and examples send.

use serde_json::json;

use crate::harness::{Gateway, Sample};

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_of_the_clients() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("a").with(|m| m.tags = Some(vec!["x".to_owned()]))).await;
    for query in [
        "{ projects { id ownerId name icon color sessionCount lastUpdated totalMarkdownSize createdAt updatedAt lastActivity } }",
        "{ sessions(filters: { projectId: \"1111-2222-3333-4444\" }, limit: 200, offset: 0, orderBy: \"createdAt\", orderDirection: \"desc\") { sessions { id projectId name markdownSize rawDataSize createdAt updatedAt startedAt endedAt metadata { clientName clientVersion agentName deviceId gitBranches llmModels tags summary } } total hasNextPage hasPreviousPage } }",
        "{ session(projectId: \"1111-2222-3333-4444\", sessionId: \"a\") { id projectId name markdownContent metadata { tags } } }",
        "query($projectId: String!, $limit: Int) { project(id: $projectId) { id name sessions(limit: $limit) { total items { id name createdAt } } } }",
        "query($projectId: ID!) { project(id: $projectId) { name sessions(first: 5) { pageInfo { hasNextPage endCursor } edges { cursor node { id } } } stats { totalSessions totalMarkdownSize totalRawDataSize uniqueLLMModels uniqueGitBranches sessionsByDay(days: 30) { date count } topTags(limit: 5) { tag count } } } }",
        "{ stats { totalSessions totalProjects sessionsThisWeek topLLMModels(limit: 5) { model count } topTags { tag count } sessionsByDay { date count } } }",
        "{ __type(name: \"Session\") { kind name fields { name } } }",
        "fragment SessionBasics on Session { id name createdAt } { sessions(first: 3) { nodes { ...SessionBasics } } }",
    ] {
        let data = gateway.graphql(query, json!({ "projectId": "1111-2222-3333-4444" })).await;
        assert!(data.as_object().unwrap().values().all(|value| !value.is_null()), "{query}\n{data:#}");
    }
    let stats =
        "{ project(id: \"1111-2222-3333-4444\") { stats { totalSessions uniqueLLMModels topTags { tag count } } } }";
    let stats = &gateway.graphql(stats, json!({})).await["project"]["stats"];
    assert_eq!(
        *stats,
        json!({ "totalSessions": 1, "uniqueLLMModels": ["claude-opus-4-6"], "topTags": [{ "tag": "x", "count": 1 }] })
    );
}
