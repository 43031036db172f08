//! Every setting, in one place: a TOML file, then `SESSIONGRAPH_SECTION__KEY`, then flags; later ones win.
//!
//! Each ring gets only its own small struct. `examples/sessiongraph.toml` lists every option with its default.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

mod accounts;
mod graphql;
mod load;
mod network;
mod oidc;
mod rate_limit;
mod secrets;
mod socket;
pub use accounts::{AccountsSection, SignUpName};
pub use graphql::GraphqlSection;
pub use load::{ConfigError, Overrides, load};
pub use network::Network;
pub use oidc::OidcSection;
pub use rate_limit::RateLimitSection;
pub use secrets::SecretsSection;
pub use socket::SocketSection;

/// All settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the database, blobs and index are, unless a section says otherwise. Empty: the platform's data folder,
    /// such as `~/.local/share/sessiongraph`.
    pub data_dir: PathBuf,
    /// Sockets and what one request may cost.
    pub http: HttpConfig,
    /// What GraphQL runs.
    pub graphql: GraphqlSection,
    /// WebSockets and event streams.
    pub socket: SocketSection,
    /// How many requests an hour.
    pub rate_limit: RateLimitSection,
    /// Signing in through a provider.
    pub oidc: OidcSection,
    /// How accounts come to be, and what they may use.
    pub accounts: AccountsSection,
    /// The server's own secret.
    pub secrets: SecretsSection,
    /// Rows and blobs.
    pub store: StoreSection,
    /// The index.
    pub search: SearchSection,
    /// What one operation may cost.
    pub limits: LimitsSection,
    /// Importing what agents left on a machine.
    pub import: ImportSection,
    /// What models cost.
    pub prices: PricesSection,
    /// The queue.
    pub worker: WorkerConfig,
    /// Logs.
    pub log: LogConfig,
}

/// Sockets and what one request may cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The address that people reach the server at, such as `https://sessions.example.com`. Empty: that of each request.
    pub public_url: String,
    /// Proxies whose word about the client's address is taken, as addresses or ranges.
    pub trusted_proxies: Vec<Network>,
    /// The header that those proxies write it in.
    pub client_address_header: AddressHeader,
    /// The largest request body, in bytes. GraphQL has its own, smaller cap.
    pub max_body_bytes: u64,
    /// The largest request body once it is unpacked, in bytes.
    pub max_unpacked_body_bytes: u64,
    /// How many times its size a packed request body may unpack to.
    pub max_body_ratio: u64,
    /// A request body that unpacks to no more than this may be packed any better, in bytes.
    pub body_ratio_floor_bytes: u64,
    /// Where uploads are kept while they arrive. Empty: a folder in the data folder.
    pub spool_dir: PathBuf,
    /// The largest GraphQL request body, in bytes.
    pub max_graphql_body_bytes: usize,
    /// Memory for answers that are given again while the data stays as it is, in MiB; half of it REST's, half GraphQL's.
    pub answer_cache_mib: usize,
    /// How long a GraphQL operation may run, in seconds.
    pub graphql_timeout_secs: u64,
    /// Whether the GraphQL schema may be read without signing in.
    pub anonymous_introspection: bool,
    /// A request is answered within this time or with 503, in seconds.
    pub request_timeout_secs: u64,
    /// A body may arrive as slowly as this before that time begins to run, in bytes a second by its `Content-Length`.
    pub min_upload_bytes_per_sec: u64,
    /// The head of a request must arrive within this time, and a kept-alive connection may idle this long, in seconds.
    pub header_timeout_secs: u64,
    /// No pause inside a request body may be longer, in seconds.
    pub body_timeout_secs: u64,
    /// A client that takes nothing of what is sent to it for this long is let go, in seconds.
    pub write_timeout_secs: u64,
    /// Connections held at a time; more wait to be accepted.
    pub max_connections: usize,
    /// How long requests under way may take after a signal to stop, in seconds.
    pub shutdown_grace_secs: u64,
    /// Answers smaller than this are sent as they are, in bytes.
    pub compress_above_bytes: u16,
}

