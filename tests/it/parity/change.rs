//! Changes by REST against changes by GraphQL: two servers that begin alike are alike again after both, and whoever may
//! not change by the one may not by the other.

use serde_json::{Value, json};
use sg_domain::ErrorKind;

use crate::specstory::world::{FULL, OWN, Who, World};

/// A route that changes something, and its twin.
pub(super) struct Twin {
    /// The route's name in its table.
    pub(super) route: &'static str,
    /// What REST sends.
    body: &'static str,
    /// The mutation; `$session`, `$exchange` and `$project` are ids of the first account.
    document: &'static str,
}

pub(super) const TWINS: &[Twin] = &[
    Twin {
        route: "put session",
        body: r##"{"projectName":"p","name":"n","markdown":"# m","rawData":"{}","sessionData":"{\"a\": 1}",
            "metadata":{"clientName":"sdk","tags":["x","y"],"llmModels":[],"agentName":null}}"##,
        document: r##"mutation { putSession(input: { projectId: "$project", projectName: "p", sessionId: "$client",
            name: "n", markdown: "# m", rawData: "{}", sessionData: "{\"a\": 1}",
            metadata: { clientName: "sdk", tags: ["x", "y"], llmModels: [] } }) { session { id } outcome } }"##,
    },
    Twin {
        route: "update project",
        body: r##"{"name":"another name","icon":"Bug","color":"#FF5733"}"##,
        document: r##"mutation { updateProject(input: { id: "$project", name: "another name", icon: "Bug",
            color: "#FF5733" }) { project { id } } }"##,
    },
    Twin {
        route: "delete project",
        body: "",
        document: r#"mutation { deleteProject(input: { id: "$project" }) { deletedProjectId } }"#,
    },
    Twin {
        route: "update session",
        body: r#"{"userTitle":"a title","shareStatus":"unlisted"}"#,
        document: r#"mutation { updateSession(input: { projectId: "$project", sessionId: "$client",
            userTitle: "a title", shareStatus: UNLISTED }) { session { id } } }"#,
    },
    Twin {
        route: "delete session",
        body: "",
        document: r#"mutation { deleteSession(input: { id: "$session" }) { deletedSessionId } }"#,
    },
    Twin {
        route: "update exchange",
        body: r#"{"userTitle":"a title","hiddenFromShare":true}"#,
        document: r#"mutation { updateExchange(input: { id: "$exchange", userTitle: "a title",
            hiddenFromShare: true }) { exchange { id } } }"#,
    },
    Twin {
        route: MAKES_OWN,
        body: r#"{"name":"another","scopes":["read"],"expiresAt":"2027-01-31T00:00:00Z"}"#,
        document: r#"mutation { createApiKey(input: { name: "another", scopes: [READ],
            expiresAt: "2027-01-31T00:00:00Z" }) { secret } }"#,
    },
    Twin {
        route: "revoke API token",
        body: "",
        document: r#"mutation { revokeApiKey(input: { id: "$key" }) { revokedApiKeyId } }"#,
    },
];

/// Whoever asks for this gets their own.
const MAKES_OWN: &str = "create API token";

/// Everything that the first account sees.
async fn state(world: &World) -> Value {
    let query = "{ deletedSessions { totalCount nodes { id clientId etag deletedAt } } projects { id name icon color createdAt updatedAt lastUpdated sessionCount totalMarkdownSize }
        apiKeys { name scopes expiresAt revokedAt }
        sessions(orderBy: \"name\") { nodes { id clientId projectId name userTitle shareStatus etag updatedAt
            markdownContent metadata { tags agentName llmModels } exchanges { id userTitle hiddenFromShare } } } }";
    let answer = world.graphql(Who::Me, query, json!({})).await.json();
    assert!(answer["errors"].is_null(), "{answer:#}");
    answer["data"].clone()
}

/// The first account's session in its own project: its id and that of its exchange; and of a key that no test asks with
/// once it is revoked.
async fn ids(world: &World) -> (String, String, String) {
    let query = r#"query($p: String!) { apiKeys { id } sessions(filters: { projectId: $p }) { nodes { id exchanges { id } } } }"#;
    let data = world.graphql(Who::Me, query, json!({ "p": OWN })).await.json();
    let text = |at: &str| data["data"].pointer(at).and_then(Value::as_str).expect("an id").to_owned();
    (text("/sessions/nodes/0/id"), text("/sessions/nodes/0/exchanges/0/id"), text("/apiKeys/1/id"))
}

async fn by_rest(world: &World, twin: &Twin, who: Who) -> (u16, Value) {
    let route = sg_rest::specstory::ROUTES.iter().find(|route| route.name == twin.route).expect("the route");
    let (_, exchange, key) = ids(world).await;
    let path = route.path.replace("{pid}", OWN).replace("{sid}", FULL).replace("{xid}", &exchange);
    let path = path.replace("{id}", &key);
    let headers = [("content-type", "application/json")];
    let answer = world.send(who, route.methods[0], &path, &headers, twin.body.into()).await;
    (answer.status, answer.json())
}

async fn by_graphql(world: &World, twin: &Twin, who: Who) -> Option<String> {
    let (session, exchange, key) = ids(world).await;
    let document = twin.document.replace("$session", &session).replace("$exchange", &exchange);
    let document = document.replace("$project", OWN).replace("$client", FULL).replace("$key", &key);
    let answer = world.graphql(who, &document, json!({})).await.json();
    answer["errors"][0]["extensions"]["code"].as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_change_the_same() {
    for twin in TWINS {
        let (one, other) = (World::start().await, World::start().await);
        let before = state(&one).await;
        assert_eq!(before, state(&other).await, "the worlds begin alike");
        let (status, body) = by_rest(&one, twin, Who::Me).await;
        assert!((200..300).contains(&status), "{}: {status} {body}", twin.route);
        assert_eq!(by_graphql(&other, twin, Who::Me).await, None, "{}", twin.route);
        let (by_rest, by_graphql) = (state(&one).await, state(&other).await);
        assert_eq!(by_rest, by_graphql, "{}", twin.route);
        assert_ne!(by_rest, before, "{} changed nothing", twin.route);
        one.gateway.run_jobs().await;
        other.gateway.run_jobs().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_refuse_the_same_people_and_change_nothing() {
    let world = World::start().await;
    let before = state(&world).await;
    for twin in TWINS {
        for (who, kind) in [
            (Who::Nobody, ErrorKind::Unauthenticated),
            (Who::Stranger, ErrorKind::Unauthenticated),
            (Who::ReadOnly, ErrorKind::Forbidden),
            (Who::Other, ErrorKind::NotFound),
        ] {
            // Under the same ids another account stores a session of its own.
            if twin.route == "put session" && who == Who::Other {
                continue;
            }
            if twin.route == MAKES_OWN && who == Who::Other {
                continue;
            }
            let (status, _) = by_rest(&world, twin, who).await;
            let code = by_graphql(&world, twin, who).await;
            assert_eq!((status, code.as_deref()), (kind.status(), Some(kind.code())), "{} for {who:?}", twin.route);
        }
    }
    assert_eq!(state(&world).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_not_read_is_refused_before_anything_has_changed() {
    let world = World::start().await;
    let before = state(&world).await;
    // Their answers show what they changed.
    for route in ["put session", "update project", "update session", "update exchange"] {
        let twin = TWINS.iter().find(|twin| twin.route == route).expect("a twin");
        let code = by_graphql(&world, twin, Who::WriteOnly).await;
        assert_eq!(code.as_deref(), Some("FORBIDDEN"), "{route}");
    }
    assert_eq!(state(&world).await, before);
}
