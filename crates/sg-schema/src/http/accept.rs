//! Which media type an answer has.

/// The two media types of a GraphQL answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/json`: well-formed requests are 200.
    Json,
    /// `application/graphql-response+json`: the status says whether there is data.
    GraphqlResponse,
}

impl MediaType {
    /// As a header.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        }
    }

    /// How well a media range fits: 0 not at all, 3 by name.
    fn fit(self, range: &str) -> u8 {
        let own = match self {
            Self::Json => "application/json",
            Self::GraphqlResponse => "application/graphql-response+json",
        };
        match range {
            "*/*" => 1,
            "application/*" => 2,
            range if range == own => 3,
            _ => 0,
        }
    }
}

/// The best media type for an `Accept` header: by weight, then the newer type if it was named, else JSON, which every
/// client reads. An empty header accepts everything. `None` when nothing fits.
pub(super) fn negotiate(accept: &str) -> Option<MediaType> {
    if accept.trim().is_empty() {
        return Some(MediaType::Json);
    }
    let ranges: Vec<_> = accept.split(',').filter_map(range).collect();
    let graphql = weight(MediaType::GraphqlResponse, &ranges);
    let json = weight(MediaType::Json, &ranges);
    let is_named = ranges.iter().any(|(range, _)| MediaType::GraphqlResponse.fit(range) == 3);
    match (graphql, json) {
        (0, 0) => None,
        (graphql, json) if graphql > json || (graphql == json && is_named) => Some(MediaType::GraphqlResponse),
        _ => Some(MediaType::Json),
    }
}

/// The weight in thousandths that the most specific fitting range gives a type.
fn weight(media: MediaType, ranges: &[(String, u16)]) -> u16 {
    let fitting = ranges.iter().map(|(range, weight)| (media.fit(range), *weight)).filter(|(fit, _)| *fit > 0);
    fitting.max_by_key(|(fit, _)| *fit).map_or(0, |(_, weight)| weight)
}

/// One range with its weight in thousandths; `None` when it asks for a character set other than UTF-8.
fn range(text: &str) -> Option<(String, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
    let mut weight = 1_000;
    for parameter in parts {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim().trim_matches('"');
        match key.trim().to_ascii_lowercase().as_str() {
            // A number from 0 to 1; anything else counts as the 1 that leaving it out means.
            "q" => {
                let q = value.parse::<f32>().ok().filter(|q| (0.0..=1.0).contains(q)).unwrap_or(1.0);
                weight = (q * 1_000.0).round() as u16;
            }
            "charset" if !matches!(value.to_ascii_lowercase().as_str(), "utf-8" | "utf8") => return None,
            _ => {}
        }
    }
    Some((name, weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_decide_then_names() {
        let (json, graphql) = (Some(MediaType::Json), Some(MediaType::GraphqlResponse));
        for (accept, want) in [
            ("", json),
            ("*/*", json),
            ("application/*", json),
            ("application/json", json),
            ("application/json; charset=utf-8", json),
            ("application/json; charset=iso-8859-1", None),
            ("application/graphql-response+json", graphql),
            ("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", graphql),
            ("application/graphql-response+json, application/json;q=0.9", graphql),
            ("application/json, application/graphql-response+json", graphql),
            ("application/json, application/graphql-response+json;q=0.5", json),
            ("application/graphql-response+json;q=0, */*", json),
            ("application/json;q=0", None),
            ("application/json;q=0, */*;q=0.1", graphql),
            ("text/html, application/xhtml+xml, */*;q=0.8", json),
            ("text/html", None),
            ("APPLICATION/JSON", json),
            ("multipart/mixed;q=nonsense, application/json;q=nonsense", json),
        ] {
            assert_eq!(negotiate(accept), want, "{accept}");
        }
    }
}
