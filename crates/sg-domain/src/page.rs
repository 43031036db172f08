//! Pages of a list: forwards and backwards from opaque, versioned cursors.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Ascending or descending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Smallest first.
    Asc,
    /// Largest first.
    #[default]
    Desc,
}

/// One value of a sort key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SortValue {
    /// A number, a time in microseconds, a size.
    Int(i64),
    /// A name or an id.
    Text(String),
}

/// A place in a sorted list: the list's name with its order, and the sort key of the row there, its primary key last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Which list and order this belongs to, such as `session.activity.desc`.
    #[serde(rename = "l")]
    pub list: String,
    /// The sort key.
    #[serde(rename = "k")]
    pub key: Vec<SortValue>,
}

/// The version that a cursor starts with; raised when sort keys change.
const VERSION: &str = "1";
/// The longest cursor text we look at, in bytes.
const MAX_CURSOR_BYTES: usize = 2_048;

impl Cursor {
    /// As opaque text.
    pub fn encode(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(format!("{VERSION}{json}"))
    }

    /// Reads a cursor and checks that it belongs to this list and order.
    pub fn decode(text: &str, list: &str) -> Result<Self> {
        let foreign = || Error::invalid("this cursor does not belong to this list, take one from its own pages");
        if text.len() > MAX_CURSOR_BYTES {
            return Err(foreign());
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| foreign())?;
        let text = std::str::from_utf8(&bytes).map_err(|_| foreign())?;
        let json = text.strip_prefix(VERSION).ok_or_else(foreign)?;
        let cursor: Self = serde_json::from_str(json).map_err(|_| foreign())?;
        if cursor.list == list { Ok(cursor) } else { Err(foreign()) }
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// At most this many rows; `None` is all of them.
    pub limit: Option<u32>,
    /// Take the last `limit` rows of the range instead of the first. Rows come in list order all the same.
    pub backward: bool,
    /// Only rows behind this place.
    pub after: Option<Cursor>,
    /// Only rows before this place.
    pub before: Option<Cursor>,
    /// Skip this many rows, for clients that page by offset.
    pub offset: u64,
}

impl PageRequest {
    /// The first `limit` rows.
    pub fn first(limit: u32) -> Self {
        Self { limit: Some(limit), backward: false, after: None, before: None, offset: 0 }
    }

    /// All rows.
    pub fn all() -> Self {
        Self { limit: None, backward: false, after: None, before: None, offset: 0 }
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows, in list order.
    pub items: Vec<T>,
    /// Whether rows follow the last one.
    pub has_next: bool,
    /// Whether rows precede the first one.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// The same page of other values.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            has_next: self.has_next,
            has_previous: self.has_previous,
        }
    }
}
