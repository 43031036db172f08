//! What a client says of a session in its manifest and workspace: coerced and cut, never refused
//! (`contracts/sessionfs.md` 2.4 and 5.3).

use serde_json::{Map, Value};
use sg_domain::ArchiveFacts;

/// The most characters of each text that is kept.
const MAX_TOOL_CHARS: usize = 50;
const MAX_TEXT_CHARS: usize = 100;
const MAX_BRANCH_CHARS: usize = 255;
const MAX_COMMIT_CHARS: usize = 40;

/// The facts of a manifest and a workspace; either may be empty.
pub fn facts(manifest: &Map<String, Value>, workspace: &Map<String, Value>) -> ArchiveFacts {
    let part = |name: &str| manifest.get(name).and_then(Value::as_object);
    let (source, model, stats) = (part("source"), part("model"), part("stats"));
    let git = workspace.get("git").and_then(Value::as_object);
    let count = |name: &str| stats.and_then(|stats| whole(stats.get(name)?)).unwrap_or(0);
    ArchiveFacts {
        source_tool: text(source, "tool", MAX_TOOL_CHARS).unwrap_or_else(|| "unknown".to_owned()),
        source_tool_version: text(source, "tool_version", MAX_TOOL_CHARS),
        original_id: text(source, "original_session_id", MAX_BRANCH_CHARS),
        model_provider: text(model, "provider", MAX_TEXT_CHARS).filter(|name| is_model(name)),
        model_id: text(model, "model_id", MAX_TEXT_CHARS).filter(|name| is_model(name)),
        parent_id: text(Some(manifest), "parent_session_id", MAX_TEXT_CHARS)
            .or_else(|| text(Some(manifest), "_resume_parent_id", MAX_TEXT_CHARS)),
        messages: count("message_count"),
        turns: count("turn_count"),
        tool_uses: count("tool_use_count"),
        input_tokens: count("total_input_tokens"),
        output_tokens: count("total_output_tokens"),
        duration_millis: stats.and_then(|stats| whole(stats.get("duration_ms")?)),
        git_remote: text(git, "remote_url", 2_048).map(|remote| normalised_remote(&remote)).filter(|r| !r.is_empty()),
        git_branch: text(git, "branch", MAX_BRANCH_CHARS),
        git_commit: text(git, "commit_sha", MAX_COMMIT_CHARS),
        tags: super::tags(manifest).unwrap_or_default(),
    }
}

/// A remote as this format's own client normalises it: the path alone, in lower case, without `.git` and slashes at its
/// end. Remotes that name a folder of a machine stay as they are.
pub fn normalised_remote(remote: &str) -> String {
    let remote = remote.trim();
    let path = match remote.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let user = authority.rsplit_once('@').map_or("git", |(user, _)| user);
            // Another user's `ssh` names a folder of that machine.
            if scheme == "ssh" && user != "git" && (path.starts_with('/') || path.starts_with('~')) {
                return remote.to_owned();
            }
            path
        }
        None => match remote.split_once(':') {
            Some((authority, path)) if !authority.contains('/') && authority.len() > 1 => {
                let user = authority.split_once('@').map_or("git", |(user, _)| user);
                if user != "git" && (path.starts_with('/') || path.starts_with('~')) {
                    return remote.to_owned();
                }
                path
            }
            _ => return remote.to_owned(),
        },
    };
    let path = path.trim_matches('/');
    path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/').to_lowercase()
}

fn is_model(name: &str) -> bool {
    !matches!(name, "" | "synthetic" | "<synthetic>")
}

fn text(object: Option<&Map<String, Value>>, name: &str, max_chars: usize) -> Option<String> {
    let text = match object?.get(name)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let text: String = text.chars().filter(|c| *c != '\0').take(max_chars).collect();
    (!text.is_empty()).then_some(text)
}

/// A count, also when it came as text or with a fraction.
fn whole(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    // Nothing real is larger, and larger ones would not go into a column.
    (number >= 0.0 && number.is_finite()).then_some(number.min(9e15) as u64)
}
