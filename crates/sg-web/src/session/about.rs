//! Everything about a session but what was said: its head, the column beside it, and the forms.

use maud::{Markup, html};
use sg_domain::{Project, Session, ShareStatus, Timestamp};

use super::Related;
use super::read::{Outline, Part};
use crate::shown;
use crate::visitor::Visitor;

pub(super) struct About<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) project: &'a Project,
    pub(super) session: &'a Session,
    pub(super) base: &'a str,
    pub(super) now: Timestamp,
}

impl About<'_> {
    /// Title, facts, and how to go on with the session elsewhere.
    pub(super) fn head(&self) -> Markup {
        let Self { project, session, .. } = self;
        html! {
            p.crumbs {
                a href="/projects" { "Projects" } " / "
                a href=(shown::project_path(&project.id)) { (shown::name(&project.name)) }
            }
            h1 { (shown::name(session.title())) }
            (crate::project::session_facts(session, self.now, &[]))
            @if session.share_status == ShareStatus::Unlisted {
                div.note.warm {
                    p { "Whoever has the link can read this: " a href=(self.share_path()) { (self.share_path()) } }
                }
            }
            div.actions {
                div.command {
                    code #resume { "specstory resume --session specstory://projects/" (session.project_id.as_str()) "/sessions/" (session.client_id) }
                    button.small type="button" data-copy="resume" hidden { "Copy" }
                }
                p.hint {
                    @if session.session_data_size.is_some_and(|size| size > 0) {
                        "Goes on with this session on another machine. "
                    } @else {
                        "SpecStory's command line can go on with a session that it has synced itself; this one came without its session data. "
                    }
                    a href="/resume" { "How that works" }
                }
            }
        }
    }

    fn share_path(&self) -> String {
        share_path(self.session)
    }

    /// Outline, facts, related sessions, downloads.
    pub(super) fn side(&self, outline: &Outline, part: &Part, related: &Related) -> Markup {
        let Self { session, base, .. } = self;
        let meta = &session.metadata;
        let here = |ordinal: u32| part.messages.iter().any(|(at, _)| *at == ordinal);
        let list = |values: &Option<Vec<String>>| {
            values.as_ref().filter(|values| !values.is_empty()).map(|values| {
                html! {
                    span.tags { @for value in values.iter().take(20) { span.tag { (shown::name(value)) } } }
                }
            })
        };
        let facts: [(&str, Option<Markup>); 14] = [
            ("Started", session.started_at.map(shown::time)),
            ("Ended", session.ended_at.map(shown::time)),
            ("Agent", meta.agent_name.as_ref().map(|name| html! { (shown::name(name)) @if let Some(v) = &meta.agent_version { " " (shown::name(v)) } })),
            ("Models", list(&meta.llm_models)),
            ("Branches", list(&meta.git_branches)),
            ("Tags", list(&meta.tags)),
            ("Summary", meta.summary.as_ref().map(|text| shown::name(text))),
            ("Messages", Some(html! { (shown::number(session.counts.messages)) ", " (shown::plural(session.counts.tool_uses, "tool call")) })),
            ("Tokens", (!session.usage.is_zero()).then(|| html! {
                (shown::short_number(session.usage.input.saturating_add(session.usage.cache_read).saturating_add(session.usage.cache_write)))
                " in, " (shown::short_number(session.usage.output)) " out"
            })),
            ("Folder", meta.folder.as_ref().map(|folder| html! { code { (shown::name(folder)) } })),
            ("Git remote", meta.git_remote.as_ref().map(|remote| html! { code { (shown::name(remote)) } })),
            ("Machine", meta.machine_name.as_ref().map(|name| shown::name(name))),
            ("Sent by", meta.client_name.as_ref().map(|name| html! { (shown::name(name)) @if let Some(v) = &meta.client_version { " " (shown::name(v)) } })),
            ("Id", Some(html! { code { (shown::name(&session.client_id)) } })),
        ];
        html! {
            @if outline.prompts.len() > 1 {
                nav.outline aria-label="Prompts" {
                    h2 { "Prompts" }
                    ol {
                        @for (ordinal, opening) in &outline.prompts {
                            li { a href={ @if !here(*ordinal) { (base) "?at=" (ordinal) } "#m" (ordinal) } { (shown::name(opening)) } }
                        }
                    }
                    @if outline.is_cut { p.hint { "And more further on." } }
                }
            }
            @if let Some(parent) = &related.parent {
                h2 { "Started by" }
                p { a href=(shown::session_path(parent)) { (shown::name(parent.title())) } }
            }
            @if !related.subagents.is_empty() {
                h2 { "Subagents" }
                ul {
                    @for agent in &related.subagents { li { a href=(shown::session_path(agent)) { (shown::name(agent.title())) } } }
                }
            }
            h2 { "Facts" }
            dl {
                @for (name, value) in &facts {
                    @if let Some(value) = value { dt { (name) } dd { (value) } }
                }
            }
            h2 { "Downloads" }
            ul {
                li { a href={ (base) "/download/markdown" } download { "Markdown" } " " span.soft { (shown::size(session.markdown_size)) } }
                @if session.blobs.raw.is_some() {
                    li { a href={ (base) "/download/raw" } download { "The agent's own file" } " " span.soft { (shown::size(session.raw_data_size)) } }
                }
                @if let Some(size) = session.session_data_size.filter(|size| *size > 0) {
                    li { a href={ (base) "/download/session-data" } download { "Session data" } " " span.soft { (shown::size(size)) } }
                }
            }
        }
    }

    /// What can be done with the session.
    pub(super) fn forms(&self) -> Markup {
        let Self { session, base, visitor, .. } = self;
        let is_shared = session.share_status == ShareStatus::Unlisted;
        html! {
            details.panel {
                summary { "Share or make private" }
                @if is_shared {
                    p { "Whoever has this link can read the session: " a href=(self.share_path()) { (self.share_path()) } }
                } @else {
                    p { "Only you can read this session. Shared, whoever has its link can; you choose which exchanges they see." }
                }
                form.row action={ (base) "/share" } method="post" {
                    (visitor.token())
                    @if is_shared {
                        button name="status" value="private" type="submit" { "Make it private" }
                    } @else {
                        button.main name="status" value="unlisted" type="submit" { "Share by link" }
                    }
                    a.button href={ (base) "/sharing" } { "Choose and preview" }
                }
            }
            details.panel {
                summary { "Rename" }
                form action={ (base) "/title" } method="post" {
                    (visitor.token())
                    div.field {
                        label for="title" { "Title" }
                        input #title name="title" type="text" maxlength="500" value=(session.user_title.as_deref().unwrap_or(session.title()));
                        p.hint { "Empty goes back to the title that the session came with." }
                    }
                    button.main type="submit" { "Save" }
                }
            }
            details.panel {
                summary { "Delete" }
                p { "The session goes from here and from search, and its link stops working. It stays in the trash for a while, where it can be restored." }
                form action={ (base) "/delete" } method="post" {
                    (visitor.token())
                    button.bad type="submit" { "Delete this session" }
                }
            }
        }
    }
}

/// Where a shared session is read: by our own id, which no two accounts share.
pub(super) fn share_path(session: &Session) -> String {
    format!("/share/{}", session.id)
}
