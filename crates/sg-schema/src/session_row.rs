//! Lists of sessions whose selections are plain fields, without the library's way to each field: see `plain.rs`.
//!
//! The resolvers of `session.rs` and `metadata.rs` are the definition; a test asks for every field both ways.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value};
use sg_app::session_cursor;
use sg_domain::{Direction, Session as Row, SessionOrder, ShareStatus};

use crate::plain::{Plain, Plan, Table, number, or_null, quoted, string, strings};
use crate::scalar::int;
use crate::session::Session;
use crate::session_connection::SessionEdge;

/// A session in a list that is sorted so.
struct Listed<'a> {
    row: &'a Row,
    order: SessionOrder,
    direction: Direction,
}

fn session<'a>(field: &str) -> Option<Plain<Listed<'a>>> {
    Some(Plain::Value(match field {
        "id" => |of, out| quoted(out, of.row.id),
        "clientId" => |of, out| string(out, &of.row.client_id),
        "projectId" => |of, out| string(out, of.row.project_id.as_str()),
        "name" => |of, out| string(out, &of.row.name),
        "userTitle" => |of, out| or_null(out, of.row.user_title.as_deref(), string),
        "alias" => |of, out| or_null(out, of.row.alias.as_deref(), string),
        "format" => |of, out| string(out, &of.row.format),
        "agentId" => |of, out| or_null(out, of.row.agent_id.as_deref(), string),
        "markdownSize" => |of, out| number(out, int(of.row.markdown_size)),
        "rawDataSize" => |of, out| number(out, int(of.row.raw_data_size)),
        "sessionDataSize" => |of, out| or_null(out, of.row.session_data_size, |out, size| number(out, int(size))),
        "createdAt" => |of, out| quoted(out, of.row.created_at),
        "updatedAt" => |of, out| quoted(out, of.row.updated_at),
        "startedAt" => |of, out| or_null(out, of.row.started_at, quoted),
        "endedAt" => |of, out| or_null(out, of.row.ended_at, quoted),
        "lastActivity" => |of, out| quoted(out, of.row.activity_at),
        "etag" => |of, out| string(out, &format!("W/\"{}\"", of.row.etag)),
        "firstExchange" => |of, out| string(out, &of.row.first_exchange),
        "shareStatus" => |of, out| match of.row.share_status {
            ShareStatus::Private => string(out, "PRIVATE"),
            ShareStatus::Unlisted => string(out, "UNLISTED"),
        },
        "metadata" => return Some(Plain::Object(Table { name: "SessionMetadata", interfaces: &[], field: metadata })),
        "counts" => return Some(Plain::Object(Table { name: "SessionCounts", interfaces: &[], field: counts })),
        "usage" => return Some(Plain::Object(Table { name: "TokenUsage", interfaces: &[], field: usage })),
        _ => return None,
    }))
}

fn metadata<'a>(field: &str) -> Option<Plain<Listed<'a>>> {
    Some(Plain::Value(match field {
        "clientName" => |of, out| or_null(out, of.row.metadata.client_name.as_deref(), string),
        "clientVersion" => |of, out| or_null(out, of.row.metadata.client_version.as_deref(), string),
        "agentName" => |of, out| or_null(out, of.row.metadata.agent_name.as_deref(), string),
        "agentVersion" => |of, out| or_null(out, of.row.metadata.agent_version.as_deref(), string),
        "deviceId" => |of, out| or_null(out, of.row.metadata.device_id.as_deref(), string),
        "machineName" => |of, out| or_null(out, of.row.metadata.machine_name.as_deref(), string),
        "gitBranches" => |of, out| strings(out, of.row.metadata.git_branches.as_deref()),
        "llmModels" => |of, out| strings(out, of.row.metadata.llm_models.as_deref()),
        "tags" => |of, out| strings(out, of.row.metadata.tags.as_deref()),
        "title" => |of, out| or_null(out, of.row.metadata.title.as_deref(), string),
        "markdownVersion" => |of, out| or_null(out, of.row.metadata.markdown_version.as_deref(), string),
        "summary" => |of, out| or_null(out, of.row.metadata.summary.as_deref(), string),
        "folder" => |of, out| or_null(out, of.row.metadata.folder.as_deref(), string),
        "gitRemote" => |of, out| or_null(out, of.row.metadata.git_remote.as_deref(), string),
        _ => return None,
    }))
}

