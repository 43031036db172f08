//! The dialect's description: OpenAPI 3.1, as programs read it.
//!
//! `openapi/` holds a file of described operations for each noun, and the bodies they name in `openapi/schema/`. What is the
//! same everywhere (who may, what is refused, what every answer carries) is added here from the route table.

use std::sync::LazyLock;

use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use self::schema::ErrorBody;
use super::{ROUTES, answer};

mod account;
mod device;
mod path;
mod project;
mod schema;
mod search;
mod session;
mod share;
mod token;
mod upload;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sessiongraph: the SpecStory API",
        description = "The API of SpecStory Cloud, as its two SDKs and its command line speak it, answered by a Sessiongraph of \
            one's own.\n\nEvery request but the open ones carries `Authorization: Bearer <key>`, with a key from \
            `sessiongraph key create` or the page `/settings/api-keys`, or a device's access token. Reading needs the scope \
            `read`, changing the scope `write`.\n\nRequests are counted by key and hour; `X-RateLimit-*` tells what is left. \
            `X-Request-Id` names every answer in the server's log. `OPTIONS` is answered on every path, for pages of other \
            origins.\n\nGraphQL answers at `/api/v1/graphql` and describes itself.",
        version = "1",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "projects", description = "The sessions of one repository or folder, together."),
        (name = "sessions", description = "Conversations with agents, as they were held."),
        (name = "sharing", description = "Sessions that whoever has the link may read."),
        (name = "tokens", description = "The account's API keys."),
        (name = "devices", description = "Signing the command line in."),
        (name = "account", description = "What an account may use."),
        (name = "skills", description = "Skills mined from sessions: not part of this server, and it says so."),
        (name = "description", description = "This description."),
    ),
    paths(
        project::list_projects,
        project::get_project,
        project::update_project,
        project::delete_project,
        project::project_activity,
        session::list_sessions,
        session::session_sizes,
        session::recent_sessions,
        session::get_session,
        upload::put_session,
        session::update_session,
        session::delete_session,
        session::update_exchange,
        share::shared_session,
        share::shared_markdown,
        search::search_resumable,
        token::list_tokens,
        token::create_token,
        token::revoke_token,
        device::device_login,
        device::device_refresh,
        device::device_logout,
        device::device_logout_by_get,
        account::entitlement,
        account::skills,
        account::skill_runs,
        account::run_skills,
        account::decide_dossier,
        account::install_skill,
        description,
    ),
    components(schemas(ErrorBody)),
    modifiers(&Credentials),
)]
struct Description;

/// This description
#[utoipa::path(
    get, path = "/api/v1/openapi", operation_id = "getOpenapi", tag = "description",
    responses((status = 200, description = "OpenAPI 3.1.", body = inline(Map<String, Value>), content_type = "application/json"))
)]
#[allow(dead_code, reason = "described, not called")]
fn description() {}

/// How callers show who they are.
struct Credentials;

impl utoipa::Modify for Credentials {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = |description: &str| {
            SecurityScheme::Http(
                HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build(),
            )
        };
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("refreshToken", bearer("A device's refresh token."));
        components.add_security_scheme(
            KEY,
            bearer("An API key, or a device's access token. Names its scope: `read` or `write`."),
        );
    }
}

/// The scheme of API keys and access tokens.
const KEY: &str = "key";

/// The description, made once.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
    let document = complete(serde_json::to_value(Description::openapi()).unwrap_or_default());
    let mut text = serde_json::to_vec_pretty(&document).unwrap_or_default();
    text.push(b'\n');
    text.into()
});

/// The description as JSON text, the same in every build of one version.
pub fn document() -> Bytes {
    DOCUMENT.clone()
}

/// `GET /openapi`.
pub(super) async fn openapi() -> Response {
    answer::response(StatusCode::OK, answer::JSON, document().into())
}

/// Adds to each operation what the route table and the stack decide, and to some bodies the rules that the library cannot
/// say.
fn complete(mut document: Value) -> Value {
    document["components"]["responses"] = Value::Object(refusals());
    document["components"]["headers"] = headers();
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        let Some(item) = item.as_object_mut() else { continue };
        for (method, operation) in item.iter_mut() {
            operation_of(path, method, operation);
        }
        if let Some(head) = item.get("get").filter(|_| has_head(path)).map(head_of) {
            item.insert("head".to_owned(), head);
        }
    }
    for status in ["200", "201"] {
        document["paths"]["/api/v1/projects/{pid}/sessions/{sid}"]["put"]["responses"][status]["links"] = links();
    }
    for (schema, rule) in rules() {
        if let (Some(schema), Value::Object(rule)) = (document["components"]["schemas"][schema].as_object_mut(), rule) {
            schema.extend(rule);
        }
    }
    document
}

fn has_head(path: &str) -> bool {
    ROUTES.iter().any(|route| route.path == path && route.methods.contains(&"HEAD"))
}

