//! Titles as people send them.

/// A title without tags of HTML and on one line; empty when nothing else was in it.
pub(super) fn cleaned(text: &str) -> String {
    let mut text = text.to_owned();
    // Taking one tag out may put another one together.
    loop {
        let without = without_tags(&text);
        if without == text {
            break;
        }
        text = without;
    }
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// A `<` that no letter, `/`, `!` or `?` follows is less-than. A tag that does not end goes on to the end.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        if tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
            rest = tag.find('>').map_or("", |end| &tag[end + 1..]);
        } else {
            out.push('<');
            rest = &tag[1..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_and_words_stay() {
        for (given, kept) in [
            ("plain", "plain"),
            ("<b>bold</b> & <i class='x'>more</i>", "bold & more"),
            ("a < b and b > c", "a < b and b > c"),
            ("<script>alert(1)</script>", "alert(1)"),
            ("<<b>script>x", "x"),
            ("open <img src=x onerror=alert(1)", "open"),
            ("<!-- note --><br/>", ""),
            ("two\nlines\tand\0nul", "two lines and nul"),
            ("  ", ""),
        ] {
            assert_eq!(cleaned(given), kept, "{given}");
        }
    }
}
