//! Rows and bytes: entities and repositories on SQLite and PostgreSQL, content-addressed blobs, the job queue.
//!
//! What belongs here: SQL, connections, transactions, bytes on disk. What does not: business decisions. The public API
//! speaks domain types; every read of tenant data takes a [`sg_domain::Visibility`].

mod analytics;
mod archive;
mod billing;
mod blob;
mod change;
mod content;
mod credential;
mod device_token;
mod entity;
mod error;
mod explain;
mod filter;
mod handoff;
mod import_source;
mod invite;
mod job;
mod kept_answer;
mod key;
mod message;
mod project;
mod read;
mod row;
mod session;
mod setting;
mod share_link;
mod sql;
mod stats;
mod store;
mod summary;
mod sync;
mod upload;
mod user;
mod web_session;

pub use blob::{BlobStream, Blobs};
pub use change::{ChangePage, Ear};
pub use content::{Content, ContentReader, Spool, SpoolPlace, Spooled};
pub use handoff::{HANDOFF_LIST, HandoffBox, handoff_cursor};
pub use import_source::ImportSource;
pub use job::{JOB_LIST, JobCounts, job_cursor};
pub use kept_answer::KeptAnswer;
pub use key::KeyAndAccount;
pub use message::{MessagePage, MessageQuery, MessageWriter};
pub use session::{
    SessionColumns, SessionContent, TRASH_LIST, decode_session_cursor, session_cursor, session_ordering, trash_cursor,
};
pub use setting::StoredJudge;
pub use share_link::GuessAllowance;
pub use store::{Store, StoreConfig, Tx};
