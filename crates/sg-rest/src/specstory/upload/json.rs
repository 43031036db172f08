//! Reading JSON as it comes: bytes in, in pieces cut anywhere; events out. Strings are handed over in pieces as well, so
//! that one of any length costs no memory; nesting is counted and bounded, so that nothing recurses.
//!
//! Text comes out as WTF-8: a lone surrogate escape is the three bytes that `sg_domain::wtf8` writes for it.

use sg_domain::wtf8::push_surrogate;

/// How deep arrays and objects may nest.
pub(super) const MAX_DEPTH: usize = 128;

/// A part of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    BeginObject,
    EndObject,
    BeginArray,
    EndArray,
    BeginKey,
    EndKey,
    BeginString,
    EndString,
    /// The next bytes of the key or string that has begun.
    Text(&'a [u8]),
    Null,
    /// A number, `true` or `false`.
    Scalar,
}

/// Why a document is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotJson;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A value comes.
    Value,
    /// A value or the end of the array that has begun.
    FirstItem,
    /// A key or the end of the object that has begun.
    FirstKey,
    /// A key.
    Key,
    Colon,
    /// A comma or the end of what is open; or the end of the document.
    After,
    /// Inside a string or key.
    Text,
    Escape,
    /// Inside `\uXXXX`: digits so far.
    Unicode(u8),
    /// Inside `null`, `true` or `false`: the rest of it.
    Word(&'static [u8]),
    Number(Number),
}

/// Where in a number: each but the last four may end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Zero,
    Integer,
    Fraction,
    Exponent,
    Minus,
    Point,
    ExponentMark,
    ExponentSign,
}