/// Where a trusted proxy writes the client's address. Only this one header is read: a proxy that writes one of them may
/// pass on the other as a client made it up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded`, as in RFC 7239.
    Forwarded,
}

/// Rows and blobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSection {
    /// `sqlite:///absolute/path/to.db` or `postgres://user:password@host/name`. Empty: SQLite in the data folder.
    pub database_url: SecretUrl,
    /// `file:///absolute/folder` or `s3://bucket/prefix`. Empty: a folder in the data folder.
    pub blob_url: SecretUrl,
    /// Connections that read, on SQLite; the pool's size on PostgreSQL.
    pub max_connections: u32,
    /// Access key of the object store; also `AWS_ACCESS_KEY_ID`.
    pub aws_access_key_id: String,
    /// Its secret; also `AWS_SECRET_ACCESS_KEY`.
    pub aws_secret_access_key: Secret,
    /// A temporary credential's token; also `AWS_SESSION_TOKEN`.
    pub aws_session_token: Secret,
    /// Region of the bucket; also `AWS_REGION`.
    pub aws_region: String,
    /// Another server than Amazon's, such as `http://127.0.0.1:9000`; also `AWS_ENDPOINT_URL`.
    pub aws_endpoint: String,
    /// Whether an endpoint without TLS may be used.
    pub aws_allow_http: bool,
}

/// The index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchSection {
    /// The folder of the index. Empty: a folder in the data folder.
    pub index_dir: PathBuf,
    /// Memory the index writer may use before it writes a segment, in MiB.
    pub writer_memory_mib: usize,
}

/// What one operation may cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSection {
    /// The largest markdown, raw file or session data of one session, in bytes.
    pub max_session_bytes: u64,
    /// The longest search text, in bytes.
    pub max_query_bytes: usize,
    /// How often a failing job is tried before it is dead.
    pub max_job_attempts: u32,
    /// How long a worker may hold a job, in seconds.
    pub job_lease_secs: u64,
    /// How long a blob that no row names is kept, in seconds: longer than any upload takes.
    pub orphan_blob_grace_secs: u64,
    /// How many changes a subscriber may fall behind before it is let go; it can subscribe again since the last one.
    pub max_changes_behind: u64,
    /// How long a deleted session can be restored, in days; then it is gone for good.
    pub trash_days: u32,
}

/// Importing what agents left on a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportSection {
    /// Take secrets out before anything is stored.
    pub redact: bool,
    /// Bytes of files that are read at a time, in MiB; a larger file is read alone.
    pub memory_mib: u64,
    /// How long a changed file must rest before `--watch` reads it, in milliseconds.
    pub watch_delay_millis: u64,
}

/// What models cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PricesSection {
    /// A file of prices that stands in the place of the built-in one. Empty: the built-in one.
    pub file: PathBuf,
}

/// The queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerConfig {
    /// How often the queue is looked at when nothing is known to be due, in milliseconds.
    pub poll_millis: u64,
    /// How often blobs that no row names are looked for, in hours.
    pub sweep_hours: u64,
}

/// Logs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// How a line looks: `text` or `json`.
    pub format: LogFormat,
    /// What is logged: a level, or `target=level` separated by commas.
    pub filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::new(),
            http: HttpConfig::default(),
            graphql: GraphqlSection::default(),
            socket: SocketSection::default(),
            rate_limit: RateLimitSection::default(),
            oidc: OidcSection::default(),
            accounts: AccountsSection::default(),
            secrets: SecretsSection::default(),
            store: StoreSection::default(),
            search: SearchSection::default(),
            limits: LimitsSection::default(),
            import: ImportSection::default(),
            prices: PricesSection::default(),
            worker: WorkerConfig::default(),
            log: LogConfig::default(),
        }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        let upload = sg_rest::specstory::UploadLimits::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8377)),
            public_url: String::new(),
            trusted_proxies: Vec::new(),
            client_address_header: AddressHeader::default(),
            max_body_bytes: upload.max_body_bytes,
            max_unpacked_body_bytes: upload.max_unpacked_bytes,
            max_body_ratio: upload.max_ratio,
            body_ratio_floor_bytes: upload.ratio_floor_bytes,
            spool_dir: PathBuf::new(),
            max_graphql_body_bytes: 256 * 1024,
            answer_cache_mib: 32,
            graphql_timeout_secs: 30,
            anonymous_introspection: false,
            request_timeout_secs: 60,
            min_upload_bytes_per_sec: 64 * 1024,
            header_timeout_secs: 30,
            body_timeout_secs: 30,
            write_timeout_secs: 30,
            max_connections: 1_024,
            shutdown_grace_secs: 20,
            compress_above_bytes: 1_024,
        }
    }
}

