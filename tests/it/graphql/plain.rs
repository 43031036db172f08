//! Lists of sessions are written in a short way when only plain fields are selected. Every field is asked for both ways:
//! beside a field that is not plain (`subagents`), the long way is taken.

use serde_json::{Value, json};

use crate::harness::{Gateway, Sample};

/// Fields of a type that take no argument and are scalars, enums or lists of them, read from the schema itself.
async fn leaves(gateway: &Gateway, name: &str) -> Vec<String> {
    let query = "query($name: String!) { __type(name: $name) { fields { name args { name } type { ...T ofType { ...T ofType { ...T ofType { ...T } } } } } } }
        fragment T on __Type { kind name }";
    let found = gateway.graphql(query, json!({ "name": name })).await;
    let is_leaf = |field: &&Value| {
        let mut ty = &field["type"];
        while !ty["ofType"].is_null() {
            ty = &ty["ofType"];
        }
        field["args"] == json!([]) && matches!(ty["kind"].as_str(), Some("SCALAR" | "ENUM"))
    };
    let fields = found["__type"]["fields"].as_array().unwrap();
    fields.iter().filter(is_leaf).map(|field| field["name"].as_str().unwrap().to_owned()).collect()
}

async fn seeded() -> Gateway {
    let gateway = Gateway::start().await;
    let full = Sample::new("full").named("a \"quoted\" \u{1f600} name\n").with(|m| {
        m.client_version = Some("1.2".to_owned());
        m.device_id = Some("d".to_owned());
        m.machine_name = Some("büro".to_owned());
        m.tags = Some(vec!["x\\y".to_owned(), String::new()]);
        m.title = Some("t".to_owned());
        m.summary = Some("s\u{0}".to_owned());
        m.folder = Some("/w".to_owned());
        m.git_branches = Some(Vec::new());
    });
    let mut full = full.tool("Bash", json!({}), "out");
    full.session_data = Some("{}".to_owned());
    full.raw = Some("raw".to_owned());
    full.parent = Some("bare".to_owned());
    gateway.seed(full).await;
    let bare = Sample::new("bare").with(|m| {
        m.git_branches = None;
        m.llm_models = None;
        m.agent_name = None;
    });
    gateway.seed(bare).await;
    gateway
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_is_the_same_either_way() {
    let gateway = seeded().await;
    let mut fields = leaves(&gateway, "Session").await.join(" ");
    for (field, ty) in [("metadata", "SessionMetadata"), ("counts", "SessionCounts"), ("usage", "TokenUsage")] {
        fields += &format!(" {field} {{ {} __typename }}", leaves(&gateway, ty).await.join(" "));
    }
    // Content is read from files, costs from the messages: never plain.
    let plain = ["markdownContent", "rawData", "sessionData", "cost", "unpricedTokens"]
        .into_iter()
        .fold(format!(" {fields} "), |all, content| all.replace(&format!(" {content} "), " "));
    for rows in ["nodes { ROW }", "items { ROW }", "sessions { ROW }", "edges { cursor __typename node { ROW } }"] {
        let asked = |row: &str| format!("{{ sessions(orderBy: \"name\") {{ {} }} }}", rows.replace("ROW", row));
        let short = gateway.graphql(&asked(&plain), json!({})).await;
        let mut long = gateway.graphql(&asked(&format!("{plain} subagents {{ id }}")), json!({})).await;
        remove(&mut long, "subagents");
        assert_eq!(short, long);
        assert!(short.to_string().contains("büro"), "{short}");
        let with_content = gateway.graphql(&asked(&format!("{fields} markdownContent")), json!({})).await;
        assert!(with_content.to_string().contains("Why does the login fail?"));
    }
}

fn remove(value: &mut Value, name: &str) {
    match value {
        Value::Object(fields) => {
            fields.remove(name);
            fields.values_mut().for_each(|value| remove(value, name));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| remove(value, name)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_aliases_and_directives_are_the_same_either_way() {
    let gateway = seeded().await;
    let document = "query($yes: Boolean = true, $no: Boolean = false) { sessions(orderBy: \"name\") {
        edges { ...E cursor @skip(if: $yes) at: cursor }
        pageInfo { endCursor } nodes { b: name a: name __typename ...S ... on Node { id } ... @include(if: $no) { alias } metadata { tags } SLOW } } }
        fragment E on SessionEdge { node { ...S metadata { folder } } cursor }
        fragment S on Session { metadata { folder agentName } ... { metadata { again: folder } } name @include(if: $yes) }";
    let short = gateway.graphql_as(&gateway.me.key, &document.replace("SLOW", ""), json!({})).await;
    let long = gateway.graphql_as(&gateway.me.key, &document.replace("SLOW", "subagents { id }"), json!({})).await;
    let (short_body, mut long) = (short.outcome(), long.outcome());
    remove(&mut long, "subagents");
    assert_eq!(short_body, long);
    assert!(short.json()["errors"].is_null(), "{}", short.text());
    let node = &short.json()["data"]["sessions"]["nodes"][1];
    let order: Vec<_> = node.as_object().unwrap().keys().map(String::as_str).collect();
    // In the document's order, as far as JSON here keeps one; the text has it.
    assert_eq!(order.len(), 6, "{order:?}");
    let text = short.text();
    let nodes = &text[text.find("\"nodes\"").unwrap()..];
    let at = |key: &str| nodes.find(&format!("\"{key}\":")).unwrap();
    assert!(
        at("b") < at("a")
            && at("a") < at("__typename")
            && at("__typename") < at("metadata")
            && at("metadata") < at("name")
    );
}
