//! The root of everything that is told as it happens. Each field is executed once to open its source and once for each
//! event (`stream.rs`).

use async_graphql::{Context, ID, Subscription as Root};

use crate::change::{SessionChange, session_changes};
use crate::failure::Failure;
use crate::filter::SessionFilters;
use crate::job::{Job, job_changes};
use crate::loader::Reach;
use crate::stream::{Event, Occasion, Shown, shown};

/// The root. It holds nothing: everything is in the request.
pub struct Subscription;

/// Everything that can be listened to.
#[Root]
impl Subscription {
    /// What happens to the caller's sessions: every change once, in order, from now on or from `since` on. Filters are held
    /// against a session as it is when the change is sent; one that was deleted matches none of them, so it is told
    /// whenever its project is one that was asked for. Subscribing again with the cursor of the last change misses nothing
    /// within a day. Who takes too few ends with `SLOW_CONSUMER`, who asks for more than is kept with `CHANGES_EXPIRED`.
    async fn session_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only sessions of the project that clients know by this id.")] project_id: Option<String>,
        #[graphql(
            desc = "Only sessions that match; all of them when left out. `searchText` and `cursor` do not work here, and a range by name is that of the moment of subscribing."
        )]
        filters: Option<SessionFilters>,
        #[graphql(desc = "The cursor of the last change that was heard: everything behind it is told first.")]
        since: Option<String>,
    ) -> Result<Shown<SessionChange>, Failure> {
        match Occasion::event(ctx) {
            Some(Event::Session(change)) => Ok(shown(Some(SessionChange(change)))),
            Some(_) => Ok(shown(None)),
            None => Occasion::open(ctx, session_changes(Reach::of(ctx), project_id, filters, since).await?),
        }
    }

    /// A job of the caller's: as it is now, and then each time it is another. Ends when it is done, dead or cancelled. States
    /// that follow each other faster than they are taken are passed over; the last one never is.
    async fn job_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The job's id.")] id: ID,
    ) -> Result<Shown<Job>, Failure> {
        match Occasion::event(ctx) {
            Some(Event::Job(job)) => Ok(shown(Some(Job(job)))),
            Some(_) => Ok(shown(None)),
            None => Occasion::open(ctx, job_changes(Reach::of(ctx), &id).await?),
        }
    }
}
