//! From the bytes of a request to what it says: unpacks, counts, hashes and reads, piece by piece, never more than a
//! piece ahead.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use sg_app::SpoolPlace;
use sg_domain::{Digest, Error, ErrorKind, Hasher};

use super::UploadLimits;
use super::fields::{Fields, Refused, Upload};
use super::json::Reader;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
}

impl Encoding {
    /// What `Content-Encoding` says.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Error> {
        let values = headers.get_all(CONTENT_ENCODING).iter();
        let text: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned()).collect();
        let text = text.join(", ");
        match text.to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            // RFC 9110, 8.4.1.3: the old name means the same.
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            _ => {
                let text = sg_domain::error::quote(&text);
                let text = format!("unsupported Content-Encoding {text}, use gzip or identity");
                Err(Error::new(ErrorKind::Unsupported, text))
            }
        }
    }
}

/// A body being read. Not for the runtime's own threads.
pub(super) struct Intake {
    packed: u64,
    body: Body,
}

enum Body {
    Plain(Box<Document>),
    Gzip(Box<MultiGzDecoder<Document>>),
}

impl Intake {
    pub(super) fn new(encoding: Encoding, limits: &UploadLimits, place: Arc<SpoolPlace>, hash: bool) -> Self {
        let document = Document {
            limits: limits.clone(),
            packed: None,
            unpacked: 0,
            hasher: hash.then(Hasher::default),
            reader: Reader::new(),
            fields: Fields::new(place),
            refused: None,
            is_over: false,
        };
        let body = match encoding {
            Encoding::Identity => Body::Plain(Box::new(document)),
            Encoding::Gzip => Body::Gzip(Box::new(MultiGzDecoder::new(document))),
        };
        Self { packed: 0, body }
    }

    /// Takes the next bytes of the body.
    pub(super) fn push(&mut self, bytes: &Bytes) -> Result<(), Error> {
        self.packed += bytes.len() as u64;
        match &mut self.body {
            Body::Plain(document) => {
                let done = document.read(bytes);
                document.outcome(done)
            }
            Body::Gzip(decoder) => {
                decoder.get_mut().packed = Some(self.packed);
                let done = decoder.write_all(bytes);
                outcome(decoder.get_mut(), done)
            }
        }
    }

    /// Ends the body: what it said, and the digest of what it was unpacked.
    pub(super) fn finish(self) -> Result<(Upload, Option<Digest>), Error> {
        let mut document = match self.body {
            Body::Plain(document) => *document,
            Body::Gzip(mut decoder) => {
                let done = decoder.try_finish();
                outcome(decoder.get_mut(), done)?;
                decoder.finish().map_err(|_| corrupt())?
            }
        };
        let Document { reader, fields, .. } = &mut document;
        let done = reader.finish(&mut |event| fields.take(event));
        document.outcome(done)?;
        Ok((document.fields.finish()?, document.hasher.map(Hasher::finish)))
    }
}

fn outcome(document: &mut Document, done: std::io::Result<()>) -> Result<(), Error> {
    match (document.refused.take(), done) {
        (Some(refused), _) => document.outcome(Err(refused)),
        (None, Ok(())) => Ok(()),
        (None, Err(_)) => Err(corrupt()),
    }
}

fn corrupt() -> Error {
    Error::invalid("request body is not valid gzip")
}

/// The unpacked body.
struct Document {
    limits: UploadLimits,
    /// Packed bytes so far, when it is packed.
    packed: Option<u64>,
    unpacked: u64,
    hasher: Option<Hasher>,
    reader: Reader,
    fields: Fields,
    /// Why reading stopped, while the decoder knows only that it did.
    refused: Option<Refused>,
    /// Whether it stopped: what the decoder still has to say when it is dropped is not listened to.
    is_over: bool,
}

impl Document {
    fn read(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.unpacked += bytes.len() as u64;
        self.check()?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        let Self { reader, fields, .. } = self;
        reader.push(bytes, &mut |event| fields.take(event))
    }

    fn check(&self) -> Result<(), Error> {
        let UploadLimits { max_unpacked_bytes, max_ratio, ratio_floor_bytes, .. } = self.limits;
        if self.unpacked > max_unpacked_bytes {
            let text = format!("request body is larger than {max_unpacked_bytes} bytes when it is unpacked");
            return Err(Error::new(ErrorKind::TooLarge, text));
        }
        let is_packed_too_well = self.packed.is_some_and(|packed| self.unpacked > packed.saturating_mul(max_ratio));
        if is_packed_too_well && self.unpacked > ratio_floor_bytes {
            let text = format!("request body is packed more than {max_ratio} to 1");
            return Err(Error::new(ErrorKind::TooLarge, text));
        }
        Ok(())
    }

    fn outcome(&self, done: Result<(), Refused>) -> Result<(), Error> {
        done.map_err(|refused| match refused {
            Refused::Because(error) => error,
            Refused::NotJson => Error::invalid("Invalid JSON in request body"),
        })
    }
}

impl Write for Document {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.is_over {
            return Err(std::io::Error::other("the body was refused"));
        }
        match self.read(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(refused) => {
                (self.refused, self.is_over) = (Some(refused), true);
                Err(std::io::Error::other("the body is refused"))
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
