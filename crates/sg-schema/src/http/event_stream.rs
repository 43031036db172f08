//! Replies as events: `next` with a result, `complete` at the end, as graphql-sse's distinct connections mode has them.

use async_graphql::ServerError;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use sg_domain::Error;

use crate::failure::{present, server_error};
use crate::operation::Reply;
use crate::plain;

/// The end. Its data is empty but there: a browser's `EventSource` does not tell of an event without.
const COMPLETE: &str = "event: complete\ndata: \n\n";

/// A result that did not come about.
#[derive(serde::Serialize)]
struct Failed<'a> {
    errors: &'a [ServerError],
}

/// The events of an operation.
pub(super) fn events(replies: BoxStream<'static, Reply>) -> BoxStream<'static, Bytes> {
    let events = replies.map(|reply| match reply {
        Reply::Next(response) => next(plain::answer(&response)),
        Reply::Refused(errors) => failed(&errors),
        Reply::Complete => Bytes::from_static(COMPLETE.as_bytes()),
    });
    events.boxed()
}

/// The events of an operation that did not run.
pub(super) fn refused(errors: Vec<ServerError>) -> BoxStream<'static, Bytes> {
    stream::once(std::future::ready(failed(&errors))).boxed()
}

/// The last events of a stream that cannot go on: the error, and the end.
pub fn refused_events(error: Error, request_id: &str) -> Bytes {
    failed(&present(vec![server_error(error)], request_id))
}

fn failed(errors: &[ServerError]) -> Bytes {
    let mut bytes = next(serde_json::to_vec(&Failed { errors })).to_vec();
    bytes.extend_from_slice(COMPLETE.as_bytes());
    bytes.into()
}

/// One result. JSON as it is written here has no line ends, so it is one line of data.
fn next(result: serde_json::Result<Vec<u8>>) -> Bytes {
    let mut bytes = b"event: next\ndata: ".to_vec();
    match result {
        Ok(json) => bytes.extend_from_slice(&json),
        Err(error) => tracing::error!(%error, "an event cannot be written"),
    }
    bytes.extend_from_slice(b"\n\n");
    bytes.into()
}

#[cfg(test)]
mod tests {
    use async_graphql::{Response, Value};

    use super::*;

    fn text(events: BoxStream<'static, Bytes>) -> String {
        let all: Vec<_> = futures_util::FutureExt::now_or_never(events.collect()).unwrap();
        String::from_utf8(all.concat()).unwrap()
    }

    #[test]
    fn results_and_the_end() {
        let response = Response::new(Value::from("a\nb\r\n\u{2028}"));
        let replies = stream::iter([Reply::Next(Box::new(response)), Reply::Complete]).boxed();
        assert_eq!(
            text(events(replies)),
            "event: next\ndata: {\"data\":\"a\\nb\\r\\n\u{2028}\"}\n\nevent: complete\ndata: \n\n"
        );
    }

    #[test]
    fn what_did_not_run_is_a_result_of_errors_and_the_end() {
        let refused = refused_events(Error::not_found("session"), "r1");
        let refused = String::from_utf8(refused.to_vec()).unwrap();
        assert_eq!(
            refused,
            "event: next\ndata: {\"errors\":[{\"message\":\"session not found\",\"extensions\":\
             {\"code\":\"NOT_FOUND\",\"requestId\":\"r1\"}}]}\n\nevent: complete\ndata: \n\n"
        );
    }
}
