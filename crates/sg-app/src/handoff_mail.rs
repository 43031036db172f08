//! The mails of handoffs: what the other side hears. A job sends each, so that a mail server that is down delays a mail
//! and fails nothing.

use sg_domain::{Handoff, HandoffEvent, HandoffEventKind, HandoffStatus, Recipient, Result, UserId};

use crate::App;
use crate::mail::{Letter, escape_html};

/// The longest subject, in characters.
const MAX_SUBJECT_CHARS: usize = 200;

impl App {
    /// Mails the other side of a handoff what happened to it.
    pub(crate) async fn mail_handoff(&self, handoff: &str, event: &str) -> Result<()> {
        let Some(handoff) = self.store().handoff(handoff).await? else { return Ok(()) };
        let Some(event) = self.store().handoff_event(&handoff.id, event).await? else { return Ok(()) };
        // Taken back before anybody was told: there is nothing to tell.
        if event.kind == HandoffEventKind::Created && handoff.status_at(self.now()) != HandoffStatus::Pending {
            return Ok(());
        }
        let sender = Party { user: Some(handoff.sender.clone()), address: Some(handoff.sender_email.clone()) };
        let recipient = match &handoff.recipient {
            Recipient::Address(address) => Party { user: handoff.claimed_by.clone(), address: Some(address.clone()) },
            Recipient::User(id) => Party { user: Some(id.clone()), address: self.address_of(id).await? },
        };
        let is_by_sender = event.actor.as_ref() == sender.user.as_ref();
        let (actor, other) = if is_by_sender { (sender, recipient) } else { (recipient, sender) };
        let (Some(actor), Some(to)) = (actor.address, other.address) else { return Ok(()) };
        // Whoever gives something to themselves knows what they did; that it is there they are told all the same.
        if actor == to && event.kind != HandoffEventKind::Created {
            return Ok(());
        }
        let letter = match event.kind {
            HandoffEventKind::Created => self.offer(to, &actor, &handoff).await?,
            HandoffEventKind::Commented => {
                let id = event.note.as_deref().unwrap_or_default();
                let Some(comment) = self.store().handoff_comment(&handoff.id, id).await? else { return Ok(()) };
                news(to, &actor, &handoff, "commented on", Some(&comment.content))
            }
            kind => news(to, &actor, &handoff, verb(kind), reason(&event)),
        };
        self.send_letter(&letter).await
    }

    async fn offer(&self, to: String, actor: &str, handoff: &Handoff) -> Result<Letter> {
        let what = &handoff.snapshot;
        let mut facts = vec![("Title", what.title.clone().unwrap_or_else(|| "a session".to_owned()))];
        facts.push(("Tool", what.tool.clone()));
        facts.extend(what.model.clone().map(|model| ("Model", model)));
        facts.push(("Messages", what.messages.to_string()));
        facts.push(("Tokens", what.tokens.to_string()));
        if let Ok(found) = self.offered(handoff).await
            && let Some(remote) = found.archive.facts.git_remote
        {
            let branch = found.archive.facts.git_branch;
            facts.push(("Repository", branch.map_or(remote.clone(), |branch| format!("{remote} ({branch})"))));
        }
        facts.push(("Until", handoff.expires_at.to_string()));
        let server = &self.inner.accounts.public_url;
        let lead = format!("{actor} handed off a session to you.");
        let command = format!("sfs pull-handoff {}", handoff.id);
        let place = if server.is_empty() { String::new() } else { format!(" from {server}") };
        let tail = format!("To take it{place}, run:");
        let page =
            Page { lead: &lead, facts: &facts, quote: handoff.message.as_deref(), tail: &tail, command: &command };
        let title = what.title.as_deref().unwrap_or("a session");
        Ok(page.letter(to, &format!("SessionFS: {actor} handed off {title}")))
    }
}

/// A side of a handoff, as far as it is known.
struct Party {
    user: Option<UserId>,
    address: Option<String>,
}

fn verb(kind: HandoffEventKind) -> &'static str {
    match kind {
        HandoffEventKind::Claimed => "claimed",
        HandoffEventKind::Revoked => "revoked",
        _ => "declined",
    }
}

