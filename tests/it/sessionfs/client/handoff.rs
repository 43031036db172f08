//! Sessions are given to somebody: taken, declined, revoked, talked about.

use serde_json::json;

use super::{Device, Stand, Version, scenarios};

scenarios!(a_handoff_is_taken, a_handoff_is_declined_or_revoked);

/// Hands a session off; the handoff's id.
fn hand_off(device: &Device, id: &str, to: &str) -> String {
    let said = device.ok(&["handoff", id, "--to", to, "--message", "Please look at <b>this</b>."]);
    let (_, rest) = said.split_once("Handoff created: ").unwrap_or_else(|| panic!("{said}"));
    let handoff = rest.lines().next().unwrap().trim().to_owned();
    assert!(handoff.starts_with("hnd_") && handoff.len() == 20, "{handoff}");
    assert!(said.contains(&format!("Recipient: {to}")), "{said}");
    assert!(said.contains(&format!("sfs pull-handoff {handoff}")), "{said}");
    handoff
}

fn a_handoff_is_taken(stand: &Stand) {
    let ana = stand.sign_up(Version::New, "ana@example.com");
    if stand.lacks(&ana, "/api/v1/handoffs/inbox") {
        return;
    }
    let ben = stand.sign_up(Version::New, "ben@example.com");
    let id = ana.import(1, "How are tulips planted?", "In autumn.");
    let said = ben.ok(&["handoffs", "inbox"]);
    assert!(said.contains("No incoming handoffs."), "{said}");
    // It was never pushed: handing it off does that.
    let handoff = hand_off(&ana, &id, "Ben@Example.com");
    assert_eq!(stand.get(&ana, &format!("/api/v1/sessions/{id}"))["etag"], ana.etag(&id));

    let said = ben.ok(&["handoffs", "inbox"]);
    let row = said.lines().find(|line| line.contains(&handoff)).expect("a row");
    assert!(said.contains("Inbox (1 handoffs)"), "{said}");
    assert!(row.contains("ana@example.com") && row.contains("How are tulips planted?"), "{said}");
    assert!(row.contains("claude-code") && row.contains("pending"), "{said}");
    let said = ana.ok(&["handoffs", "sent"]);
    assert!(
        said.contains("Sent (1 handoffs)") && said.contains(&handoff) && said.contains("ben@example.com"),
        "{said}"
    );
    let said = ben.ok(&["handoffs", "get", &handoff]);
    for part in
        ["(individual)", "Status: pending", "From: ana@example.com", "To: ben@example.com", "Viewed: ", "viewed"]
    {
        assert!(said.contains(part) || part == "viewed", "{part} is not in {said}");
    }

    let said = ben.ok(&["handoffs", "comment", &handoff, "--message", "Which tulips?"]);
    assert!(said.contains("Comment hcm_") && said.contains(&format!("posted on {handoff}.")), "{said}");
    ana.ok(&["handoffs", "comment", &handoff, "--message", "The red ones."]);
    let said = ana.ok(&["handoffs", "comments", &handoff]);
    let (asked, told) = (said.find("Which tulips?").unwrap(), said.find("The red ones.").unwrap());
    assert!(asked < told, "the oldest first: {said}");

    let said = ben.ok(&["pull-handoff", &handoff]);
    assert!(said.contains("Session: How are tulips planted?") && said.contains("Message: Please look at"), "{said}");
    let details = stand.get(&ben, &format!("/api/v1/handoffs/{handoff}"));
    let copy = details["recipient_session_id"].as_str().unwrap();
    assert!(copy != id && said.contains(&format!("Pulled handoff session {copy}")), "{said}");
    assert_eq!(ben.file(copy, "messages.jsonl"), ana.file(&id, "messages.jsonl"));
    assert_eq!(details["status"], "claimed");
    let session = stand.get(&ben, &format!("/api/v1/sessions/{copy}"));
    assert_eq!((&session["parent_session_id"], &session["etag"]), (&json!(id), &ben.etag(copy)), "{session}");
    assert_eq!(stand.ask(&ana, &format!("/api/v1/sessions/{copy}")).0, 404, "it is the recipient's alone");
    assert_eq!(stand.ask(&ben, &format!("/api/v1/sessions/{id}")).0, 404, "and the original the sender's");
    // What was taken is the recipient's to go on with.
    ben.goes_on(copy, "The red ones, in autumn.");
    let said = ben.ok(&["push", copy]);
    assert!(said.contains(&format!("Updated remote session {copy}")), "{said}");

    let said = ben.ok(&["pull-handoff", "--force", &handoff]);
    assert!(said.contains("Handoff already claimed — continuing with pull."), "{said}");
    let total = stand.get(&ben, "/api/v1/sessions")["total"].clone();
    assert_eq!(total, 1, "one copy, however often it is claimed");
    let said = ana.ok(&["handoffs", "events", &handoff]);
    let kinds =
        ["created", "viewed", "commented", "claimed"].map(|kind| said.find(kind).unwrap_or_else(|| panic!("{said}")));
    assert!(kinds.is_sorted(), "{said}");

    let cleo = stand.sign_up(Version::New, "cleo@example.com");
    let said = cleo.ends(&["handoffs", "get", &handoff], 1);
    assert!(said.contains(&format!("Handoff {handoff} not found or not visible to you.")), "{said}");
    let said = cleo.ends(&["pull-handoff", &handoff], 1);
    assert!(said.contains("Failed to get handoff") && said.contains("Handoff not found"), "{said}");
}

fn a_handoff_is_declined_or_revoked(stand: &Stand) {
    let ana = stand.sign_up(Version::New, "ana@example.com");
    if stand.lacks(&ana, "/api/v1/handoffs/inbox") {
        return;
    }
    let ben = stand.sign_up(Version::New, "ben@example.com");
    let id = ana.import(1, "How are tulips planted?", "In autumn.");
    let status = |handoff: &str| stand.get(&ana, &format!("/api/v1/handoffs/{handoff}"))["status"].clone();

    let revoked = hand_off(&ana, &id, "ben@example.com");
    let said = ben.ends(&["handoffs", "revoke", &revoked, "--reason", "not mine"], 1);
    assert!(said.contains("Revoke failed: 404"), "{said}");
    let said = ana.ok(&["handoffs", "revoke", &revoked, "--reason", "the wrong session"]);
    assert!(said.contains(&format!("Handoff {revoked} revoked.")), "{said}");
    assert_eq!(status(&revoked), "revoked");
    let said = ben.ok(&["handoffs", "get", &revoked]);
    assert!(said.contains("Status: revoked") && said.contains("— the wrong session"), "{said}");
    let said = ana.ends(&["handoffs", "revoke", &revoked, "--reason", "again"], 1);
    assert!(said.contains("Revoke failed: 409") && said.contains("Cannot revoke a revoked handoff"), "{said}");
    let said = ben.sfs(&["pull-handoff", &revoked]);
    assert_ne!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(stand.get(&ben, "/api/v1/sessions")["total"], 0);

    let declined = hand_off(&ana, &id, "ben@example.com");
    let said = ben.ok(&["handoffs", "decline", &declined, "--reason", "no time"]);
    assert!(said.contains(&format!("Handoff {declined} declined.")), "{said}");
    assert_eq!(status(&declined), "declined");
    let said = ana.ends(&["handoffs", "decline", &declined], 1);
    assert!(said.contains("Decline failed: 404"), "{said}");
    let said = ana.ok(&["handoffs", "events", &declined]);
    assert!(said.contains("created") && said.contains("declined"), "{said}");
}
