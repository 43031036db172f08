//! Sessions: lists, one, its names, the trash, and search. Their messages are in `message.rs`.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{delete, get, patch, post, put};
use http::{HeaderName, HeaderValue};
use serde_json::json;
use sg_app::{App, ArchiveList, SessionUpdate};
use sg_domain::archive::{ArchivedSession, DeleteScope};
use sg_domain::{ArchiveFilter, ArchiveOrder, Caller, Direction, ErrorKind};

use super::body::Body;
use super::credential::{Reader, Writer};
use super::failure::Failure;
use super::query::Query;
use super::{Gate, message, reference, title, wire};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::read("list sessions", "/api/v1/sessions", || get(list)),
    Route::read("search", "/api/v1/sessions/search", || get(super::missing::soon)),
    Route::read("list models", "/api/v1/sessions/models", || get(models)),
    Route::read("read session", "/api/v1/sessions/{id}", || get(read)),
    Route::write("update session", &["PATCH"], "/api/v1/sessions/{id}", || patch(update)),
    Route::write("delete session", &["DELETE"], "/api/v1/sessions/{id}", || delete(remove)),
    Route::write("restore session", &["POST"], "/api/v1/sessions/{id}/restore", || post(restore)),
    Route::read("list messages", "/api/v1/sessions/{id}/messages", || get(message::list)),
    Route::write("set alias", &["PUT"], "/api/v1/sessions/{id}/alias", || put(set_alias)),
    Route::write("clear alias", &["DELETE"], "/api/v1/sessions/{id}/alias", || delete(clear_alias)),
    Route::read("workspace", "/api/v1/sessions/{id}/workspace", || get(message::workspace)),
    Route::read("tools", "/api/v1/sessions/{id}/tools", || get(message::tools)),
];

/// The most models that a list is narrowed to.
const MAX_MODELS: usize = 50;
/// The longest name of a model, in characters.
const MAX_MODEL_CHARS: usize = 200;
/// How this API calls a model that is not known.
const UNKNOWN_MODEL: &str = "unknown";
/// The longest title, in characters.
const MAX_TITLE_CHARS: usize = 500;
/// The most tags, and the longest one in characters: as for uploads.
const MAX_TAGS: usize = 20;
const MAX_TAG_CHARS: usize = 50;
/// Says that deleting without a scope will not always be taken.
const WARNING: HeaderName = HeaderName::from_static("x-deprecation-warning");

async fn list(State(app): State<App>, Reader(caller): Reader, mut query: Query) -> Result<Response, Failure> {
    let (page, page_size) = page(&mut query, 20, 100);
    let in_trash = query.flag("deleted");
    let models = query.list("model", MAX_MODELS, MAX_MODEL_CHARS);
    let order = query.choice("sort", &["updated_at", "model"]);
    let direction = query.choice("order", &["desc", "asc"]);
    let filter = ArchiveFilter {
        source_tools: tool_names(query.text("source_tool")),
        tag: query.text("tag").map(str::to_owned),
        models: models.into_iter().map(|model| Some(model).filter(|model| model != UNKNOWN_MODEL)).collect(),
        updated_from: None,
        in_trash,
    };
    query.done()?;
    let order = if order == "model" { ArchiveOrder::Model } else { ArchiveOrder::UpdatedAt };
    let direction = if direction == "asc" { Direction::Asc } else { Direction::Desc };
    let offset = (page - 1).saturating_mul(u64::from(page_size));
    let wanted = ArchiveList { filter, order, direction, limit: page_size, offset };
    let (found, total) = app.archives(&caller, &wanted).await?;
    let sessions: Vec<_> = found.iter().map(|stored| wire::session::summary(&app, stored)).collect();
    let has_more = page.saturating_mul(u64::from(page_size)) < total;
    Ok(wire::json(&json!({
        "sessions": sessions, "total": total, "page": page, "page_size": page_size, "has_more": has_more,
    })))
}

async fn models(State(app): State<App>, Reader(caller): Reader) -> Result<Response, Failure> {
    let models = app.archive_models(&caller).await?;
    let model = |(model, count): (Option<String>, u64)| json!({ "model_id": model.as_deref().unwrap_or(UNKNOWN_MODEL), "session_count": count });
    Ok(wire::json(&json!({ "models": models.into_iter().map(model).collect::<Vec<_>>() })))
}

async fn read(State(app): State<App>, Reader(caller): Reader, Path(id): Path<String>) -> Result<Response, Failure> {
    let stored = app.archive(&caller, reference::id_or_alias(&id)?).await?;
    Ok(wire::json(&wire::session::detail(&app, &stored)))
}

