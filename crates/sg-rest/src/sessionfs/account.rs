//! Accounts: signing up, who one is, and showing that a mail address is one's own.

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post, put};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderValue, Method, StatusCode};
use serde_json::json;
use sg_app::App;
use sg_domain::{ClientAddress, ErrorKind, Timestamp};

use super::body::Body;
use super::credential::{Reader, Writer};
use super::failure::Failure;
use super::query::Query;
use super::time::offset_stamp;
use super::{Gate, wire};
use crate::route::Route;

/// The routes of this file.
pub(super) const ROUTES: &[Route<Gate>] = &[
    Route::open("sign up", &["POST"], "/api/v1/auth/signup", || post(sign_up)),
    Route::read("who am I", "/api/v1/auth/me", || get(me)),
    Route::read("me", "/api/v1/me", || get(me)),
    Route::write("set default organization", &["PUT"], "/api/v1/auth/me/default-org", || put(default_organization)),
    Route::open("verify email", &["GET", "HEAD"], "/api/v1/auth/verify", || get(verify_by_query)),
    Route::open("verify email by path", &["GET", "HEAD"], "/api/v1/auth/verify/{token}", || get(verify_by_path)),
];

/// The longest address that is looked at; none that is longer is one.
const MAX_EMAIL_CHARS: usize = 320;
/// The longest id of an organization that is looked at.
const MAX_ID_CHARS: usize = 100;

/// `POST /auth/signup`: an account and its first key, shown this once.
async fn sign_up(
    State(app): State<App>,
    address: Option<Extension<ClientAddress>>,
    mut body: Body,
) -> Result<Response, Failure> {
    let email = body.required_text("email", 0..=MAX_EMAIL_CHARS);
    body.check()?;
    let made = match app.sign_up(&email, address.map(|Extension(address)| address)).await {
        Ok(made) => made,
        Err(error) => {
            return Err(match error.kind {
                ErrorKind::Invalid => {
                    body.refuse("email", "Not a valid email address");
                    return Err(body.into_failure());
                }
                ErrorKind::Conflict => Failure::new(StatusCode::CONFLICT, "Email already registered"),
                ErrorKind::RateLimited { .. } => {
                    Failure::from(error).saying("Too many signup attempts. Try again later.")
                }
                _ => error.into(),
            });
        }
    };
    let message = match made.user.email_verified_at {
        Some(_) => "Account created and verified.",
        None => "Account created. Verify your email to enable cloud sync.",
    };
    Ok(wire::secret(&json!({
        "user_id": wire::user_id(&made.user.id),
        "email": made.user.email,
        "raw_key": made.key.secret,
        "key_id": made.key.key.id.to_string(),
        "message": message,
    })))
}

/// `GET /auth/me`, and `GET /me`, which a client asks for to see whether its key works.
async fn me(State(app): State<App>, Reader(caller): Reader) -> Result<Response, Failure> {
    let user = app.viewer(&caller).await?;
    let stamp = |at: Option<Timestamp>| at.map(offset_stamp);
    let tier = app.tier_of(&user).name();
    Ok(wire::json(&json!({
        "user_id": wire::user_id(&user.id),
        "email": user.email,
        "display_name": user.display_name,
        "email_verified": user.email_verified_at.is_some(),
        "tier": tier,
        "effective_tier": tier,
        "created_at": offset_stamp(user.created_at),
        "last_client_version": user.last_client.version,
        "last_client_platform": user.last_client.platform,
        "last_client_device": user.last_client.device,
        "last_sync_at": stamp(user.last_sync_at),
        // Nobody here tells clients to update.
        "latest_version": null,
        "org_id": null,
        "org_name": null,
        "org_role": null,
        "default_org_id": null,
        "capture_health": null,
        "represented_personas": [],
    })))
}

/// `PUT /auth/me/default-org`: there are no organizations, so none can be taken.
async fn default_organization(Writer(_): Writer, mut body: Body) -> Result<Response, Failure> {
    let organization = body.text("org_id", 0..=MAX_ID_CHARS);
    body.done()?;
    match organization {
        None => Ok(wire::json(&json!({ "default_org_id": null }))),
        Some(_) => {
            let message = "You are not a member of this organization";
            Err(Failure::new(StatusCode::FORBIDDEN, message).detail("error", "not_a_member"))
        }
    }
}

/// `GET /auth/verify?token=…`: what the mailed link asks for.
async fn verify_by_query(State(app): State<App>, method: Method, mut query: Query) -> Result<Response, Failure> {
    let token = query.required("token", 0..=usize::MAX);
    query.done()?;
    Ok(verify(&app, &method, &token).await)
}

/// `GET /auth/verify/{token}`: the same as the documents have it.
async fn verify_by_path(
    State(app): State<App>,
    method: Method,
    token: Result<Path<String>, PathRejection>,
) -> Response {
    let token = token.map(|Path(token)| token).unwrap_or_default();
    verify(&app, &method, &token).await
}

async fn verify(app: &App, method: &Method, token: &str) -> Response {
    match app.verify_email(token, method == Method::HEAD).await {
        Ok(_) => page(StatusCode::OK, "Email Verified!", "Your account is verified. You can close this page."),
        Err(error) => match error.kind {
            ErrorKind::Invalid => {
                let why = format!("Sorry: {}.", error.message);
                page(StatusCode::BAD_REQUEST, "Verification Failed", &why)
            }
            ErrorKind::NotFound => page(StatusCode::NOT_FOUND, "Verification Failed", "The account is gone."),
            _ => Failure::from(error).into_response(),
        },
    }
}

/// A page that loads nothing. None of its words come from who opens it.
fn page(status: StatusCode, title: &str, text: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{title}</title>\n<style>body{{font-family:system-ui,sans-serif;\
         max-width:32rem;margin:20vh auto;padding:0 1rem;text-align:center}}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         <p>{text}</p>\n</body>\n</html>\n"
    );
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The address of this page is what verifies.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
