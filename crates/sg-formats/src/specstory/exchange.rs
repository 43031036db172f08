//! Cutting a document into exchanges: `contracts/specstory.md` 1.5.

use sg_domain::{Exchange, Role};

use super::header::{Comments, Header};

/// The exchanges of a document, in order, as byte offsets into it. A prompt starts a new one once the one before was
/// answered, so consecutive prompts stay together. The slices follow each other without gaps from the end of the
/// document's comments to its end; a document without markers is one exchange, a document that says nothing has none.
pub fn exchanges(markdown: &str) -> Vec<Exchange> {
    let begin = Comments::of(markdown).body_at;
    let mut out = vec![starting(0, begin)];
    let mut answered = false;
    let mut at = begin;
    for line in markdown[begin..].split_inclusive('\n') {
        let here = at;
        at += line.len();
        let Some(header) = Header::of(line) else { continue };
        if header.role == Role::User && answered {
            out.push(starting(out.len(), here));
            answered = false;
        }
        answered |= header.role == Role::Assistant;
        if let Some(last) = out.last_mut() {
            last.started_at = last.started_at.into_iter().chain(header.at).min();
            last.ended_at = last.ended_at.into_iter().chain(header.at).max();
        }
    }
    let mut end = markdown.len() as u64;
    for exchange in out.iter_mut().rev() {
        exchange.end = end;
        end = exchange.start;
    }
    let blank = out.len() == 1 && markdown[begin..].trim().is_empty();
    if blank { Vec::new() } else { out }
}

fn starting(ordinal: usize, at: usize) -> Exchange {
    Exchange {
        ordinal: u32::try_from(ordinal).unwrap_or(u32::MAX),
        start: at as u64,
        end: at as u64,
        started_at: None,
        ended_at: None,
        user_title: None,
        hidden_from_share: false,
    }
}
