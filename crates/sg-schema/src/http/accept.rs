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

/// What an `Accept` header takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    /// The better of the two JSON types; `None` when neither will do.
    pub(super) json: Option<MediaType>,
    json_weight: u16,
    events_weight: u16,
}

/// The media type of event streams.
const EVENTS: &str = "text/event-stream";

impl Accepted {
    /// Reads it. The best media type is chosen by weight, then the newer type if it was named, else JSON, which every
    /// client reads. An empty header accepts everything. Event streams must be named: no wildcard asks for one.
    pub(super) fn of(accept: &str) -> Self {
        if accept.trim().is_empty() {
            return Self { json: Some(MediaType::Json), json_weight: 1_000, events_weight: 0 };
        }
        let ranges: Vec<_> = accept.split(',').filter_map(range).collect();
        let graphql = weight(MediaType::GraphqlResponse, &ranges);
        let json = weight(MediaType::Json, &ranges);
        let is_named = ranges.iter().any(|(range, _)| MediaType::GraphqlResponse.fit(range) == 3);
        let better = match (graphql, json) {
            (0, 0) => None,
            (graphql, json) if graphql > json || (graphql == json && is_named) => Some(MediaType::GraphqlResponse),
            _ => Some(MediaType::Json),
        };
        let events = ranges.iter().filter(|(range, _)| range == EVENTS).map(|(_, weight)| *weight).max();
        Self { json: better, json_weight: graphql.max(json), events_weight: events.unwrap_or(0) }
    }

    /// Whether nothing that there is will do.
    pub(super) fn is_nothing(self) -> bool {
        self.json.is_none() && self.events_weight == 0
    }

    /// Whether an answer is sent as events. Clients name every type they read with all that they ask, so a stream is for
    /// what needs one, or for who likes it better.
    pub(super) fn wants_events(self, is_subscription: bool) -> bool {
        self.events_weight > 0 && (is_subscription || self.events_weight > self.json_weight)
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
            assert_eq!(Accepted::of(accept).json, want, "{accept}");
        }
    }

    #[test]
    fn events_are_for_subscriptions_and_for_who_likes_them_better() {
        for (accept, query, subscription) in [
            ("", false, false),
            ("*/*", false, false),
            ("text/*", false, false),
            ("application/json", false, false),
            ("text/event-stream", true, true),
            ("text/event-stream;q=0", false, false),
            ("text/event-stream, */*", false, true),
            ("text/event-stream, application/json;q=0.5", true, true),
            ("application/graphql-response+json, application/json, text/event-stream, multipart/mixed", false, true),
        ] {
            let accepted = Accepted::of(accept);
            assert_eq!((accepted.wants_events(false), accepted.wants_events(true)), (query, subscription), "{accept}");
        }
        assert!(Accepted::of("text/html").is_nothing() && !Accepted::of("text/event-stream").is_nothing());
    }
}