fn reason(event: &HandoffEvent) -> Option<&str> {
    event.note.as_deref().filter(|_| event.kind != HandoffEventKind::Claimed)
}

/// That something happened to a handoff.
fn news(to: String, actor: &str, handoff: &Handoff, verb: &str, quote: Option<&str>) -> Letter {
    let title = handoff.snapshot.title.as_deref().unwrap_or("a session");
    let lead = format!("{actor} {verb} the handoff of {title}.");
    let command = format!("sfs handoffs get {}", handoff.id);
    let page = Page { lead: &lead, facts: &[], quote, tail: "To look at it, run:", command: &command };
    page.letter(to, &format!("SessionFS: {actor} {verb} the handoff of {title}"))
}

/// A mail in its parts.
struct Page<'a> {
    lead: &'a str,
    facts: &'a [(&'static str, String)],
    quote: Option<&'a str>,
    tail: &'a str,
    command: &'a str,
}

impl Page<'_> {
    fn letter(&self, to: String, subject: &str) -> Letter {
        Letter { to, subject: line(subject), text: self.text(), html: self.html() }
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", line(self.lead));
        for (name, fact) in self.facts {
            text.push_str(&format!("\n{name}: {}", line(fact)));
        }
        if let Some(quote) = self.quote {
            let quote: String = quote.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
            text.push_str(&format!("\n\n> {}", quote.trim().replace('\n', "\n> ")));
        }
        text.push_str(&format!("\n\n{}\n\n    {}\n", self.tail, self.command));
        text
    }

    fn html(&self) -> String {
        let mut html = format!("<p>{}</p>", escape_html(&line(self.lead)));
        if !self.facts.is_empty() {
            html.push_str("<table>");
            for (name, fact) in self.facts {
                html.push_str(&format!("<tr><th align=\"left\">{name}</th><td>{}</td></tr>", escape_html(&line(fact))));
            }
            html.push_str("</table>");
        }
        if let Some(quote) = self.quote {
            let quote: String = quote.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
            html.push_str(&format!("<blockquote>{}</blockquote>", escape_html(quote.trim()).replace('\n', "<br>")));
        }
        html.push_str(&format!("<p>{}</p><pre>{}</pre>", escape_html(self.tail), escape_html(self.command)));
        html
    }
}

/// One line without control characters, which would start another header, and not too long.
fn line(text: &str) -> String {
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let words: Vec<_> = text.split(|c: char| is_break(c) || c == ' ').filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(MAX_SUBJECT_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_is_text() {
        let facts = [("Title", "<script>alert('x')</script>\r\nBcc: all@example.com".to_owned())];
        let page = Page {
            lead: "\"Ann\" <ann@example.com>",
            facts: &facts,
            quote: Some("a & b\r\n<img src=x>\u{0}\u{1b}[31m"),
            tail: "Run:",
            command: "sfs pull-handoff hnd_1",
        };
        let letter = page.letter("bob@example.com".to_owned(), "S: <b>\r\nBcc: all@example.com\u{2028}x");
        assert_eq!(letter.subject, "S: <b> Bcc: all@example.com x");
        assert_eq!(
            letter.html,
            "<p>&quot;Ann&quot; &lt;ann@example.com&gt;</p><table><tr><th align=\"left\">Title</th><td>&lt;script&gt;\
             alert(&#39;x&#39;)&lt;/script&gt; Bcc: all@example.com</td></tr></table><blockquote>a &amp; b<br>&lt;img \
             src=x&gt;[31m</blockquote><p>Run:</p><pre>sfs pull-handoff hnd_1</pre>"
        );
        assert_eq!(
            letter.text,
            "\"Ann\" <ann@example.com>\n\nTitle: <script>alert('x')</script> Bcc: all@example.com\n\n> a & b\n> <img \
             src=x>[31m\n\nRun:\n\n    sfs pull-handoff hnd_1\n"
        );
    }

    #[test]
    fn a_subject_is_one_line_and_not_too_long() {
        assert_eq!(line(&"ä ".repeat(300)).chars().count(), MAX_SUBJECT_CHARS + 1);
        assert_eq!(line(" a\t\tb\n"), "a b");
    }
}
