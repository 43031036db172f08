//! Forms with a file, read as they come: nothing is held but a part's headers and the end of what may be a boundary, and
//! of those never more than a few kilobytes (`contracts/sessionfs.md` 5.9, 52).

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::StreamExt as _;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use http_body_util::LengthLimitError;
use memchr::memmem;

use super::failure::Failure;

/// The most parts of a form.
const MAX_PARTS: usize = 8;
/// The most bytes of the headers of one part, and of what stands before the first.
const MAX_HEAD_BYTES: usize = 8 * 1_024;
/// The longest boundary that the standard allows.
const MAX_BOUNDARY_BYTES: usize = 70;

/// A form being read.
pub(super) struct Form {
    pieces: BodyDataStream,
    buffer: Vec<u8>,
    /// What ends a part: a line's end and the boundary.
    delimiter: Vec<u8>,
    parts: usize,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Part,
    Between,
    Over,
}

impl Form {
    /// The form that a request says it is; `None` when it is something else.
    pub(super) fn of(headers: &HeaderMap, body: Body) -> Option<Self> {
        let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let is_form = kind.split(';').next()?.trim().eq_ignore_ascii_case("multipart/form-data");
        let boundary = parameter(kind, "boundary").filter(|text| (1..=MAX_BOUNDARY_BYTES).contains(&text.len()))?;
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        // The first boundary has no line before it.
        let buffer = b"\r\n".to_vec();
        is_form.then(|| Self { pieces: body.into_data_stream(), buffer, delimiter, parts: 0, place: Place::Start })
    }

    /// Goes on to the next part; its name, `None` at the end of the form.
    pub(super) async fn next_part(&mut self) -> Result<Option<String>, Failure> {
        if self.place == Place::Start {
            let mut before = 0;
            while let Some(piece) = self.until_delimiter().await? {
                before += piece.len();
                if before > MAX_HEAD_BYTES {
                    return Err(malformed());
                }
            }
        }
        while self.place == Place::Part {
            self.piece().await?;
        }
        if self.place == Place::Over {
            return Ok(None);
        }
        self.have(2).await?;
        if self.buffer.starts_with(b"--") {
            self.place = Place::Over;
            return Ok(None);
        }
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(Failure::bad_request(format!("Too many fields. Maximum number of fields is {MAX_PARTS}.")));
        }
        let head = loop {
            // A part without headers has none of the lines before the empty one.
            if let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n") {
                break self.take(end + 4);
            }
            if self.buffer.len() > MAX_HEAD_BYTES {
                return Err(malformed());
            }
            self.more().await?;
        };
        self.place = Place::Part;
        let head = String::from_utf8_lossy(&head).into_owned();
        let disposition = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
        });
        Ok(Some(disposition.and_then(|value| parameter(value, "name")).unwrap_or_default()))
    }

    /// The next piece of the part; `None` at its end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        if self.place != Place::Part {
            return Ok(None);
        }
        Ok(self.until_delimiter().await?.map(Bytes::from))
    }

    /// Reads so much of what still comes: who is still sending does not listen.
    pub(super) async fn drain(&mut self, mut bytes: usize) {
        while let Some(Ok(piece)) = self.pieces.next().await {
            match bytes.checked_sub(piece.len()) {
                Some(left) => bytes = left,
                None => return,
            }
        }
    }

    async fn until_delimiter(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        loop {
            match memmem::find(&self.buffer, &self.delimiter) {
                Some(0) => {
                    self.take(self.delimiter.len());
                    self.place = Place::Between;
                    return Ok(None);
                }
                Some(at) => return Ok(Some(self.take(at))),
                None => {}
            }
            // The rest may be the beginning of one.
            let sure = self.buffer.len().saturating_sub(self.delimiter.len() - 1);
            if sure > 0 {
                return Ok(Some(self.take(sure)));
            }
            self.more().await?;
        }
    }

    async fn have(&mut self, bytes: usize) -> Result<(), Failure> {
        while self.buffer.len() < bytes {
            self.more().await?;
        }
        Ok(())
    }

    fn take(&mut self, bytes: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(bytes);
        std::mem::replace(&mut self.buffer, rest)
    }

    async fn more(&mut self) -> Result<(), Failure> {
        match self.pieces.next().await {
            Some(Ok(piece)) => {
                self.buffer.extend_from_slice(&piece);
                Ok(())
            }
            Some(Err(error)) => Err(cut_off(&error)),
            None => Err(malformed()),
        }
    }
}

