//! Sessions: in lists, and one with all that is known of it (`contracts/sessionfs.md` 1.2).

use serde::Serialize;
use sg_app::App;
use sg_domain::archive::{ArchivedSession, DeleteScope};

use super::user_id;
use crate::sessionfs::time::stamp;

/// A session as a list shows it.
#[derive(Debug, Serialize)]
pub(in crate::sessionfs) struct Summary {
    id: String,
    title: Option<String>,
    alias: Option<String>,
    tags: Vec<String>,
    source_tool: String,
    model_id: Option<String>,
    message_count: u64,
    turn_count: u64,
    tool_use_count: u64,
    total_input_tokens: u64,
    total_output_tokens: u64,
    blob_size_bytes: u64,
    etag: String,
    parent_session_id: Option<String>,
    created_at: String,
    updated_at: String,
    is_deleted: bool,
    deleted_at: Option<String>,
    deleted_by: Option<String>,
    delete_scope: Option<&'static str>,
    purge_after: Option<String>,
}

/// A session with all that is known of it.
#[derive(Debug, Serialize)]
pub(in crate::sessionfs) struct Detail {
    #[serde(flatten)]
    summary: Summary,
    original_session_id: Option<String>,
    source_tool_version: Option<String>,
    model_provider: Option<String>,
    duration_ms: Option<u64>,
    uploaded_at: String,
    dlp_scan_results: Option<String>,
    /// Of a part of the hosted service that this server does not have.
    retrieval_audit_id: Option<String>,
}

/// A session as a list shows it. Counts are what its client said, the title is the person's before it is the client's.
pub(in crate::sessionfs) fn summary(app: &App, stored: &ArchivedSession) -> Summary {
    let (archive, session) = (&stored.archive, &stored.session);
    let facts = &archive.facts;
    let deletion = archive.deletion.as_ref().filter(|_| stored.deleted_at.is_some());
    let scope = deletion.map_or(DeleteScope::Server, |deletion| deletion.scope);
    Summary {
        id: archive.id.clone(),
        title: title(stored),
        alias: session.alias.clone(),
        tags: session.metadata.tags.clone().unwrap_or_default(),
        source_tool: facts.source_tool.clone(),
        model_id: facts.model_id.clone(),
        message_count: facts.messages,
        turn_count: facts.turns,
        tool_use_count: facts.tool_uses,
        total_input_tokens: facts.input_tokens,
        total_output_tokens: facts.output_tokens,
        blob_size_bytes: archive.size_bytes,
        etag: archive.digest.to_string(),
        parent_session_id: facts.parent_id.clone(),
        created_at: stamp(session.created_at),
        updated_at: stamp(session.updated_at),
        is_deleted: stored.deleted_at.is_some(),
        deleted_at: stored.deleted_at.map(stamp),
        // Only its owner can have put it there where nobody was noted.
        deleted_by: stored.deleted_at.map(|_| user_id(deletion.map_or(&archive.owner, |deletion| &deletion.by))),
        delete_scope: stored.deleted_at.map(|_| scope_name(scope)),
        purge_after: stored.deleted_at.map(|at| stamp(app.purge_at(at))),
    }
}

/// A session with all that is known of it.
pub(in crate::sessionfs) fn detail(app: &App, stored: &ArchivedSession) -> Detail {
    let (archive, facts) = (&stored.archive, &stored.archive.facts);
    Detail {
        summary: summary(app, stored),
        original_session_id: facts.original_id.clone(),
        source_tool_version: facts.source_tool_version.clone(),
        model_provider: facts.model_provider.clone(),
        duration_ms: facts.duration_millis,
        uploaded_at: stamp(archive.uploaded_at),
        dlp_scan_results: archive.scan.clone(),
        retrieval_audit_id: None,
    }
}

/// What a session is called; none when nobody called it anything.
pub(in crate::sessionfs) fn title(stored: &ArchivedSession) -> Option<String> {
    Some(stored.session.title()).filter(|title| !title.is_empty()).map(str::to_owned)
}

/// A scope by its name in this API.
pub(in crate::sessionfs) fn scope_name(scope: DeleteScope) -> &'static str {
    match scope {
        DeleteScope::Server => "cloud",
        DeleteScope::Everywhere => "both",
    }
}
