//! SpecStory's API: scenarios, what its clients rely on, and replays of what they sent.

mod condition;
mod device;
mod document;
mod fact;
mod hidden;
mod idempotency;
mod kept;
mod large;
mod limit;
mod put;
mod replay;
mod resume;
mod scenario;
mod socket;
pub(crate) mod world;
