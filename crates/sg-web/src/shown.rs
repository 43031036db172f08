//! How values read on a page: times, sizes, counts, names, project badges, addresses.

use std::borrow::Cow;
use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};
use sg_domain::time::DAY_MICROS;
use sg_domain::{Project, ProjectId, Session, SessionId, Timestamp};

/// Icons by their names in SpecStory's API, drawn by Lucide: a name, a blank, the inside of its `<svg>`.
const ICONS: &str = include_str!("../assets/icons.txt");
/// The colours of SpecStory's API.
pub(crate) const COLORS: [&str; 10] =
    ["rose", "pink", "orange", "amber", "emerald", "cyan", "blue", "purple", "slate", "gray"];

/// The names of all icons.
pub(crate) fn icon_names() -> impl Iterator<Item = &'static str> {
    ICONS.lines().filter_map(|line| line.split_once(' ')).map(|(name, _)| name)
}

/// Text that somebody else wrote, kept from turning around what stands beside it. Characters that open an embedding or an
/// isolate are left out: one that is never closed would take the end of the `<bdi>` for its own.
pub(crate) fn name(text: &str) -> Markup {
    html! { bdi { (without_embeddings(text)) } }
}

/// Text without the characters that embed, override or isolate a direction.
pub(crate) fn without_embeddings(text: &str) -> Cow<'_, str> {
    let embeds = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.contains(embeds) { Cow::Owned(text.replace(embeds, "")) } else { Cow::Borrowed(text) }
}

/// A time as people read it, exact to the minute.
pub(crate) fn time(at: Timestamp) -> Markup {
    let iso = at.to_iso_millis();
    html! { time datetime=(iso) { (iso[..10]) " " (iso[11..16]) " UTC" } }
}

/// A time by its distance from now, as far as that says more than a date.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> Markup {
    let iso = at.to_iso_millis();
    let micros = now.micros().saturating_sub(at.micros());
    let (minute, hour) = (60_000_000, 3_600_000_000);
    let text = match micros {
        m if m < -minute => iso[..10].to_owned(),
        m if m < minute => "just now".to_owned(),
        m if m < hour => plural(m / minute, "minute") + " ago",
        m if m < DAY_MICROS => plural(m / hour, "hour") + " ago",
        m if m < 14 * DAY_MICROS => plural(m / DAY_MICROS, "day") + " ago",
        _ => iso[..10].to_owned(),
    };
    html! { time datetime=(iso) title={ (iso[..10]) " " (iso[11..16]) " UTC" } { (text) } }
}

/// `1 session`, `12 sessions`.
pub(crate) fn plural(count: impl TryInto<u64>, noun: &str) -> String {
    let count = count.try_into().unwrap_or_default();
    format!("{} {noun}{}", number(count), if count == 1 { "" } else { "s" })
}

/// A number in groups of three.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number as short as it can be said: `950`, `12.3k`, `4.1M`.
pub(crate) fn short_number(value: u64) -> String {
    match value {
        0..=999 => value.to_string(),
        1_000..=999_999 => format!("{}.{}k", value / 1_000, value % 1_000 / 100),
        _ => format!("{}.{}M", value / 1_000_000, value % 1_000_000 / 100_000),
    }
}

/// A size in the unit that says it in few digits.
pub(crate) fn size(bytes: u64) -> String {
    let (value, unit) = match bytes {
        0..=1_023 => return format!("{bytes} B"),
        1_024..=1_048_575 => (bytes * 10 / 1_024, "kB"),
        1_048_576..=1_073_741_823 => (bytes * 10 / 1_048_576, "MB"),
        _ => (bytes / 1_048_576 * 10 / 1_024, "GB"),
    };
    if value >= 100 { format!("{} {unit}", value / 10) } else { format!("{}.{} {unit}", value / 10, value % 10) }
}

/// A project's icon on its colour. Anything is allowed as either: a name that is known is drawn, an emoji is shown, and of
/// everything else the project's first letter stands there.
pub(crate) fn badge(project: &Project) -> Markup {
    let color = COLORS.contains(&project.color.as_str()).then(|| format!("c-{}", project.color));
    let custom = is_hex_color(&project.color).then_some(project.color.as_str());
    let class = if custom.is_some() { "custom".to_owned() } else { color.unwrap_or_else(|| "c-gray".to_owned()) };
    let drawn = ICONS.lines().find_map(|line| line.split_once(' ').filter(|(name, _)| *name == project.icon));
    let is_word = project.icon.is_ascii() || project.icon.chars().count() > 8;
    let letter = project.name.trim().chars().next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    html! {
        span class={ "badge " (class) } aria-hidden="true" {
            @if let Some(color) = custom {
                svg.fill viewBox="0 0 1 1" preserveAspectRatio="none" { rect width="1" height="1" fill=(color) {} }
            }
            @if let Some((_, inside)) = drawn {
                svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"
                    stroke-linejoin="round" { (PreEscaped(inside)) }
            } @else {
                span { bdi { @if is_word { (letter) } @else { (project.icon) } } }
            }
        }
    }
}

