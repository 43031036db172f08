//! Who may ask for what: every root field of GraphQL and every REST route x {nobody, a wrong scope, another account, the
//! right one}. The fields are read from the schema and the routes from their tables, so what is new fails until it has a
//! row here.

mod account;
mod archive;
mod audit;
mod handoff;
mod page;
mod route;
mod sessionfs;
mod share_link;
mod summary;
mod sync;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sg_app::SessionUpdate;
use sg_domain::id::SessionRef;
use sg_domain::{ProjectId, ShareStatus};

use crate::sessionfs::world::{ARCHIVED, given_to_oneself};
use crate::specstory::world::{BARE, MINE, OWN, SHARED, THEIRS, Who, World};

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
    /// The same as everyone who is signed in: it is shared.
    Shared,
    /// It makes something of its own by the same words.
    Makes,
}

/// The rows, noun by noun.
fn fields() -> impl Iterator<Item = &'static Field> {
    let nouns = [
        FIELDS,
        account::FIELDS,
        archive::FIELDS,
        audit::FIELDS,
        handoff::FIELDS,
        share_link::FIELDS,
        summary::FIELDS,
        sync::FIELDS,
    ];
    nouns.into_iter().flatten()
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
        name: "resumableSessions",
        query: r#"{ resumableSessions(query: "heliotrope") { id projectName snippet session { name } } }"#,
        shows: MINE,
        foreign: Foreign::Own,
    },
    Field {
        name: "sharedSession",
        query: r#"{ sharedSession(id: "$shared") { name } }"#,
        shows: MINE,
        foreign: Foreign::Shared,
    },
    Field { name: "rateLimit", query: "{ rateLimit { cost limit } }", shows: "\"cost\":1", foreign: Foreign::Shared },
    Field { name: "apiKeys", query: "{ apiKeys { id name prefix scopes } }", shows: "$key", foreign: Foreign::Own },
    Field { name: "devices", query: "{ devices { id hostname client } }", shows: "$device", foreign: Foreign::Own },
    Field {
        name: "revokeDevice",
        query: r#"mutation { revokeDevice(input: { id: "$device" }) { revokedDeviceId } }"#,
        shows: "$device",
        foreign: Foreign::NotFound,
    },
    Field {
        name: "updateProject",
        query: r#"mutation { updateProject(input: { id: "$project", icon: "Bug" }) { project { name icon } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "putSession",
        query: r#"mutation { putSession(input: { projectId: "$project", projectName: "p", sessionId: "new",
            name: "heliotrope", markdown: "m", rawData: "{}" }) { session { name } } }"#,
        shows: MINE,
        foreign: Foreign::Makes,
    },
    Field {
        name: "deleteProject",
        query: r#"mutation { deleteProject(input: { id: "$project" }) { deletedProjectId } }"#,
        shows: OWN,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "updateSession",
        query: r#"mutation { updateSession(input: { id: "$session", userTitle: "t" }) { session { name } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "deleteSession",
        query: r#"mutation { deleteSession(input: { id: "$session" }) { deletedSessionId } }"#,
        shows: "$session",
        foreign: Foreign::NotFound,
    },
    Field {
        name: "deleteSessions",
        query: r#"mutation { deleteSessions(input: { ids: ["$session"] }) { deletedSessionIds failures { code } } }"#,
        shows: r#""deletedSessionIds":["$session"]"#,
        foreign: Foreign::Own,
    },
    Field {
        name: "tagSession",
        query: r#"mutation { tagSession(input: { id: "$session", add: ["t"] }) { session { name } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "tagSessions",
        query: r#"mutation { tagSessions(input: { ids: ["$session"], add: ["t"] }) { sessions { name } failures { code } } }"#,
        shows: MINE,
        foreign: Foreign::Own,
    },
    Field {
        name: "importSession",
        query: r##"mutation { importSession(input: { format: SPECSTORY, projectId: "$project", fileName: "f.md",
            content: "_**User**_\n\nheliotrope\n" }) { sessions { outcome session { markdownContent } } } }"##,
        shows: MINE,
        foreign: Foreign::Makes,
    },
    Field {
        name: "deletedSessions",
        query: "{ deletedSessions { totalCount nodes { id name firstExchange } } }",
        shows: MINE,
        foreign: Foreign::Own,
    },
    Field {
        name: "restoreSession",
        query: r#"mutation { restoreSession(input: { id: "$trashed" }) { session { name } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "purgeSession",
        query: r#"mutation { purgeSession(input: { id: "$trashed" }) { purgedSessionId } }"#,
        shows: "$trashed",
        foreign: Foreign::NotFound,
    },
    Field {
        name: "updateExchange",
        query: r#"mutation { updateExchange(input: { id: "$exchange", userTitle: "t" }) { exchange { content } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "createApiKey",
        query: r#"mutation { createApiKey(input: { name: "heliotrope" }) { apiKey { name } } }"#,
        shows: MINE,
        foreign: Foreign::Makes,
    },
    Field {
        name: "revokeApiKey",
        query: r#"mutation { revokeApiKey(input: { id: "$key" }) { revokedApiKeyId } }"#,
        shows: "$key",
        foreign: Foreign::NotFound,
    },
    Field {
        name: "jobs",
        query: "{ jobs { nodes { id kind session { name } project { name } } } }",
        shows: "$job",
        foreign: Foreign::Own,
    },
    Field {
        name: "job",
        query: r#"{ job(id: "$job") { id project { name } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "retryJob",
        query: r#"mutation { retryJob(input: { id: "$job" }) { job { id project { name } } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "cancelJob",
        query: r#"mutation { cancelJob(input: { id: "$job" }) { job { id project { name } } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "reindexProject",
        query: r#"mutation { reindexProject(input: { id: "$project" }) { job { id project { name } } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "sessionChanged",
        query: r#"subscription { sessionChanged(since: "$since") { kind clientId session { name } } }"#,
        shows: MINE,
        foreign: Foreign::Own,
    },
    Field {
        name: "jobChanged",
        query: r#"subscription { jobChanged(id: "$job") { id state project { name } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "stats",
        query: "{ stats { totalSessions totalProjects uniqueGitBranches topTags { tag } } }",
        shows: MINE,
        foreign: Foreign::Own,
    },
    Field {
        name: "sessionList",
        query: r#"{ sessionList(filters: { projectId: "$project" }) { id name relatedSessions { name } } }"#,
        shows: MINE,
        foreign: Foreign::Own,
    },
    Field {
        name: "analytics",
        query: r#"{ analytics(projectId: "$project") { totalSessions sessionsByTag { tag } usageByProject { project { name } }
            sessionsByProject { project { name } } } }"#,
        shows: MINE,
        foreign: Foreign::Own,
    },
    Field {
        name: "prices",
        query: "{ prices { asOf isBuiltIn models { model input output } } }",
        shows: "claude-opus-4-6",
        // A price is nobody's.
        foreign: Foreign::Shared,
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
    let rows: BTreeSet<String> = self::fields().map(|field| field.name.to_owned()).collect();
    assert_eq!(fields, rows, "the schema on the left, the rows of this test on the right");
}

