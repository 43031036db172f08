//! Requests that repeat themselves: the first one's answer is kept for a day under the key that came with it.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use sg_domain::{Caller, Digest, Result, Scope, UserId};
use sg_store::KeptAnswer;
use tokio::sync::OwnedMutexGuard;

use crate::App;

/// How long answers are kept, in seconds.
const KEPT_SECS: i64 = 24 * 60 * 60;

/// A write that carries an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// Its method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// The key.
    pub key: String,
    /// The digest of its body.
    pub body: Digest,
}

/// What to do with it.
#[derive(Debug)]
pub enum Turn {
    /// It was answered before, so.
    Replay(KeptAnswer),
    /// It is to be done now. Others with the same key wait until this is dropped.
    Go(IdempotentTurn),
}

/// The right to answer a request.
#[derive(Debug)]
pub struct IdempotentTurn {
    owner: UserId,
    key: Digest,
    body: Digest,
    _turn: OwnedMutexGuard<()>,
}

/// Who answers what now, in this process.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<Digest, Weak<tokio::sync::Mutex<()>>>>);

impl Turns {
    fn of(&self, key: Digest) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock();
        if let Some(turn) = turns.get(&key).and_then(Weak::upgrade) {
            return turn;
        }
        // Those that nobody holds any more; so the map is as large as what is under way.
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(key, Arc::downgrade(&turn));
        turn
    }
}

impl App {
    /// Looks whether a request was answered before. The same key with another body is another request: its answer will
    /// take the first one's place, so that a third like the first is not answered from before the second.
    pub async fn idempotent(&self, caller: &Caller, request: IdempotentRequest) -> Result<Turn> {
        let identity = caller.require(Scope::Write)?;
        let owner = identity.user.clone();
        // An answer may show what another key of the same owner may not see.
        let scopes = identity.scopes.names();
        let IdempotentRequest { method, path, key, body } = request;
        let key = Digest::of_parts([owner.as_str(), &scopes, &method, &path, &key].map(str::as_bytes));
        let turn = self.inner.turns.of(key).lock_owned().await;
        let since = self.now().plus_micros(-KEPT_SECS * 1_000_000);
        Ok(match self.store().kept_answer(&owner, key, body, since).await? {
            Some(answer) => Turn::Replay(answer),
            None => Turn::Go(IdempotentTurn { owner, key, body, _turn: turn }),
        })
    }

    /// Keeps the answer of a request that was done.
    pub async fn keep_answer(&self, turn: IdempotentTurn, answer: KeptAnswer) -> Result<()> {
        let tx = self.store().begin().await?;
        tx.keep_answer(&turn.owner, turn.key, turn.body, &answer, self.now()).await?;
        tx.commit().await
    }

    /// Removes answers that are no longer given again.
    pub(crate) async fn forget_answers(&self) -> Result<u64> {
        let tx = self.store().begin().await?;
        let forgotten = tx.forget_answers(self.now().plus_micros(-KEPT_SECS * 1_000_000)).await?;
        tx.commit().await?;
        Ok(forgotten)
    }
}