fn counts<'a>(field: &str) -> Option<Plain<Listed<'a>>> {
    Some(Plain::Value(match field {
        "messages" => |of, out| number(out, int(of.row.counts.messages)),
        "turns" => |of, out| number(out, int(of.row.counts.turns)),
        "toolUses" => |of, out| number(out, int(of.row.counts.tool_uses)),
        "exchanges" => |of, out| number(out, int(of.row.counts.exchanges)),
        _ => return None,
    }))
}

fn usage<'a>(field: &str) -> Option<Plain<Listed<'a>>> {
    Some(Plain::Value(match field {
        "input" => |of, out| number(out, of.row.usage.input),
        "output" => |of, out| number(out, of.row.usage.output),
        "cacheRead" => |of, out| number(out, of.row.usage.cache_read),
        "cacheWrite" => |of, out| number(out, of.row.usage.cache_write),
        "reasoning" => |of, out| number(out, of.row.usage.reasoning),
        "total" => |of, out| number(out, of.row.usage.total()),
        _ => return None,
    }))
}

fn edge<'a>(field: &str) -> Option<Plain<Listed<'a>>> {
    Some(match field {
        "cursor" => Plain::Value(|of, out| string(out, &session_cursor(of.row, of.order, of.direction).encode())),
        "node" => Plain::Object(node()),
        _ => return None,
    })
}

fn node<'a>() -> Table<Listed<'a>> {
    Table { name: "Session", interfaces: &["Node"], field: session }
}

/// Sessions of a list.
pub(crate) struct Nodes<'a>(pub(crate) &'a [Session]);

impl OutputType for Nodes<'_> {
    fn type_name() -> Cow<'static, str> {
        <Vec<Session> as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<Session> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match Plan::new(ctx, &node()) {
            Some(plan) => {
                let (order, direction) = Default::default();
                Ok(plan.list(self.0.iter().map(|of| Listed { row: of.row(), order, direction })))
            }
            None => self.0.resolve(ctx, field).await,
        }
    }
}

/// Sessions of a list with their cursors.
pub(crate) struct Edges<'a> {
    /// The sessions.
    pub(crate) sessions: &'a [Session],
    /// What the list is sorted by, which is in the cursors.
    pub(crate) order: SessionOrder,
    /// Which way.
    pub(crate) direction: Direction,
}

impl OutputType for Edges<'_> {
    fn type_name() -> Cow<'static, str> {
        <Vec<SessionEdge> as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<SessionEdge> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let Self { sessions, order, direction } = *self;
        match Plan::new(ctx, &Table { name: "SessionEdge", interfaces: &[], field: edge }) {
            Some(plan) => Ok(plan.list(sessions.iter().map(|of| Listed { row: of.row(), order, direction }))),
            None => {
                let edges = sessions.iter().map(|of| SessionEdge::new(of, order, direction));
                edges.collect::<Vec<_>>().resolve(ctx, field).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use apollo_compiler::Schema;

    use super::*;

    /// A field that is missing here is answered all the same, but the slow way, and with it every list that selects it.
    #[test]
    fn every_plain_field_is_in_a_table() {
        let schema = Schema::parse_and_validate(crate::sdl(), "schema.graphql").unwrap();
        let missing = |ty: &str, table: fn(&str) -> Option<Plain<Listed<'static>>>| {
            let fields = &schema.get_object(ty).unwrap().fields;
            let is_leaf = |ty: &str| schema.get_object(ty).is_none();
            fields
                .iter()
                .filter(|(_, field)| field.arguments.is_empty() && is_leaf(field.ty.inner_named_type()))
                .filter(|(name, _)| table(name).is_none())
                .map(|(name, _)| name.to_string())
                .collect::<Vec<_>>()
        };
        let read = ["markdownContent", "rawData", "sessionData", "cost"];
        assert_eq!(missing("Session", session), read, "from files, or from the messages");
        assert_eq!(missing("TokenUsage", usage), ["cost", "unpricedTokens"], "from the messages");
        assert!(missing("SessionMetadata", metadata).is_empty(), "{:?}", missing("SessionMetadata", metadata));
        assert!(missing("SessionCounts", counts).is_empty(), "{:?}", missing("SessionCounts", counts));
    }
}
