//! Fields of handoffs. The first account gives itself a session: it is both sides, and the other one is neither.

use super::{Field, Foreign};
use crate::specstory::world::MINE;

/// See [`super::fields`].
pub(super) const FIELDS: &[Field] = &[
    Field {
        name: "handoffs",
        query: "{ handoffs { totalCount nodes { id message session { id } comments { content } events { kind } } } }",
        shows: MINE,
        foreign: Foreign::Own,
    },
    Field {
        name: "handoff",
        query: r#"{ handoff(id: "$handoff") { id message sessionSummary { lastAnswers } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "createHandoff",
        query: r#"mutation { createHandoff(input: { sessionId: "$archived", recipientEmail: "x@example.com",
            message: "heliotrope" }) { handoff { message } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "claimHandoff",
        query: r#"mutation { claimHandoff(input: { id: "$handoff" }) { handoff { message } session { id } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "revokeHandoff",
        query: r#"mutation { revokeHandoff(input: { id: "$handoff", reason: "r" }) { handoff { message } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "declineHandoff",
        query: r#"mutation { declineHandoff(input: { id: "$handoff" }) { handoff { message } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
    Field {
        name: "commentOnHandoff",
        query: r#"mutation { commentOnHandoff(input: { id: "$handoff", content: "heliotrope" }) { comment { content } } }"#,
        shows: MINE,
        foreign: Foreign::NotFound,
    },
];
