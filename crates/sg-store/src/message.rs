//! Messages: rows of a session, bodies compressed.

use sg_domain::{Message, MessageId, Page, Result, Role, SessionId, Visibility};

use crate::Store;
use crate::store::stub;

/// Which messages of a session.
#[derive(Clone, Debug, Default)]
pub struct MessageQuery {
    /// Only these roles; empty is all.
    pub roles: Vec<Role>,
    /// Only messages behind this ordinal.
    pub after: Option<u32>,
    /// Only messages before this ordinal.
    pub before: Option<u32>,
    /// Take the last ones of the range instead of the first.
    pub backward: bool,
    /// Centre the page on this ordinal instead (`after`, `before` and `backward` are ignored).
    pub around: Option<u32>,
    /// At most this many; `None` is all.
    pub limit: Option<u32>,
}

/// A page of messages with their ordinals, ascending.
pub type MessagePage = Page<(u32, Message)>;

impl Store {
    /// Messages of one session; an empty page when it may not be seen.
    pub async fn messages(&self, _who: &Visibility, _session: SessionId, _query: &MessageQuery) -> Result<MessagePage> {
        stub()
    }
    /// Messages by id, of any sessions, in no order; those that may not be seen are left out.
    pub async fn messages_by_id(&self, _who: &Visibility, _ids: &[MessageId]) -> Result<Vec<(MessageId, Message)>> {
        stub()
    }
    /// How many messages of these roles (all when empty) a session has.
    pub async fn message_count(&self, _who: &Visibility, _session: SessionId, _roles: &[Role]) -> Result<u64> {
        stub()
    }
}
