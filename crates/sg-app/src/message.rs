//! Messages of a session.

use sg_domain::{Caller, Message, MessageId, Result, Role, Scope, SessionId, Visibility};
use sg_store::{MessagePage, MessageQuery};

use crate::App;

impl App {
    /// A page of a session's messages with their ordinals; empty when the caller may not see the session.
    pub async fn messages(&self, caller: &Caller, session: SessionId, query: &MessageQuery) -> Result<MessagePage> {
        let identity = caller.require(Scope::Read)?;
        self.store().messages(&Visibility::of(identity), session, query).await
    }

    /// Messages by id, in no order; those the caller may not see are left out.
    pub async fn messages_by_id(&self, caller: &Caller, ids: &[MessageId]) -> Result<Vec<(MessageId, Message)>> {
        let identity = caller.require(Scope::Read)?;
        self.store().messages_by_id(&Visibility::of(identity), ids).await
    }

    /// How many messages of these roles (all when empty) a session has.
    pub async fn message_count(&self, caller: &Caller, session: SessionId, roles: &[Role]) -> Result<u64> {
        let identity = caller.require(Scope::Read)?;
        self.store().message_count(&Visibility::of(identity), session, roles).await
    }
}
