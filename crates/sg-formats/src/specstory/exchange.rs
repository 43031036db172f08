//! Cutting a document into exchanges: `contracts/specstory.md` 1.5.

use sg_domain::Exchange;

use super::cut::{Exchanges, Lines};
use super::header::Comments;

/// The exchanges of a document, in order, as byte offsets into it. A prompt starts a new one once the one before was
/// answered, so consecutive prompts stay together. The slices follow each other without gaps from the end of the
/// document's comments to its end; a document without markers is one exchange, a document that says nothing has none.
pub fn exchanges(markdown: &str) -> Vec<Exchange> {
    let begin = Comments::of(markdown).body_at;
    let (mut lines, mut exchanges) = (Lines::default(), Exchanges::new(begin));
    lines.push(&markdown[begin..], &mut |text, header| exchanges.part(text, header));
    lines.finish(&mut |text, header| exchanges.part(text, header));
    exchanges.finish()
}
