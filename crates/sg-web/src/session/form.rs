//! The forms of a session: title, sharing, deletion, and the same of its exchanges.

use axum::extract::State;
use axum::response::Response;
use sg_app::{App, ExchangeUpdate, SessionUpdate};
use sg_domain::id::SessionRef;
use sg_domain::{Error, ExchangeId, Result, Session, ShareStatus};

use crate::csrf::SignedForm;
use crate::request::{Ids, ids, session_ref};
use crate::{answer, failure, shown};

/// `POST …/title`: an empty title takes the person's away.
pub(crate) async fn rename(State(app): State<App>, path: Ids<(String, String)>, form: SignedForm) -> Response {
    let title = chosen_title(form.fields.get("title"));
    let update = SessionUpdate { user_title: Some(title), ..SessionUpdate::default() };
    failure::shown(&form.visitor, changed(&app, &form, path, update).await.map(|session| back(&session, "", "renamed")))
}

/// `POST …/share`: `status` is `unlisted` or `private`.
pub(crate) async fn share(State(app): State<App>, path: Ids<(String, String)>, form: SignedForm) -> Response {
    let done = async {
        let (status, done) = match form.fields.get("status") {
            Some("unlisted") => (ShareStatus::Unlisted, "shared"),
            Some("private") => (ShareStatus::Private, "private"),
            _ => return Err(Error::invalid("a session is either shared or private")),
        };
        let update = SessionUpdate { share_status: Some(status), ..SessionUpdate::default() };
        let session = changed(&app, &form, path, update).await?;
        let from_sharing = form.fields.get("from") == Some("sharing");
        Ok(back(&session, if from_sharing { "/sharing" } else { "" }, done))
    };
    failure::shown(&form.visitor, done.await)
}

/// `POST …/delete`
pub(crate) async fn delete(State(app): State<App>, path: Ids<(String, String)>, form: SignedForm) -> Response {
    let done = async {
        let session = app.delete_session(&form.visitor.caller, &wanted(path)?).await?;
        Ok(answer::see_other(&format!("{}?done=trashed", shown::project_path(&session.project_id))))
    };
    failure::shown(&form.visitor, done.await)
}

/// `POST …/exchanges/{ordinal}`: `title` and `hidden` (ticked or not).
pub(crate) async fn exchange(State(app): State<App>, path: Ids<(String, String, u32)>, form: SignedForm) -> Response {
    let done = async {
        let (pid, sid, ordinal) = ids(path)?;
        let wanted = session_ref(&pid, &sid)?;
        let session = app.session(&form.visitor.caller, &wanted).await?;
        let update = ExchangeUpdate {
            user_title: Some(chosen_title(form.fields.get("title"))),
            hidden_from_share: Some(form.fields.get("hidden").is_some()),
            etag: None,
        };
        let id = ExchangeId { session: session.id, ordinal };
        let (session, exchange) = app.update_exchange(&form.visitor.caller, &wanted, id, update).await?;
        let page = super::sharing::page_of(exchange.ordinal);
        let base = shown::session_path(&session);
        Ok(answer::see_other(&format!("{base}/sharing?page={page}&done=changed#x{}", exchange.ordinal)))
    };
    failure::shown(&form.visitor, done.await)
}

fn wanted(path: Ids<(String, String)>) -> Result<SessionRef> {
    let (pid, sid) = ids(path)?;
    session_ref(&pid, &sid)
}

async fn changed(app: &App, form: &SignedForm, path: Ids<(String, String)>, update: SessionUpdate) -> Result<Session> {
    app.update_session(&form.visitor.caller, &wanted(path)?, update).await
}

fn chosen_title(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn back(session: &Session, below: &str, done: &str) -> Response {
    answer::see_other(&format!("{}{below}?done={done}", shown::session_path(session)))
}
