//! Changing exchanges.

use std::sync::Arc;

use async_graphql::{Context, InputObject, MaybeUndefined, Object};
use sg_app::ExchangeUpdate;
use sg_domain::id::SessionRef;
use sg_domain::{Error, ExchangeId};

use crate::exchange::{Exchange, exchange};
use crate::failure::{Nullable, Outcome};
use crate::loader::Reach;
use crate::session::Session;
use crate::session_change::given;

/// Which exchange, and what changes about it. A field that is left out stays as it is.
#[derive(InputObject)]
pub(crate) struct UpdateExchangeInput {
    /// The exchange's id on this server.
    id: String,
    /// The ETag of its session that was seen last: if that has another one by now, nothing changes and the answer is
    /// `CONFLICT`.
    etag: Option<String>,
    /// What to call it, 1 to 500 characters; null takes the title away.
    user_title: MaybeUndefined<String>,
    /// Whether a shared session leaves it out.
    hidden_from_share: Option<bool>,
}

/// What came of a change of an exchange.
pub(crate) struct UpdateExchangePayload {
    session: Arc<sg_domain::Session>,
    id: ExchangeId,
}

/// What came of a change of an exchange.
#[Object]
impl UpdateExchangePayload {
    /// The exchange as it is now.
    async fn exchange(&self, ctx: &Context<'_>) -> Nullable<Exchange> {
        exchange(Reach::of(ctx), self.id).await
    }

    /// Its session as it is now; its ETag has changed.
    async fn session(&self) -> Session {
        Session::new(self.session.clone())
    }
}

/// Changes an exchange.
pub(crate) async fn update_exchange(reach: &Reach, input: UpdateExchangeInput) -> Outcome<UpdateExchangePayload> {
    let UpdateExchangeInput { id, etag, user_title, hidden_from_share } = input;
    // Text that can be no id names an exchange that is not there; who may not write hears of that first.
    let update = ExchangeUpdate { user_title: given(user_title), hidden_from_share, etag };
    reach.caller.require(sg_domain::Scope::Write)?;
    // The answer shows it: whoever may not read must hear so before anything has changed.
    reach.caller.require(sg_domain::Scope::Read)?;
    let id: ExchangeId = id.parse().map_err(|_| Error::not_found("exchange"))?;
    let changed = reach.app.update_exchange(&reach.caller, &SessionRef::Id(id.session), id, update).await;
    let (session, _) = changed.map_err(|error| match error.kind {
        sg_domain::ErrorKind::NotFound => Error::not_found("exchange"),
        _ => error,
    })?;
    Ok(UpdateExchangePayload { session: Arc::new(session), id })
}