#[tokio::test(flavor = "multi_thread")]
async fn root_fields_answer_their_owner_alone() {
    let world = World::start().await;
    for field in fields().filter(|field| !field.is_mutation()) {
        match field.query.starts_with("subscription") {
            true => check_subscription(&world, field).await,
            false => check_field(&world, field).await,
        }
    }
    world.gateway.run_jobs().await;
    // What changes something gets a world of its own.
    for field in fields().filter(|field| field.is_mutation()) {
        let world = World::start().await;
        check_field(&world, field).await;
        world.gateway.run_jobs().await;
    }
}

impl Field {
    fn is_mutation(&self) -> bool {
        self.query.starts_with("mutation")
    }
}

async fn check_field(world: &World, field: &Field) {
    let ids = Ids::of(world).await;
    let (query, shows) = (ids.fill(field.query), ids.fill(field.shows));
    for who in [Who::Nobody, Who::Stranger] {
        let answer = world.graphql(who, &query, json!({})).await;
        assert_eq!(code(&answer.json()), "UNAUTHENTICATED", "{} for {who:?}: {}", field.name, answer.text());
        assert_eq!(answer.status, 401, "{} for {who:?}", field.name);
        assert!(!has_data(&answer.json()), "{} for {who:?}", field.name);
    }
    let wrong_scope = if field.is_mutation() { Who::ReadOnly } else { Who::WriteOnly };
    let scopeless = world.graphql(wrong_scope, &query, json!({})).await;
    assert_eq!(code(&scopeless.json()), "FORBIDDEN", "{}: {}", field.name, scopeless.text());
    assert!(!scopeless.text().contains(&shows), "{}", field.name);

    let foreign = world.graphql(Who::Other, &query, json!({})).await;
    let data = foreign.json()["data"].to_string();
    if !matches!(field.foreign, Foreign::Shared | Foreign::Makes) {
        assert!(!data.contains(&shows), "{} shows another's {shows}: {data}", field.name);
        assert!(!data.contains(MINE), "{} shows another's data: {data}", field.name);
    }
    match field.foreign {
        Foreign::NotFound => assert_eq!(code(&foreign.json()), "NOT_FOUND", "{}", field.name),
        Foreign::Own | Foreign::Shared | Foreign::Makes => {
            assert!(foreign.json()["errors"].is_null(), "{}: {}", field.name, foreign.text());
        }
        Foreign::Null => {
            assert!(foreign.json()["errors"].is_null(), "{}: {}", field.name, foreign.text());
            assert!(!has_data(&foreign.json()), "{}: {}", field.name, foreign.text());
        }
    }

    // Last: nobody before may have changed anything, so what the right caller does still works.
    let mine = world.graphql(Who::Me, &query, json!({})).await;
    assert!(mine.json()["errors"].is_null(), "{}: {}", field.name, mine.text());
    assert!(mine.text().contains(&shows), "{} shows no {shows}: {}", field.name, mine.text());
    assert!(!mine.text().contains(THEIRS), "{}: {}", field.name, mine.text());
}

