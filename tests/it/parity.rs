//! REST against GraphQL: for every route the query that asks the same. Same data, same visibility, and for one refusal
//! the status that belongs to the other's code. A route without a twin fails.

use serde_json::{Value, json};
use sg_domain::{ErrorKind, Timestamp};

use crate::specstory::world::{FULL, OWN, SHARED, Who, World};

mod change;
mod share;

/// A route's twin.
struct Twin {
    /// The route's name in its table.
    route: &'static str,
    /// Beside the path: query string, or the body of what is asked by `POST`; and `Accept`.
    query: &'static str,
    accept: &'static str,
    /// GraphQL that asks the same.
    document: &'static str,
    /// Makes both answers comparable: what REST said, what GraphQL said.
    shape: fn(Value, Value) -> (Value, Value),
}

const PROJECT: &str = "id ownerId name icon color createdAt updatedAt lastUpdated sessionCount totalMarkdownSize";
const SESSION: &str = "clientId projectId name userTitle markdownSize rawDataSize sessionDataSize createdAt updatedAt
    startedAt endedAt etag metadata { clientName clientVersion agentName agentVersion deviceId machineName gitBranches
    llmModels tags title markdownVersion summary folder gitRemote }";

const TWINS: &[Twin] = &[
    Twin {
        route: "list projects",
        query: "",
        accept: "*/*",
        document: "{ projects { PROJECT } }",
        shape: |rest, graphql| (rest["data"]["projects"].clone(), graphql["projects"].clone()),
    },
    Twin {
        route: "list projects",
        query: "?resumable=true",
        accept: "*/*",
        document: r#"{ projects { PROJECT sessions(orderBy: "endedAt") { nodes { SESSION } } } }"#,
        shape: |rest, graphql| {
            let resumable = items(&graphql["projects"]).iter().filter_map(|project| {
                let mut project = project.clone();
                let sessions = items(&project["sessions"]["nodes"]).iter();
                let resumable = sessions.filter(|session| session["sessionDataSize"].as_u64() > Some(0)).cloned();
                project["sessions"] = resumable.collect();
                (!items(&project["sessions"]).is_empty()).then_some(project)
            });
            (rest["data"]["projects"].clone(), resumable.collect())
        },
    },
    Twin {
        route: "read project",
        query: "",
        accept: "*/*",
        document: "query($pid: String!) { project(id: $pid) { PROJECT } }",
        shape: |rest, graphql| (rest["data"]["project"].clone(), graphql["project"].clone()),
    },
    Twin {
        route: "list sessions",
        query: "",
        accept: "*/*",
        document: r#"query($pid: String!) {
            project(id: $pid) { sessions(orderBy: "endedAt") { total sessions { SESSION } } }
        }"#,
        shape: |rest, graphql| (rest["data"].clone(), graphql["project"]["sessions"].clone()),
    },
    Twin {
        route: "list sessions",
        query: "?limit=1",
        accept: "*/*",
        document: r#"query($pid: String!) {
            project(id: $pid) { sessions(orderBy: "endedAt", limit: 1) { total sessions { SESSION } } }
        }"#,
        shape: |rest, graphql| (rest["data"].clone(), graphql["project"]["sessions"].clone()),
    },
    Twin {
        route: "project activity",
        query: "",
        accept: "*/*",
        document: "query($pid: String!) { project(id: $pid) { id activity { sessions sessionsLastWeek sessionsLastMonth
            machines machinesLastMonth firstAt lastAt sessionsPerWeek } } }",
        shape: |rest, graphql| {
            let (rest, activity) = (&rest["data"], &graphql["project"]["activity"]);
            let figures =
                |of: &Value, names: [&str; 7]| -> Value { names.map(|name| of[name].clone()).to_vec().into() };
            let flat = json!({
                "a": rest["sessions"]["total"], "b": rest["sessions"]["last_7_days"],
                "c": rest["sessions"]["last_30_days"], "d": rest["contributors"]["total"],
                "e": rest["contributors"]["active_last_30_days"], "f": rest["activity"]["first_session"],
                "g": rest["activity"]["last_session"],
            });
            let names = [
                "sessions",
                "sessionsLastWeek",
                "sessionsLastMonth",
                "machines",
                "machinesLastMonth",
                "firstAt",
                "lastAt",
            ];
            let graphql = figures(activity, names);
            (figures(&flat, ["a", "b", "c", "d", "e", "f", "g"]), graphql)
        },
    },
    Twin {
        route: "session sizes",
        query: "",
        accept: "*/*",
        document: "query($pid: String!) {
            sessions(filters: { projectId: $pid }) { nodes { clientId markdownSize sessionDataSize } }
        }",
        shape: |rest, graphql| {
            let mut sizes = serde_json::Map::new();
            for session in items(&graphql["sessions"]["nodes"]) {
                let id = session["clientId"].as_str().expect("an id");
                sizes.insert(id.to_owned(), session["markdownSize"].clone());
                if !session["sessionDataSize"].is_null() {
                    sizes.insert(format!("{id}:sessionData"), session["sessionDataSize"].clone());
                }
            }
            let count = rest["data"]["sessions"].as_object().map(serde_json::Map::len);
            assert_eq!(count, Some(sizes.len()));
            (rest["data"]["sessions"].clone(), sizes.into())
        },
    },
    Twin {
        route: "recent sessions",
        query: "?limit=2",
        accept: "*/*",
        document: r#"{ sessions(orderBy: "lastActivity", limit: 2) { nodes { SESSION project { id name icon color } } } }"#,
        shape: |rest, graphql| (rest["data"]["sessions"].clone(), graphql["sessions"]["nodes"].clone()),
    },
    Twin {
        route: "read session",
        query: "",
        accept: "application/json",
        document: "query($pid: String!, $sid: String!) { session(projectId: $pid, sessionId: $sid) { SESSION
            markdownContent shareStatus project { id name icon color }
            exchanges { id content orderNumber createdAt updatedAt userTitle hiddenFromShare } } }",
        shape: |rest, graphql| {
            let mut graphql = graphql["session"].clone();
            if let Some(status) = graphql["shareStatus"].as_str() {
                graphql["shareStatus"] = status.to_lowercase().into();
            }
            (rest["data"]["session"].clone(), graphql)
        },
    },
    Twin {
        route: "read session",
        query: "",
        accept: "text/markdown",
        document: "query($pid: String!, $sid: String!) { session(projectId: $pid, sessionId: $sid) { markdownContent } }",
        shape: |rest, graphql| (rest, graphql["session"]["markdownContent"].clone()),
    },
    Twin {
        route: "read session",
        query: "",
        accept: "application/vnd.specstory.session-data+json",
        document: "query($pid: String!, $sid: String!) { session(projectId: $pid, sessionId: $sid) { sessionData } }",
        shape: |rest, graphql| (rest, graphql["session"]["sessionData"].clone()),
    },
    Twin {
        route: "search resumable",
        query: r#"{"query":"helio \"in the"}"#,
        accept: "*/*",
        document: r#"{ resumableSessions(query: "helio \"in the") { RESUMABLE } }"#,
        shape: same_resumable,
    },
    Twin {
        route: "search resumable",
        query: r#"{"query":"vermi","projectId":"$pid"}"#,
        accept: "*/*",
        document: r#"query($pid: String!) { resumableSessions(query: "vermi", projectId: $pid) { RESUMABLE } }"#,
        shape: same_resumable,
    },
    Twin {
        route: "list API tokens",
        query: "",
        accept: "*/*",
        document: "{ apiKeys { id name prefix scopes createdAt expiresAt lastUsedAt revokedAt } }",
        shape: |rest, mut graphql| {
            for key in graphql["apiKeys"].as_array_mut().expect("keys") {
                let scopes = items(&key["scopes"]).iter().filter_map(Value::as_str).map(str::to_lowercase);
                key["scopes"] = scopes.collect();
            }
            (rest["data"]["tokens"].clone(), graphql["apiKeys"].clone())
        },
    },
];

