//! Who may ask for what: every root field of GraphQL and every REST route x {nobody, a wrong scope, another account, the
//! right one}. The fields are read from the schema and the routes from their tables, so what is new fails until it has a
//! row here.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sg_domain::Scope;

use crate::specstory::world::{FULL, MINE, OWN, THEIRS, Who, World};

/// A root field, asked so that it tells whose data it is.
struct Field {
    name: &'static str,
    /// `$session`, `$message` and so on are ids of the first account's.
    query: &'static str,
    /// What the right caller's data holds, and nobody else's.
    shows: &'static str,
    /// What another account gets for the first one's ids.
    foreign: Foreign,
}

enum Foreign {
    /// Its own data, or nothing.
    Own,
    /// An error with NOT_FOUND.
    NotFound,
    /// Null without an error.
    Null,
}

const FIELDS: &[Field] = &[
    Field { name: "viewer", query: "{ viewer { id email } }", shows: "$user", foreign: Foreign::Own },
    Field { name: "projects", query: "{ projects { id name } }", shows: MINE, foreign: Foreign::Own },
    Field {
        name: "project",
        query: r#"{ project(id: "$project") { name sessions { nodes { name } } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "sessions",
        query: r#"{ sessions(filters: { projectId: "$project" }) { total nodes { id name markdownContent } } }"#,
        shows: MINE,
        foreign: Foreign::Own,
    },
    Field {
        name: "session",
        query: r#"{ session(id: "$session") { name markdownContent messages { nodes { id } } exchanges { content } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "node",
        query: r#"{ node(id: "$session") { id ... on Session { name } } }"#,
        shows: MINE,
        foreign: Foreign::Null,
    },
    Field {
        name: "nodes",
        query: r#"{ nodes(ids: ["$session"]) { id ... on Session { name } } }"#,
        shows: MINE,
        foreign: Foreign::Null,
    },
    Field {
        name: "searchSessions",
        query: r#"{ searchSessions(query: "heliotrope") { total results { id name snippet } } }"#,
        shows: "\"total\":3",
        foreign: Foreign::Own,
    },
    Field {
        name: "stats",
        query: "{ stats { totalSessions totalProjects uniqueGitBranches topTags { tag } } }",
        shows: MINE,
        foreign: Foreign::Own,
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn every_root_field_has_a_row() {
    let world = World::empty().await;
    let query = "{ __schema { queryType { fields { name } } mutationType { fields { name } }
        subscriptionType { fields { name } } } }";
    let schema = world.graphql(Who::Me, query, json!({})).await.json();
    let schema = &schema["data"]["__schema"];
    let fields = ["queryType", "mutationType", "subscriptionType"]
        .iter()
        .flat_map(|root| schema[root]["fields"].as_array().cloned().unwrap_or_default())
        .map(|field| field["name"].as_str().expect("a name").to_owned());
    let fields: BTreeSet<String> = fields.collect();
    let rows: BTreeSet<String> = FIELDS.iter().map(|field| field.name.to_owned()).collect();
    assert_eq!(fields, rows, "the schema on the left, the rows of this test on the right");
}

#[tokio::test(flavor = "multi_thread")]
async fn root_fields_answer_their_owner_alone() {
    let world = World::start().await;
    let ids = Ids::of(&world).await;
    for field in FIELDS {
        let (query, shows) = (ids.fill(field.query), ids.fill(field.shows));
        for who in [Who::Nobody, Who::Stranger] {
            let answer = world.graphql(who, &query, json!({})).await;
            assert_eq!(code(&answer.json()), "UNAUTHENTICATED", "{} for {who:?}: {}", field.name, answer.text());
            assert_eq!(answer.status, 401, "{} for {who:?}", field.name);
            assert!(!has_data(&answer.json()), "{} for {who:?}", field.name);
        }
        let scopeless = world.graphql(Who::WriteOnly, &query, json!({})).await;
        assert_eq!(code(&scopeless.json()), "FORBIDDEN", "{}: {}", field.name, scopeless.text());
        assert!(!scopeless.text().contains(&shows), "{}", field.name);

        let mine = world.graphql(Who::Me, &query, json!({})).await;
        assert!(mine.json()["errors"].is_null(), "{}: {}", field.name, mine.text());
        assert!(mine.text().contains(&shows), "{} shows no {shows}: {}", field.name, mine.text());
        assert!(!mine.text().contains(THEIRS), "{}: {}", field.name, mine.text());

        let foreign = world.graphql(Who::Other, &query, json!({})).await;
        let data = foreign.json()["data"].to_string();
        assert!(!data.contains(&shows), "{} shows another's {shows}: {data}", field.name);
        assert!(!data.contains(MINE), "{} shows another's data: {data}", field.name);
        match field.foreign {
            Foreign::NotFound => assert_eq!(code(&foreign.json()), "NOT_FOUND", "{}", field.name),
            Foreign::Own => assert!(foreign.json()["errors"].is_null(), "{}: {}", field.name, foreign.text()),
            Foreign::Null => {
                assert!(foreign.json()["errors"].is_null(), "{}: {}", field.name, foreign.text());
                assert!(!has_data(&foreign.json()), "{}: {}", field.name, foreign.text());
            }
        }
    }
}