/// A body that does not go on: it is too long, or its sender stalls or is gone.
pub(super) fn cut_off(error: &axum::Error) -> Failure {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "Request body is too large").code("PAYLOAD_TOO_LARGE");
        }
        cause = error.source();
    }
    tracing::debug!(%error, "an upload was cut off");
    Failure::bad_request("The request body did not arrive completely")
}

fn malformed() -> Failure {
    Failure::bad_request("There was an error parsing the body")
}

/// A parameter of a header's value, quoted or not.
fn parameter(value: &str, wanted: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_start_matches([';', ' ', '\t']).trim_end();
        let after = after.trim_start();
        let (text, next) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(text);
        }
        rest = next;
    }
}

/// The text up to the closing quote, and what follows it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, next)) = chars.next() {
        match next {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => out.push(chars.next()?.1),
            other => out.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const KIND: &str = "multipart/form-data; boundary=\"xyz\"";

    /// The parts of a form that comes in pieces of some size, or the message of what is wrong with it.
    async fn read(body: &[u8], size: usize) -> Result<Vec<(String, Vec<u8>)>, String> {
        let pieces: Vec<_> =
            body.chunks(size).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(KIND))]);
        let mut form = Form::of(&headers, body).expect("a form");
        let mut parts = Vec::new();
        while let Some(name) = form.next_part().await.map_err(|failure| format!("{failure:?}"))? {
            let mut content = Vec::new();
            while let Some(piece) = form.piece().await.map_err(|failure| format!("{failure:?}"))? {
                content.extend_from_slice(&piece);
            }
            parts.push((name, content));
            assert!(form.buffer.len() <= 2 * MAX_HEAD_BYTES + size);
        }
        Ok(parts)
    }

    #[tokio::test]
    async fn a_form_is_read_wherever_it_is_cut() {
        let content = b"a\r\n--xy\r\n-\r\n--\r\n\r\n--xyy--z".as_slice();
        let body = [
            b"before\r\n--xyz\r\nContent-Disposition: form-data; name=\"a \\\"b\"\r\n\r\n\r\n--xyz \r\n\
              content-disposition: form-data; filename=\"name=x;\"; name=file\r\nContent-Type: application/gzip\r\n\r\n"
                .as_slice(),
            content,
            b"\r\n--xyz--\r\nafter",
        ]
        .concat();
        for size in 1..body.len() {
            let parts = read(&body, size).await.unwrap();
            assert_eq!(parts, [("a \"b".to_owned(), Vec::new()), ("file".to_owned(), content.to_vec())], "{size}");
        }
    }

    #[tokio::test]
    async fn what_does_not_end_is_refused_and_not_held() {
        let head = b"--xyz\r\nContent-Disposition: form-data; name=file\r\n\r\n".as_slice();
        let long = vec![b'x'; 1 << 20];
        for body in [
            &b""[..],
            b"--xy",
            b"--xyz",
            b"--xyz\r\n",
            head,
            &[head, b"content"].concat(),
            &[head, b"content\r\n--xyz"].concat(),
            &long,
            &[b"--xyz\r\n", &long[..]].concat(),
            &[head, &long[..]].concat(),
        ] {
            for size in [1_000, 60_000] {
                assert!(read(body, size).await.is_err(), "{} bytes", body.len());
            }
        }
        let many = [head, b"\r\n"].concat().repeat(9);
        assert!(read(&many, 100).await.unwrap_err().contains("Too many fields"));
    }

    #[test]
    fn other_bodies_are_no_forms() {
        for kind in [
            "application/json",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=\"x",
            "multipart/mixed; boundary=x",
            &format!("multipart/form-data; boundary={}", "x".repeat(71)),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap())]);
            assert!(Form::of(&headers, Body::empty()).is_none(), "{kind}");
        }
        assert!(Form::of(&HeaderMap::new(), Body::empty()).is_none());
    }
}