/// The same of what is told as it happens: the first answer of each who asks, after both accounts have changed something.
async fn check_subscription(world: &World, field: &Field) {
    let ids = Ids::of(world).await;
    let shows = ids.fill(field.shows);
    for who in [Who::Nobody, Who::Stranger, Who::WriteOnly, Who::Other, Who::Me] {
        let since = world.gateway.app.change_cursor(world.caller(who)).await.expect("a cursor");
        let query = ids.fill(field.query).replace("$since", &since);
        for (who, word, project) in [(Who::Me, MINE, OWN), (Who::Other, THEIRS, SHARED)] {
            let id = format!("{} {since}", field.name);
            world.put(who, crate::specstory::world::bare(project, &id, word)).await;
        }
        let answer = world.first_event(who, &query).await;
        let is_mine = answer.to_string().contains(&shows);
        let wanted = match (who, &field.foreign) {
            (Who::Nobody | Who::Stranger, _) => "UNAUTHENTICATED",
            (Who::WriteOnly, _) => "FORBIDDEN",
            (Who::Other, Foreign::NotFound) => "NOT_FOUND",
            _ => "",
        };
        assert_eq!(code(&answer), wanted, "{} for {who:?}: {answer}", field.name);
        assert_eq!(has_data(&answer), wanted.is_empty(), "{} for {who:?}: {answer}", field.name);
        assert_eq!(is_mine, who == Who::Me, "{} for {who:?}: {answer}", field.name);
        assert!(who == Who::Other || !answer.to_string().contains(THEIRS), "{} for {who:?}: {answer}", field.name);
    }
}

