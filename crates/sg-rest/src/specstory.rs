//! SpecStory's cloud API: the route table. Its clients (two SDKs and a command line) work with nothing but their base
//! URL changed.

mod answer;
mod billing;
mod body;
mod conditional;
mod cors;
mod credential;
mod device;
mod exchange;
mod failure;
mod idempotency;
mod kept;
mod lore;
mod negotiate;
#[allow(dead_code, reason = "what describes an operation is read by a macro, not called")]
pub mod openapi;
mod project;
mod request;
mod search;
mod session;
mod share;
mod token;
mod upload;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, delete, get, patch, post, put};
use http::Method;
use sg_app::{App, SpoolPlace};

pub use self::upload::UploadLimits;

use self::credential::SignedIn;
use self::failure::Failure;
use crate::route::{self, Route};

const EXCHANGE: &str = "/api/v1/projects/{pid}/sessions/{sid}/exchanges/{xid}";

/// Every route of the dialect.
pub const ROUTES: &[Route<Gate>] = &[
    Route::read("list projects", "/api/v1/projects", || get(project::projects)).kept(),
    Route::read("read project", "/api/v1/projects/{pid}", || get(project::project)).kept(),
    Route::read("list sessions", "/api/v1/projects/{pid}/sessions", || get(session::sessions)).kept(),
    Route::read("session sizes", "/api/v1/projects/{pid}/sessions/sizes", || get(session::sizes)).kept(),
    Route::read("read session", "/api/v1/projects/{pid}/sessions/{sid}", || get(session::session)).kept(),
    Route::write("put session", &["PUT"], "/api/v1/projects/{pid}/sessions/{sid}", || put(upload::put)),
    Route::read("recent sessions", "/api/v1/sessions/recent", || get(session::recent)).kept(),
    Route::read("project activity", "/api/v1/projects/{pid}/stats", || get(project::activity)),
    Route::write("update project", &["PATCH"], "/api/v1/projects/{pid}", || patch(project::update)),
    Route::write("delete project", &["DELETE"], "/api/v1/projects/{pid}", || delete(project::delete)),
    Route::write("update session", &["PATCH"], "/api/v1/projects/{pid}/sessions/{sid}", || patch(session::update)),
    Route::write("delete session", &["DELETE"], "/api/v1/projects/{pid}/sessions/{sid}", || delete(session::delete)),
    Route::write("update exchange", &["PATCH"], EXCHANGE, || patch(exchange::update)),
    Route::open("shared session", &["GET", "HEAD"], "/api/v1/share/{sid}", || get(share::session)),
    Route::open("shared markdown", &["GET", "HEAD"], "/api/v1/share/{sid}/markdown", || get(share::markdown)),
    Route::ask("search resumable", "/api/v1/search/resume", || post(search::resumable)),
    Route::read("entitlement", "/api/v1/billing/entitlement", || get(billing::entitlement)),
    Route::read("skills", "/api/v1/lore/skills/library", || get(lore::skills)),
    Route::read("skill runs", "/api/v1/lore/runs", || get(lore::runs)),
    Route::write("run skills", &["POST"], "/api/v1/lore/run", || post(lore::run)),
    Route::write("decide dossier", &["PATCH"], "/api/v1/lore/dossiers/{id}", || patch(lore::dossier)),
    Route::write("install skill", &["PATCH"], "/api/v1/lore/skills/{name}", || patch(lore::skill)),
    Route::read("list API tokens", "/api/v1/api-tokens", || get(token::list)),
    Route::write("create API token", &["POST"], "/api/v1/api-tokens", || post(token::create)),
    Route::write("revoke API token", &["DELETE"], "/api/v1/api-tokens/{id}", || delete(token::revoke)),
    Route::open("device login", &["POST"], "/api/v1/device-login", || post(device::login)),
    Route::open("device refresh", &["POST"], "/api/v1/device-refresh", || post(device::refresh)),
    Route::open("device logout", &["GET", "HEAD", "POST"], "/api/v1/device-logout", || {
        get(device::logout).post(device::logout)
    }),
    Route::open("openapi", &["GET", "HEAD"], "/api/v1/openapi", || get(openapi::openapi)),
];

/// What the dialect needs to know of the server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What one upload may cost.
    pub upload: UploadLimits,
    /// Where uploads are kept while they are read, until they are stored.
    pub spool: Arc<SpoolPlace>,
    /// Memory for answers that are given again while the data stays as it is, in bytes.
    pub answer_cache_bytes: usize,
}

impl Default for Settings {
    /// Spools go to the folder for temporary files: name one of the data folder instead.
    fn default() -> Self {
        let spool =
            SpoolPlace { folder: std::env::temp_dir().join("sessiongraph-spool"), memory_bytes: SPOOL_MEMORY_BYTES };
        Self { upload: UploadLimits::default(), spool: Arc::new(spool), answer_cache_bytes: ANSWER_CACHE_BYTES }
    }
}

/// Bytes of all kept answers together, where nothing else is said.
const ANSWER_CACHE_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of one part of an upload that are kept in memory before a file is made for it: most sessions need none.
pub const SPOOL_MEMORY_BYTES: usize = 2 * 1024 * 1024;

/// What handlers work with: `State<App>` or `State<Gate>`.
#[derive(Clone)]
pub struct Gate {
    pub(crate) app: App,
    pub(crate) settings: Arc<Settings>,
}

impl FromRef<Gate> for App {
    fn from_ref(gate: &Gate) -> Self {
        gate.app.clone()
    }
}

/// The whole dialect. It expects an `Extension<Caller>` on each request and takes one without it for anonymous.
///
/// What it does not know is answered in its own words, for those who are signed in.
pub fn router(app: App, settings: Settings) -> Router {
    let gate = Gate { app, settings: Arc::new(settings) };
    let mut router = Router::new();
    for (path, answer, allow) in route::by_path(ROUTES) {
        let other = move |_: SignedIn, method: Method| {
            let failure = Failure::method_not_allowed(&method, allow.clone());
            async move { failure }
        };
        // Merged into `any`, because the library adds `Allow` to every answer of a plain fallback, a 401 as well.
        router = router.route(path, any(other).merge(answer));
    }
    let router = router.fallback(unknown);
    let kept = ROUTES.iter().filter(|route| route.is_kept).map(|route| route.path).collect();
    let answers = Arc::new(kept::Answers::new(gate.app.clone(), kept, gate.settings.answer_cache_bytes));
    // Preflights are answered outside of the limits: they cannot carry a credential.
    let router = router.layer(from_fn_with_state(answers, kept::kept));
    router.layer(from_fn(credential::refuse_limited)).layer(from_fn(cors::cors)).with_state(gate)
}

async fn unknown(_: SignedIn) -> Failure {
    Failure::not_found("Not found")
}
