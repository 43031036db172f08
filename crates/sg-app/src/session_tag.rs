//! Tags: the labels that people give a session.

use sg_domain::{Error, Result, SessionMetadata};

use crate::SessionUpdate;

/// The longest tag that a person gives, in characters.
const MAX_TAG_CHARS: usize = 100;
/// The most tags that one session has, and that one change names.
const MAX_TAGS: usize = 100;

/// The tags of an update, checked: without the space around them, each once.
pub(crate) struct Tags {
    set: Option<Vec<String>>,
    add: Vec<String>,
    remove: Vec<String>,
}

impl Tags {
    /// Checks those of an update.
    pub(crate) fn of(update: &SessionUpdate) -> Result<Self> {
        Ok(Self {
            set: update.tags.as_deref().map(|tags| checked("tags", tags)).transpose()?,
            add: checked("addTags", &update.add_tags)?,
            // What is taken away may be any tag that a client once sent.
            remove: bounded("removeTags", &update.remove_tags)?,
        })
    }

    /// Changes the tags of a session: those that are set replace all, then some are added, then some removed. Nothing is
    /// written where nothing differs, and no tags at all is an empty list once there were some.
    pub(crate) fn apply(self, metadata: &mut SessionMetadata) -> Result<()> {
        let before = metadata.tags.clone().unwrap_or_default();
        let mut tags = self.set.unwrap_or_else(|| before.clone());
        for tag in self.add {
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        tags.retain(|tag| !self.remove.contains(tag));
        if tags == before {
            return Ok(());
        }
        if tags.len() > MAX_TAGS {
            return Err(Error::invalid(format!("a session has at most {MAX_TAGS} tags, remove some")).at("tags"));
        }
        metadata.tags = Some(tags);
        // Long ones may be more bytes than a list shows.
        metadata.check()
    }
}

fn checked(field: &'static str, tags: &[String]) -> Result<Vec<String>> {
    let mut kept: Vec<String> = Vec::with_capacity(tags.len().min(MAX_TAGS));
    for (place, tag) in bounded(field, tags)?.iter().enumerate() {
        let tag = tag.trim();
        if tag.is_empty() || tag.chars().count() > MAX_TAG_CHARS || tag.chars().any(char::is_control) {
            let message = format!("a tag must be 1 to {MAX_TAG_CHARS} characters");
            return Err(Error::invalid(message).at(place.to_string()).at(field));
        }
        if !kept.iter().any(|known| known == tag) {
            kept.push(tag.to_owned());
        }
    }
    Ok(kept)
}

fn bounded(field: &'static str, tags: &[String]) -> Result<Vec<String>> {
    if tags.len() > MAX_TAGS {
        return Err(Error::invalid(format!("{field} takes at most {MAX_TAGS} tags")).at(field));
    }
    Ok(tags.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn changed(before: Option<&str>, update: SessionUpdate) -> Option<Vec<String>> {
        let mut metadata = SessionMetadata { tags: before.map(list), ..SessionMetadata::default() };
        Tags::of(&update).unwrap().apply(&mut metadata).unwrap();
        metadata.tags
    }

    #[test]
    fn tags_are_set_added_and_removed() {
        let none = SessionUpdate::default;
        let set = |text: &str| SessionUpdate { tags: Some(list(text)), ..none() };
        assert_eq!(changed(None, set("a b a")), Some(list("a b")));
        assert_eq!(changed(Some("x"), set("")), Some(Vec::new()));
        assert_eq!(changed(None, set("")), None, "nothing differs");
        assert_eq!(changed(Some("a"), SessionUpdate { add_tags: list("b a"), ..none() }), Some(list("a b")));
        assert_eq!(changed(Some("a b"), SessionUpdate { remove_tags: list("a z"), ..none() }), Some(list("b")));
        let both = SessionUpdate { add_tags: list("c d"), remove_tags: list("a c"), ..none() };
        assert_eq!(changed(Some("a b"), both), Some(list("b d")));
    }

    #[test]
    fn a_bad_tag_is_named_by_its_place() {
        let path = |update: SessionUpdate| Tags::of(&update).err().and_then(|error| error.input).unwrap();
        for bad in ["", "  ", "a\nb", &"x".repeat(101)] {
            let tags = vec!["fine".to_owned(), bad.to_owned()];
            assert_eq!(path(SessionUpdate { add_tags: tags, ..SessionUpdate::default() }), ["addTags", "1"], "{bad:?}");
        }
        let many: Vec<_> = (0..101).map(|n| n.to_string()).collect();
        assert_eq!(path(SessionUpdate { remove_tags: many.clone(), ..SessionUpdate::default() }), ["removeTags"]);
        assert_eq!(path(SessionUpdate { tags: Some(many), ..SessionUpdate::default() }), ["tags"]);
    }
}