/// Every field of a query's or a mutation's root with a document that asks for it, over ids that are there.
pub(crate) async fn every_field(world: &World) -> Vec<(&'static str, String)> {
    let ids = Ids::of(world).await;
    let asked = fields().filter(|field| !field.query.starts_with("subscription"));
    asked.map(|field| (field.name, ids.fill(field.query))).collect()
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
    exchange: String,
    user: String,
    key: String,
    /// A session that is shared.
    shared: String,
    /// A session in the trash.
    trashed: String,
    device: String,
    /// A job that waits.
    job: String,
    /// A session that came as an archive, and is watched.
    archived: String,
    /// A handoff of it to the account itself.
    handoff: String,
    /// Another session that came as an archive, by our id.
    pushed: String,
    /// A link to it.
    link: String,
}

impl Ids {
    async fn of(world: &World) -> Self {
        let wanted = SessionRef::InProject(ProjectId::new(SHARED).expect("an id"), BARE.to_owned());
        let update = SessionUpdate { share_status: Some(ShareStatus::Unlisted), ..SessionUpdate::default() };
        let shared = world.gateway.app.update_session(world.caller(Who::Me), &wanted, update).await.expect("shared");
        let wanted = SessionRef::InProject(ProjectId::new(SHARED).expect("an id"), "trashed".to_owned());
        let trashed = world.put(Who::Me, crate::specstory::world::full(SHARED, "trashed", MINE)).await;
        world.gateway.app.delete_session(world.caller(Who::Me), &wanted).await.expect("deleted");
        let handoff = given_to_oneself(&world.gateway.app, &world.gateway.me, MINE).await;
        world.gateway.run_jobs().await;
        let me = world.caller(Who::Me);
        let device = sg_app::NewDevice { hostname: MINE.to_owned(), ..sg_app::NewDevice::default() };
        let job = world.gateway.app.reindex_project(me, &ProjectId::new(OWN).expect("an id")).await.expect("a job");
        let device = world.gateway.app.create_device(me, &world.gateway.me.user.id, &device).await.expect("a device");
        let archived = archived(world).await;
        let new = sg_app::NewShareLink { hours: 1, password: None };
        let link = world.gateway.app.create_share_link(me, archived, new).await.expect("a link").link;
        let query = r#"query($p: String!) { viewer { id } apiKeys { id name }
            sessions(filters: { projectId: $p }) { nodes { id exchanges { id } } } }"#;
        let data = world.graphql(Who::Me, query, json!({ "p": OWN })).await.json();
        let text =
            |at: &str| data["data"].pointer(at).and_then(Value::as_str).unwrap_or_else(|| panic!("no {at}: {data}"));
        Self {
            session: text("/sessions/nodes/0/id").to_owned(),
            exchange: text("/sessions/nodes/0/exchanges/0/id").to_owned(),
            user: text("/viewer/id").to_owned(),
            // Not the one that the tests ask with: it is revoked by one of them.
            key: text("/apiKeys/1/id").to_owned(),
            shared: shared.id.to_string(),
            trashed: trashed.id.to_string(),
            device: device.token.id.to_string(),
            job: job.id.to_string(),
            archived: ARCHIVED.to_owned(),
            handoff,
            pushed: archived.to_string(),
            link: link.id.to_string(),
        }
    }

    fn fill(&self, text: &str) -> String {
        let text = text.replace("$session", &self.session).replace("$exchange", &self.exchange);
        let text = text.replace("$shared", &self.shared).replace("$key", &self.key);
        let text = text.replace("$trashed", &self.trashed);
        let text = text.replace("$archived", &self.archived).replace("$handoff", &self.handoff);
        let text = text.replace("$pushed", &self.pushed).replace("$link", &self.link);
        let text = text.replace("$device", &self.device).replace("$job", &self.job);
        text.replace("$project", OWN).replace("$user", &self.user)
    }
}

/// A session of the first account's that came as an archive.
async fn archived(world: &World) -> sg_domain::SessionId {
    let files = [("messages.jsonl".to_owned(), r#"{"role":"user","content":"nothing"}"#.to_owned())];
    let push = crate::sessionfs::world::in_memory("ses_0000000000000001", crate::scenario::archive(&files));
    let pushed = world.gateway.app.push_archive(world.caller(Who::Me), push).await;
    pushed.expect("an archive").0.session.id
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
