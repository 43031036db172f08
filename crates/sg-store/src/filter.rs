//! [`SessionFilter`] as SQL over `session s`. [`SessionFilter::matches`] is the definition; a property test compares.
//!
//! Every condition is true or false, never NULL, so that `NOT` means what it says.

use sg_domain::{SessionFilter, Visibility};

use crate::sql::Sql;

/// How a read of sessions should be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seek {
    /// By the owner's indexes.
    Owner,
    /// By the indexes of a project that the query names: the owner is only checked.
    Project,
}

/// What is not in the trash: a condition of every read of sessions but the trash's own, in the words of the indexes.
pub(crate) const LIVE: &str = "s.deleted_at IS NULL";

/// Adds ` WHERE` and what may be seen, which nothing in the trash is.
pub(crate) fn visible(sql: &mut Sql, who: &Visibility, seek: Seek) {
    sql.add(" WHERE ").add(LIVE).add(" AND ");
    match who {
        Visibility::Everyone => sql.add("TRUE"),
        // SQLite keeps no statistics here and would take either index: `+` rules one out.
        Visibility::Owner(owner) if seek == Seek::Project => {
            sql.either("+s.owner = ", "s.owner = ").text(owner.as_str())
        }
        Visibility::Owner(owner) => sql.add("s.owner = ").text(owner.as_str()),
    };
}

/// Adds ` WHERE` with what may be seen and what passes. Exactly one project named at the top is found by its own
/// indexes; `project` says that the query itself names one already.
pub(crate) fn visible_and_passing(sql: &mut Sql, who: &Visibility, filter: &SessionFilter) {
    match (who, filter.project_ids.as_slice()) {
        (Visibility::Owner(owner), [project]) => {
            visible(sql, who, Seek::Project);
            sql.add(" AND s.project_key = (SELECT key FROM project WHERE owner = ").text(owner.as_str());
            sql.add(" AND id = ").text(project).add(")");
            let rest = SessionFilter { project_ids: Vec::new(), ..filter.clone() };
            passing(sql, &rest);
        }
        _ => {
            visible(sql, who, Seek::Owner);
            passing(sql, filter);
        }
    }
}

/// Adds ` AND …` for every field that filters.
pub(crate) fn passing(sql: &mut Sql, filter: &SessionFilter) {
    if !filter.project_ids.is_empty() {
        sql.one_of(" AND s.project_id", &filter.project_ids);
    }
    if let Some(ids) = &filter.session_ids {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        sql.one_of(" AND s.id", &ids);
    }
    one_of(sql, "s.client_name", &filter.client_names);
    one_of(sql, "s.agent_name", &filter.agent_names);
    one_of(sql, "s.device_id", &filter.device_ids);
    one_of(sql, "s.machine_name", &filter.machine_names);
    labelled(sql, "branch", &filter.git_branches);
    labelled(sql, "model", &filter.llm_models);
    labelled(sql, "tag", &filter.tags);
    within(sql, &filter.folders);
    one_of(sql, "s.parent_client_id", &filter.parent_client_ids);
    if let Some(from) = filter.active_from {
        sql.add(" AND s.activity_at >= ").time(from);
    }
    if let Some(to) = filter.active_to {
        sql.add(" AND s.activity_at <= ").time(to);
    }
    if let Some(from) = filter.created_from {
        sql.add(" AND s.created_at >= ").time(from);
    }
    if let Some(want) = filter.has_git_branches {
        sql.add(if want { " AND EXISTS (" } else { " AND NOT EXISTS (" }).add(LABEL).add("'branch')");
    }
    if let Some(want) = filter.resumable {
        sql.add(" AND coalesce(s.session_data_size, 0) ").add(if want { "> 0" } else { "<= 0" });
    }
    for all in &filter.and {
        passing(sql, all);
    }
    if !filter.or.is_empty() {
        sql.add(" AND (FALSE");
        for any in &filter.or {
            sql.add(" OR (TRUE");
            passing(sql, any);
            sql.add(")");
        }
        sql.add(")");
    }
    if let Some(not) = &filter.not {
        sql.add(" AND NOT (TRUE");
        passing(sql, not);
        sql.add(")");
    }
}

const LABEL: &str = "SELECT 1 FROM session_label l WHERE l.session_id = s.id AND l.kind = ";

/// A column that may be NULL: then it is none of the values.
fn one_of(sql: &mut Sql, column: &str, values: &[String]) {
    if !values.is_empty() {
        sql.add(" AND (").add(column).add(" IS NOT NULL AND ").one_of(column, values).add(")");
    }
}

fn labelled(sql: &mut Sql, kind: &str, values: &[String]) {
    if !values.is_empty() {
        sql.add(" AND EXISTS (").add(LABEL).add("'").add(kind).add("'").one_of(" AND l.value", values).add(")");
    }
}

/// A folder or what lies below it, as ranges: `LIKE` would read wildcards in names, and folds case on SQLite.
fn within(sql: &mut Sql, folders: &[String]) {
    if folders.is_empty() {
        return;
    }
    sql.add(" AND (s.folder IS NOT NULL AND (FALSE");
    for folder in folders {
        let folder = folder.trim_end_matches(['/', '\\']);
        sql.add(" OR s.folder = ").text(folder);
        // The character after `/` is `0`, the one after `\` is `]`.
        for (from, to) in [("/", "0"), ("\\", "]")] {
            sql.add(" OR (s.folder >= ").text(&format!("{folder}{from}"));
            sql.add(" AND s.folder < ").text(&format!("{folder}{to}")).add(")");
        }
    }
    sql.add("))");
}