/// The reader. What takes the events may refuse to go on with an error of its own.
#[derive(Debug)]
pub(super) struct Reader {
    state: State,
    /// What is open: `true` is an object.
    open: Vec<bool>,
    is_key: bool,
    is_null: bool,
    /// The digits of the escape that is being read.
    unit: u16,
    /// The first half of a pair, whose second may follow.
    high: Option<u16>,
    /// The beginning of a character that was cut.
    partial: Vec<u8>,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self {
            state: State::Value,
            open: Vec::new(),
            is_key: false,
            is_null: false,
            unit: 0,
            high: None,
            partial: Vec::new(),
        }
    }

    /// Reads the next bytes.
    pub(super) fn push<E: From<NotJson>>(
        &mut self,
        mut bytes: &[u8],
        take: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some((&byte, rest)) = bytes.split_first() {
            match self.state {
                State::Text => {
                    bytes = self.text(bytes, take)?;
                    continue;
                }
                State::Escape => self.escape(byte, take)?,
                State::Unicode(digits) => self.unicode(digits, byte, take)?,
                State::Word(word) => match word.split_first() {
                    Some((wanted, word)) if *wanted == byte => {
                        self.state = State::Word(word);
                        if word.is_empty() {
                            take(if self.is_null { Event::Null } else { Event::Scalar })?;
                            self.state = State::After;
                        }
                    }
                    _ => return Err(NotJson.into()),
                },
                State::Number(number) => match number.next(byte)? {
                    Some(number) => self.state = State::Number(number),
                    None => {
                        take(Event::Scalar)?;
                        self.state = State::After;
                        // This byte is not the number's.
                        continue;
                    }
                },
                _ if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') => {}
                _ => self.structure(byte, take)?,
            }
            bytes = rest;
        }
        Ok(())
    }

    /// Ends the document.
    pub(super) fn finish<E: From<NotJson>>(
        &mut self,
        take: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if let State::Number(number) = self.state
            && number.is_whole()
        {
            take(Event::Scalar)?;
            self.state = State::After;
        }
        if self.state == State::After && self.open.is_empty() { Ok(()) } else { Err(NotJson.into()) }
    }

    fn structure<E: From<NotJson>>(
        &mut self,
        byte: u8,
        take: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let is_value = matches!(self.state, State::Value | State::FirstItem);
        self.state = match (self.state, byte) {
            (State::Key | State::FirstKey, b'"') => {
                self.is_key = true;
                take(Event::BeginKey)?;
                State::Text
            }
            (State::FirstKey, b'}') => return self.close(true, take),
            (State::FirstItem, b']') => return self.close(false, take),
            (State::Colon, b':') => State::Value,
            (State::After, b',') => match self.open.last() {
                Some(true) => State::Key,
                Some(false) => State::Value,
                None => return Err(NotJson.into()),
            },
            (State::After, b'}') => return self.close(true, take),
            (State::After, b']') => return self.close(false, take),
            (_, b'{') if is_value => {
                self.open(true)?;
                take(Event::BeginObject)?;
                State::FirstKey
            }
            (_, b'[') if is_value => {
                self.open(false)?;
                take(Event::BeginArray)?;
                State::FirstItem
            }
            (_, b'"') if is_value => {
                self.is_key = false;
                take(Event::BeginString)?;
                State::Text
            }
            (_, b'n' | b't' | b'f') if is_value => {
                self.is_null = byte == b'n';
                State::Word(match byte {
                    b'n' => b"ull",
                    b't' => b"rue",
                    _ => b"alse",
                })
            }
            (_, b'-') if is_value => State::Number(Number::Minus),
            (_, b'0') if is_value => State::Number(Number::Zero),
            (_, b'1'..=b'9') if is_value => State::Number(Number::Integer),
            _ => return Err(NotJson.into()),
        };
        Ok(())
    }

    fn open<E: From<NotJson>>(&mut self, is_object: bool) -> Result<(), E> {
        if self.open.len() >= MAX_DEPTH {
            return Err(NotJson.into());
        }
        self.open.push(is_object);
        Ok(())
    }

    fn close<E: From<NotJson>>(
        &mut self,
        is_object: bool,
        take: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.open.pop() != Some(is_object) {
            return Err(NotJson.into());
        }
        self.state = State::After;
        take(if is_object { Event::EndObject } else { Event::EndArray })
    }

    /// Reads the inside of a string up to what ends or interrupts it; returns what is left.
    fn text<'a, E: From<NotJson>>(
        &mut self,
        bytes: &'a [u8],
        take: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<&'a [u8], E> {
        if !self.partial.is_empty() {
            return self.complete(bytes, take);
        }
        let end = plain_len(bytes);
        let (run, rest) = bytes.split_at(end);
        if !run.is_empty() {
            self.lone(take)?;
            let good = match std::str::from_utf8(run) {
                Ok(_) => run,
                // Only at the end of what has come can a character be cut.
                Err(error) if error.error_len().is_none() && rest.is_empty() => {
                    self.partial.extend_from_slice(&run[error.valid_up_to()..]);
                    &run[..error.valid_up_to()]
                }
                Err(_) => return Err(NotJson.into()),
            };
            if !good.is_empty() {
                take(Event::Text(good))?;
            }
        }
        match rest.split_first() {
            None => Ok(rest),
            Some((b'\\', rest)) => {
                self.state = State::Escape;
                Ok(rest)
            }
            Some((b'"', rest)) => {
                self.lone(take)?;
                take(if self.is_key { Event::EndKey } else { Event::EndString })?;
                self.state = if self.is_key { State::Colon } else { State::After };
                Ok(rest)
            }
            // A control character as it is.
            Some(_) => Err(NotJson.into()),
        }
    }

    /// Puts a character together that was cut.
    fn complete<'a, E: From<NotJson>>(
        &mut self,
        bytes: &'a [u8],
        take: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<&'a [u8], E> {
        let Some((byte, rest)) = bytes.split_first() else { return Ok(bytes) };
        self.partial.push(*byte);
        match std::str::from_utf8(&self.partial) {
            Ok(_) => {
                take(Event::Text(&self.partial))?;
                self.partial.clear();
                Ok(rest)
            }
            Err(error) if error.error_len().is_none() => Ok(rest),
            Err(_) => Err(NotJson.into()),
        }
    }

    fn escape<E: From<NotJson>>(
        &mut self,
        byte: u8,
        take: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let plain: &[u8] = match byte {
            b'"' => b"\"",
            b'\\' => b"\\",
            b'/' => b"/",
            b'b' => b"\x08",
            b'f' => b"\x0c",
            b'n' => b"\n",
            b'r' => b"\r",
            b't' => b"\t",
            b'u' => {
                (self.state, self.unit) = (State::Unicode(0), 0);
                return Ok(());
            }
            _ => return Err(NotJson.into()),
        };
        self.state = State::Text;
        self.lone(take)?;
        take(Event::Text(plain))
    }

    fn unicode<E: From<NotJson>>(
        &mut self,
        digits: u8,
        byte: u8,
        take: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let digit = char::from(byte).to_digit(16).ok_or(NotJson)?;
        self.unit = self.unit << 4 | u16::try_from(digit).unwrap_or(0);
        if digits < 3 {
            self.state = State::Unicode(digits + 1);
            return Ok(());
        }
        self.state = State::Text;
        let units = [self.high.unwrap_or(self.unit), self.unit];
        let pair = if self.high.is_some() { &units[..] } else { &units[1..] };
        if let Some(Ok(c)) = char::decode_utf16(pair.iter().copied()).next() {
            self.high = None;
            return take(Event::Text(c.encode_utf8(&mut [0; 4]).as_bytes()));
        }
        self.lone(take)?;
        match self.unit {
            unit @ 0xd800..=0xdbff => {
                self.high = Some(unit);
                Ok(())
            }
            unit @ 0xdc00..=0xdfff => surrogate(unit, take),
            // A first half that was waiting was lone; this unit stands for itself.
            unit => {
                let c = char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER);
                take(Event::Text(c.encode_utf8(&mut [0; 4]).as_bytes()))
            }
        }
    }

    /// Hands over a first half of a pair that turned out to stand alone.
    fn lone<E: From<NotJson>>(&mut self, take: &mut impl FnMut(Event<'_>) -> Result<(), E>) -> Result<(), E> {
        match self.high.take() {
            Some(unit) => surrogate(unit, take),
            None => Ok(()),
        }
    }
}

