//! A session's content as files, and one message as text. A stranger wrote them, so they run nothing and are never shown
//! as anything but text.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderValue, header};
use sg_app::App;
use sg_domain::id::MessageId;
use sg_domain::{Error, Result, Session};

use crate::request::{Ids, ids, session_ref};
use crate::visitor::Visitor;
use crate::{answer, conversation, failure, shown};

/// `GET …/download/{what}`: `markdown`, `raw` or `session-data`, byte for byte.
pub(crate) async fn file(State(app): State<App>, visitor: Visitor, path: Ids<(String, String, String)>) -> Response {
    let done = async {
        let (pid, sid, what) = ids(path)?;
        let session = app.session(&visitor.caller, &session_ref(&pid, &sid)?).await?;
        let caller = &visitor.caller;
        let (bytes, kind, ending) = match what.as_str() {
            "markdown" => (app.markdown(caller, &session).await?, "text/markdown; charset=utf-8", "md"),
            "raw" => (app.raw_data(caller, &session).await?, "application/octet-stream", "jsonl"),
            "session-data" => (app.session_data(caller, &session).await?, "application/json", "json"),
            _ => return Err(Error::not_found("download")),
        };
        attachment(Body::from(bytes), kind, &file_name(&session, ending))
    };
    failure::shown(&visitor, done.await)
}

/// `GET …/messages/{ordinal}`: one message whole, as text.
pub(crate) async fn message(State(app): State<App>, visitor: Visitor, path: Ids<(String, String, u32)>) -> Response {
    let done = async {
        let (pid, sid, ordinal) = ids(path)?;
        let session = app.session(&visitor.caller, &session_ref(&pid, &sid)?).await?;
        let found = app.messages_by_id(&visitor.caller, &[MessageId { session: session.id, ordinal }]).await?;
        let (_, message) = found.into_iter().next().ok_or_else(|| Error::not_found("message"))?;
        let mut response = Response::new(Body::from(conversation::plain(&message)));
        answer::secure(&mut response, answer::SANDBOX);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        Ok(response)
    };
    failure::shown(&visitor, done.await)
}

fn attachment(body: Body, kind: &'static str, name: &str) -> Result<Response> {
    let mut response = Response::new(body);
    answer::secure(&mut response, answer::SANDBOX);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // Both spellings of RFC 6266: plain for old programs, the encoded one for all characters.
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    let value = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", shown::segment(name));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&value).map_err(Error::internal)?);
    Ok(response)
}

/// A file named after the session's title.
fn file_name(session: &Session, ending: &str) -> String {
    let title: String = session
        .title()
        .chars()
        .take(80)
        .map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' })
        .collect();
    let title = title.trim_matches(['-', '.']);
    let stem = if title.is_empty() { session.id.to_string() } else { title.to_owned() };
    format!("{stem}.{ending}")
}
