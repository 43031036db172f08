//! SpecStory's API: scenarios, what its clients rely on, and replays of what they sent.

mod device;
mod fact;
mod kept;
mod replay;
mod resume;
mod scenario;
mod socket;
pub(crate) mod world;
