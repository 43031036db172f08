//! Search as a person types it, for a session that another machine can go on with.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use sg_domain::{Caller, ExchangeQuery, ProjectId, ProjectKey, Result, Scope, Session, SessionId, Visibility, wtf8};
use sg_search::MAX_EXCHANGE_BYTES;
use sg_store::SessionColumns;

use crate::App;

/// A session to go on with that was found.
#[derive(Clone, Debug)]
pub struct ResumableHit {
    /// The session.
    pub session: Session,
    /// The name of its project.
    pub project_name: String,
    /// Part of the first exchange that matches: plain text on one line, [`sg_domain::search::MATCH_START`] and
    /// [`sg_domain::search::MATCH_END`] around each match, `…` where text was left out.
    pub snippet: String,
}

impl App {
    /// The caller's sessions that can be resumed and have one exchange that holds all of the query (see
    /// [`sg_search::SearchIndex::exchanges`]), last ended first, those without an end last. All of them: a list that is
    /// narrowed by typing on must not hide what it is narrowed to. An unknown project has none. `columns` are the wider ones of the
    /// sessions that will be looked at.
    pub async fn search_resumable(
        &self,
        caller: &Caller,
        query: &str,
        project: Option<&ProjectId>,
        columns: SessionColumns,
    ) -> Result<Vec<ResumableHit>> {
        let identity = caller.require(Scope::Read)?;
        self.check_query(query)?;
        let who = Visibility::of(identity);
        let wanted = ExchangeQuery { visibility: who.clone(), text: query.to_owned(), project: project.cloned() };
        let hits = self.search().exchanges(wanted).await?;
        let mut snippets: HashMap<SessionId, String> = hits.into_iter().map(|hit| (hit.session, hit.snippet)).collect();
        if snippets.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<SessionId> = snippets.keys().copied().collect();
        // The index may lag behind the store by one job; the store decides what is shown.
        let mut sessions = self.store().sessions_by_id(&who, &ids, columns).await?;
        sessions.retain(|session| session.session_data_size.is_some_and(|size| size > 0));
        sessions.sort_unstable_by(|a, b| {
            // `None` is less than any time: descending, it comes last.
            b.ended_at.cmp(&a.ended_at).then(b.updated_at.cmp(&a.updated_at)).then(a.id.cmp(&b.id))
        });
        let mut keys: Vec<ProjectKey> = sessions.iter().map(|session| session.project_key).collect();
        keys.sort_unstable();
        keys.dedup();
        let projects = self.store().projects_by_key(&who, &keys).await?;
        let names: HashMap<ProjectKey, String> =
            projects.into_iter().map(|project| (project.key, project.name)).collect();
        let hit = |session: Session| ResumableHit {
            // A project that was deleted since takes its sessions with it; they are gone from the next answer.
            project_name: names.get(&session.project_key).cloned().unwrap_or_default(),
            snippet: snippets.remove(&session.id).unwrap_or_default(),
            session,
        };
        Ok(sessions.into_iter().map(hit).collect())
    }

    /// The texts of a session's exchanges, for the index: none unless it can be resumed, and of a huge one as much as an
    /// index keeps.
    pub(crate) async fn exchange_texts(&self, session: &Session) -> Result<Vec<String>> {
        if session.session_data_size.unwrap_or(0) == 0 {
            return Ok(Vec::new());
        }
        // Content that was lost is for `doctor` to tell; the rest of the session stays searchable.
        let Some(mut stream) = self.store().blobs().stream(session.blobs.markdown).await? else {
            return Ok(Vec::new());
        };
        // No more of it is held than is kept.
        let mut markdown = Vec::new();
        while markdown.len() < MAX_EXCHANGE_BYTES
            && let Some(part) = stream.next().await
        {
            markdown.extend_from_slice(&part?);
        }
        let markdown = wtf8::lossy(&markdown);
        let exchanges = self.store().exchanges(&Visibility::everyone(), session.id).await?;
        let mut left = MAX_EXCHANGE_BYTES;
        let text = |exchange: &sg_domain::Exchange| {
            // Of an exchange that goes on behind what was read, its beginning.
            let within = sg_domain::Exchange { end: exchange.end.min(markdown.len() as u64), ..exchange.clone() };
            let text = within.slice(&markdown);
            let text = &text[..text.floor_char_boundary(left)];
            left -= text.len();
            text.to_owned()
        };
        Ok(exchanges.iter().map(text).collect())
    }
}
