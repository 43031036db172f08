//! Lists of archives.

use sg_domain::archive::ArchivedSession;
use sg_domain::{ArchiveFilter, ArchiveOrder, Caller, Direction, Result, Scope, SessionId, Visibility};

use crate::App;

/// A part of a list of archives that is wanted.
#[derive(Clone, Debug)]
pub struct ArchiveList {
    /// Which archives.
    pub filter: ArchiveFilter,
    /// Sorted by.
    pub order: ArchiveOrder,
    /// Ascending or descending.
    pub direction: Direction,
    /// At most this many.
    pub limit: u32,
    /// Behind this many.
    pub offset: u64,
}

impl App {
    /// A part of the list of the caller's archives, and how many the list holds in all.
    pub async fn archives(&self, caller: &Caller, list: &ArchiveList) -> Result<(Vec<ArchivedSession>, u64)> {
        let who = Visibility::of(caller.require(Scope::Read)?);
        let total = self.store().archive_count(&who, &list.filter).await?;
        if list.offset >= total {
            return Ok((Vec::new(), total));
        }
        let ArchiveList { filter, order, direction, limit, offset } = list;
        Ok((self.store().archives(&who, filter, *order, *direction, *limit, *offset).await?, total))
    }

    /// The archives of these sessions, in no order; sessions without one, and those the caller may not see, are left out.
    pub async fn archives_of(&self, caller: &Caller, sessions: &[SessionId]) -> Result<Vec<ArchivedSession>> {
        let identity = caller.require(Scope::Read)?;
        self.store().archives_of(&Visibility::of(identity), sessions).await
    }

    /// The models of the caller's archives, `None` for those whose model is not known, with how many archives each has:
    /// the most frequent first.
    pub async fn archive_models(&self, caller: &Caller) -> Result<Vec<(Option<String>, u64)>> {
        let identity = caller.require(Scope::Read)?;
        self.store().archive_models(&Visibility::of(identity)).await
    }
}
