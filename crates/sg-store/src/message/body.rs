//! A message's body as it is stored: blocks and raw fields as JSON, compressed where that is smaller.
//!
//! The first byte names the codec, so that another one can come later without rewriting what is there.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sg_domain::{ContentBlock, Digest, Message};

use crate::error::{StoreError, StoreResult};

const PLAIN: u8 = 0;
const ZSTD: u8 = 1;
/// Below this, a frame's header eats what compression saves.
const COMPRESS_FROM_BYTES: usize = 512;
const LEVEL: i32 = 1;
/// Bytes of the digest that are kept: enough that two messages never meet.
pub(crate) const DIGEST_BYTES: usize = 16;

#[derive(Serialize)]
struct BodyRef<'a> {
    blocks: &'a [ContentBlock],
    #[serde(skip_serializing_if = "Map::is_empty")]
    raw: &'a Map<String, Value>,
}

#[derive(Deserialize)]
pub(crate) struct Body {
    pub(crate) blocks: Vec<ContentBlock>,
    #[serde(default)]
    pub(crate) raw: Map<String, Value>,
}

/// Tells a message from every other: a digest of all of it.
pub(crate) fn digest(message: &Message) -> StoreResult<[u8; DIGEST_BYTES]> {
    let whole = Digest::of(&serde_json::to_vec(message)?);
    let mut short = [0; DIGEST_BYTES];
    short.copy_from_slice(&whole.0[..DIGEST_BYTES]);
    Ok(short)
}

/// Packs bodies one after the other with one set of buffers.
pub(crate) struct Packer {
    zstd: zstd::bulk::Compressor<'static>,
    json: Vec<u8>,
}

impl Packer {
    pub(crate) fn new() -> StoreResult<Self> {
        Ok(Self { zstd: zstd::bulk::Compressor::new(LEVEL)?, json: Vec::new() })
    }

    pub(crate) fn pack(&mut self, message: &Message) -> StoreResult<Vec<u8>> {
        self.json.clear();
        serde_json::to_writer(&mut self.json, &BodyRef { blocks: &message.blocks, raw: &message.raw })?;
        if self.json.len() >= COMPRESS_FROM_BYTES {
            let mut packed = Vec::with_capacity(1 + zstd::zstd_safe::compress_bound(self.json.len()));
            packed.push(ZSTD);
            let frame = self.zstd.compress(&self.json)?;
            if frame.len() < self.json.len() {
                packed.extend_from_slice(&frame);
                packed.shrink_to_fit();
                return Ok(packed);
            }
        }
        let mut plain = Vec::with_capacity(1 + self.json.len());
        plain.push(PLAIN);
        plain.extend_from_slice(&self.json);
        Ok(plain)
    }
}

pub(crate) fn unpack(stored: &[u8]) -> StoreResult<Body> {
    match stored.split_first() {
        Some((&PLAIN, json)) => parse(json),
        Some((&ZSTD, frame)) => parse(&zstd::stream::decode_all(frame)?),
        Some((codec, _)) => {
            Err(StoreError::Corrupt(format!("a message body has codec {codec}, written by a newer version")))
        }
        None => Err(StoreError::Corrupt("a message body is empty".to_owned())),
    }
}

fn parse(json: &[u8]) -> StoreResult<Body> {
    // What was nested deeply when it came in was written all the same, one level deeper: it must be readable.
    let mut reader = serde_json::Deserializer::from_slice(json);
    reader.disable_recursion_limit();
    Ok(Body::deserialize(&mut reader)?)
}

#[cfg(test)]
mod tests {
    use sg_domain::Role;

    use super::*;

    fn message(text: &str) -> Message {
        let mut message = Message::text(Role::User, text);
        message.raw.insert("cwd".to_owned(), "/work \0 日本".into());
        message
    }

    #[test]
    fn every_size_comes_back() {
        let mut packer = Packer::new().unwrap();
        for size in [0, 1, 400, 511, 512, 513, 5_000, 1_000_000] {
            let message = message(&"ab\0c".repeat(size / 4 + 1)[..size]);
            let body = unpack(&packer.pack(&message).unwrap()).unwrap();
            assert_eq!((body.blocks, body.raw), (message.blocks, message.raw), "{size}");
        }
    }

    #[test]
    fn packing_never_costs_more_than_the_codec_byte() {
        // Hex of digests does not repeat; base64 of noise hardly shrinks.
        let noise: String = (0..200_u32).map(|i| Digest::of(&i.to_le_bytes()).to_string()).collect();
        let message = message(&noise);
        let json = serde_json::to_vec(&BodyRef { blocks: &message.blocks, raw: &message.raw }).unwrap();
        assert!(Packer::new().unwrap().pack(&message).unwrap().len() <= json.len() + 1);
    }

    #[test]
    fn deep_nesting_comes_back() {
        let mut value = Value::Null;
        for _ in 0..127 {
            value = Value::Array(vec![value]);
        }
        let mut message = message("deep");
        message.raw.insert("deep".to_owned(), value);
        let body = unpack(&Packer::new().unwrap().pack(&message).unwrap()).unwrap();
        assert_eq!(body.raw, message.raw);
    }

    #[test]
    fn foreign_bytes_are_errors() {
        for bytes in [&b""[..], b"\x09abc", b"\x00{", b"\x01notzstd"] {
            assert!(unpack(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn the_digest_sees_every_field() {
        let plain = message("a");
        let mut changed = plain.clone();
        changed.is_sidechain = true;
        assert_ne!(digest(&plain).unwrap(), digest(&changed).unwrap());
    }
}