/// What both say of a session to resume.
const RESUMABLE: &str = "clientId projectName snippet session { clientId projectId name userTitle sessionDataSize
    createdAt updatedAt startedAt endedAt metadata { clientName agentName deviceId machineName tags title } }";

fn same_resumable(rest: Value, graphql: Value) -> (Value, Value) {
    let flat = items(&graphql["resumableSessions"]).iter().map(|hit| {
        let mut flat = hit["session"].clone();
        ["clientId", "projectName", "snippet"].into_iter().for_each(|field| flat[field] = hit[field].clone());
        flat
    });
    (rest["data"]["results"].clone(), flat.collect())
}

impl Twin {
    fn path(&self, project: &str, session: &str) -> String {
        let routes = sg_rest::specstory::ROUTES;
        let route = routes.iter().find(|route| route.name == self.route).expect("the table has the route");
        let path = route.path.replace("{pid}", project).replace("{sid}", session);
        if self.is_posted() { path } else { path + self.query }
    }

    fn is_posted(&self) -> bool {
        self.query.starts_with('{')
    }

    /// What each surface says: the status and the data of REST, the code and the data of GraphQL.
    async fn ask(&self, world: &World, who: Who, project: &str, session: &str) -> (u16, Value, Option<String>, Value) {
        let path = self.path(project, session);
        let (method, body) =
            if self.is_posted() { ("POST", self.query.replace("$pid", project)) } else { ("GET", String::new()) };
        let rest = world.send(who, method, &path, &[("accept", self.accept)], body.into()).await;
        let data = match self.accept {
            "application/json" | "*/*" => rest.json(),
            _ => rest.text().into(),
        };
        let document =
            self.document.replace("PROJECT", PROJECT).replace("SESSION", SESSION).replace("RESUMABLE", RESUMABLE);
        let mut variables = json!({ "pid": project, "sid": session });
        variables.as_object_mut().expect("a map").retain(|name, _| document.contains(&format!("${name}")));
        let graphql = world.graphql(who, &document, variables).await.json();
        let code = graphql["errors"][0]["extensions"]["code"].as_str().map(str::to_owned);
        (rest.status, data, code, graphql["data"].clone())
    }
}