fn operation_of(path: &str, method: &str, operation: &mut Value) {
    let route = ROUTES.iter().find(|r| r.path == path && r.methods.iter().any(|m| m.eq_ignore_ascii_case(method)));
    let scope = route.and_then(|route| route.scope);
    let has_body = operation.get("requestBody").is_some();
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for response in responses.values_mut() {
        let described = response["headers"].as_object().cloned().unwrap_or_default();
        let described = described.into_iter().map(|(name, mut header)| {
            header["required"] = true.into();
            (name, header)
        });
        let everywhere = headers_of_every_answer().into_iter();
        response["headers"] = Value::Object(described.chain(everywhere).collect());
    }
    let refused: &[(&str, &str, bool)] = &[
        ("401", "Unauthorized", scope.is_some()),
        ("403", "Forbidden", scope.is_some()),
        ("413", "TooLarge", has_body),
        ("429", "RateLimited", true),
        ("500", "Failed", true),
        ("503", "Unavailable", true),
    ];
    for (status, name, _) in refused.iter().filter(|(.., applies)| *applies) {
        let shared = || json!({ "$ref": format!("#/components/responses/{name}") });
        responses.entry((*status).to_owned()).or_insert_with(shared);
    }
    if operation.get("security").is_none() {
        operation["security"] = match scope {
            Some(scope) => json!([{ KEY: [scope.name()] }]),
            None => json!([]),
        };
    }
}

/// `HEAD` of a `GET`: the same, without bodies.
fn head_of(get: &Value) -> Value {
    let mut head = get.clone();
    let name = get["operationId"].as_str().unwrap_or_default();
    head["operationId"] = format!("head{}", name.strip_prefix("get").unwrap_or(&capital(name))).into();
    head["summary"] = format!("{}: headers alone", get["summary"].as_str().unwrap_or_default()).into();
    let refusals = refusals();
    for response in head["responses"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        let named = response["$ref"].as_str().and_then(|name| refusals.get(name.rsplit('/').next()?));
        if let Some(named) = named {
            *response = named.clone();
        }
        if let Some(response) = response.as_object_mut() {
            response.remove("content");
        }
    }
    head
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// What every operation may be refused with.
fn refusals() -> Map<String, Value> {
    let refusal = |description: &str, error: &str, headers: &[&str]| {
        let mut all = headers_of_every_answer();
        all.extend(headers.iter().map(|name| {
            let key = name.replace('-', "");
            ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{key}") }))
        }));
        let schema = json!({ "$ref": "#/components/schemas/ErrorBody" });
        let example = json!({ "success": false, "error": error });
        let content = json!({ "application/json": { "schema": schema, "example": example } });
        json!({ "description": description, "headers": all, "content": content })
    };
    let all = [
        (
            "Unauthorized",
            refusal(
                "No credential, or one that is not known, has expired or was revoked.",
                "Invalid or missing authentication token",
                &["WWW-Authenticate"],
            ),
        ),
        ("Forbidden", refusal("The key lacks the scope.", "Insufficient permissions. Required scope: write", &[])),
        ("TooLarge", refusal("The body is larger than a limit.", "Request body is larger than 65536 bytes", &[])),
        (
            "RateLimited",
            refusal("Too many requests.", "Rate limit exceeded. Try again in 60 seconds.", &["Retry-After"]),
        ),
        ("Failed", refusal("A fault of the server.", "Internal server error", &[])),
        (
            "Unavailable",
            refusal("A part of the server does not answer, or not in time.", "Request took too long, try again", &[]),
        ),
    ];
    all.into_iter().map(|(name, refusal)| (name.to_owned(), refusal)).collect()
}

fn headers_of_every_answer() -> Map<String, Value> {
    let named = ["X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"];
    let reference = |name: &str| json!({ "$ref": format!("#/components/headers/{}", name.replace('-', "")) });
    named.into_iter().map(|name| (name.to_owned(), reference(name))).collect()
}

fn headers() -> Value {
    let whole = json!({ "type": "integer", "minimum": 0 });
    json!({
        "XRequestId": {
            "description": "Names the request in the server's log: the client's own `X-Request-Id`, else a new one.",
            "required": true,
            "schema": { "type": "string" },
        },
        "XRateLimitLimit": { "description": "Requests an hour. Not there when nothing is limited.", "schema": whole },
        "XRateLimitRemaining": { "description": "Requests that are left now.", "schema": whole },
        "XRateLimitReset": {
            "description": "When all of them are there again, if none is made until then: seconds since 1970, UTC.",
            "schema": whole,
        },
        "RetryAfter": {
            "description": "Seconds to wait.",
            "required": true,
            "schema": { "type": "integer", "minimum": 1 },
        },
        "WWWAuthenticate": { "description": "`Bearer`.", "required": true, "schema": { "type": "string" } },
    })
}

/// Where a session that was sent is found again.
fn links() -> Value {
    let project = [("pid", "$response.body#/data/projectId")];
    let session = [("pid", "$response.body#/data/projectId"), ("sid", "$response.body#/data/sessionId")];
    let link = |operation: &str, parameters: &[(&str, &str)]| {
        let parameters: Map<_, _> = parameters.iter().map(|(name, at)| ((*name).to_owned(), json!(at))).collect();
        (operation.to_owned(), json!({ "operationId": operation, "parameters": parameters }))
    };
    let of_session = ["getSession", "headSession", "updateSession", "deleteSession"].map(|to| link(to, &session));
    let of_project = ["getProject", "updateProject", "listSessions", "getSessionSizes"].map(|to| link(to, &project));
    Value::Object(of_session.into_iter().chain(of_project).collect())
}

fn rules() -> [(&'static str, Value); 3] {
    let one_of = |fields: &[&str]| fields.iter().map(|field| json!({ "required": [field] })).collect::<Vec<_>>();
    [
        ("ProjectUpdate", json!({ "anyOf": one_of(&["name", "icon", "color"]) })),
        ("SessionUpdate", json!({ "anyOf": one_of(&["userTitle", "shareStatus"]) })),
        ("ExchangeUpdate", json!({ "anyOf": one_of(&["userTitle", "hiddenFromShare"]) })),
    ]
}