async fn update(
    State(app): State<App>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    mut body: Body,
) -> Result<Response, Failure> {
    let given = body.text("title", 0..=MAX_TITLE_CHARS).map(|text| title::cleaned(&text));
    if given.as_deref() == Some("") {
        body.refuse("title", "Title cannot be empty");
    }
    let alias = body.text("alias", 0..=usize::MAX);
    check_alias(&mut body, alias.as_deref());
    let tags = body.texts("tags");
    for tag in tags.iter().flatten() {
        if tag.trim().is_empty() || tag.chars().count() > MAX_TAG_CHARS || tag.chars().any(char::is_control) {
            body.refuse("tags", &format!("Each tag must be 1 to {MAX_TAG_CHARS} characters"));
            break;
        }
    }
    if tags.as_ref().is_some_and(|tags| tags.len() > MAX_TAGS) {
        body.refuse("tags", &format!("Maximum {MAX_TAGS} tags allowed"));
    }
    body.done()?;
    if given.is_none() && alias.is_none() && tags.is_none() {
        return Err(Failure::bad_request("At least one of title, alias, or tags must be provided"));
    }
    let update = SessionUpdate { user_title: given.map(Some), alias: alias.map(Some), tags, ..Default::default() };
    change(&app, &caller, &id, update).await
}

async fn set_alias(
    State(app): State<App>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    mut body: Body,
) -> Result<Response, Failure> {
    let alias = body.required_text("alias", 0..=usize::MAX);
    if body.value("alias").is_some_and(serde_json::Value::is_string) {
        check_alias(&mut body, Some(&alias));
    }
    body.done()?;
    change(&app, &caller, &id, SessionUpdate { alias: Some(Some(alias)), ..Default::default() }).await
}

async fn clear_alias(
    State(app): State<App>,
    Writer(caller): Writer,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    change(&app, &caller, &id, SessionUpdate { alias: Some(None), ..Default::default() }).await
}

async fn change(app: &App, caller: &Caller, id: &str, update: SessionUpdate) -> Result<Response, Failure> {
    let id = reference::id_or_alias(id)?;
    let alias = update.alias.clone().flatten();
    let changed = app.update_archive(caller, id, update).await.map_err(|error| match alias {
        Some(alias) if error.kind == ErrorKind::Conflict => {
            Failure::from(error).saying(format!("Alias '{alias}' is already in use"))
        }
        _ => Failure::from(error),
    })?;
    Ok(wire::json(&wire::session::detail(app, &changed)))
}

async fn remove(
    State(app): State<App>,
    Writer(caller): Writer,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Failure> {
    let scope = match query.text("scope") {
        None | Some("cloud") => DeleteScope::Server,
        Some("everywhere") => DeleteScope::Everywhere,
        Some(_) => return Err(Failure::bad_request("scope must be 'cloud' or 'everywhere'")),
    };
    let deleted = app.delete_archive(&caller, reference::id_or_alias(&id)?, scope).await?;
    let mut response = wire::json(&wire::session::detail(&app, &deleted));
    if query.text("scope").is_none() {
        let words = "Deleting without scope is deprecated. Send scope=cloud or scope=everywhere.";
        response.headers_mut().insert(WARNING, HeaderValue::from_static(words));
    }
    Ok(response)
}

async fn restore(State(app): State<App>, Writer(caller): Writer, Path(id): Path<String>) -> Result<Response, Failure> {
    let (restored, scope) = app.restore_archive(&caller, reference::id_or_alias(&id)?).await?;
    Ok(wire::json(&Restored::new(&app, &restored, scope)))
}

/// A session that is out of the trash again.
#[derive(serde::Serialize)]
struct Restored {
    #[serde(flatten)]
    session: wire::session::Detail,
    restored_from_scope: &'static str,
    local_copy_may_be_missing: bool,
}

impl Restored {
    fn new(app: &App, stored: &ArchivedSession, scope: DeleteScope) -> Self {
        Self {
            session: wire::session::detail(app, stored),
            restored_from_scope: wire::session::scope_name(scope),
            local_copy_may_be_missing: scope == DeleteScope::Everywhere,
        }
    }
}

/// Which part of a list is wanted, both numbers from 1.
pub(super) fn page(query: &mut Query, size: u32, max_size: u32) -> (u64, u32) {
    let page = query.int("page", 1, 1..=i64::MAX);
    let size = query.int("page_size", i64::from(size), 1..=i64::from(max_size));
    (u64::try_from(page).unwrap_or(1).max(1), u32::try_from(size).unwrap_or(1))
}

/// The names that a tool has had.
fn tool_names(name: Option<&str>) -> Vec<String> {
    let names: &[&str] = match name {
        None => return Vec::new(),
        Some("gemini" | "gemini-cli") => &["gemini", "gemini-cli"],
        Some("copilot" | "copilot-cli") => &["copilot", "copilot-cli"],
        Some(name) => return vec![name.to_owned()],
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn check_alias(body: &mut Body, alias: Option<&str>) {
    let Some(alias) = alias else { return };
    let chars = alias.chars().count();
    if chars < 3 {
        body.refuse("alias", "Alias must be at least 3 characters");
    } else if chars > 100 {
        body.refuse("alias", "Alias must be 100 characters or fewer");
    } else if sg_domain::id::alias(alias).is_err() {
        let words = "Alias must be alphanumeric, hyphens, and underscores only (no spaces), starting with alphanumeric";
        body.refuse("alias", words);
    }
}
