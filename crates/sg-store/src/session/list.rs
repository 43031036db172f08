//! Orders and pages of session lists: keyset pagination that seeks in one index per order.
//!
//! Every column of an order goes the same way and the id comes last, so that "behind this place" is one row value
//! comparison, which both engines turn into the bounds of one index scan.

use std::cmp::Ordering;

use sg_domain::page::SortValue;
use sg_domain::{Cursor, Direction, Error, Page, PageRequest, Result, Session, SessionOrder};

use crate::sql::Sql;

/// The sort columns of an order, the id left out.
pub(crate) fn sort_columns(order: SessionOrder, direction: Direction) -> &'static [&'static str] {
    match (order, direction) {
        (SessionOrder::Activity, _) => &["s.activity_at"],
        (SessionOrder::CreatedAt, _) => &["s.created_at"],
        (SessionOrder::UpdatedAt, _) => &["s.updated_at"],
        // Sessions without an end come last either way.
        (SessionOrder::EndedAt, Direction::Asc) => &["s.ended_asc", "s.updated_at"],
        (SessionOrder::EndedAt, Direction::Desc) => &["s.ended_desc", "s.updated_at"],
        (SessionOrder::Name, _) => &["s.name"],
        (SessionOrder::MarkdownSize, _) => &["s.markdown_size"],
    }
}

fn sort_values(session: &Session, order: SessionOrder, direction: Direction) -> Vec<SortValue> {
    let int = |value: i64| SortValue::Int(value);
    match order {
        SessionOrder::Activity => vec![int(session.activity_at.micros())],
        SessionOrder::CreatedAt => vec![int(session.created_at.micros())],
        SessionOrder::UpdatedAt => vec![int(session.updated_at.micros())],
        SessionOrder::EndedAt => {
            let missing = if direction == Direction::Asc { i64::MAX } else { i64::MIN };
            vec![int(session.ended_at.map_or(missing, |at| at.micros())), int(session.updated_at.micros())]
        }
        SessionOrder::Name => vec![SortValue::Text(session.name.clone())],
        SessionOrder::MarkdownSize => vec![int(crate::sql::to_i64(session.markdown_size))],
    }
}

/// The name of a list in its cursors.
fn list_name(order: SessionOrder, direction: Direction) -> String {
    let direction = if direction == Direction::Asc { "asc" } else { "desc" };
    format!("session.{}.{direction}", order.name())
}

/// The cursor of a session in a list of this order.
pub fn session_cursor(session: &Session, order: SessionOrder, direction: Direction) -> Cursor {
    let mut key = sort_values(session, order, direction);
    key.push(SortValue::Text(session.id.to_string()));
    Cursor { list: list_name(order, direction), key }
}

/// Reads a cursor that a client sent back, and checks that it belongs to this order.
pub fn decode_session_cursor(text: &str, order: SessionOrder, direction: Direction) -> Result<Cursor> {
    Cursor::decode(text, &list_name(order, direction))
}

/// How two sessions stand in a list of this order.
pub fn session_ordering(a: &Session, b: &Session, order: SessionOrder, direction: Direction) -> Ordering {
    let by_key = match order {
        SessionOrder::Activity => a.activity_at.cmp(&b.activity_at),
        SessionOrder::CreatedAt => a.created_at.cmp(&b.created_at),
        SessionOrder::UpdatedAt => a.updated_at.cmp(&b.updated_at),
        SessionOrder::EndedAt => {
            let missing = if direction == Direction::Asc { i64::MAX } else { i64::MIN };
            let key = |s: &Session| (s.ended_at.map_or(missing, |at| at.micros()), s.updated_at);
            key(a).cmp(&key(b))
        }
        SessionOrder::Name => a.name.cmp(&b.name),
        SessionOrder::MarkdownSize => a.markdown_size.cmp(&b.markdown_size),
    };
    // Ids as text: hyphenated lower-case hex sorts like the bytes it stands for.
    let ascending = by_key.then(a.id.cmp(&b.id));
    if direction == Direction::Asc { ascending } else { ascending.reverse() }
}

/// Adds the bounds of a page.
pub(crate) fn between(sql: &mut Sql, order: SessionOrder, direction: Direction, page: &PageRequest) -> Result<()> {
    let ascending = direction == Direction::Asc;
    if let Some(after) = &page.after {
        beyond(sql, order, direction, after, if ascending { " > " } else { " < " })?;
    }
    if let Some(before) = &page.before {
        beyond(sql, order, direction, before, if ascending { " < " } else { " > " })?;
    }
    Ok(())
}

fn beyond(sql: &mut Sql, order: SessionOrder, direction: Direction, cursor: &Cursor, than: &str) -> Result<()> {
    let columns = sort_columns(order, direction);
    let fits = cursor.list == list_name(order, direction) && cursor.key.len() == columns.len() + 1;
    let typed = |(at, value): (usize, &SortValue)| {
        let text = at == columns.len() || order == SessionOrder::Name;
        text == matches!(value, SortValue::Text(_))
    };
    if !fits || !cursor.key.iter().enumerate().all(typed) {
        return Err(Error::invalid("this cursor does not belong to this list, take one from its own pages"));
    }
    sql.add(" AND (").add(&columns.join(", ")).add(", s.id)").add(than).add("(");
    for (at, value) in cursor.key.iter().enumerate() {
        sql.add(if at == 0 { "" } else { ", " });
        match value {
            SortValue::Int(value) => sql.int(*value),
            SortValue::Text(value) => sql.text(value),
        };
    }
    sql.add(")");
    Ok(())
}

/// Adds the order, turned around when the page is read from its end.
pub(crate) fn order_by(sql: &mut Sql, order: SessionOrder, direction: Direction, backward: bool) {
    let way = if (direction == Direction::Asc) == backward { " DESC" } else { "" };
    sql.add(" ORDER BY ");
    for column in sort_columns(order, direction) {
        sql.add(column).add(way).add(", ");
    }
    sql.add("s.id").add(way);
}

/// Adds limit and offset; one row more than asked for tells whether there are more.
pub(crate) fn limit(sql: &mut Sql, page: &PageRequest) {
    match page.limit {
        Some(limit) => {
            sql.add(" LIMIT ").int(i64::from(limit) + 1);
        }
        None if page.offset > 0 => {
            sql.either(" LIMIT -1", "");
        }
        None => {}
    }
    if page.offset > 0 {
        sql.add(" OFFSET ").int(crate::sql::to_i64(page.offset));
    }
}

/// Makes the page of the rows that were read. A cursor is the place of a row of the list, so there is something beyond
/// it.
pub(crate) fn page<T>(mut rows: Vec<T>, request: &PageRequest) -> Page<T> {
    let limit = request.limit.map_or(usize::MAX, |limit| limit as usize);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let skipped = request.offset > 0;
    if request.backward {
        rows.reverse();
        Page {
            items: rows,
            has_next: skipped || request.before.is_some(),
            has_previous: more || request.after.is_some(),
        }
    } else {
        Page {
            items: rows,
            has_next: more || request.before.is_some(),
            has_previous: skipped || request.after.is_some(),
        }
    }
}
