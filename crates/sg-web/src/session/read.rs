//! Which messages a page holds. A session may have any number of messages of any size: a page stays bounded in both.

use sg_app::{App, MessageQuery};
use sg_domain::{Caller, Message, Result, Role, Session};

use crate::conversation;
use crate::request::Asked;

/// The most messages of one page.
const MAX_MESSAGES: usize = 200;
/// What the messages of one page may weigh, in bytes of what is rendered of them.
const MAX_WEIGHT: usize = 400 * 1_024;
/// Messages that are read at once: what is read beyond the page's bounds is read in vain.
const BATCH: u32 = 25;
/// The most prompts of an outline.
const MAX_OUTLINE: usize = 150;

/// Which part of a session is asked for.
pub(super) enum Wanted {
    /// From the first message.
    Start,
    /// Behind a message.
    After(u32),
    /// Before a message.
    Before(u32),
}

impl Wanted {
    /// As an address asks: `?after=`, `?before=`, `?at=` (the part with a message in it).
    pub(super) fn of(asked: &Asked) -> Self {
        match (asked.number("at"), asked.number("after"), asked.number("before")) {
            // A little of what was said before, and all the rest behind it.
            (Some(at), ..) => at.checked_sub(5).map_or(Self::Start, Self::After),
            (_, Some(after), _) => Self::After(after),
            (_, _, Some(before)) => Self::Before(before),
            _ => Self::Start,
        }
    }
}

/// A part of a session.
pub(super) struct Part {
    pub(super) messages: Vec<(u32, Message)>,
    pub(super) has_previous: bool,
    pub(super) has_next: bool,
}

/// Reads as much as one page holds; at least one message.
pub(super) async fn part(app: &App, caller: &Caller, session: &Session, wanted: &Wanted) -> Result<Part> {
    let mut query = MessageQuery { limit: Some(BATCH), ..MessageQuery::default() };
    match wanted {
        Wanted::Start => {}
        Wanted::After(after) => query.after = Some(*after),
        Wanted::Before(before) => (query.before, query.backward) = (Some(*before), true),
    }
    let (mut messages, mut weight, mut more) = (Vec::new(), 0, true);
    'read: while more {
        let page = app.messages(caller, session.id, &query).await?;
        more = if query.backward { page.has_previous } else { page.has_next };
        let mut items = page.items;
        if items.is_empty() {
            break;
        }
        if query.backward {
            items.reverse();
        }
        for (ordinal, message) in items {
            weight += conversation::weight(&message);
            if !messages.is_empty() && (weight > MAX_WEIGHT || messages.len() >= MAX_MESSAGES) {
                more = true;
                break 'read;
            }
            messages.push((ordinal, message));
            if query.backward { query.before = Some(ordinal) } else { query.after = Some(ordinal) }
        }
    }
    let backward = query.backward;
    if backward {
        messages.reverse();
    }
    let is_first = messages.first().is_none_or(|(ordinal, _)| *ordinal == 0);
    let is_last = messages.last().is_none_or(|(ordinal, _)| u64::from(*ordinal) + 1 >= session.counts.messages);
    Ok(Part {
        messages,
        has_previous: if backward { more } else { !is_first },
        has_next: if backward { !is_last } else { more },
    })
}

/// The first words of the session's prompts, with their places.
pub(super) struct Outline {
    pub(super) prompts: Vec<(u32, String)>,
    /// Whether there are more than it holds.
    pub(super) is_cut: bool,
}

/// Reads the outline, batch by batch, keeping only the words.
pub(super) async fn outline(app: &App, caller: &Caller, session: &Session) -> Result<Outline> {
    let mut query = MessageQuery { roles: vec![Role::User], limit: Some(2 * BATCH), ..MessageQuery::default() };
    let mut prompts = Vec::new();
    loop {
        let page = app.messages(caller, session.id, &query).await?;
        query.after = page.items.last().map(|(ordinal, _)| *ordinal);
        let spoken = page.items.iter().filter(|(_, message)| !message.is_sidechain);
        prompts.extend(spoken.filter_map(|(ordinal, message)| Some((*ordinal, conversation::opening(message)?))));
        if prompts.len() >= MAX_OUTLINE || !page.has_next {
            let is_cut = prompts.len() > MAX_OUTLINE || page.has_next;
            prompts.truncate(MAX_OUTLINE);
            return Ok(Outline { prompts, is_cut });
        }
    }
}
