//! The pages: the playground, the REST API's documents, and their assets, gzipped when the server was built, under hashed
//! names.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use super::failure::{json_response, not_found};

/// One file of the bundle.
struct Asset {
    /// Its name under `/assets/`; pages end in `.html` and have paths of their own.
    name: &'static str,
    /// Its media type.
    media_type: &'static str,
    /// Its bytes, gzipped.
    gzip: &'static [u8],
    /// Names this content.
    etag: &'static str,
}

#[cfg(feature = "ui")]
include!(concat!(env!("OUT_DIR"), "/assets.rs"));
#[cfg(not(feature = "ui"))]
static ASSETS: &[Asset] = &[];

/// Nothing that is not this server's own may be loaded, run or called; to browsers a socket to where a page came from is
/// its own. Monaco makes its styles and workers at run time.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; \
    img-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// The same without what only Monaco needs. Both tools write styles at run time; ReDoc searches in a worker of its own.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) fn router() -> Router {
    Router::new()
        .route("/", get(async |headers: HeaderMap| playground(&headers)))
        .route("/api/docs", get(async |headers: HeaderMap| docs("swagger.html", &headers)))
        .route("/api/redoc", get(async |headers: HeaderMap| docs("redoc.html", &headers)))
        .route("/api/openapi.json", get(description))
        .route("/assets/{name}", get(async |Path(name): Path<String>, headers: HeaderMap| asset(&name, &headers)))
}

/// The playground.
pub(crate) fn playground(headers: &HeaderMap) -> Response {
    let Some(page) = ASSETS.iter().find(|asset| asset.name == "index.html") else {
        let body = r#"{"name":"sessiongraph","graphql":"/api/v1/graphql","health":"/healthz","pages":"not built in"}"#;
        return json_response(StatusCode::OK, body.to_owned());
    };
    // The page names the assets of its own build, so it is asked for every time; its ETag makes that cheap.
    send(page, headers, "no-cache", POLICY)
}

/// The documents of the REST API.
fn docs(name: &str, headers: &HeaderMap) -> Response {
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(page) => send(page, headers, "no-cache", DOCS_POLICY),
        None => {
            let error = "pages are not built into this server, read /api/openapi.json";
            json_response(StatusCode::NOT_FOUND, json!({ "success": false, "error": error }).to_string())
        }
    }
}

/// What the documents show: the dialect's own description, at a path that every tool finds.
async fn description() -> Response {
    let mut response = Response::new(Body::from(sg_rest::specstory::openapi::document()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Tools on other origins read it too.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

fn asset(name: &str, headers: &HeaderMap) -> Response {
    match ASSETS.iter().find(|asset| asset.name == name && !name.ends_with(".html")) {
        Some(asset) => send(asset, headers, "public, max-age=31536000, immutable", POLICY),
        None => not_found(),
    }
}

fn send(asset: &'static Asset, request: &HeaderMap, cache: &'static str, policy: &'static str) -> Response {
    let known = request.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let is_known = known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == asset.etag);
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::ETAG, HeaderValue::from_static(asset.etag));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    let accepted = request.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if accepts_gzip(accepted) {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        *response.body_mut() = Body::from(asset.gzip);
    } else {
        match plain(asset.gzip) {
            Ok(bytes) => *response.body_mut() = Body::from(bytes),
            Err(error) => {
                tracing::error!(%error, name = asset.name, "embedded asset cannot be unpacked");
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            }
        }
    }
    response
}

fn accepts_gzip(header: &str) -> bool {
    header.split(',').any(|part| {
        let (name, rest) = part.split_once(';').unwrap_or((part, ""));
        let refused = rest.trim().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok()) == Some(0.0);
        matches!(name.trim(), "gzip" | "*") && !refused
    })
}

fn plain(gzip: &[u8]) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(gzip).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_only_to_those_who_take_it() {
        assert!(accepts_gzip("br, gzip"));
        assert!(accepts_gzip("*"));
        assert!(!accepts_gzip("identity, gzip;q=0"));
        assert!(!accepts_gzip(""));
    }
}
