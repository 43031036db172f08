//! The pages' own files: one style, one script, one icon, named after their content so that browsers keep them for good.

use std::sync::OnceLock;

use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use sg_domain::Digest;

use crate::answer;

const STYLE: &str = include_str!("../assets/style.css");
const SCRIPT: &str = include_str!("../assets/page.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// A file as it is served.
struct Asset {
    path: String,
    media_type: &'static str,
    body: String,
}

struct Assets {
    style: Asset,
    script: Asset,
    icon: Asset,
}

/// Where the router finds [`file`].
pub(crate) const ROUTE: &str = "/web/{name}";

fn assets() -> &'static Assets {
    static ASSETS: OnceLock<Assets> = OnceLock::new();
    ASSETS.get_or_init(|| {
        let asset = |stem: &str, kind: &str, media_type, body: String| {
            let digest = Digest::of(body.as_bytes()).to_string();
            Asset { path: format!("/web/{stem}-{}.{kind}", &digest[..12]), media_type, body }
        };
        Assets {
            style: asset("style", "css", "text/css; charset=utf-8", STYLE.to_owned()),
            script: asset("page", "js", "text/javascript; charset=utf-8", SCRIPT.to_owned()),
            icon: asset("icon", "svg", "image/svg+xml", ICON.to_owned()),
        }
    })
}

/// The style's address.
pub(crate) fn style() -> &'static str {
    &assets().style.path
}

/// The script's address.
pub(crate) fn script() -> &'static str {
    &assets().script.path
}

/// The icon's address.
pub(crate) fn icon() -> &'static str {
    &assets().icon.path
}

/// `GET /web/{name}`: needs no sign-in, the sign-in page is styled too.
pub(crate) async fn file(Path(name): Path<String>) -> Response {
    let Assets { style, script, icon } = assets();
    let asset = [style, script, icon].into_iter().find(|asset| asset.path.strip_prefix("/web/") == Some(&name));
    let Some(asset) = asset else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = asset.body.as_str().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(answer::SANDBOX));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_content_and_files_load_nothing() {
        assert!(style().starts_with("/web/style-") && style().ends_with(".css"));
        assert_eq!(style().len(), "/web/style-.css".len() + 12);
        for text in [&assets().style.body, &assets().script.body] {
            for foreign in ["http:", "https:", "@import", "url("] {
                assert!(!text.contains(foreign), "{foreign}");
            }
        }
    }
}
