//! Instants: UTC, microsecond precision, one type for every ring.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

/// An instant in UTC, in microseconds since 1970. Stored as that integer in both SQL engines, so that it sorts and
/// compares the same everywhere; written as RFC 3339 with `Z` at every surface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Microseconds in one day.
pub const DAY_MICROS: i64 = 86_400 * 1_000_000;

impl Timestamp {
    /// The range that RFC 3339 can write (years 0 to 9999); values outside are clamped into it.
    const MIN_MICROS: i64 = -62_167_219_200_000_000;
    const MAX_MICROS: i64 = 253_402_300_799_999_999;

    /// From microseconds since 1970.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(Self::MIN_MICROS, Self::MAX_MICROS))
    }

    /// From milliseconds since 1970.
    pub fn from_millis(millis: i64) -> Self {
        Self::from_micros(millis.saturating_mul(1_000))
    }

    /// From whole seconds since 1970.
    pub fn from_secs(secs: i64) -> Self {
        Self::from_micros(secs.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant moved by a number of microseconds, which may be negative.
    pub fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// The UTC day as `YYYY-MM-DD`.
    pub fn day(self) -> String {
        let date = self.offset().date();
        format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
    }

    /// Midnight UTC of the day that holds this instant.
    pub fn start_of_day(self) -> Self {
        Self(self.0.div_euclid(DAY_MICROS) * DAY_MICROS)
    }

    /// `YYYY-MM-DDTHH:MM:SS.mmmZ`, the form that JavaScript's `toISOString` writes and SpecStory's clients read.
    pub fn to_iso_millis(self) -> String {
        self.iso_millis().as_str().to_owned()
    }

    /// [`Timestamp::to_iso_millis`] without an allocation: a list writes several a row.
    pub fn iso_millis(self) -> IsoMillis {
        let t = self.offset();
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |at: usize, digits: usize, mut value: u16| {
            for place in (at..at + digits).rev() {
                text[place] = b'0' + (value % 10) as u8;
                value /= 10;
            }
        };
        // The range of a timestamp ends at the year 9999, so four digits always hold it.
        put(0, 4, u16::try_from(t.year()).unwrap_or_default());
        put(5, 2, u8::from(t.month()).into());
        put(8, 2, t.day().into());
        put(11, 2, t.hour().into());
        put(14, 2, t.minute().into());
        put(17, 2, t.second().into());
        put(20, 3, t.millisecond());
        IsoMillis(text)
    }

    /// `YYYY-MM-DDTHH:MM:SS.uuuuuuZ`: RFC 3339 in UTC, to the microsecond.
    pub fn to_iso_micros(self) -> String {
        let millis = self.to_iso_millis();
        format!("{}{:03}Z", millis.trim_end_matches('Z'), self.0.rem_euclid(1_000))
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, the HTTP date (IMF-fixdate, RFC 9110 5.6.7).
    pub fn to_http_date(self) -> String {
        let format =
            format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
        self.offset().format(&format).unwrap_or_default()
    }

    /// Reads what agents and clients write: RFC 3339 with any offset, the same with a space for the `T`, no zone (taken
    /// as UTC), `... Z` after a space, or a date alone (midnight UTC). `None` when it is none of those.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(t) = OffsetDateTime::parse(text, &Rfc3339) {
            return Some(Self::from(t));
        }
        if let Ok(date) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
            return Some(Self::from(date.midnight().assume_utc()));
        }
        // From here on: `YYYY-MM-DD[T ]HH:MM[:SS[.fff]][ ][Z|offset]`, made RFC 3339 and tried again.
        let (date, rest) = text.split_at_checked(10)?;
        let rest = rest.strip_prefix(['T', 't', ' ', '_'])?;
        let (clock, zone) = match rest.find(['Z', 'z', '+', '-', ' ']) {
            Some(at) => (&rest[..at], rest[at..].trim()),
            None => (rest, "Z"),
        };
        let clock = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
        let zone = match zone {
            "UTC" | "utc" | "" => "Z".to_owned(),
            z if z.len() == 5 && z.is_ascii() && z.starts_with(['+', '-']) => format!("{}:{}", &z[..3], &z[3..]),
            z => z.to_owned(),
        };
        OffsetDateTime::parse(&format!("{date}T{clock}{zone}"), &Rfc3339).ok().map(Self::from)
    }

    fn offset(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .unwrap_or_else(|_| PrimitiveDateTime::MIN.assume_utc())
    }
}

/// An instant as RFC 3339 with milliseconds, on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsoMillis([u8; 24]);

impl IsoMillis {
    /// As text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(t: OffsetDateTime) -> Self {
        Self::from_micros(i64::try_from(t.unix_timestamp_nanos().div_euclid(1_000)).unwrap_or(i64::MAX))
    }
}

/// RFC 3339 UTC with milliseconds; microseconds when there are any.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let iso = self.to_iso_millis();
        match self.0.rem_euclid(1_000) {
            0 => f.write_str(&iso),
            micros => write!(f, "{}{micros:03}Z", iso.trim_end_matches('Z')),
        }
    }
}

impl FromStr for Timestamp {
    type Err = crate::Error;

    fn from_str(text: &str) -> crate::Result<Self> {
        Self::parse(text)
            .ok_or_else(|| crate::Error::invalid(format!("not a date or time: {}", crate::error::quote(text))))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_that_agents_write() {
        let want = "2026-01-16T16:46:41.000Z";
        for text in [
            "2026-01-16T16:46:41Z",
            "2026-01-16 16:46:41Z",
            "2026-01-16 16:46:41 Z",
            "2026-01-16T16:46:41",
            "2026-01-16T17:46:41+01:00",
            "2026-01-16T17:46:41+0100",
            "2026-01-16 16:46:41 UTC",
        ] {
            assert_eq!(Timestamp::parse(text).map(|t| t.to_string()).as_deref(), Some(want), "{text}");
        }
        assert_eq!(Timestamp::parse("2026-01-16").map(|t| t.day()).as_deref(), Some("2026-01-16"));
        assert_eq!(
            Timestamp::parse("2026-01-16 16:46").map(|t| t.to_string()).as_deref(),
            Some("2026-01-16T16:46:00.000Z")
        );
        for text in
            ["", "soon", "2026-13-01", "2026-01-16T", "2026-01-16Tß", "2026-01-16T10:00:00+0é0", "日本語日本語日本語"]
        {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn writes_microseconds_only_when_there_are_any() {
        assert_eq!(Timestamp::from_micros(1_234_567).to_string(), "1970-01-01T00:00:01.234567Z");
        assert_eq!(Timestamp::from_millis(1_234).to_string(), "1970-01-01T00:00:01.234Z");
        assert_eq!(Timestamp::from_secs(784_111_777).to_http_date(), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn extremes_do_not_panic() {
        for micros in [i64::MIN, i64::MAX, 0, -1] {
            let t = Timestamp::from_micros(micros);
            assert_eq!(Timestamp::parse(&t.to_string()), Some(t));
        }
    }
}
