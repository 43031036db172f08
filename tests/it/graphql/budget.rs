//! What an answer may hold is bounded while it is made, not only estimated before.

use serde_json::json;

use crate::harness::{Gateway, Sample};

/// `sessions { nodes { project { sessions { … } } } }`, so many levels deep.
fn nested(levels: usize) -> String {
    let open = "sessions(limit: 1, first: 100) { nodes { project { ".repeat(levels);
    format!("{{ {open} id {} }}", "} } } ".repeat(levels))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_limit_beside_a_large_first_hides_nothing_from_the_guard() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("s1")).await;
    gateway.graphql(&nested(2), json!({})).await;
    assert_eq!(gateway.graphql_code(&nested(5), json!({})).await, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn exchanges_that_lead_to_their_session_again_end() {
    let gateway = Gateway::start().await;
    let talk = (0..120).fold(Sample::new("s1"), |s, n| s.user(&format!("question {n}")).assistant("answer"));
    let session = gateway.seed(talk).await;
    let id = session.id.to_string();
    let once = "query($id: String!) { session(id: $id) { exchanges { content } } }";
    let data = gateway.graphql(once, json!({ "id": id })).await;
    assert_eq!(data["session"]["exchanges"].as_array().unwrap().len(), 121);
    let thrice = "query($id: String!) { session(id: $id) { exchanges { session { exchanges { session { exchanges { content } } } } } } }";
    let body = gateway.graphql_as(&gateway.me.key, thrice, json!({ "id": id })).await;
    assert_eq!(body.json()["errors"][0]["extensions"]["code"], "VALIDATION_ERROR", "{}", body.text());
    assert!(body.body.len() < 64 * 1_024, "{} bytes", body.body.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn search_text_narrows_a_query_of_alternatives() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("s1").user("alpha")).await;
    gateway.seed(Sample::new("s2").user("beta gamma")).await;
    let query = "query($q: String!, $t: String) { searchSessions(query: $q, filters: { searchText: $t }) { total } }";
    let total = async |text: Option<&str>| {
        let variables = json!({ "q": "alpha OR beta", "t": text });
        gateway.graphql(query, variables).await["searchSessions"]["total"].as_i64()
    };
    assert_eq!(total(None).await, Some(2));
    assert_eq!(total(Some("gamma")).await, Some(1));
    assert_eq!(total(Some("delta")).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_over_everything_are_counted_as_what_they_cost() {
    let gateway = Gateway::start().await;
    gateway.seed(Sample::new("s1")).await;
    let figures = "totalSessions sessionsByModel(limit: 1000) { model } sessionsByAgent { agent } sessionsByDay: activityByDay { date } \
        activityByHour { hour } usageByModel { model } usageByDay { date } usageByAgent { agent }";
    let once = format!("{{ analytics {{ {figures} }} }}");
    let data = gateway.graphql(&once, json!({})).await;
    assert_eq!(data["analytics"]["totalSessions"], 1);
    let often: String = (0..64).map(|n| format!("a{n}: analytics {{ {figures} }} ")).collect();
    assert_eq!(gateway.graphql_code(&format!("{{ {often} }}"), json!({})).await, "VALIDATION_ERROR");
}