impl Default for StoreSection {
    fn default() -> Self {
        Self {
            database_url: SecretUrl::default(),
            blob_url: SecretUrl::default(),
            max_connections: 8,
            aws_access_key_id: String::new(),
            aws_secret_access_key: Secret::default(),
            aws_session_token: Secret::default(),
            aws_region: String::new(),
            aws_endpoint: String::new(),
            aws_allow_http: false,
        }
    }
}

impl Default for SearchSection {
    fn default() -> Self {
        Self { index_dir: PathBuf::new(), writer_memory_mib: 64 }
    }
}

impl Default for LimitsSection {
    fn default() -> Self {
        let limits = sg_app::Limits::default();
        Self {
            max_session_bytes: limits.max_session_bytes,
            max_query_bytes: limits.max_query_bytes,
            max_job_attempts: limits.max_job_attempts,
            job_lease_secs: limits.job_lease_secs,
            orphan_blob_grace_secs: limits.orphan_blob_grace_secs,
            max_changes_behind: limits.max_changes_behind,
            trash_days: limits.trash_days,
        }
    }
}

impl Default for ImportSection {
    fn default() -> Self {
        Self { redact: true, memory_mib: 256, watch_delay_millis: 500 }
    }
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self { poll_millis: 250, sweep_hours: 24 }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

impl Config {
    /// The store's part.
    pub fn store(&self) -> sg_store::StoreConfig {
        let url = |given: &SecretUrl, scheme: &str, name: &str| match given.expose() {
            "" => format!("{scheme}://{}", self.data_dir.join(name).display()),
            given => given.to_owned(),
        };
        sg_store::StoreConfig {
            database_url: url(&self.store.database_url, "sqlite", "sessiongraph.db"),
            blob_url: url(&self.store.blob_url, "file", "blobs"),
            blob_options: self.store.blob_options(),
            max_connections: self.store.max_connections,
        }
    }

    /// The folder of the index.
    pub fn index_dir(&self) -> PathBuf {
        let given = &self.search.index_dir;
        if given.as_os_str().is_empty() { self.data_dir.join("index") } else { given.clone() }
    }

    /// The HTTP stack's part, with the folder for uploads filled in.
    pub fn http(&self) -> HttpConfig {
        let mut http = self.http.clone();
        if http.spool_dir.as_os_str().is_empty() {
            http.spool_dir = self.data_dir.join("spool");
        }
        http
    }

    /// The operations' part.
    pub fn limits(&self) -> sg_app::Limits {
        let LimitsSection {
            max_session_bytes,
            max_query_bytes,
            max_job_attempts,
            job_lease_secs,
            orphan_blob_grace_secs,
            max_changes_behind,
            trash_days,
        } = self.limits;
        sg_app::Limits {
            max_session_bytes,
            max_query_bytes,
            max_job_attempts,
            job_lease_secs,
            orphan_blob_grace_secs,
            max_changes_behind,
            trash_days,
        }
    }
}

impl Config {
    /// The pages' part.
    pub(crate) fn pages(&self) -> sg_web::Settings {
        let public_url = self.http.public_url.trim_end_matches('/').to_owned();
        sg_web::Settings { public_url, oidc: self.oidc.settings() }
    }

    /// What the operations need to know of accounts.
    pub fn account_rules(&self) -> sg_app::AccountRules {
        self.accounts.rules(self.http.public_url.trim_end_matches('/'))
    }

    /// The SessionFS dialect's part.
    pub(crate) fn sessionfs(&self) -> sg_rest::sessionfs::Settings {
        let public_url = self.http.public_url.trim_end_matches('/').to_owned();
        sg_rest::sessionfs::Settings { public_url, spool: self.http.specstory().spool }
    }

