//! Paging arguments, checked, and what a page says about itself.

use async_graphql::SimpleObject;
use sg_domain::{Cursor, Error, PageRequest, Result};

/// The most rows of a page that is asked for with `first` or `last`.
pub(crate) const MAX_FIRST: i32 = 100;
/// The rows of a page when `first` and `last` are left out.
pub(crate) const DEFAULT_FIRST: i32 = 20;
/// The most rows of a page that is asked for with `limit`.
pub(crate) const MAX_LIMIT: i32 = 200;

/// Where a page lies in its list.
#[derive(SimpleObject, Clone)]
#[graphql(name = "PageInfo")]
pub(crate) struct PageInfo {
    /// Whether rows follow the last one of this page.
    pub(crate) has_next_page: bool,
    /// Whether rows precede the first one of this page.
    pub(crate) has_previous_page: bool,
    /// The cursor of the first row; null when the page is empty.
    pub(crate) start_cursor: Option<String>,
    /// The cursor of the last row; null when the page is empty.
    pub(crate) end_cursor: Option<String>,
}

/// Paging arguments as they were sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct PageArgs {
    /// Rows from the front.
    pub(crate) first: Option<i32>,
    /// Only behind this cursor.
    pub(crate) after: Option<String>,
    /// Rows from the back.
    pub(crate) last: Option<i32>,
    /// Only before this cursor.
    pub(crate) before: Option<String>,
    /// Rows, for clients that page by offset.
    pub(crate) limit: Option<i32>,
    /// Rows to skip, for the same.
    pub(crate) offset: Option<i32>,
}

impl PageArgs {
    /// Whether any of Relay's arguments was sent; otherwise `limit` and `offset` decide.
    pub(crate) fn is_relay(&self) -> bool {
        self.first.is_some() || self.after.is_some() || self.last.is_some() || self.before.is_some()
    }

    /// How many rows, and whether from the back.
    pub(crate) fn size(&self) -> Result<(u32, bool)> {
        if !self.is_relay() {
            let limit = self.limit.unwrap_or(MAX_LIMIT).min(MAX_LIMIT);
            return Ok((positive("limit", limit, MAX_LIMIT)?, false));
        }
        match (self.first, self.last) {
            (Some(_), Some(_)) => Err(Error::invalid("first and last exclude each other, send one of them")),
            (None, Some(last)) => Ok((positive("last", last, MAX_FIRST)?, true)),
            (first, None) => Ok((positive("first", first.unwrap_or(DEFAULT_FIRST), MAX_FIRST)?, false)),
        }
    }

    /// The page that is wanted of a list, whose cursors carry this name.
    pub(crate) fn request(&self, list: &str) -> Result<PageRequest> {
        let (size, backward) = self.size()?;
        let offset = self.offset.unwrap_or(0);
        let offset = u64::try_from(offset).map_err(|_| Error::invalid("offset must not be negative"))?;
        if offset > 0 && self.is_relay() {
            return Err(Error::invalid("offset does not go with first, after, last or before, use a cursor"));
        }
        let cursor = |text: &Option<String>| text.as_deref().map(|text| Cursor::decode(text, list)).transpose();
        Ok(PageRequest {
            limit: Some(size),
            backward,
            after: cursor(&self.after)?,
            before: cursor(&self.before)?,
            offset,
        })
    }
}

/// A number of rows between 1 and `max`.
pub(crate) fn positive(name: &str, value: i32, max: i32) -> Result<u32> {
    match u32::try_from(value) {
        Ok(size) if (1..=max).contains(&value) => Ok(size),
        _ => Err(Error::invalid(format!("{name} must be between 1 and {max}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> PageArgs {
        PageArgs { limit: Some(200), ..PageArgs::default() }
    }

    #[test]
    fn limit_is_clamped_first_is_refused() {
        assert_eq!(args().size().unwrap(), (200, false));
        assert_eq!(PageArgs { limit: Some(9_999), ..args() }.size().unwrap(), (200, false));
        assert_eq!(PageArgs { after: Some(String::new()), ..args() }.size().unwrap(), (20, false));
        assert_eq!(PageArgs { last: Some(3), ..args() }.size().unwrap(), (3, true));
        for bad in [i32::MIN, -1_000_000, -1, 0, 101, i32::MAX] {
            assert!(PageArgs { first: Some(bad), ..args() }.size().is_err(), "{bad}");
            assert!(PageArgs { last: Some(bad), ..args() }.size().is_err(), "{bad}");
        }
        for bad in [i32::MIN, -1, 0] {
            assert!(PageArgs { limit: Some(bad), ..args() }.size().is_err(), "{bad}");
        }
        assert!(PageArgs { first: Some(1), last: Some(1), ..args() }.size().is_err());
    }

    #[test]
    fn foreign_cursors_and_negative_offsets_are_refused() {
        let other = Cursor { list: "message".to_owned(), key: Vec::new() }.encode();
        for after in ["", "x", &other] {
            let args = PageArgs { after: Some(after.to_owned()), ..args() };
            assert!(args.request("session.activity.desc").is_err(), "{after}");
        }
        assert!(PageArgs { offset: Some(-1), ..args() }.request("l").is_err());
        assert!(PageArgs { offset: Some(1), first: Some(1), ..args() }.request("l").is_err());
        assert_eq!(PageArgs { offset: Some(7), ..args() }.request("l").unwrap().offset, 7);
    }
}
