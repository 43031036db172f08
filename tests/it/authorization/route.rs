//! Every route of the SpecStory dialect.

use std::collections::BTreeSet;

use sg_domain::Scope;
use sg_rest::route::Route;

use super::Ids;
use crate::specstory::world::{FULL, MINE, OWN, Who, World};

/// How a route behaves to the right caller and to another account, which has no project of the path's id.
struct Row {
    name: &'static str,
    /// To the owner with the right scope.
    right: u16,
    /// To another account.
    foreign: u16,
    /// What is sent; empty for nothing.
    body: &'static str,
    /// Text that is in the owner's answer to `GET` and in nobody else's; empty when the answer holds no one's data.
    shows: &'static str,
}

const fn reads(name: &'static str, foreign: u16, shows: &'static str) -> Row {
    Row { name, right: 200, foreign, body: "", shows }
}

const fn writes(name: &'static str, right: u16, foreign: u16, body: &'static str) -> Row {
    Row { name, right, foreign, body, shows: "" }
}

const ROUTES: &[Row] = &[
    reads("list projects", 200, MINE),
    reads("read project", 404, MINE),
    reads("list sessions", 404, MINE),
    reads("session sizes", 200, FULL),
    reads("read session", 404, MINE),
    reads("recent sessions", 200, MINE),
    reads("project activity", 404, OWN),
    writes("update project", 200, 404, r#"{"icon":"Bug"}"#),
    writes("delete project", 200, 404, ""),
    writes("put session", 200, 201, r##"{"projectName":"p","name":"n","markdown":"# m","rawData":"{}"}"##),
    writes("update session", 200, 404, r#"{"userTitle":"t"}"#),
    writes("delete session", 200, 404, ""),
    writes("update exchange", 200, 404, r#"{"userTitle":"t"}"#),
    // Shared sessions are everyone's; `share.rs` tests that no others are.
    reads("shared session", 404, ""),
    reads("shared markdown", 404, ""),
    Row { name: "search resumable", right: 200, foreign: 200, body: r#"{"query":"heliotrope"}"#, shows: MINE },
    reads("openapi", 200, ""),
    reads("entitlement", 200, ""),
    reads("skills", 200, ""),
    reads("skill runs", 200, ""),
    writes("run skills", 409, 409, "{}"),
    writes("decide dossier", 404, 404, r#"{"action":"approve"}"#),
    writes("install skill", 404, 404, r#"{"install_state":"installed"}"#),
    reads("list API tokens", 200, ""),
    writes("create API token", 201, 201, r#"{"name":"another"}"#),
    writes("revoke API token", 200, 404, ""),
    // A device has nothing but its code or its refresh token: to them an API key is nobody's.
    writes("device login", 401, 401, r#"{"device_code":"nobody"}"#),
    writes("device refresh", 401, 401, ""),
    writes("device logout", 401, 401, ""),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_route_has_a_row() {
    let routes: BTreeSet<_> = sg_rest::specstory::ROUTES.iter().map(|route| route.name).collect();
    let rows: BTreeSet<_> = ROUTES.iter().map(|row| row.name).collect();
    assert_eq!(routes, rows, "the route table on the left, the rows of this test on the right");
    assert_eq!(sg_rest::specstory::ROUTES.len(), ROUTES.len(), "a name stands twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_answer_their_owner_alone() {
    let world = World::start().await;
    for route in sg_rest::specstory::ROUTES {
        // What changes something gets a world of its own.
        match route.scope {
            Some(Scope::Write) => {
                let world = World::start().await;
                check_route(&world, route).await;
                world.gateway.run_jobs().await;
            }
            _ => check_route(&world, route).await,
        }
    }
}

async fn check_route<G>(world: &World, route: &Route<G>) {
    let row = ROUTES.iter().find(|row| row.name == route.name).expect("a row");
    let ids = Ids::of(world).await;
    let path = route.path.replace("{pid}", OWN).replace("{sid}", FULL).replace("{xid}", &ids.exchange);
    let path = path.replace("{id}", &ids.key).replace("{name}", "a-skill");
    let nobody = if route.scope.is_some() { 401 } else { row.foreign };
    let (wrong, refused) = match route.scope {
        Some(Scope::Write) => (Who::ReadOnly, 403),
        Some(_) => (Who::WriteOnly, 403),
        None => (Who::WriteOnly, row.foreign),
    };
    let right = if route.scope.is_some() { row.right } else { row.foreign };
    for method in route.methods {
        for (who, status) in [
            (Who::Nobody, nobody),
            (Who::Stranger, nobody),
            (wrong, refused),
            (Who::Other, row.foreign),
            (Who::Me, right),
        ] {
            let headers = [("content-type", "application/json")];
            let answer = world.send(who, method, &path, &headers, row.body.into()).await;
            let at = format!("{method} {path} for {who:?}");
            assert_eq!(answer.status, status, "{at}: {}", answer.text());
            if !row.shows.is_empty() {
                let is_mine = answer.text().contains(row.shows);
                assert_eq!(is_mine, who == Who::Me && *method != "HEAD", "{at}: {}", answer.text());
            }
            assert!(who == Who::Me || !answer.text().contains(MINE), "{at}: {}", answer.text());
            // What another account makes under the same path is its own, and so is its tag.
            let has_tag = !answer.header("etag").is_empty() && answer.status != 201;
            assert!(!has_tag || who == Who::Me, "{at} tells a tag");
        }
    }
    world.gateway.run_jobs().await;
}