    /// Settings that do not go together.
    fn fault(&self) -> Option<&'static str> {
        let url = &self.http.public_url;
        if !url.is_empty() && !oidc::is_url(url) {
            return Some(
                "http.public_url must be the address that people reach the server at, such as https://sessions.example.com",
            );
        }
        // Nothing here sends mail yet: whoever signed up could never send a session.
        if self.accounts.verify_email {
            return Some("accounts.verify_email is not available: this server does not send mail");
        }
        self.oidc.fault(url)
    }
}

impl StoreSection {
    fn blob_options(&self) -> Vec<(String, String)> {
        let http = if self.aws_allow_http { "true" } else { "" };
        let all = [
            ("aws_access_key_id", self.aws_access_key_id.as_str()),
            ("aws_secret_access_key", self.aws_secret_access_key.expose()),
            ("aws_session_token", self.aws_session_token.expose()),
            ("aws_region", &self.aws_region),
            ("aws_endpoint", &self.aws_endpoint),
            ("aws_allow_http", http),
        ];
        let given = all.into_iter().filter(|(_, value)| !value.is_empty());
        given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

impl HttpConfig {
    /// What the SpecStory dialect needs to know.
    pub(crate) fn specstory(&self) -> sg_rest::specstory::Settings {
        let upload = sg_rest::specstory::UploadLimits {
            max_body_bytes: self.max_body_bytes,
            max_unpacked_bytes: self.max_unpacked_body_bytes,
            max_ratio: self.max_body_ratio,
            ratio_floor_bytes: self.body_ratio_floor_bytes,
        };
        let answer_cache_bytes = self.answer_cache_bytes();
        let mut settings = sg_rest::specstory::Settings { upload, answer_cache_bytes, ..Default::default() };
        if !self.spool_dir.as_os_str().is_empty() {
            settings.spool = std::sync::Arc::new(sg_app::SpoolPlace {
                folder: self.spool_dir.clone(),
                memory_bytes: sg_rest::specstory::SPOOL_MEMORY_BYTES,
            });
        }
        settings
    }

    /// Each surface's part of [`HttpConfig::answer_cache_mib`].
    pub(crate) fn answer_cache_bytes(&self) -> usize {
        self.answer_cache_mib.saturating_mul(1024 * 1024) / 2
    }

    /// [`HttpConfig::request_timeout_secs`].
    pub fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_secs)
    }
}

/// Text that nobody gets to see: hidden in `Debug` and where settings are printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn shown(&self) -> &'static str {
        if self.0.is_empty() { "" } else { "********" }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}

/// A URL whose password nobody gets to see: hidden in `Debug` and where settings are printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// The URL itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The URL with its password and its query's values hidden.
    pub fn shown(&self) -> String {
        let (rest, query) = self.0.split_once('?').map_or((self.0.as_str(), None), |(rest, query)| (rest, Some(query)));
        let mut shown = match rest.split_once("://") {
            Some((scheme, rest)) => {
                let slash = rest.find('/').unwrap_or(rest.len());
                match rest[..slash].rfind('@') {
                    Some(at) => {
                        let user = rest[..at].split(':').next().unwrap_or_default();
                        let password = if rest[..at].contains(':') { ":********" } else { "" };
                        format!("{scheme}://{user}{password}{}", &rest[at..])
                    }
                    None => format!("{scheme}://{rest}"),
                }
            }
            None => rest.to_owned(),
        };
        for (i, pair) in query.unwrap_or_default().split('&').filter(|p| !p.is_empty()).enumerate() {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let secret = ["password", "secret", "token", "key"].iter().any(|word| name.to_lowercase().contains(word));
            let value = if secret && !value.is_empty() { "********" } else { value };
            shown.push_str(&format!("{}{name}={value}", if i == 0 { '?' } else { '&' }));
        }
        shown
    }
}

impl From<String> for SecretUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.shown())
    }
}

/// An absolute form of a path that need not exist.
pub(crate) fn absolute(path: &Path) -> std::io::Result<PathBuf> {
    std::path::absolute(path)
}

#[cfg(test)]
mod tests;
