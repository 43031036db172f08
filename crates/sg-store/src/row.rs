//! Reading a row column by column, in the order they were selected, whichever door it came through.

use std::str::FromStr;

use sea_orm::QueryResult;
use sg_domain::{Digest, Timestamp};

use crate::error::{StoreError, StoreResult};

/// A row being read. Each call takes the next column.
pub(crate) trait Row {
    fn opt_int(&mut self) -> StoreResult<Option<i64>>;
    fn opt_text(&mut self) -> StoreResult<Option<String>>;
    fn bytes(&mut self) -> StoreResult<Vec<u8>>;

    fn int(&mut self) -> StoreResult<i64> {
        self.opt_int()?.ok_or_else(missing)
    }
    fn count(&mut self) -> StoreResult<u64> {
        Ok(u64::try_from(self.int()?).unwrap_or(0))
    }
    fn flag(&mut self) -> StoreResult<bool> {
        Ok(self.int()? != 0)
    }
    fn time(&mut self) -> StoreResult<Timestamp> {
        Ok(Timestamp::from_micros(self.int()?))
    }
    fn opt_time(&mut self) -> StoreResult<Option<Timestamp>> {
        Ok(self.opt_int()?.map(Timestamp::from_micros))
    }
    fn text(&mut self) -> StoreResult<String> {
        self.opt_text()?.ok_or_else(missing)
    }
    fn digest(&mut self) -> StoreResult<Digest> {
        parse(&self.text()?)
    }
    fn opt_digest(&mut self) -> StoreResult<Option<Digest>> {
        self.opt_text()?.as_deref().map(parse).transpose()
    }
}

fn missing() -> StoreError {
    StoreError::Corrupt("a column that is always there is empty".to_owned())
}

/// Parses what we wrote ourselves: an id, a digest.
pub(crate) fn parse<T: FromStr<Err = sg_domain::Error>>(text: &str) -> StoreResult<T> {
    text.parse().map_err(|e: sg_domain::Error| StoreError::Corrupt(format!("a stored value does not parse: {e}")))
}

/// A row of a native SQLite reader.
pub(crate) struct SqliteRow<'a> {
    row: &'a rusqlite::Row<'a>,
    next: usize,
}

impl<'a> SqliteRow<'a> {
    pub(crate) fn new(row: &'a rusqlite::Row<'a>) -> Self {
        Self { row, next: 0 }
    }

    fn take<T: rusqlite::types::FromSql>(&mut self) -> StoreResult<T> {
        let value = self.row.get(self.next)?;
        self.next += 1;
        Ok(value)
    }
}

impl Row for SqliteRow<'_> {
    fn opt_int(&mut self) -> StoreResult<Option<i64>> {
        self.take()
    }
    fn opt_text(&mut self) -> StoreResult<Option<String>> {
        self.take()
    }
    fn bytes(&mut self) -> StoreResult<Vec<u8>> {
        self.take()
    }
}

/// A row that PostgreSQL packed into a JSON array.
pub(crate) struct PackedRow(std::vec::IntoIter<serde_json::Value>);

impl PackedRow {
    pub(crate) fn new(values: Vec<serde_json::Value>) -> Self {
        Self(values.into_iter())
    }
}

impl Row for PackedRow {
    fn opt_int(&mut self) -> StoreResult<Option<i64>> {
        match self.0.next() {
            Some(serde_json::Value::Null) => Ok(None),
            // Sums are `numeric`, and JSON does not tell.
            Some(serde_json::Value::Number(n)) => {
                n.as_i64().map(Some).ok_or_else(|| StoreError::Corrupt(format!("a packed number is not whole: {n}")))
            }
            other => Err(StoreError::Corrupt(format!("a packed column is no number: {other:?}"))),
        }
    }
    fn opt_text(&mut self) -> StoreResult<Option<String>> {
        match self.0.next() {
            Some(serde_json::Value::Null) => Ok(None),
            Some(serde_json::Value::String(text)) => Ok(Some(text)),
            other => Err(StoreError::Corrupt(format!("a packed column is no text: {other:?}"))),
        }
    }
    fn bytes(&mut self) -> StoreResult<Vec<u8>> {
        Err(StoreError::Corrupt("bytes are never packed".to_owned()))
    }
}

/// A row that came through SeaORM: inside transactions, and bodies on PostgreSQL.
pub(crate) struct OrmRow<'a> {
    row: &'a QueryResult,
    next: usize,
}

impl<'a> OrmRow<'a> {
    pub(crate) fn new(row: &'a QueryResult) -> Self {
        Self { row, next: 0 }
    }

    fn take<T: sea_orm::TryGetable>(&mut self) -> StoreResult<T> {
        let value = self.row.try_get_by_index(self.next)?;
        self.next += 1;
        Ok(value)
    }
}

impl Row for OrmRow<'_> {
    fn opt_int(&mut self) -> StoreResult<Option<i64>> {
        self.take()
    }
    fn opt_text(&mut self) -> StoreResult<Option<String>> {
        self.take()
    }
    fn bytes(&mut self) -> StoreResult<Vec<u8>> {
        self.take()
    }
}