/// `#FF5733` and nothing else: it becomes an attribute.
fn is_hex_color(text: &str) -> bool {
    text.len() == 7 && text.starts_with('#') && text[1..].bytes().all(|b| b.is_ascii_hexdigit())
}

/// A project's page.
pub(crate) fn project_path(id: &ProjectId) -> String {
    format!("/projects/{}", segment(id.as_str()))
}

/// A session's page.
pub(crate) fn session_path(session: &Session) -> String {
    format!("{}/sessions/{}", project_path(&session.project_id), session_segment(&session.client_id, session.id))
}

/// A session as its path names it: by its client's id, unless browsers take that for a way up the path.
pub(crate) fn session_segment(client_id: &str, id: SessionId) -> String {
    if matches!(client_id, "." | "..") { id.to_string() } else { segment(client_id) }
}

/// One part of a path or a value of a query, every byte escaped that may mean something there.
pub(crate) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use sg_domain::{ProjectKey, UserId};

    use super::*;

    #[test]
    fn values_read_well() {
        assert_eq!([number(0), number(999), number(1_000), number(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [size(0), size(1_536), size(150_000), size(3 << 20), size(5 << 30)],
            ["0 B", "1.5 kB", "146 kB", "3.0 MB", "5.0 GB"]
        );
        assert_eq!([short_number(950), short_number(12_345), short_number(4_100_000)], ["950", "12.3k", "4.1M"]);
        assert_eq!([plural(1_u64, "day"), plural(0_u64, "day")], ["1 day", "0 days"]);
    }

    #[test]
    fn distances_are_told_while_they_say_more_than_a_date() {
        let now = Timestamp::from_secs(1_793_534_400);
        let text = |secs: i64| ago(now.plus_micros(-secs * 1_000_000), now).into_string();
        for (secs, want) in
            [(0, ">just now<"), (90, ">1 minute ago<"), (7_300, ">2 hours ago<"), (86_400 * 3, ">3 days ago<")]
        {
            assert!(text(secs).contains(want), "{}", text(secs));
        }
        assert!(text(86_400 * 40).contains(">2026-09-22<"), "{}", text(86_400 * 40));
        assert!(text(-86_400).contains(">2026-11-02<"), "{}", text(-86_400));
    }

    #[test]
    fn a_name_turns_nothing_around() {
        assert_eq!(name("a\u{202e}b\u{2066}<c>\u{200f}").into_string(), "<bdi>ab&lt;c&gt;\u{200f}</bdi>");
    }

    #[test]
    fn addresses_hold_any_id() {
        assert_eq!(segment("bare 50% ü?&#+/\"'<"), "bare%2050%25%20%C3%BC%3F%26%23%2B%2F%22%27%3C");
        let id = SessionId("0190f000-0000-7000-8000-000000000001".parse().unwrap());
        assert_eq!(session_segment("..", id), id.to_string());
    }

    #[test]
    fn badges_take_any_icon_and_colour() {
        let shown = |icon: &str, color: &str| {
            let now = Timestamp::default();
            let project = Project {
                key: ProjectKey("0190f000-0000-7000-8000-000000000001".parse().unwrap()),
                id: ProjectId::new("p").unwrap(),
                owner: UserId("user_1".to_owned()),
                name: "<b>name".to_owned(),
                icon: icon.to_owned(),
                color: color.to_owned(),
                created_at: now,
                updated_at: now,
                last_activity_at: None,
                session_count: 0,
                total_markdown_size: 0,
            };
            badge(&project).into_string()
        };
        assert_eq!(icon_names().count(), 25);
        assert!(icon_names().all(|icon| shown(icon, "rose").contains("<svg viewBox=\"0 0 24 24\"")));
        assert!(shown("🚀", "#FF5733").contains("🚀") && shown("🚀", "#FF5733").contains("fill=\"#FF5733\""));
        for (icon, color) in [("<script>", "\"><x>"), ("x\" onload=\"1", "#FF573\""), ("Nope", "#ff57333")] {
            let html = shown(icon, color);
            assert!(
                html.contains("c-gray")
                    && !html.contains("script")
                    && !html.contains("onload")
                    && !html.contains("<x>"),
                "{html}"
            );
            assert!(html.contains("<bdi>&lt;</bdi>"), "{html}");
        }
    }
}
