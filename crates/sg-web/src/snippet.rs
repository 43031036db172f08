//! Snippets of a search as markup. They come as HTML-escaped text with `<mark>`; nothing of that is taken on trust: the
//! text is unescaped and escaped again, and only our own marks are written.

use maud::{Markup, html};

use crate::shown;

/// A snippet.
pub(crate) fn marked(snippet: &str) -> Markup {
    html! {
        bdi {
            @for (at, part) in snippet.split("<mark>").enumerate() {
                @let (inside, behind) = if at == 0 { ("", part) } else { part.split_once("</mark>").unwrap_or((part, "")) };
                @if !inside.is_empty() { mark { (text(inside)) } }
                (text(behind))
            }
        }
    }
}

/// Undoes the five escapes that stand for characters; every other is left as it is written.
fn text(escaped: &str) -> String {
    let escaped = escaped.replace("</mark>", "");
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&")];
    let text = pairs.iter().fold(escaped, |text, (from, to)| text.replace(from, to));
    shown::without_embeddings(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_marks_come_through() {
        let shown = |text: &str| marked(text).into_string();
        assert_eq!(
            shown("a <mark>pool</mark> of &lt;T&gt; &amp; b"),
            "<bdi>a <mark>pool</mark> of &lt;T&gt; &amp; b</bdi>"
        );
        assert_eq!(shown("&amp;lt;"), "<bdi>&amp;lt;</bdi>", "what was escaped twice is undone once");
        for hostile in
            ["<script>1</script>", "<mark onclick=1>x</mark>", "<mark><img src=x onerror=1></mark>", "</mark></bdi><b>"]
        {
            let html =
                shown(hostile).replace("<mark>", "").replace("</mark>", "").replace("<bdi>", "").replace("</bdi>", "");
            assert!(!html.contains('<'), "{html}");
        }
        assert_eq!(shown("<mark>open"), "<bdi><mark>open</mark></bdi>");
    }
}