fn surrogate<E>(unit: u16, take: &mut impl FnMut(Event<'_>) -> Result<(), E>) -> Result<(), E> {
    let mut bytes = Vec::with_capacity(3);
    push_surrogate(unit, &mut bytes);
    take(Event::Text(&bytes))
}

impl Number {
    /// Where a number is after the next byte; `None` when it ended before it.
    fn next(self, byte: u8) -> Result<Option<Self>, NotJson> {
        Ok(match (self, byte) {
            (Self::Minus, b'0') => Some(Self::Zero),
            (Self::Minus | Self::Integer, b'0'..=b'9') => Some(Self::Integer),
            (Self::Point | Self::Fraction, b'0'..=b'9') => Some(Self::Fraction),
            (Self::ExponentMark | Self::ExponentSign | Self::Exponent, b'0'..=b'9') => Some(Self::Exponent),
            (Self::Zero | Self::Integer, b'.') => Some(Self::Point),
            (Self::Zero | Self::Integer | Self::Fraction, b'e' | b'E') => Some(Self::ExponentMark),
            (Self::ExponentMark, b'+' | b'-') => Some(Self::ExponentSign),
            (number, _) if number.is_whole() => None,
            _ => return Err(NotJson),
        })
    }

    fn is_whole(self) -> bool {
        matches!(self, Self::Zero | Self::Integer | Self::Fraction | Self::Exponent)
    }
}

/// Bytes at the start that are neither a quote nor a backslash nor a control character.
fn plain_len(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    // Eight bytes at a time: a byte of `x` below `n` (at most 128) leaves its high bit, and a zero of `x ^ c` is below 1.
    let below = |x: u64, n: u8| x.wrapping_sub(ONES * u64::from(n)) & !x & HIGHS;
    let is = |x: u64, c: u8| below(x ^ (ONES * u64::from(c)), 1);
    let mut at = 0;
    for chunk in bytes.chunks_exact(8) {
        let Ok(eight) = chunk.try_into() else { break };
        let x = u64::from_ne_bytes(eight);
        if below(x, b' ') | is(x, b'"') | is(x, b'\\') != 0 {
            break;
        }
        at += 8;
    }
    let stops = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
    bytes[at..].iter().position(stops).map_or(bytes.len(), |more| at + more)
}

#[cfg(test)]
mod tests;
