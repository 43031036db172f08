//! Fields of share links.

use super::{Field, Foreign};

/// See [`super::fields`].
pub(super) const FIELDS: &[Field] = &[
    Field {
        name: "createShareLink",
        query: r#"mutation { createShareLink(input: { id: "$pushed" }) { url shareLink { id } session { shareLinks { id } } } }"#,
        shows: "/api/v1/sessions/share/",
        foreign: Foreign::NotFound,
    },
    Field {
        name: "revokeShareLink",
        query: r#"mutation { revokeShareLink(input: { id: "$link" }) { revokedShareLinkId } }"#,
        shows: "$link",
        foreign: Foreign::NotFound,
    },
];
