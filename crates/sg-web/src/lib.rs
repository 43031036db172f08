//! Pages for people: plain, server-rendered HTML over the same operations as GraphQL and REST.
//!
//! What belongs here: markup, forms, the sign-in cookie, how a session reads on a page. What does not: rules and
//! permission (`sg-app`), a dialect's JSON (`sg-rest`), the playground's bundle (`sg-server`).

mod answer;
mod asset;
mod code;
mod conversation;
mod failure;
mod layout;
mod markdown;
mod shown;

use axum::Router;
use axum::routing::get;
use sg_app::App;

/// What the pages need to know of the server.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The address that people reach the server at, such as `https://sessions.example.com`, without a final slash. Empty:
    /// links are relative, and what must be absolute is made from the request's `Host`.
    pub public_url: String,
}

/// Every page. They tell who asks by their own cookie, never by an API key.
pub fn router(_app: App, _settings: Settings) -> Router {
    Router::new().route(asset::ROUTE, get(asset::file))
}
