//! Answers of queries that are kept: the same document with the same variables answers the same bytes until something of
//! its owner's data changes. How that is known is [`KeptAnswers`]'s to say; which documents qualify is said here.
//!
//! Only what the database and this server's own settings decide is kept; an ETag names both, and the program. What depends on the clock, on the index (which follows the data a
//! moment later), on a counter or on another owner is answered anew each time.

use std::io::Write as _;
use std::sync::{Arc, OnceLock};

use apollo_compiler::ast::{Definition, Document, OperationType, Selection, Value};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, IF_NONE_MATCH};
use http::{HeaderMap, Method, Request};
use sg_app::KeptAnswers;
use sg_domain::{Caller, DataVersion, Digest, Scope};

use crate::graphql::Graphql;

/// Root fields that the database alone decides, whatever is selected below them but for [`NEVER_BELOW`].
const ROOTS: [&str; 6] = ["projects", "project", "sessions", "sessionList", "session", "__typename"];
/// Fields and arguments that the clock or the index decides, too.
const NEVER_BELOW: [&str; 6] =
    ["activity", "sessionsThisWeek", "sessionsByDay", "timeFilter", "searchText", "relatedSessions"];
/// A smaller body is not worth packing.
const GZIP_ABOVE_BYTES: usize = 1_024;

/// Whether answers to a document may be kept.
pub(crate) fn qualifies(document: &Document) -> bool {
    document.definitions.iter().all(|definition| match definition {
        Definition::OperationDefinition(operation) => {
            operation.operation_type == OperationType::Query
                && operation.selection_set.iter().all(is_root)
                && operation.selection_set.iter().all(is_settled)
                && operation.variables.iter().all(|v| v.default_value.as_deref().is_none_or(is_settled_value))
        }
        Definition::FragmentDefinition(fragment) => fragment.selection_set.iter().all(is_settled),
        _ => false,
    })
}

/// Fragments at the root are rare; what is in them is not looked for.
fn is_root(selection: &Selection) -> bool {
    selection.as_field().is_some_and(|field| ROOTS.contains(&field.name.as_str()))
}

fn is_settled(selection: &Selection) -> bool {
    match selection {
        Selection::Field(field) => {
            !NEVER_BELOW.contains(&field.name.as_str())
                && field.arguments.iter().all(|argument| is_settled_value(&argument.value))
                && field.selection_set.iter().all(is_settled)
        }
        Selection::InlineFragment(fragment) => fragment.selection_set.iter().all(is_settled),
        Selection::FragmentSpread(_) => true,
    }
}

fn is_settled_value(value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            fields.iter().all(|(name, value)| !NEVER_BELOW.contains(&name.as_str()) && is_settled_value(value))
        }
        Value::List(values) => values.iter().all(|value| is_settled_value(value)),
        _ => true,
    }
}

/// The answers.
pub(crate) type Answers = KeptAnswers<Answer>;

/// One answer.
pub(crate) struct Answer {
    /// Its body, unpacked.
    pub(crate) body: Bytes,
    /// The same packed, made when it is first wanted.
    gzip: OnceLock<Option<Bytes>>,
}

/// A request whose answer may be kept.
pub(crate) struct Wanted {
    key: String,
    version: i64,
    /// Whether what is kept may be sent.
    may_read: bool,
}

