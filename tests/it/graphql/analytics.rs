//! Figures and costs as a client asks for them: ranges, filters, prices, and a statement for each figure.

use serde_json::{Value, json};
use sg_domain::{Message, Role, TokenUsage};

use crate::harness::{Gateway, Sample};

fn answer(model: Option<&str>, input: u64, output: u64) -> Message {
    let usage = Some(TokenUsage { input, output, ..TokenUsage::default() });
    Message { model: model.map(str::to_owned), usage, ..Message::text(Role::Assistant, "Done.") }
}

/// Three days, two projects, four models of which two have prices.
async fn seeded() -> Gateway {
    let gateway = Gateway::start().await;
    let sample = |id: &str, at: &str| Sample::new(id).silent().user("Go on").at(at);
    let late = sample("late", "2026-10-01T23:59:30Z")
        .message(answer(Some("claude-opus-4-6-20260205"), 1_000_000, 100_000))
        .message(answer(Some("somebody-else-7b"), 500, 0));
    let next =
        sample("next", "2026-10-03T08:00:00Z").message(answer(Some("gpt-5-mini"), 4_000_000, 0)).project("two", "Two");
    let dark = sample("dark", "2026-10-03T09:00:00Z").message(answer(None, 10, 5)).project("two", "Two");
    for sample in [late, next, dark] {
        gateway.seed(sample).await;
    }
    gateway
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_count_on_their_own_day_and_sessions_on_their_last() {
    let gateway = seeded().await;
    let query = "query($range: TimeRange) { analytics(timeRange: $range) { totalSessions totalProjects
        activityByDay { date sessions projects } activityByHour { weekday hour sessions }
        usage { total cost unpricedTokens } usageByDay { date usage { total cost } } } }";
    let all = gateway.graphql(query, json!({})).await;
    // The answers of the first session were given after midnight.
    let wanted = json!({
        "totalSessions": 3, "totalProjects": 2,
        "activityByDay": [
            { "date": "2026-10-02", "sessions": 1, "projects": 1 }, { "date": "2026-10-03", "sessions": 2, "projects": 1 },
        ],
        // A Friday and a Saturday.
        "activityByHour": [
            { "weekday": 5, "hour": 0, "sessions": 1 }, { "weekday": 6, "hour": 8, "sessions": 1 },
            { "weekday": 6, "hour": 9, "sessions": 1 },
        ],
        "usage": { "total": 5_100_515, "cost": "8.50", "unpricedTokens": 515 },
        "usageByDay": [
            { "date": "2026-10-02", "usage": { "total": 1_100_500, "cost": "7.50" } },
            { "date": "2026-10-03", "usage": { "total": 4_000_015, "cost": "1.00" } },
        ],
    });
    assert_eq!(all["analytics"], wanted);
    let first = json!({ "range": { "start": "2026-10-01", "end": "2026-10-02" } });
    let first = gateway.graphql(query, first).await;
    assert_eq!(first["analytics"]["totalSessions"], 1);
    assert_eq!(first["analytics"]["usage"], json!({ "total": 1_100_500, "cost": "7.50", "unpricedTokens": 500 }));
    let none = json!({ "range": { "end": "2026-10-01" } });
    let none = gateway.graphql(query, none).await;
    assert_eq!(none["analytics"]["usage"], json!({ "total": 0, "cost": "0.00", "unpricedTokens": 0 }));
    assert_eq!(none["analytics"]["usageByDay"], json!([]));
    let bad = json!({ "range": { "start": "soon" } });
    assert_eq!(gateway.graphql_code(query, bad).await, "VALIDATION_ERROR");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_price_has_no_cost() {
    let gateway = seeded().await;
    let query = "{ analytics { usageByModel { model usage { total cost unpricedTokens } }
        usageByAgent { agent usage { total } } usageByProject { project { name } usage { total cost } } }
        sessions(orderBy: \"name\", orderDirection: \"asc\") { nodes { name cost usage { total cost unpricedTokens }
            messages { nodes { usage { cost } } } } }
        projects { name stats { cost usage { total } } } stats { cost usage { unpricedTokens } } }";
    let data = gateway.graphql(query, json!({})).await;
    let usage =
        |total: u64, cost: Value, unpriced: u64| json!({ "total": total, "cost": cost, "unpricedTokens": unpriced });
    let wanted = json!({
        "usageByModel": [
            { "model": "gpt-5-mini", "usage": usage(4_000_000, json!("1.00"), 0) },
            { "model": "claude-opus-4-6-20260205", "usage": usage(1_100_000, json!("7.50"), 0) },
            { "model": "somebody-else-7b", "usage": usage(500, Value::Null, 500) },
            { "model": null, "usage": usage(15, Value::Null, 15) },
        ],
        "usageByAgent": [{ "agent": "Claude Code", "usage": { "total": 5_100_515 } }],
        "usageByProject": [
            { "project": { "name": "Two" }, "usage": { "total": 4_000_015, "cost": "1.00" } },
            { "project": { "name": "gateway" }, "usage": { "total": 1_100_500, "cost": "7.50" } },
        ],
    });
    assert_eq!(data["analytics"], wanted);
    let messages = |costs: &[Value]| {
        let costs = costs.iter().map(|cost| json!({ "usage": { "cost": cost } }));
        let nodes: Vec<_> = [json!({ "usage": null })].into_iter().chain(costs).collect();
        json!({ "nodes": nodes })
    };
    let session = |name: &str, cost: Value, total: u64, unpriced: u64, costs: &[Value]| json!({ "name": name, "cost": cost, "usage": usage(total, cost.clone(), unpriced), "messages": messages(costs) });
    let wanted = json!([
        session("Session dark", Value::Null, 15, 15, &[Value::Null]),
        session("Session late", json!("7.50"), 1_100_500, 500, &[json!("7.50"), Value::Null]),
        session("Session next", json!("1.00"), 4_000_000, 0, &[json!("1.00")]),
    ]);
    assert_eq!(data["sessions"]["nodes"], wanted);
    let wanted = json!([
        { "name": "Two", "stats": { "cost": "1.00", "usage": { "total": 4_000_015 } } },
        { "name": "gateway", "stats": { "cost": "7.50", "usage": { "total": 1_100_500 } } },
    ]);
    assert_eq!(data["projects"], wanted);
    assert_eq!(data["stats"], json!({ "cost": "8.50", "usage": { "unpricedTokens": 515 } }));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_projects_and_words_narrow_figures() {
    let gateway = seeded().await;
    let count = async |arguments: &str| {
        let data = gateway
            .graphql(&format!("{{ analytics({arguments}) {{ totalSessions usage {{ total }} }} }}"), json!({}))
            .await;
        (data["analytics"]["totalSessions"].as_i64().unwrap(), data["analytics"]["usage"]["total"].as_i64().unwrap())
    };
    assert_eq!(count("projectId: \"two\"").await, (2, 4_000_015));
    assert_eq!(count("projectId: \"two\", filters: { projectId: \"1111-2222-3333-4444\" }").await, (0, 0));
    assert_eq!(count("filters: { not: { projectId: \"two\" } }").await, (1, 1_100_500));
    assert_eq!(count("filters: { searchText: \"done\" }").await, (3, 5_100_515));
    assert_eq!(count("filters: { searchText: \"xylophone\" }").await, (0, 0));
    // Active in the range against answered in it.
    assert_eq!(count("filters: { endDate: \"2026-10-01\" }").await, (0, 0));
    assert_eq!(
        gateway.graphql_code("{ analytics(filters: { cursor: \"x\" }) { totalSessions } }", json!({})).await,
        "VALIDATION_ERROR"
    );
    for limit in ["0", "-1", "1001"] {
        let query = format!("{{ analytics {{ sessionsByTag(limit: {limit}) {{ tag }} }} }}");
        assert_eq!(gateway.graphql_code(&query, json!({})).await, "VALIDATION_ERROR");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_figure_is_a_statement_and_only_when_asked_for() {
    let gateway = seeded().await;
    let statements = async |query: &str| {
        let before = gateway.app.statements();
        gateway.graphql(query, json!({})).await;
        gateway.app.statements() - before
    };
    // The first use of a key is noted.
    statements("{ viewer { id } }").await;
    let base = statements("{ analytics { __typename } }").await;
    for field in [
        "totalSessions totalProjects",
        "sessionsByModel { model count totalSize }",
        "activityByDay { date }",
        "usage { input cost unpricedTokens }",
        "usageByDay { date usage { cost total } }",
    ] {
        assert_eq!(statements(&format!("{{ analytics {{ {field} }} }}")).await, base + 1, "{field}");
    }
    // The costs of all sessions of a list are one statement, however many fields ask.
    let list = statements("{ sessions { nodes { id usage { total } } } }").await;
    let costs = statements("{ sessions { nodes { id cost usage { total cost unpricedTokens } } } }").await;
    assert_eq!(costs, list + 1);
    let stats = statements("{ stats { cost usage { total cost } } }").await;
    assert_eq!(stats, base + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_and_neighbours_are_the_caller_s_own() {
    let gateway = seeded().await;
    let other = gateway.other().await;
    let theirs = gateway.put(&other, Sample::new("theirs").message(answer(Some("gpt-5"), 7, 0))).await;
    gateway.run_jobs().await;
    let query = "{ analytics { totalSessions usage { total } usageByModel { model } sessionsByModel { model } } }";
    let data = gateway.graphql_as(&other.key, query, json!({})).await.json();
    assert_eq!(data["data"]["analytics"]["totalSessions"], 1);
    assert_eq!(data["data"]["analytics"]["usage"]["total"], 127);
    assert!(!data.to_string().contains("mini"), "{data}");
    let query = "query($id: String!) { session(id: $id) { relatedSessions { name } } }";
    let data = gateway.graphql_as(&other.key, query, json!({ "id": theirs.id.to_string() })).await.json();
    assert_eq!(data["data"]["session"]["relatedSessions"], json!([]), "{data}");
    assert_eq!(gateway.graphql_code(query, json!({ "id": theirs.id.to_string() })).await, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn neighbours_come_with_their_reasons() {
    let gateway = Gateway::start().await;
    let one = gateway
        .seed(
            Sample::new("one")
                .user("The tide gauge drifts after the harbor flood")
                .with(|m| m.folder = Some("/w".to_owned())),
        )
        .await;
    gateway.seed(Sample::new("two").user("Calibrate the tide gauge of the harbor")).await;
    gateway.seed(Sample::new("far").silent().user("Rename a button").project("far", "Far")).await;
    let query = "query($id: String!, $limit: Int) { session(id: $id) { relatedSessions(limit: $limit) {
        name similarity reasons session { id } project { name } metadata { agentName } etag } } }";
    let data = gateway.graphql(query, json!({ "id": one.id.to_string() })).await;
    let found = data["session"]["relatedSessions"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{data:#}");
    assert_eq!(found[0]["name"], "Session two");
    assert_eq!(found[0]["reasons"], json!(["CONTENT", "PROJECT", "BRANCH"]));
    assert_eq!(found[0]["metadata"]["agentName"], "Claude Code");
    let similarity = found[0]["similarity"].as_f64().unwrap();
    assert!(similarity > 0.1 && similarity <= 1.0, "{similarity}");
    for limit in [0, -1, 51] {
        let variables = json!({ "id": one.id.to_string(), "limit": limit });
        assert_eq!(gateway.graphql_code(query, variables).await, "VALIDATION_ERROR", "{limit}");
    }
    // Not indexed yet: nothing, and no error.
    let fresh = gateway.put(&gateway.me, Sample::new("fresh").user("The tide gauge again")).await;
    let data = gateway.graphql(query, json!({ "id": fresh.id.to_string() })).await;
    assert_eq!(data["session"]["relatedSessions"], json!([]));
    gateway.run_jobs().await;
    let data = gateway.graphql(query, json!({ "id": fresh.id.to_string() })).await;
    assert_eq!(data["session"]["relatedSessions"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_prices_in_use_are_shown() {
    let gateway = Gateway::start().await;
    let data = gateway
        .graphql("{ prices { asOf isBuiltIn models { model from input output cacheRead cacheWrite } } }", json!({}))
        .await;
    let prices = &data["prices"];
    assert_eq!(prices["isBuiltIn"], true);
    let models: &Vec<Value> = prices["models"].as_array().unwrap();
    let wanted = json!({ "model": "claude-haiku-4-5", "from": null, "input": "1.00", "output": "5.00",
        "cacheRead": "0.10", "cacheWrite": "1.25" });
    assert!(models.contains(&wanted), "{data:#}");
    assert!(models.iter().any(|m| m["model"] == "o3" && m["from"] == "2025-06-10"), "{data:#}");
}
