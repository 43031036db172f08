//! Operations of `sg-app` that no single surface shows whole: jobs, keys, storing, searching after changes, doctor.

mod change;
mod device;
mod doctor;
pub(crate) mod job;
mod key;
mod put;
mod search;
mod sign_in;
