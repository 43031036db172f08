//! The sign-in page, signing in with a password, and signing out.

use axum::extract::{Query, Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, StatusCode, Uri, header};
use maud::{Markup, html};
use sg_app::NewWebSession;
use sg_domain::{Error, ErrorKind};

use crate::csrf::{Fields, SignedForm};
use crate::failure::{problem, sentence};
use crate::layout::{self, Frame, Place};
use crate::visitor::{self, COOKIE, Visitor};
use crate::{Pages, answer, next};

/// `next` of a query; of a name that comes twice the first counts.
pub(crate) fn wanted(uri: &Uri) -> String {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
    next::local(pairs.iter().find(|(name, _)| name == "next").map(|(_, value)| value.as_str())).to_owned()
}

/// `GET /login`: the form, or on to where it leads for who is signed in already.
pub(crate) async fn page(State(pages): State<Pages>, visitor: Option<Visitor>, uri: Uri) -> Response {
    let wanted = wanted(&uri);
    if visitor.is_some() {
        return answer::see_other(&wanted);
    }
    answer::page(StatusCode::OK, form(&pages, &wanted, "", None))
}

/// `POST /login`. There is no session yet that a token could belong to: the form must come from a page of ours by what the
/// browser says, so that no other site signs somebody in as somebody else.
pub(crate) async fn sign_in(State(pages): State<Pages>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match try_sign_in(&pages, &parts, body).await {
        Ok(response) => response,
        Err(error) => problem(&error, None),
    }
}

async fn try_sign_in(pages: &Pages, parts: &Parts, body: axum::body::Body) -> Result<Response, Error> {
    let fields = Fields::read(parts, body, &pages.settings.public_url).await?;
    let field = |name| fields.get(name).unwrap_or_default();
    let next = next::local(fields.get("next"));
    let signed_in = pages.app.sign_in(field("email"), field("password"), visitor::address(parts)).await;
    match signed_in {
        Ok(session) => {
            // Whoever was signed in here before is not any more.
            if let Some(old) = visitor::read(&parts.headers, COOKIE) {
                pages.app.sign_out(&old).await?;
            }
            Ok(signed_in_as(pages, &session, next))
        }
        Err(error) if matches!(error.kind, ErrorKind::Unauthenticated | ErrorKind::RateLimited { .. }) => {
            let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::UNAUTHORIZED);
            let mut response = answer::page(status, form(pages, next, field("email"), Some(&error)));
            if let ErrorKind::RateLimited { retry_after } = error.kind {
                response.headers_mut().insert(header::RETRY_AFTER, retry_after.as_secs().max(1).into());
            }
            Ok(response)
        }
        Err(error) => Err(error),
    }
}

/// Gives a browser its cookie and sends it on.
pub(crate) fn signed_in_as(pages: &Pages, session: &NewWebSession, next: &str) -> Response {
    let age_secs = session.expires_at.secs() - pages.app.now().secs();
    let cookie = visitor::made(COOKIE, &session.secret, "/", Some(age_secs), pages.settings.is_secure());
    let mut response = answer::see_other(next);
    set_cookie(&mut response, &cookie.to_string());
    response
}

/// Adds a cookie to an answer.
pub(crate) fn set_cookie(response: &mut Response, cookie: &str) {
    match HeaderValue::from_str(cookie) {
        Ok(value) => drop(response.headers_mut().append(header::SET_COOKIE, value)),
        Err(error) => tracing::error!(%error, "a cookie cannot be sent"),
    }
}

/// `POST /logout`: ends the session, here and in the store.
pub(crate) async fn sign_out(State(pages): State<Pages>, form: SignedForm) -> Response {
    if let Err(error) = pages.app.sign_out(form.visitor.cookie()).await {
        return problem(&error, None);
    }
    let mut response = answer::see_other("/login");
    set_cookie(&mut response, &visitor::made(COOKIE, "", "/", Some(0), pages.settings.is_secure()).to_string());
    response
}

/// The sign-in form.
fn form(pages: &Pages, next: &str, email: &str, error: Option<&Error>) -> Markup {
    let frame = Frame { title: "Sign in", viewer: None, place: Place::Nowhere, query: "" };
    let main = html! {
        div.panel.sign-in {
            h1 { "Sign in" }
            @if let Some(error) = error { p.note role="alert" { (sentence(&error.message)) } }
            form action="/login" method="post" {
                input type="hidden" name="next" value=(next);
                div.field {
                    label for="email" { "Mail address" }
                    input #email type="email" name="email" value=(email) autocomplete="username" required maxlength="254"
                        autofocus[email.is_empty()];
                }
                div.field {
                    label for="password" { "Password" }
                    input #password type="password" name="password" autocomplete="current-password" required
                        maxlength="1000" autofocus[!email.is_empty()];
                }
                button type="submit" { "Sign in" }
            }
            @if let Some(provider) = &pages.oidc {
                p.or { "or" }
                a.button href={ "/login/oidc?next=" (next::encoded(next)) } { "Sign in with " (provider.settings.name) }
            }
            p.hint { "No account, or no password? Whoever runs this server makes them: "
                code { "sessiongraph user create" } ", " code { "sessiongraph user password" } "." }
        }
    };
    layout::page(&frame, main)
}
