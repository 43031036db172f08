//! The messages of an archive as its client wrote them: which lines of `messages.jsonl` are shown, and those lines again,
//! byte for byte (`contracts/sessionfs.md` 2.6).
//!
//! A line is a message when it is a JSON object. Messages of side conversations and messages that say nothing are hidden,
//! those of tools are shown even so. Lines are counted from 0, blank and broken ones too.

use std::fmt;
use std::io::{BufRead, Read};
use std::ops::Range;

use flate2::read::GzDecoder;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::FormatError;

/// Lines that share a word of each bit map, and a known place.
const WORD: u64 = 64;
/// What some editors write before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the first regular file of this name, wherever it lies, out of an archive that was checked when it came. `None`
/// when there is none. No more of the archive is looked at than that takes.
pub fn read_member<T>(
    archive: impl Read,
    name: &str,
    read: impl FnOnce(&mut dyn Read) -> std::io::Result<T>,
) -> Result<Option<T>, FormatError> {
    let broken = |error: std::io::Error| FormatError::Broken { format: super::NAME, reason: error.to_string() };
    let mut tar = tar::Archive::new(GzDecoder::new(archive));
    for entry in tar.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let kind = entry.header().entry_type();
        let is_wanted = (kind.is_file() || kind == tar::EntryType::Continuous)
            && entry.path_bytes().rsplit(|byte| *byte == b'/').next() == Some(name.as_bytes());
        if is_wanted {
            return read(&mut entry).map(Some).map_err(broken);
        }
    }
    Ok(None)
}

/// Which lines of a file are messages, and where to find them: 24 bytes for 64 lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageLines {
    /// A bit for each line that is a message and shown.
    shown: Vec<u64>,
    /// A bit for each line that is a message and hidden.
    hidden: Vec<u64>,
    /// The byte at which each 64th line starts.
    starts: Vec<u64>,
    /// How many are shown.
    len: u64,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineState {
    /// A message that is shown, behind so many others.
    Shown(u64),
    /// A message that is hidden; so many that are shown stand before it.
    Hidden(u64),
    /// No message, or behind the end.
    Missing,
}

impl MessageLines {
    /// Goes through a whole file, a line at a time.
    pub fn read(mut file: impl BufRead) -> std::io::Result<Self> {
        let mut lines = Self::default();
        let (mut line, mut number, mut at) = (Vec::new(), 0_u64, 0_u64);
        loop {
            line.clear();
            let read = file.read_until(b'\n', &mut line)?;
            if read == 0 {
                return Ok(lines);
            }
            if number % WORD == 0 {
                lines.shown.push(0);
                lines.hidden.push(0);
                lines.starts.push(at);
            }
            let bit = 1 << (number % WORD);
            let last = lines.shown.len() - 1;
            match is_shown(text_of(&line)) {
                Some(true) => {
                    lines.shown[last] |= bit;
                    lines.len += 1;
                }
                Some(false) => lines.hidden[last] |= bit,
                None => {}
            }
            number += 1;
            at += read as u64;
        }
    }

    /// How many messages are shown.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What memory it takes, in bytes.
    pub fn size(&self) -> usize {
        (self.shown.len() + self.hidden.len() + self.starts.len()) * size_of::<u64>()
    }

    /// What a line is.
    pub fn state(&self, line: u64) -> LineState {
        let (word, bit) = ((line / WORD) as usize, 1_u64 << (line % WORD));
        let Some(shown) = self.shown.get(word) else { return LineState::Missing };
        let before: u64 = self.shown[..word].iter().map(|word| u64::from(word.count_ones())).sum();
        let before = before + u64::from((shown & (bit - 1)).count_ones());
        match (shown & bit != 0, self.hidden[word] & bit != 0) {
            (true, _) => LineState::Shown(before),
            (false, true) => LineState::Hidden(before),
            (false, false) => LineState::Missing,
        }
    }

    /// The line of the message that is shown behind so many others.
    pub fn line(&self, mut rank: u64) -> Option<u64> {
        for (word, bits) in self.shown.iter().enumerate() {
            let count = u64::from(bits.count_ones());
            if rank < count {
                let mut bits = *bits;
                for _ in 0..rank {
                    bits &= bits - 1;
                }
                return Some(word as u64 * WORD + u64::from(bits.trailing_zeros()));
            }
            rank -= count;
        }
        None
    }

    /// The shown messages of these ranks with their lines, out of the file that this was made of.
    pub fn pick(&self, mut file: impl BufRead, ranks: Range<u64>) -> std::io::Result<Vec<(u64, Vec<u8>)>> {
        let ranks = ranks.start..ranks.end.min(self.len);
        let (Some(first), Some(last)) = (self.line(ranks.start), ranks.end.checked_sub(1).and_then(|r| self.line(r)))
        else {
            return Ok(Vec::new());
        };
        let word = (first / WORD) as usize;
        std::io::copy(&mut file.by_ref().take(self.starts[word]), &mut std::io::sink())?;
        let mut picked = Vec::new();
        let mut line = Vec::new();
        for number in word as u64 * WORD..=last {
            line.clear();
            if file.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            if number >= first && self.shown[(number / WORD) as usize] & 1 << (number % WORD) != 0 {
                picked.push((number, text_of(&line).to_vec()));
            }
        }
        Ok(picked)
    }
}

/// A line without what stands around its value.
fn text_of(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii();
    line.strip_prefix(BYTE_ORDER_MARK).map_or(line, <[u8]>::trim_ascii)
}

