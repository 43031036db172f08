//! `/settings/api-keys`: keys of one's own account. A new key's secret is on the page that made it, and nowhere else.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use sg_app::{App, CreatedKey, KeyRequest};
use sg_domain::time::DAY_MICROS;
use sg_domain::{ApiKey, Dialect, Error, Result, Scope, Scopes, Timestamp};

use crate::csrf::SignedForm;
use crate::layout::{self, Place, notice};
use crate::request::{Asked, Ids, ids};
use crate::visitor::Visitor;
use crate::{answer, failure, shown};

/// How long a key may be made to last, in days; 0 is for good.
const LIFETIMES: [(i64, &str); 5] =
    [(0, "does not expire"), (7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "a year")];

/// `GET /settings/api-keys` and `/api-keys`
pub(crate) async fn keys(State(app): State<App>, visitor: Visitor, asked: Asked) -> Response {
    failure::shown(&visitor, page(&app, &visitor, None, asked.get("done")).await)
}

/// `POST /settings/api-keys/create`: answers with the page that shows the secret. Sent again, it makes another key; that
/// a secret never stands in an address is worth more.
pub(crate) async fn create(State(app): State<App>, form: SignedForm) -> Response {
    let SignedForm { visitor, fields } = form;
    let done = async {
        let mut scopes = Vec::new();
        for name in fields.all("scope") {
            scopes.push(match name {
                "read" => Scope::Read,
                "write" => Scope::Write,
                _ => return Err(Error::invalid("a key may read, write or both")),
            });
        }
        let days: i64 = fields.get("days").unwrap_or_default().parse().unwrap_or_default();
        if !LIFETIMES.iter().any(|(known, _)| *known == days) {
            return Err(Error::invalid("choose how long the key lasts from the list"));
        }
        let request = KeyRequest {
            user: visitor.caller.known()?.user.clone(),
            name: fields.get("name").unwrap_or_default().to_owned(),
            dialect: Dialect::Specstory,
            scopes: Scopes::of(&scopes),
            expires_at: (days > 0).then(|| app.now().plus_micros(days * DAY_MICROS)),
        };
        let created = app.create_key(&visitor.caller, request).await?;
        page(&app, &visitor, Some(&created), "").await
    };
    failure::shown(&visitor, done.await)
}

/// `POST /settings/api-keys/{id}/revoke`
pub(crate) async fn revoke(State(app): State<App>, path: Ids<String>, form: SignedForm) -> Response {
    let done = async {
        let id = ids(path)?.parse().map_err(|_| Error::not_found("key"))?;
        app.revoke_key(&form.visitor.caller, id).await?;
        Ok(answer::see_other("/settings/api-keys?done=revoked"))
    };
    failure::shown(&form.visitor, done.await)
}

async fn page(app: &App, visitor: &Visitor, created: Option<&CreatedKey>, done: &str) -> Result<Response> {
    let mut keys = app.keys(&visitor.caller, false).await?;
    // Those that work first, newest first.
    keys.sort_by_key(|key| (key.revoked_at.is_some(), std::cmp::Reverse(key.created_at)));
    let body = body(&keys, created, done, &visitor.token(), app.now());
    Ok(answer::page(StatusCode::OK, layout::page(&visitor.frame("API keys", Place::Settings), body)))
}

/// The parts of the settings.
pub(crate) fn tabs(here: &str) -> Markup {
    html! {
        h1 { "Settings" }
        nav.tabs aria-label="Settings" {
            @for (path, name) in [("/settings/api-keys", "API keys"), ("/settings/devices", "Devices")] {
                a href=(path) aria-current=[(path == here).then_some("page")] { (name) }
            }
        }
    }
}

