//! The shell of every page: head, header with navigation, search and sign-out, the main landmark, footer.
//!
//! A page is `layout::page(&Frame { … }, html! { … })` sent by [`crate::answer::page`]. Its policy allows no inline script
//! and no `style` attribute: looks are classes of `assets/style.css`, behaviour is `assets/page.js`, and every page works
//! without either.

use maud::{DOCTYPE, Markup, html};

use crate::visitor::Visitor;
use crate::{asset, shown};

/// What the shell needs to know of a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    /// What the page is, without the product's name.
    pub(crate) title: &'a str,
    /// Who looks at it; `None` when nobody is signed in.
    pub(crate) viewer: Option<Viewer<'a>>,
    /// Which entry of the navigation it belongs to.
    pub(crate) place: Place,
    /// What stands in the search box.
    pub(crate) query: &'a str,
}

/// Who is signed in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Viewer<'a> {
    /// Shown beside the sign-out button.
    pub(crate) email: &'a str,
    /// The token that every form of this person carries, in the field `csrf`.
    pub(crate) csrf: &'a str,
}

impl Visitor {
    /// Themselves, as the shell shows them.
    pub(crate) fn viewer(&self) -> Viewer<'_> {
        Viewer { email: &self.email, csrf: &self.csrf }
    }

    /// The frame of a page of theirs.
    pub(crate) fn frame<'a>(&'a self, title: &'a str, place: Place) -> Frame<'a> {
        Frame { title, viewer: Some(self.viewer()), place, query: "" }
    }

    /// The field that every form of theirs carries.
    pub(crate) fn token(&self) -> Markup {
        html! { input type="hidden" name="csrf" value=(self.csrf); }
    }
}

/// An entry of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Projects and sessions.
    Projects,
    /// Keys and devices.
    Settings,
    /// What resuming is.
    Resume,
    /// None of them: sign-in, a shared session, a problem.
    Nowhere,
}

const NAVIGATION: &[(Option<Place>, &str, &str)] = &[
    (Some(Place::Projects), "/projects", "Projects"),
    (None, "/", "Playground"),
    (Some(Place::Resume), "/resume", "Resume"),
    (Some(Place::Settings), "/settings/api-keys", "Settings"),
];

/// A whole page.
pub(crate) fn page(frame: &Frame<'_>, main: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex, nofollow";
                title { (shown::without_embeddings(frame.title)) " · Sessiongraph" }
                link rel="icon" type="image/svg+xml" href=(asset::icon());
                link rel="stylesheet" href=(asset::style());
                script src=(asset::script()) defer {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                (header(frame))
                main #main tabindex="-1" { (main) }
                footer { p { "Sessiongraph keeps this on its own machine. Nothing on this page comes from elsewhere." } }
            }
        }
    }
}

fn header(frame: &Frame<'_>) -> Markup {
    html! {
        header.top {
            a.brand href=(if frame.viewer.is_some() { "/projects" } else { "/" }) { (mark()) span { "Sessiongraph" } }
            @if let Some(viewer) = frame.viewer {
                nav aria-label="Main" {
                    @for (place, href, name) in NAVIGATION {
                        a href=(href) aria-current=[(*place == Some(frame.place)).then_some("page")] { (name) }
                    }
                }
                form.search action="/search" method="get" role="search" {
                    input type="search" name="q" value=(frame.query) aria-label="Search sessions" placeholder="Search sessions"
                        maxlength="1000" required;
                    button type="submit" { "Search" }
                }
                form.account action="/logout" method="post" {
                    input type="hidden" name="csrf" value=(viewer.csrf);
                    span.who { (shown::name(viewer.email)) }
                    button.quiet type="submit" { "Sign out" }
                }
            } @else if frame.place != Place::Nowhere || frame.title != "Sign in" {
                nav.right aria-label="Main" { a href="/login" { "Sign in" } }
            }
        }
    }
}

/// What was just done, by the word that the address carries behind a form: `?done=renamed`.
pub(crate) fn notice(done: &str) -> Markup {
    let text = match done {
        "renamed" => "The new title is saved.",
        "changed" => "Your changes are saved.",
        "shared" => "Whoever has the link can read this session now.",
        "private" => "This session is private again. The link leads nowhere.",
        "deleted" => "It is deleted.",
        "trashed" => "The session is in the trash, where it can be restored for a while.",
        "revoked" => "It is revoked and stopped working at once.",
        _ => return html! {},
    };
    html! { div.note role="status" { p { (text) } } }
}

/// The product's mark: three sessions that hang together.
fn mark() -> Markup {
    html! {
        svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" focusable="false" {
            path d="M6 6.5 17.5 12 6 17.5Z" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" {}
            circle cx="6" cy="6.5" r="3" fill="currentColor" {}
            circle cx="17.5" cy="12" r="3" fill="currentColor" {}
            circle cx="6" cy="17.5" r="3" fill="currentColor" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame<'_> = Frame {
        title: "<script>alert(1)</script>",
        viewer: Some(Viewer { email: "\"><img src=x onerror=alert(1)>", csrf: "\"><b>" }),
        place: Place::Projects,
        query: "\" autofocus onfocus=\"alert(1)",
    };

    #[test]
    fn what_people_write_stays_text_in_the_shell() {
        let html = page(&FRAME, html! {}).into_string();
        assert!(!html.contains("<script>alert") && !html.contains("<img src=x") && !html.contains("\"><b>"), "{html}");
        assert!(html.contains("value=\"&quot; autofocus onfocus=&quot;alert(1)\""), "{html}");
    }

    #[test]
    fn the_shell_has_its_landmarks_and_nothing_inline() {
        let html = page(&FRAME, html! {}).into_string();
        for landmark in
            ["<main id=\"main\"", "<nav aria-label=\"Main\"", "role=\"search\"", "lang=\"en\"", "href=\"#main\""]
        {
            assert!(html.contains(landmark), "{landmark}");
        }
        assert_eq!(html.matches("aria-current=\"page\"").count(), 1);
        assert!(
            !html.contains(" style=")
                && !html.contains("<style")
                && !html.contains("http://")
                && !html.contains("https://")
        );
        let signed_out = page(&Frame { viewer: None, place: Place::Nowhere, title: "x", query: "" }, html! {});
        assert!(!signed_out.into_string().contains("/logout"));
    }
}
