//! What people change about a stored session: its names and tags, who may read it, and the same of its exchanges.

use sg_domain::change::ChangeKind;
use sg_domain::error::quote;
use sg_domain::id::SessionRef;
use sg_domain::{
    Caller, Error, ErrorKind, Exchange, ExchangeId, Identity, Result, Scope, Session, ShareStatus, Visibility,
};
use sg_store::Tx;

use crate::App;
use crate::exchange_mark::exchange_marks;
use crate::project::chosen;
use crate::session_etag::{etag_of, expect};
use crate::session_tag::Tags;

/// What is to change about a session; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionUpdate {
    /// What a person calls it, 1 to 500 characters; `Some(None)` takes the title away.
    pub user_title: Option<Option<String>>,
    /// Who may read it without signing in.
    pub share_status: Option<ShareStatus>,
    /// What it is called, 1 to 255 characters. The next upload by its client brings that one's name.
    pub name: Option<String>,
    /// A short name, unique per owner (see [`sg_domain::id::alias`]); `Some(None)` takes it away.
    pub alias: Option<Option<String>>,
    /// All its tags.
    pub tags: Option<Vec<String>>,
    /// Tags to add to those it has.
    pub add_tags: Vec<String>,
    /// Tags to take away.
    pub remove_tags: Vec<String>,
    /// The ETag that it must still have; not a change.
    pub etag: Option<String>,
}

impl SessionUpdate {
    /// Whether what is wanted can be had of any session.
    pub fn check(&self) -> Result<()> {
        Tags::of(self).map(drop)
    }
}

/// What is to change about an exchange; `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExchangeUpdate {
    /// What a person calls it, 1 to 500 characters; `Some(None)` takes the title away.
    pub user_title: Option<Option<String>>,
    /// Whether it is left out when the session is shared.
    pub hidden_from_share: Option<bool>,
    /// The ETag that its session must still have; not a change.
    pub etag: Option<String>,
}

/// The longest title that a person gives, in characters.
const MAX_TITLE_CHARS: usize = 500;
/// The longest name that a person gives, in characters: no more bytes than an index takes.
const MAX_NAME_CHARS: usize = 255;

impl App {
    /// Changes a session. `NotFound` when there is none that the caller may change; `Conflict` when its alias is taken or
    /// its ETag another.
    pub async fn update_session(
        &self,
        caller: &Caller,
        session: &SessionRef,
        mut update: SessionUpdate,
    ) -> Result<Session> {
        let identity = caller.require(Scope::Write)?;
        let etag = update.etag.take();
        if update == SessionUpdate::default() {
            return Err(Error::invalid("either userTitle or shareStatus must be provided").in_input());
        }
        let tags = Tags::of(&update)?;
        let user_title = title(update.user_title)?;
        let name = update.name.map(|name| chosen("name", &name, MAX_NAME_CHARS)).transpose()?;
        if let Some(Some(alias)) = &update.alias {
            sg_domain::id::alias(alias)?;
        }
        let (tx, stored) = self.locked(identity, session).await?;
        expect(&stored, etag.as_deref())?;
        let mut changed = stored.clone();
        changed.user_title = user_title.unwrap_or(changed.user_title);
        changed.share_status = update.share_status.unwrap_or(changed.share_status);
        changed.name = name.unwrap_or(changed.name);
        changed.alias = update.alias.unwrap_or(changed.alias);
        tags.apply(&mut changed.metadata)?;
        if changed == stored {
            tx.commit().await?;
            return Ok(stored);
        }
        let new_alias = changed.alias.clone().filter(|_| changed.alias != stored.alias);
        if let Some(alias) = &new_alias
            && tx.alias_holder(&identity.user, alias).await?.is_some()
        {
            return Err(alias_taken(alias));
        }
        self.write_changed(tx, identity, changed).await.map_err(|error| match new_alias {
            // Given away between the question and the answer.
            Some(alias) if error.kind == ErrorKind::Conflict => alias_taken(&alias),
            _ => error,
        })
    }

    /// Changes an exchange of a session. `NotFound` when there is none that the caller may change.
    pub async fn update_exchange(
        &self,
        caller: &Caller,
        session: &SessionRef,
        id: ExchangeId,
        mut update: ExchangeUpdate,
    ) -> Result<(Session, Exchange)> {
        let identity = caller.require(Scope::Write)?;
        let etag = update.etag.take();
        if update == ExchangeUpdate::default() {
            return Err(Error::invalid("either userTitle or hiddenFromShare must be provided").in_input());
        }
        let user_title = title(update.user_title)?;
        let (tx, stored) = self.locked(identity, session).await?;
        let stored_exchange = tx.exchanges(stored.id).await?.into_iter().find(|x| x.ordinal == id.ordinal);
        let Some(stored_exchange) = stored_exchange.filter(|_| id.session == stored.id) else {
            return Err(Error::not_found("exchange"));
        };
        expect(&stored, etag.as_deref())?;
        let mut exchange = stored_exchange.clone();
        exchange.user_title = user_title.unwrap_or(exchange.user_title);
        exchange.hidden_from_share = update.hidden_from_share.unwrap_or(exchange.hidden_from_share);
        if exchange == stored_exchange {
            tx.commit().await?;
            return Ok((stored, exchange));
        }
        tx.mark_exchange(stored.id, &exchange).await?;
        let session = self.write_changed(tx, identity, stored).await?;
        Ok((session, exchange))
    }

    /// A transaction with the caller's session locked in it.
    pub(crate) async fn locked(&self, identity: &Identity, session: &SessionRef) -> Result<(Tx, Session)> {
        let found = self.store().session(&Visibility::of(identity), session).await?;
        let found = found.ok_or_else(|| Error::not_found("session"))?;
        let tx = self.store().begin().await?;
        // Read again: it may have changed, or gone, since it was looked up.
        let stored = tx.session_for_update(&identity.user, found.project_key, &found.client_id).await?;
        let stored = stored.filter(|stored| stored.id == found.id).ok_or_else(|| Error::not_found("session"))?;
        Ok((tx, stored))
    }

    /// Writes a session's row with the ETag of what it is now, and the job that makes the index agree.
    async fn write_changed(&self, tx: Tx, identity: &Identity, mut session: Session) -> Result<Session> {
        let marks = exchange_marks(&tx.exchanges(session.id).await?);
        session.etag = etag_of(&session, &marks);
        session.updated_at = self.now();
        tx.put_session(&session, None).await?;
        self.commit_session(tx, identity, &session, ChangeKind::Updated).await?;
        Ok(session)
    }
}

fn alias_taken(alias: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("alias {} is already in use", quote(alias))).at("alias")
}

fn title(given: Option<Option<String>>) -> Result<Option<Option<String>>> {
    let check = |title: Option<String>| title.map(|title| chosen("userTitle", &title, MAX_TITLE_CHARS)).transpose();
    given.map(check).transpose()
}