impl Wanted {
    /// What a request asks for, if its answer may be kept.
    pub(crate) async fn new(
        graphql: &Graphql,
        caller: &Caller,
        request: &Request<Bytes>,
        document: &Digest,
        operation: Option<&str>,
        variables: &async_graphql::Variables,
    ) -> Option<Self> {
        let control = request.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok()).unwrap_or_default();
        // Whoever lacks the scope hears so from the operation.
        let identity = caller.require(Scope::Read).ok()?;
        if control.contains("no-store") {
            return None;
        }
        let variables = serde_json::to_string(variables).ok()?;
        if NEVER_BELOW.iter().any(|name| variables.contains(name)) {
            return None;
        }
        let version = match request.extensions().get::<DataVersion>() {
            Some(version) => version.0,
            None => graphql.app().data_version(caller).await.ok()?,
        };
        let operation = operation.unwrap_or_default();
        let (owner, scopes) = (identity.user.as_str(), identity.scopes.names());
        let key = format!("{}\n{owner}\n{scopes}\n{document}\n{operation}\n{variables}", graphql.epoch());
        Some(Self { key, version, may_read: !control.contains("no-cache") })
    }

    /// The answer that was kept.
    pub(crate) fn known(&self, answers: &Answers) -> Option<Arc<Answer>> {
        self.may_read.then(|| answers.get(&self.key, self.version)).flatten()
    }

    /// Keeps an answer.
    pub(crate) fn keep(self, answers: &Answers, body: Bytes) {
        // Room for its packed form, too.
        let bytes = body.len() + body.len() / 4;
        answers.put(self.key, self.version, bytes, Answer { body, gzip: OnceLock::new() });
    }

    /// Names the answer for caches: it changes with the data, and differs between questions.
    pub(crate) fn etag(&self) -> String {
        let digest = Digest::of_parts([self.key.as_bytes(), &self.version.to_be_bytes()]).to_string();
        format!("W/\"{}\"", &digest[..32])
    }

    /// Whether the caller has this very answer already.
    pub(crate) fn is_not_modified(&self, request: &Request<Bytes>) -> bool {
        // Most requests are no such question: the tag, a digest of the whole key, is only made for one that is.
        if request.method() != Method::GET || !request.headers().contains_key(IF_NONE_MATCH) {
            return false;
        }
        let etag = self.etag();
        let lists = |value: &str| value.split(',').any(|tag| tag.trim() == etag);
        request.headers().get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(lists)
    }
}

impl Answer {
    /// Its packed form, for those who take it, where that is worth it.
    pub(crate) fn gzip(&self, headers: &HeaderMap) -> Option<Bytes> {
        let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if self.body.len() < GZIP_ABOVE_BYTES || !takes_gzip(accepted) {
            return None;
        }
        self.gzip.get_or_init(|| pack(&self.body).ok()).clone()
    }
}

fn takes_gzip(accepted: &str) -> bool {
    accepted.split(',').any(|part| {
        let (name, rest) = part.split_once(';').unwrap_or((part, ""));
        let weight = rest.trim().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight != Some(0.0)
    })
}

fn pack(body: &[u8]) -> std::io::Result<Bytes> {
    let mut packed = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    packed.write_all(body)?;
    Ok(packed.finish()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::parse(text, "document.graphql").unwrap()
    }

    #[test]
    fn only_what_the_database_alone_decides_qualifies() {
        for text in [
            "{ projects { id sessions(first: 3) { nodes { id markdownContent } } } __typename }",
            "query($f: SessionFilters) { sessions(filters: $f) { total } }",
            "{ session(id: \"x\") { ...S } } fragment S on Session { messages { nodes { text } } }",
            "{ project(id: \"x\") { stats { totalSessions topTags { tag } } } }",
        ] {
            assert!(qualifies(&document(text)), "{text}");
        }
        for text in [
            "mutation { deleteSession(input: { id: \"x\" }) { deletedSessionId } }",
            "{ viewer { id } }",
            "{ sharedSession(id: \"x\") { name } }",
            "{ apiKeys { id } }",
            "{ searchSessions(query: \"x\") { total } }",
            "{ resumableSessions(query: \"x\") { id } }",
            "{ __schema { types { name } } }",
            "{ ...R } fragment R on Query { apiKeys { id } }",
            "{ projects { activity { sessionsLastWeek } } }",
            "{ projects { id } stats { totalSessions } }",
            "{ project(id: \"x\") { stats { a: sessionsByDay { count } } } }",
            "{ sessions(filters: { and: [{ timeFilter: \"today\" }] }) { total } }",
            "{ sessions(filters: { searchText: \"x\" }) { total } }",
            "query($f: SessionFilters = { timeFilter: \"today\" }) { sessions(filters: $f) { total } }",
            "{ session(id: \"x\") { ...S } } fragment S on Session { project { activity { sessions } } }",
        ] {
            assert!(!qualifies(&document(text)), "{text}");
        }
    }

    #[test]
    fn gzip_goes_only_to_those_who_take_it() {
        assert!(takes_gzip("br, GZIP;q=0.5") && !takes_gzip("gzip;q=0, br") && !takes_gzip(""));
    }
}
