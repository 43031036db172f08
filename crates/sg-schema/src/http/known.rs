//! Answers that are kept, as HTTP: sent once more, packed for those who take that, or not at all to those who have them.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, VARY};
use http::{HeaderValue, Method, Request, Response, StatusCode};

use super::Reply;
use crate::kept::{Answers, Wanted};

impl Reply {
    /// The answer that was kept, if there is one.
    pub(super) fn known(
        &self,
        request: &Request<Bytes>,
        wanted: &Wanted,
        answers: &Answers,
    ) -> Option<Response<Bytes>> {
        if wanted.is_not_modified(request) {
            let mut response = tagged(request, wanted, self.bytes(StatusCode::NOT_MODIFIED, Bytes::new()));
            response.headers_mut().remove(CONTENT_TYPE);
            return Some(response);
        }
        let answer = wanted.known(answers)?;
        let packed = answer.gzip(request.headers());
        let is_packed = packed.is_some();
        let body = packed.unwrap_or_else(|| answer.body.clone());
        let mut response = tagged(request, wanted, self.bytes(StatusCode::OK, body));
        if is_packed {
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response.headers_mut().append(VARY, HeaderValue::from_static("accept-encoding"));
        }
        Some(response)
    }

    /// A new answer, which is kept if it is `wanted`.
    pub(super) fn kept(
        &self,
        request: &Request<Bytes>,
        wanted: Option<Wanted>,
        response: Response<Bytes>,
        answers: &Answers,
    ) -> Response<Bytes> {
        let Some(wanted) = wanted else { return response };
        let response = tagged(request, &wanted, response);
        // A copy of its own, as long as it is: the buffer that it was written into may be longer.
        wanted.keep(answers, Bytes::copy_from_slice(response.body()));
        response
    }
}

/// With its ETag, where a cache may ask with it.
fn tagged(request: &Request<Bytes>, wanted: &Wanted, mut response: Response<Bytes>) -> Response<Bytes> {
    if request.method() == Method::GET
        && let Ok(tag) = HeaderValue::try_from(wanted.etag())
    {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