fn body(keys: &[ApiKey], created: Option<&CreatedKey>, done: &str, token: &Markup, now: Timestamp) -> Markup {
    html! {
        (tabs("/settings/api-keys"))
        (notice(done))
        @if let Some(created) = created {
            div.note role="status" {
                p { b { "Copy the key “" (shown::name(&created.key.name)) "” now. " } "It is shown this once; only a hash of it is kept." }
                div.command {
                    code #secret { (created.secret) }
                    button.small type="button" data-copy="secret" hidden { "Copy" }
                }
            }
        }
        h2 { "New key" }
        form.panel action="/settings/api-keys/create" method="post" {
            (token)
            div.field {
                label for="name" { "Name" }
                input #name name="name" type="text" maxlength="100" required autocomplete="off" placeholder="What will use it";
            }
            fieldset {
                legend { "It may" }
                label.choice { input type="checkbox" name="scope" value="read" checked; "read: list, search and download sessions" }
                label.choice { input type="checkbox" name="scope" value="write"; "write: add, change and delete them" }
            }
            div.row.end {
                div.field {
                    label for="days" { "Lasts" }
                    select #days name="days" { @for (days, name) in LIFETIMES { option value=(days) { (name) } } }
                }
                button.main type="submit" { "Create key" }
            }
        }
        h2 { "Keys" }
        @if keys.is_empty() {
            p.soft { "There are none yet." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Keys" {
                table {
                    thead { tr {
                        th scope="col" { "Name" } th scope="col" { "Starts with" } th scope="col" { "May" } th scope="col" { "Created" }
                        th scope="col" { "Last used" } th scope="col" { "Expires" } th scope="col" { span.soft { "Action" } }
                    } }
                    tbody { @for key in keys { (row(key, token, now)) } }
                }
            }
        }
    }
}

fn row(key: &ApiKey, token: &Markup, now: Timestamp) -> Markup {
    let is_expired = key.expires_at.is_some_and(|at| at <= now);
    html! {
        tr {
            th scope="row" { (shown::name(&key.name)) }
            td { code { (key.prefix) "…" } }
            td { (key.scopes.names().replace(' ', ", ")) }
            td { (shown::ago(key.created_at, now)) }
            td { @match key.last_used_at { Some(at) => (shown::ago(at, now)), None => span.soft { "never" } } }
            td {
                @match key.expires_at { Some(at) => (shown::time(at)), None => span.soft { "never" } }
                @if is_expired { " " span.tag.bad { "expired" } }
            }
            td {
                @if let Some(at) = key.revoked_at {
                    span.tag.bad { "revoked" } " " (shown::ago(at, now))
                } @else {
                    form action={ "/settings/api-keys/" (key.id) "/revoke" } method="post" {
                        (token)
                        button.small.bad type="submit" aria-label={ "Revoke " (key.name) } { "Revoke" }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sg_domain::{KeyId, UserId};

    use super::*;

    #[test]
    fn a_hostile_name_stays_text_and_a_secret_is_shown_once() {
        let name = "<script>alert(1)</script>\" onfocus=\"alert(1)";
        let key = ApiKey {
            id: KeyId("0190f000-0000-7000-8000-000000000001".parse().unwrap()),
            user: UserId("user_1".to_owned()),
            name: name.to_owned(),
            dialect: Dialect::Specstory,
            scopes: Scopes::of(&[Scope::Read, Scope::Write]),
            prefix: "sk_live_abcd".to_owned(),
            created_at: Timestamp::default(),
            expires_at: Some(Timestamp::default()),
            last_used_at: None,
            revoked_at: None,
        };
        let created = CreatedKey { key: key.clone(), secret: "sk_live_abcdef".to_owned() };
        let shown =
            |created| body(std::slice::from_ref(&key), created, "", &html! {}, Timestamp::from_secs(1)).into_string();
        let html = shown(Some(&created));
        assert_eq!(html.matches("sk_live_abcdef").count(), 1);
        assert!(!html.contains("<script>") && !html.contains("\" onfocus"), "{html}");
        assert!(html.contains("read, write") && html.contains("expired"), "{html}");
        assert!(!shown(None).contains("sk_live_abcdef"));
    }
}
