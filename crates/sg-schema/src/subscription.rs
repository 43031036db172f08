//! Live changes.

use async_graphql::{ID, SimpleObject, Subscription as Subscribes};
use futures_util::Stream;

/// What can be listened to.
pub struct Subscription;

/// A change.
#[derive(SimpleObject)]
pub(crate) struct SessionChange {
    /// What.
    kind: String,
}

#[Subscribes]
impl Subscription {
    /// Changes.
    async fn session_changed(
        &self,
        #[graphql(desc = "Where.")] project_id: Option<ID>,
    ) -> impl Stream<Item = SessionChange> + use<> {
        let _ = project_id;
        futures_util::stream::unfold((), async |()| {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            Some((SessionChange { kind: "CREATED".to_owned() }, ()))
        })
    }
}
