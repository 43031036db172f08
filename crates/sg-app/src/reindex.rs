//! Building the index again from the store, while the old one serves.

use sg_domain::{Caller, Direction, PageRequest, Result, Scope, SessionFilter, SessionOrder, Visibility};
use sg_store::{SessionColumns, session_cursor};

use crate::App;

/// How far a long task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Sessions done.
    pub done: u64,
    /// Sessions in all, as counted at the start.
    pub total: u64,
}

/// Rows read at a time; their messages are read one session at a time, so memory does not grow with the store.
const PAGE: u32 = 200;

impl App {
    /// Builds a new index from the store and swaps it in. `report` hears of every session.
    pub async fn reindex(&self, caller: &Caller, report: impl FnMut(Progress) + Send) -> Result<Progress> {
        caller.require(Scope::Admin)?;
        self.rebuild_index(report).await
    }

    /// The same on the server's own account, when the index was found missing or unusable at start.
    pub async fn rebuild_index(&self, mut report: impl FnMut(Progress) + Send) -> Result<Progress> {
        let who = Visibility::everyone();
        let total = self.store().session_count(&who, &SessionFilter::default()).await?;
        let mut progress = Progress { done: 0, total };
        let mut rebuild = self.search().rebuild().await?;
        let (order, direction) = (SessionOrder::CreatedAt, Direction::Asc);
        let mut request = PageRequest::first(PAGE);
        loop {
            let page = self
                .store()
                .sessions(&who, &SessionFilter::default(), order, direction, &request, SessionColumns::NARROW)
                .await?;
            for session in &page.items {
                if let Some(document) = self.session_document(session.id).await? {
                    rebuild.put(document).await?;
                }
                progress.done += 1;
                report(progress);
            }
            match page.items.last() {
                Some(last) if page.has_next => request.after = Some(session_cursor(last, order, direction)),
                _ => break,
            }
        }
        rebuild.finish().await?;
        Ok(progress)
    }
}