/// Whether a message is shown; `None` when the line is none.
fn is_shown(line: &[u8]) -> Option<bool> {
    if line.first() != Some(&b'{') {
        return None;
    }
    // What is not looked at is not decoded: it is given back as it is, so it must be text.
    let head: Head = serde_json::from_str(std::str::from_utf8(line).ok()?).ok()?;
    Some(!head.is_sidechain && (head.has_content || head.is_tool))
}

/// What decides whether a message is shown.
#[derive(Default)]
struct Head {
    is_sidechain: bool,
    has_content: bool,
    is_tool: bool,
}

impl<'de> Deserialize<'de> for Head {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeadVisitor)
    }
}

struct HeadVisitor;

impl<'de> Visitor<'de> for HeadVisitor {
    type Value = Head;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Head, A::Error> {
        let mut head = Head::default();
        // Raw, so that a name that is no text of its own, such as half a surrogate pair, does not cost the message.
        while let Some(name) = map.next_key::<&RawValue>()? {
            match name.get() {
                "\"is_sidechain\"" => head.is_sidechain = says_something(map.next_value::<&RawValue>()?.get()),
                "\"content\"" => head.has_content = says_something(map.next_value::<&RawValue>()?.get()),
                "\"role\"" => head.is_tool = map.next_value::<&RawValue>()?.get() == "\"tool\"",
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(head)
    }
}

/// Whether a value is anything: not null, false, zero or empty.
fn says_something(json: &str) -> bool {
    match json.as_bytes().first() {
        Some(b'"') => json.len() > 2,
        Some(b'[' | b'{') => !json[1..].trim_ascii_start().starts_with([']', '}']),
        Some(b't') => true,
        Some(b'f' | b'n') | None => false,
        Some(_) => json.parse::<f64>() != Ok(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessionfs::{Member, pack};

    const FILE: &str = concat!(
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"one\"}],\"n\":1.0e5}\n",
        "\n",
        "{\"role\":\"assistant\",\"content\":\"two\",\"is_sidechain\":true}\r\n",
        "{ \"role\":\"assistant\" , \"content\":[ ] }\n",
        "{\"role\":\"tool\",\"content\":[]}\n",
        "not json\n",
        "[1]\n",
        "{\"content\":\"half a pair \\ud83d\",\"\\ud83d\":1}\n",
        "{\"content\":{\"a\":1},\"content\":null}\n",
        "  {\"z\":1,\"a\":2,\"content\":0.5}",
    );

    #[test]
    fn what_is_shown_is_known_by_its_line() {
        let lines = MessageLines::read(FILE.as_bytes()).unwrap();
        assert_eq!(lines.len(), 4);
        let states: Vec<LineState> = (0..11).map(|line| lines.state(line)).collect();
        use LineState::{Hidden, Missing, Shown};
        assert_eq!(
            states,
            [
                Shown(0),
                Missing,
                Hidden(1),
                Hidden(1),
                Shown(1),
                Missing,
                Missing,
                Shown(2),
                Hidden(3),
                Shown(3),
                Missing
            ]
        );
        assert_eq!((0..5).map(|rank| lines.line(rank)).collect::<Vec<_>>(), [Some(0), Some(4), Some(7), Some(9), None]);
        assert_eq!(lines.state(u64::MAX), Missing);
        let all = lines.pick(FILE.as_bytes(), 0..9).unwrap();
        assert_eq!(all.len(), 4);
        assert_eq!(all[3], (9, b"{\"z\":1,\"a\":2,\"content\":0.5}".to_vec()));
        assert_eq!(lines.pick(FILE.as_bytes(), 1..2).unwrap(), [(4, b"{\"role\":\"tool\",\"content\":[]}".to_vec())]);
        assert!(lines.pick(FILE.as_bytes(), 4..9).unwrap().is_empty());
        assert!(lines.pick(FILE.as_bytes(), 0..0).unwrap().is_empty());
    }

    #[test]
    fn any_part_of_a_long_file_is_what_one_reading_gives() {
        let file: String = (0..1_000)
            .map(|n| match n % 7 {
                0 => "\n".to_owned(),
                1 => format!("{{\"is_sidechain\":1,\"content\":\"{n}\"}}\n"),
                2 => "{\"content\":\n".to_owned(),
                _ => format!("{{\"content\":\"{n}\"}}\n"),
            })
            .collect();
        let lines = MessageLines::read(file.as_bytes()).unwrap();
        let all = lines.pick(file.as_bytes(), 0..u64::MAX).unwrap();
        assert_eq!(all.len() as u64, lines.len());
        for (rank, (line, _)) in all.iter().enumerate() {
            assert_eq!(lines.state(*line), LineState::Shown(rank as u64));
        }
        for from in (0..all.len()).step_by(37) {
            let to = (from + 50).min(all.len());
            assert_eq!(lines.pick(file.as_bytes(), from as u64..from as u64 + 50).unwrap(), all[from..to]);
        }
    }

    #[test]
    fn a_member_is_found_by_the_last_part_of_its_path() {
        let member = |name: &str, text: &str| Member { name: name.to_owned(), bytes: text.into() };
        let packed =
            pack(&[member("x.sfs/manifest.json", "{}"), member("x.sfs/tools.json", "1"), member("tools.json", "2")]);
        let packed = packed.unwrap();
        let read = |name: &str| {
            read_member(packed.as_slice(), name, |file| {
                let mut text = String::new();
                file.read_to_string(&mut text).map(|_| text)
            })
        };
        assert_eq!(read("tools.json"), Ok(Some("1".to_owned())));
        assert_eq!(read("workspace.json"), Ok(None));
        assert!(matches!(read_member(&b"no archive"[..], "x", |_| Ok(())), Err(FormatError::Broken { .. })));
    }
}
