//! Looking for secrets in an archive before it is stored, a line of its files at a time. What is found is told by its kind
//! and its place, never in its own words.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::sync::Arc;

use serde_json::json;
use sg_domain::{Error, ErrorKind, Result, Timestamp};
use sg_formats::redact::Redactor;
use sg_formats::sessionfs::{Limits, Packer, walk};
use sg_store::{Content, Spool, SpoolPlace};

use crate::SecretAction;
use crate::archive_read::{PushOnly, refused, unreadable};

/// The detail of an error that names, as JSON, the secrets for which an archive is refused.
pub const SECRETS_FOUND: &str = "secretsFound";
/// The most secrets that are told one by one.
const MAX_TOLD_SECRETS: usize = 100;

/// A secret, by its place.
struct Secret {
    kind: &'static str,
    file: String,
    line: u64,
}

/// What a look for secrets came to.
pub(crate) struct Scanned {
    /// The archive, with nothing in it that was to be taken out.
    pub(crate) content: Content,
    /// The result as it is kept, JSON.
    pub(crate) result: String,
}

/// Looks for secrets and does with them what is to be done. `Forbidden` when that is to refuse the archive. Not for the
/// runtime's own threads.
pub(crate) fn scan(
    content: &Content,
    action: SecretAction,
    limits: &Limits,
    place: &Arc<SpoolPlace>,
    now: Timestamp,
) -> Result<Scanned> {
    let mut search = Search { found: Vec::new(), count: 0, kinds: BTreeSet::new() };
    search.through(content, limits, None)?;
    let clean = match action {
        SecretAction::Block if search.count > 0 => return Err(search.refusal()),
        SecretAction::Redact if search.count > 0 => Some(redacted(content, limits, place)?),
        _ => None,
    };
    let done = match action {
        _ if search.count == 0 => "none",
        SecretAction::Redact => "redacted",
        SecretAction::Warn | SecretAction::Block => "warned",
    };
    let result = json!({
        "scanned_at": now.to_iso_micros(),
        "findings_count": search.count,
        "mode": action.name(),
        "finding_types": search.kinds,
        "action_taken": done,
        "categories_scanned": ["secrets"],
    });
    Ok(Scanned { content: clean.unwrap_or_else(|| content.clone()), result: result.to_string() })
}

/// The archive packed again without its secrets.
fn redacted(content: &Content, limits: &Limits, place: &Arc<SpoolPlace>) -> Result<Content> {
    let mut packer = Packer::new(PushOnly::new(place));
    let mut search = Search { found: Vec::new(), count: 0, kinds: BTreeSet::new() };
    search.through(content, limits, Some((&mut packer, place)))?;
    packer.finish().map_err(unreadable)?.finish()
}

struct Search {
    found: Vec<Secret>,
    count: u64,
    kinds: BTreeSet<&'static str>,
}

impl Search {
    /// Goes through the files of an archive; with a packer, packs each again without the secrets.
    fn through(
        &mut self,
        content: &Content,
        limits: &Limits,
        mut packer: Option<(&mut Packer<PushOnly>, &Arc<SpoolPlace>)>,
    ) -> Result<()> {
        let mut failure = None;
        let walked = walk(content.reader(), content.len(), limits, |name, file| {
            let done = match &mut packer {
                None => self.file(name, file, None),
                Some((packer, place)) => {
                    let mut clean = Spool::new(Arc::clone(place));
                    self.file(name, file, Some(&mut clean)).and_then(|()| {
                        let clean = clean.finish().map_err(Fault::Ours)?;
                        packer
                            .file(name, clean.len(), &mut clean.reader())
                            .map_err(|error| Fault::Ours(unreadable(error)))
                    })
                }
            };
            done.map_err(|fault| match fault {
                Fault::Archive(error) => error,
                Fault::Ours(error) => {
                    failure = Some(error);
                    std::io::Error::other("not the archive's fault")
                }
            })
        });
        match failure {
            Some(failure) => Err(failure),
            None => walked.map_err(refused),
        }
    }

    /// Looks at every line of a file, whatever the file is.
    fn file(&mut self, name: &str, file: &mut dyn std::io::Read, mut clean: Option<&mut Spool>) -> Result<(), Fault> {
        // The archive's limits bound a line.
        let mut file = BufReader::with_capacity(64 * 1_024, file);
        let (mut line, mut number) = (Vec::new(), 0);
        loop {
            line.clear();
            if file.read_until(b'\n', &mut line).map_err(Fault::Archive)? == 0 {
                return Ok(());
            }
            number += 1;
            let redacted = Redactor::shared().redact_text(&line);
            for (kind, count) in &redacted.counts {
                self.count += count;
                self.kinds.insert(kind);
                for _ in 0..*count {
                    if self.found.len() < MAX_TOLD_SECRETS {
                        self.found.push(Secret { kind, file: name.to_owned(), line: number });
                    }
                }
            }
            if let Some(clean) = &mut clean {
                clean.push(&redacted.bytes).map_err(Fault::Ours)?;
            }
        }
    }

    fn refusal(self) -> Error {
        let found: Vec<_> = self
            .found
            .iter()
            .map(|secret| {
                json!({
                    "pattern": secret.kind,
                    "category": "secrets",
                    "severity": "high",
                    "file": secret.file,
                    "line": secret.line,
                })
            })
            .collect();
        let message = format!("DLP policy blocked sync: {} finding(s)", self.count);
        let error = Error::new(ErrorKind::Forbidden, message).with("error", "dlp_blocked");
        error.with(SECRETS_FOUND, serde_json::Value::Array(found).to_string())
    }
}

/// Whose fault it is that reading stopped.
enum Fault {
    Archive(std::io::Error),
    Ours(Error),
}