/// Routes that ask nothing a GraphQL query could ask, and why.
const ALONE: &[(&str, &str)] = &[
    ("shared session", "open to everyone; `share.rs` compares it with `sharedSession`"),
    ("shared markdown", "open to everyone; `share.rs` compares it with `sharedSession`"),
    ("openapi", "describes this API; GraphQL describes itself"),
    ("entitlement", "says what the server is, not what is in it"),
    ("skills", "a service of the hosted product that this server does not have"),
    ("skill runs", "a service of the hosted product that this server does not have"),
    ("run skills", "a service of the hosted product that this server does not have"),
    ("decide dossier", "a service of the hosted product that this server does not have"),
    ("install skill", "a service of the hosted product that this server does not have"),
    ("device login", "for devices alone, which speak no GraphQL"),
    ("device refresh", "for devices alone, which speak no GraphQL"),
    ("device logout", "for devices alone, which speak no GraphQL"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_route_has_a_twin() {
    for route in sg_rest::specstory::ROUTES {
        let has_twin = TWINS.iter().any(|twin| twin.route == route.name);
        let changes = change::TWINS.iter().any(|twin| twin.route == route.name);
        let alone = ALONE.iter().any(|(name, _)| *name == route.name);
        assert!(has_twin || changes || alone, "{} has no twin in GraphQL here", route.name);
        assert!(!(alone && (has_twin || changes)), "{} has a twin and is said to have none", route.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_say_the_same_to_each_account() {
    let world = World::start().await;
    for twin in TWINS {
        for (who, project) in [(Who::Me, SHARED), (Who::Me, OWN), (Who::Other, SHARED)] {
            let at = format!("{} {} for {who:?} in {project}", twin.path(project, FULL), twin.accept);
            let (status, rest, code, graphql) = twin.ask(&world, who, project, FULL).await;
            if status == 404 {
                // GraphQL says by null what REST says by 404 of a part that a session need not have.
                assert!(code.is_none() && graphql["session"]["sessionData"].is_null(), "{at}: {code:?}");
                continue;
            }
            assert_eq!((status, &code), (200, &None), "{at}");
            let (rest, graphql) = (twin.shape)(rest, graphql);
            assert!(!graphql.is_null(), "{at} has no data");
            agree(&at, &rest, &graphql);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_refuse_the_same_people() {
    let world = World::start().await;
    for twin in TWINS {
        for (who, kind) in [
            (Who::Nobody, ErrorKind::Unauthenticated),
            (Who::Stranger, ErrorKind::Unauthenticated),
            (Who::WriteOnly, ErrorKind::Forbidden),
        ] {
            let (status, _, code, _) = twin.ask(&world, who, SHARED, FULL).await;
            assert_eq!((status, code.as_deref()), (kind.status(), Some(kind.code())), "{} for {who:?}", twin.route);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_hide_what_is_not_there_or_not_theirs() {
    let world = World::start().await;
    for twin in TWINS
        .iter()
        .filter(|twin| ["read project", "read session", "list sessions", "project activity"].contains(&twin.route))
    {
        for (who, project) in [(Who::Me, "no-such-project"), (Who::Other, OWN)] {
            let (status, _, code, _) = twin.ask(&world, who, project, FULL).await;
            assert_eq!((status, code.as_deref()), (404, Some("NOT_FOUND")), "{} for {who:?}", twin.path(project, FULL));
        }
    }
}

/// Everything that GraphQL was asked for, REST says too. Times compare as instants to the millisecond: REST writes no
/// more. A field that REST leaves out is null.
fn agree(at: &str, rest: &Value, graphql: &Value) {
    match (rest, graphql) {
        (Value::Object(rest), Value::Object(graphql)) => {
            for (key, value) in graphql {
                agree(&format!("{at}.{key}"), rest.get(key).unwrap_or(&Value::Null), value);
            }
        }
        (Value::Array(rest), Value::Array(graphql)) => {
            assert_eq!(rest.len(), graphql.len(), "{at}");
            rest.iter().zip(graphql).enumerate().for_each(|(i, (r, g))| agree(&format!("{at}.{i}"), r, g));
        }
        (Value::String(rest), Value::String(graphql)) if rest != graphql => {
            let millis = |text: &str| Timestamp::parse(text).map(Timestamp::to_iso_millis);
            assert_eq!(millis(rest), millis(graphql), "{at}");
            assert!(millis(rest).is_some(), "{at}: {rest:?} and {graphql:?}");
        }
        _ => assert_eq!(rest, graphql, "{at}"),
    }
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}
