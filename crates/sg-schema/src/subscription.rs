//! Live changes.

use async_graphql::Subscription as Subscribes;
use futures_util::Stream;

/// What can be listened to.
pub struct Subscription;

#[Subscribes]
impl Subscription {
    /// Counts.
    async fn ticks(&self, #[graphql(desc = "How far.")] count: i32) -> impl Stream<Item = i32> + use<> {
        futures_util::stream::iter(0..count)
    }
}
