//! Sessions.

use std::collections::HashMap;

use sg_domain::id::SessionRef;
use sg_domain::{
    Cursor, Direction, Exchange, Message, Page, PageRequest, ProjectKey, Result, Session, SessionFilter, SessionId,
    SessionOrder, UserId, Visibility,
};

use crate::store::stub;
use crate::{Store, Tx};

/// The wider columns of a session; those not asked for come back empty. Everything else is always read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionColumns {
    /// `metadata`.
    pub metadata: bool,
    /// `first_exchange`.
    pub first_exchange: bool,
}

impl SessionColumns {
    /// Every column.
    pub const ALL: Self = Self { metadata: true, first_exchange: true };
    /// Only the narrow ones.
    pub const NARROW: Self = Self { metadata: false, first_exchange: false };
}

/// What belongs to a session and is written with it.
#[derive(Clone, Debug)]
pub struct SessionContent<'a> {
    /// All messages. Stored ones that stay the same at the start of the list are not written again.
    pub messages: &'a [Message],
    /// All exchanges. Titles and hidden flags that people gave to an exchange with the same ordinal stay.
    pub exchanges: &'a [Exchange],
}

/// The cursor of a session in a list of this order.
pub fn session_cursor(_session: &Session, _order: SessionOrder, _direction: Direction) -> Cursor {
    unimplemented!()
}

impl Store {
    /// A page of sessions.
    pub async fn sessions(
        &self,
        _who: &Visibility,
        _filter: &SessionFilter,
        _order: SessionOrder,
        _direction: Direction,
        _page: &PageRequest,
        _columns: SessionColumns,
    ) -> Result<Page<Session>> {
        stub()
    }
    /// The first `limit` sessions of each of these projects, in one statement.
    pub async fn sessions_by_project(
        &self,
        _who: &Visibility,
        _projects: &[ProjectKey],
        _filter: &SessionFilter,
        _order: SessionOrder,
        _direction: Direction,
        _limit: u32,
        _columns: SessionColumns,
    ) -> Result<HashMap<ProjectKey, Vec<Session>>> {
        stub()
    }
    /// How many sessions pass.
    pub async fn session_count(&self, _who: &Visibility, _filter: &SessionFilter) -> Result<u64> {
        stub()
    }
    /// One session.
    pub async fn session(&self, _who: &Visibility, _session: &SessionRef) -> Result<Option<Session>> {
        stub()
    }
    /// Sessions by id, in no order; those that may not be seen are left out.
    pub async fn sessions_by_id(
        &self,
        _who: &Visibility,
        _ids: &[SessionId],
        _columns: SessionColumns,
    ) -> Result<Vec<Session>> {
        stub()
    }
    /// A session's exchanges, in order.
    pub async fn exchanges(&self, _who: &Visibility, _session: SessionId) -> Result<Vec<Exchange>> {
        stub()
    }
}

impl Tx {
    /// The owner's session with this client id in a project, locked for this transaction.
    pub async fn session_for_update(
        &self,
        _owner: &UserId,
        _project: ProjectKey,
        _client_id: &str,
    ) -> Result<Option<Session>> {
        stub()
    }
    /// One session by id, locked for this transaction.
    pub async fn session_by_id(&self, _owner: &UserId, _id: SessionId) -> Result<Option<Session>> {
        stub()
    }
    /// Writes a session, new or known by its id, with everything that belongs to it. `content: None` leaves messages and
    /// exchanges as they are. Keeps the project's sums right.
    pub async fn put_session(&self, _session: &Session, _content: Option<&SessionContent<'_>>) -> Result<()> {
        stub()
    }
    /// Deletes a session and everything that belongs to it; whether there was one. Blobs stay for the sweep.
    pub async fn delete_session(&self, _owner: &UserId, _id: SessionId) -> Result<bool> {
        stub()
    }
}
