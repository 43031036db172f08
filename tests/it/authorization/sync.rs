//! Fields of what is synced by itself.

use super::{Field, Foreign};

/// See [`super::fields`].
pub(super) const FIELDS: &[Field] = &[
    Field {
        name: "syncSettings",
        query: "{ syncSettings { mode debounceSeconds maxMemberBytes } }",
        shows: r#""debounceSeconds":77"#,
        foreign: Foreign::Own,
    },
    Field {
        name: "syncStatus",
        query: "{ syncStatus { totalSessions watchedSessions storageUsedBytes health { watchers { name } } } }",
        shows: r#""watchedSessions":1"#,
        foreign: Foreign::Own,
    },
    Field {
        name: "watchlist",
        query: "{ watchlist { status session { clientId } } }",
        shows: "$archived",
        foreign: Foreign::Own,
    },
    Field {
        name: "updateSyncSettings",
        query: "mutation { updateSyncSettings(input: { mode: ALL }) { syncSettings { mode } } }",
        shows: r#""mode":"ALL""#,
        foreign: Foreign::Makes,
    },
    Field {
        name: "watchSession",
        query: r#"mutation { watchSession(input: { id: "$archived" }) { watchedSession { session { clientId } } } }"#,
        shows: "$archived",
        foreign: Foreign::NotFound,
    },
    Field {
        name: "unwatchSession",
        query: r#"mutation { unwatchSession(input: { id: "$archived" }) { unwatchedSessionId } }"#,
        shows: "unwatchedSessionId",
        foreign: Foreign::NotFound,
    },
];
