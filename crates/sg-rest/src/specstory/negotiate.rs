//! Which of a session's three representations an `Accept` header asks for (RFC 9110, 12.5.1). Never 406: whoever asks
//! for none of them gets JSON, as from the hosted service.

use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};

use super::answer::JSON;

/// A representation of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// The envelope with everything.
    Json,
    /// The markdown, byte for byte.
    Markdown,
    /// The session data, byte for byte.
    SessionData,
}

impl Media {
    /// In order of our own preference.
    const ALL: [Self; 3] = [Self::Json, Self::Markdown, Self::SessionData];

    /// Chooses by weight, then by how precisely the type is named, then by our own preference.
    pub(super) fn negotiate(headers: &HeaderMap) -> Self {
        let ranges: Vec<_> = headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(Range::parse)
            .collect();
        let mut best = (0, Precision::Anything, Self::Json);
        for media in Self::ALL {
            let asked = ranges.iter().filter_map(|range| Some((range.precision(media.name())?, range.weight)));
            // The most precise range that fits a type decides its weight, not the heaviest.
            let Some((precision, weight)) = asked.max_by_key(|(precision, _)| *precision) else { continue };
            if weight > 0 && (weight, precision) > (best.0, best.1) {
                best = (weight, precision, media);
            }
        }
        best.2
    }

    fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Markdown => "text/markdown",
            Self::SessionData => "application/vnd.specstory.session-data+json",
        }
    }

    /// What `Content-Type` says. The command line takes session data as plain JSON.
    pub(super) fn content_type(self) -> HeaderValue {
        match self {
            Self::Json | Self::SessionData => JSON,
            Self::Markdown => HeaderValue::from_static("text/markdown; charset=utf-8"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Anything,
    Family,
    Exact,
}

/// One element of an `Accept` header.
struct Range<'a> {
    name: &'a str,
    /// Thousandths, 0 to 1000.
    weight: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().filter(|name| name.contains('/'))?;
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        // A weight that cannot be read says nothing: it counts as one that was not sent.
        Some(Self { name, weight: weight.and_then(thousandths).unwrap_or(1_000) })
    }

    fn precision(&self, name: &str) -> Option<Precision> {
        if self.name == "*/*" {
            return Some(Precision::Anything);
        }
        if self.name.eq_ignore_ascii_case(name) {
            return Some(Precision::Exact);
        }
        let family = self.name.strip_suffix("/*")?;
        let (own, _) = name.split_once('/')?;
        family.eq_ignore_ascii_case(own).then_some(Precision::Family)
    }
}

/// `0.5` as 500; `None` when it is not 0 to 1 with at most three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.len() > 3 || !rest.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let rest: u16 = format!("{rest:0<3}").parse().ok()?;
    match whole {
        "0" => Some(rest),
        "1" if rest == 0 => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accept: &str) -> Media {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        Media::negotiate(&headers)
    }

    #[test]
    fn clients_get_what_they_name() {
        assert_eq!(chosen("text/markdown"), Media::Markdown);
        assert_eq!(chosen("TEXT/Markdown; charset=utf-8"), Media::Markdown);
        assert_eq!(chosen("application/vnd.specstory.session-data+json"), Media::SessionData);
        assert_eq!(chosen("application/json"), Media::Json);
        assert_eq!(Media::negotiate(&HeaderMap::new()), Media::Json);
    }

    #[test]
    fn anything_else_is_json() {
        for accept in ["*/*", "", "image/png", "text/html,application/xhtml+xml,*/*;q=0.8", "application/*", "nonsense"]
        {
            assert_eq!(chosen(accept), Media::Json, "{accept}");
        }
    }

    #[test]
    fn weights_and_precision_decide() {
        assert_eq!(chosen("application/json;q=0.5, text/markdown"), Media::Markdown);
        assert_eq!(chosen("text/markdown;q=0.5, application/json"), Media::Json);
        assert_eq!(chosen("text/markdown;q=0, */*"), Media::Json);
        assert_eq!(chosen("application/json;q=0, */*;q=0.1"), Media::Markdown);
        assert_eq!(chosen("*/*, text/markdown"), Media::Markdown);
        assert_eq!(chosen("text/*"), Media::Markdown);
        assert_eq!(chosen("application/json, text/markdown"), Media::Json);
        assert_eq!(chosen("text/markdown;q=0.3333, application/json;q=0.9"), Media::Markdown);
    }

    #[test]
    fn several_header_lines_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, HeaderValue::from_static("application/json;q=0.1"));
        headers.append(ACCEPT, HeaderValue::from_static("text/markdown"));
        assert_eq!(Media::negotiate(&headers), Media::Markdown);
    }
}
