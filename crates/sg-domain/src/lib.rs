//! What a coding-agent session is: the nouns every other ring speaks, with no I/O, no clock and no framework.
//!
//! Innermost ring. What belongs here is what stays true of sessions if HTTP, GraphQL, SQL and the search engine are
//! all replaced: identifiers, values, filters, scopes, pages and the one error type. What does not: an agent's file
//! syntax (`sg-formats`), a wire dialect's names (`sg-rest`), anything async.

pub mod address;
pub mod analytics;
pub mod archive;
pub mod caller;
pub mod change;
pub mod content;
pub mod device_token;
pub mod digest;
pub mod error;
pub mod exchange;
pub mod filter;
pub mod handoff;
pub mod id;
pub mod invite;
pub mod job;
pub mod key;
pub mod message;
pub mod metadata;
pub mod page;
pub mod project;
pub mod rate;
pub mod related;
pub mod search;
pub mod session;
pub mod setting;
pub mod share_link;
pub mod stats;
pub mod summary;
pub mod sync;
pub mod tier;
pub mod time;
pub mod transcript;
pub mod upload;
pub mod usage;
pub mod user;
pub mod web_session;
pub mod wtf8;

pub use address::ClientAddress;
pub use analytics::{AnalyticsScope, SessionsBy, UsageBy};
pub use archive::{Archive, ArchiveFacts, ArchiveFilter, ArchiveOrder, ArchivedSession};
pub use caller::{Caller, Credential, DataVersion, Dialect, Identity, Scope, Scopes, Visibility};
pub use content::ContentBlock;
pub use device_token::{AccessToken, DeviceCode, DeviceToken};
pub use digest::{Digest, Hasher};
pub use error::{Error, ErrorKind, Result};
pub use exchange::Exchange;
pub use filter::SessionFilter;
pub use handoff::{Handoff, HandoffComment, HandoffEvent, HandoffEventKind, HandoffStatus, HandoffSummary, Recipient};
pub use id::{ExchangeId, JobId, KeyId, MessageId, ProjectId, ProjectKey, SessionId, ShareLinkId, UserId};
pub use invite::Invite;
pub use job::{Job, JobKind, JobState};
pub use key::{ApiKey, NewApiKey};
pub use message::{Message, Role};
pub use metadata::SessionMetadata;
pub use page::{Cursor, Direction, Page, PageRequest};
pub use project::Project;
pub use rate::{NotCounted, RateStanding};
pub use related::{RelatedHit, RelatedQuery, RelatedReason};
pub use search::{ExchangeHit, ExchangeQuery, FacetField, Hit, RankBy, SearchPage, SearchQuery};
pub use session::{Session, SessionOrder, ShareStatus, TrashedSession};
pub use setting::{JudgeSettings, Trigger, Triggers};
pub use share_link::{ShareLink, ShareTarget};
pub use stats::ProjectStats;
pub use summary::{MadeNarrative, Narrative, Summarizer, Summary, SummaryFacts};
pub use sync::{SyncMode, SyncSettings, WatchStatus, WatchedSession};
pub use tier::{Feature, Tier};
pub use time::Timestamp;
pub use transcript::Transcript;
pub use upload::Upload;
pub use usage::TokenUsage;
pub use user::User;
pub use web_session::{ExternalIdentity, WebSession};