/// A route's behaviour to another account, which has no project of this id.
const ROUTES: &[(&str, u16)] = &[
    ("list projects", 200),
    ("read project", 404),
    ("list sessions", 404),
    ("session sizes", 200),
    ("read session", 404),
    ("put session", 201),
    ("recent sessions", 200),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_route_has_a_row() {
    let routes: BTreeSet<_> = sg_rest::specstory::ROUTES.iter().map(|route| route.name).collect();
    let rows: BTreeSet<_> = ROUTES.iter().map(|(name, _)| *name).collect();
    assert_eq!(routes, rows, "the route table on the left, the rows of this test on the right");
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_answer_their_owner_alone() {
    let world = World::start().await;
    for route in sg_rest::specstory::ROUTES {
        let path = route.path.replace("{pid}", OWN).replace("{sid}", FULL);
        let (_, foreign) = ROUTES.iter().find(|(name, _)| *name == route.name).expect("a row");
        let wrong_scope = if route.scope == Some(Scope::Write) { Who::ReadOnly } else { Who::WriteOnly };
        for method in route.methods {
            for (who, status) in
                [(Who::Nobody, 401), (Who::Stranger, 401), (wrong_scope, 403), (Who::Other, *foreign), (Who::Me, 200)]
            {
                let answer = match body(route.name) {
                    Some(body) => world.tell(who, method, &path, &body).await,
                    None => world.ask(who, method, &path, &[]).await,
                };
                assert_eq!(answer.status, status, "{method} {path} for {who:?}: {}", answer.text());
                let is_mine = answer.text().contains(if route.name == "session sizes" { FULL } else { MINE });
                assert_eq!(is_mine, who == Who::Me && *method == "GET", "{method} {path} for {who:?}");
                // What another account writes under the same path is its own, and so is its tag.
                let has_tag = !answer.header("etag").is_empty() && answer.status != 201;
                assert!(!has_tag || who == Who::Me, "{method} {path} tells {who:?} a tag");
            }
        }
    }
    world.gateway.run_jobs().await;
}

/// The body that a route needs.
fn body(route: &str) -> Option<Value> {
    match route {
        "put session" => Some(json!({ "projectName": "p", "name": "n", "markdown": "# m", "rawData": "{}" })),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_at_once() {
    let world = World::start().await;
    assert_eq!(world.get("/api/v1/projects").await.status, 200);
    let me = world.caller(Who::Me);
    for key in world.gateway.app.keys(me, false).await.expect("keys") {
        world.gateway.app.revoke_key(me, key.id).await.expect("revoked");
    }
    let answer = world.get("/api/v1/projects").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["error"], "Token has been revoked");
    let answer = world.graphql(Who::Me, "{ projects { id } }", json!({})).await;
    assert_eq!((answer.status, code(&answer.json()).as_str()), (401, "UNAUTHENTICATED"));
}

/// Ids of the first account.
struct Ids {
    session: String,
    user: String,
}

impl Ids {
    async fn of(world: &World) -> Self {
        let query = r#"query($p: String!) { viewer { id } sessions(filters: { projectId: $p }) { nodes { id } } }"#;
        let data = world.graphql(Who::Me, query, json!({ "p": OWN })).await.json();
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no ids in {data}")).to_owned();
        Self { session: text(&data["data"]["sessions"]["nodes"][0]["id"]), user: text(&data["data"]["viewer"]["id"]) }
    }

    fn fill(&self, text: &str) -> String {
        text.replace("$session", &self.session).replace("$project", OWN).replace("$user", &self.user)
    }
}

fn code(answer: &Value) -> String {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}

/// Whether anything but null is in the data.
fn has_data(answer: &Value) -> bool {
    fn is_empty(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Object(map) => map.values().all(is_empty),
            Value::Array(items) => items.iter().all(is_empty),
            _ => false,
        }
    }
    !is_empty(&answer["data"])
}
