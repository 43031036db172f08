//! What a caller may do: every operation once, as a method of [`App`].
//!
//! What belongs here: permission (the first statement of every operation), rules, the order of side effects, the
//! transaction, the jobs it enqueues. What does not: HTTP and GraphQL types, SQL, an engine's types, spawning tasks.

mod account;
mod account_rules;
mod analytics;
mod app;
mod archive;
mod archive_change;
mod archive_limit;
mod archive_list;
mod archive_message;
mod archive_put;
mod archive_read;
mod archive_scan;
mod attempt;
mod billing;
mod change;
mod clock;
mod device;
pub mod doctor;
mod exchange;
mod exchange_mark;
mod handoff;
mod handoff_claim;
mod handoff_mail;
mod handoff_summary;
mod idempotency;
pub mod import;
mod job;
mod job_request;
mod judge;
mod kept;
mod key;
mod mail;
mod message;
mod model;
mod password;
mod price;
mod project;
mod reindex;
mod related;
mod search;
mod search_resume;
mod secret_policy;
mod session;
mod session_etag;
pub mod session_put;
mod session_read;
mod session_tag;
mod session_trash;
mod session_update;
mod share;
mod share_link;
mod sign_in;
mod stats;
mod summary;
mod sync;
mod upload;
mod user;
mod vault;
mod verification;

pub use account::NewAccount;
pub use account_rules::{AccountRules, SignUpPolicy};
pub use analytics::{MAX_GROUPS, Spent, SpentBy};
pub use app::{App, Limits, Parts};
pub use archive::{MAX_MEMBER_BYTES, PushTurn};
pub use archive_limit::ArchiveLimits;
pub use archive_list::ArchiveList;
pub use archive_message::{ArchiveMessages, ArchiveMessagesRequest, TargetMessage, TargetState};
pub use archive_put::{PushCondition, PushRequest};
pub use archive_scan::SECRETS_FOUND;
pub use billing::PlanUse;
pub use change::ChangeRequest;
pub use clock::{Clock, Ids, RandomIds, SystemClock};
pub use device::{DEVICE_CODE_CHARS, NewAccessToken, NewDevice, NewDeviceCode, NewDeviceToken};
pub use exchange::ExchangeText;
pub use handoff::{
    HANDOFF_HOURS, HandoffDirection, MAX_HANDOFF_COMMENT_CHARS, MAX_HANDOFF_MESSAGE_CHARS, MAX_HANDOFF_REASON_CHARS,
    NewHandoff,
};
pub use handoff_claim::CLAIM_RACE_LOST;
pub use idempotency::{IdempotentRequest, IdempotentTurn, Turn};
pub use job::JobRun;
pub use judge::{Judge, ModelChoice, ServerModel};
pub use kept::KeptAnswers;
pub use key::{CreatedKey, KeyRequest};
pub use mail::{Letter, Mailer};
pub use model::{ModelClient, ModelEndpoint, ModelFault, ModelProtocol, ModelRequest, NoModel, OfferedModel};
pub use password::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS, check_password};
pub use price::{Cost, Dollars, Price, PriceFault, PriceTable};
pub use project::ProjectUpdate;
pub use reindex::Progress;
pub use search::{MAX_SEARCH_OFFSET, SearchAnswer, SearchRequest};
pub use search_resume::ResumableHit;
pub use secret_policy::{SecretAction, SecretPolicy};
pub use session::SessionList;
pub use session_etag::{CURRENT_ETAG, is_about_etag};
pub use session_put::{NewSession, PutOutcome};
pub use session_update::{ExchangeUpdate, SessionUpdate};
pub use sg_store::{
    BlobStream, Content, HANDOFF_LIST, JOB_LIST, JobCounts, KeptAnswer, MessagePage, MessageQuery, SessionColumns,
    Spool, SpoolPlace, TRASH_LIST, handoff_cursor, job_cursor, session_cursor, trash_cursor,
};
pub use share::SharedSession;
pub use share_link::{CreatedShareLink, MAX_LINK_HOURS, NewShareLink, OpenedShareLink, share_link_path};
pub use sign_in::{NewWebSession, SignUp};
pub use summary::{NarrativeFault, SessionSummary};
pub use sync::{MAX_WATCHED, SyncStanding};
pub use upload::{UPLOAD_FAULT, UploadState};
pub use vault::{VAULT_KEY_BYTES, Vault};
