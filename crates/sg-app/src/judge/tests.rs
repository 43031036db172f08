//! Which model is chosen, and where a kept key goes.

use std::cell::Cell;

use super::*;

fn given(model: &str, provider: &str, key: &str, base_url: &str) -> ModelChoice {
    let text = |text: &str| Some(text.to_owned());
    let all = ModelChoice { model: text(model), provider: text(provider), key: text(key), base_url: text(base_url) };
    checked(&all).unwrap()
}

fn kept(provider: &str, model: &str, base_url: Option<&str>) -> StoredJudge {
    StoredJudge {
        provider: provider.to_owned(),
        model: model.to_owned(),
        base_url: base_url.map(str::to_owned),
        sealed_key: Some("00".to_owned()),
    }
}

/// `provider model base_url key`, with the key that settings keep, and whether that was opened.
fn chosen(given: &ModelChoice, kept: Option<&StoredJudge>, server: Option<&ServerModel>) -> Option<String> {
    let opened = Cell::new(false);
    let open = |_: &StoredJudge| {
        opened.set(true);
        Ok(Some("kept-key".to_owned()))
    };
    let judge = choose(given, kept, server, open).unwrap()?;
    let key = judge.endpoint.key.clone().unwrap_or_else(|| "-".to_owned());
    assert_eq!(opened.get(), key == "kept-key", "a key is opened only to be used");
    Some(format!("{} {} {} {key}", judge.provider, judge.model, judge.base_url()))
}

#[test]
fn the_request_goes_before_the_settings_and_those_before_the_server() {
    let server = ServerModel {
        provider: "anthropic".to_owned(),
        model: String::new(),
        base_url: "http://10.0.0.1:1/".to_owned(),
        key: Some("server-key".to_owned()),
    };
    let kept = kept("openai", "gpt-5", None);
    let nothing = given("", "", "", "");
    assert_eq!(chosen(&nothing, None, None), None);
    assert_eq!(
        chosen(&nothing, None, Some(&server)).unwrap(),
        "anthropic claude-sonnet-4 http://10.0.0.1:1 server-key"
    );
    assert_eq!(
        chosen(&nothing, Some(&kept), Some(&server)).unwrap(),
        "openai gpt-5 https://api.openai.com/v1 kept-key"
    );
    let key = given("", "", "k", "");
    assert_eq!(chosen(&key, Some(&kept), Some(&server)).unwrap(), "openai gpt-5 https://api.openai.com/v1 k");
    assert_eq!(chosen(&key, None, None).unwrap(), "anthropic claude-sonnet-4 https://api.anthropic.com k");
    let model = given("gpt-5-mini", "", "", "");
    assert_eq!(chosen(&model, Some(&kept), None).unwrap(), "openai gpt-5-mini https://api.openai.com/v1 kept-key");
    assert_eq!(chosen(&model, None, Some(&server)).unwrap(), "anthropic gpt-5-mini http://10.0.0.1:1 server-key");
}

#[test]
fn a_kept_key_goes_only_to_its_own_provider_and_address() {
    let own = kept("custom", "m", Some("https://mine.example/v1"));
    let other = given("", "", "", "https://theirs.example/v1");
    assert_eq!(chosen(&other, Some(&own), None).unwrap(), "custom m https://theirs.example/v1 -");
    let same = given("", "", "", "https://mine.example/v1/");
    assert_eq!(chosen(&same, Some(&own), None).unwrap(), "custom m https://mine.example/v1 kept-key");
    // Not to the provider's own address either, when it was kept for another, nor the other way round.
    assert_eq!(chosen(&given("", "openai", "", ""), Some(&own), None), None);
    let named = kept("openai", "gpt-5", None);
    assert_eq!(chosen(&other, Some(&named), None).unwrap(), "custom gpt-5 https://theirs.example/v1 -");
    assert_eq!(chosen(&given("", "anthropic", "", ""), Some(&named), None), None);
    // A key of the request is not sent to what settings for another provider say.
    let key = given("", "openai", "k", "");
    assert_eq!(chosen(&key, Some(&own), None).unwrap(), "openai claude-sonnet-4 https://api.openai.com/v1 k");
    let key = given("claude-x", "", "k", "");
    assert_eq!(chosen(&key, Some(&named), None).unwrap(), "anthropic claude-x https://api.anthropic.com k");
    // Nor is the server's key, to another provider.
    let server = ServerModel { provider: "openai".into(), model: "m".into(), base_url: String::new(), key: None };
    assert_eq!(chosen(&given("", "google", "", ""), None, Some(&server)), None);
}

#[test]
fn names_of_models_tell_who_runs_them() {
    let url = |model: &str| chosen(&given(model, "", "k", ""), None, None).unwrap();
    assert!(url("claude-opus-4").contains(" https://api.anthropic.com k"));
    assert!(url("o3-mini").starts_with("openai "));
    assert!(url("gemini-2.5-pro").starts_with("google "));
    assert!(url("openai/gpt-5").starts_with("openrouter "));
    assert!(url("llama").starts_with("openrouter "));
}

#[test]
fn an_address_of_anthropics_kind_is_spoken_to_in_its_way() {
    let of = |url: &str| {
        let endpoint = foreign_endpoint(url, None);
        (endpoint.protocol, endpoint.base_url)
    };
    assert_eq!(of("https://m.example/v1"), (ModelProtocol::OpenAi, "https://m.example/v1".to_owned()));
    assert_eq!(of("https://m.example/v1/messages"), (ModelProtocol::Anthropic, "https://m.example".to_owned()));
    assert_eq!(of("https://api.anthropic.com"), (ModelProtocol::Anthropic, "https://api.anthropic.com".to_owned()));
}

#[test]
fn what_cannot_be_one_is_refused() {
    for url in [
        "x",
        "ftp://x",
        "https://",
        "https:///v1",
        "https://u:p@h/v1",
        "https://h/v1?key=1",
        "https://h/#a",
        "https://h/ v1",
        "https://h\\x",
        "https://h/\u{e4}",
        "file:///etc/passwd",
    ] {
        let choice = ModelChoice { base_url: Some(url.to_owned()), ..ModelChoice::default() };
        assert_eq!(checked(&choice).unwrap_err().input, Some(vec!["baseUrl".to_owned()]), "{url}");
    }
    let choice = |provider: &str, key: &str, model: &str| ModelChoice {
        provider: Some(provider.to_owned()),
        key: Some(key.to_owned()),
        model: Some(model.to_owned()),
        base_url: None,
    };
    assert!(checked(&choice("nobody", "", "")).is_err());
    assert!(checked(&choice("OpenAI", "", "")).is_ok());
    assert!(checked(&choice("", "a\r\nHost: x", "")).is_err());
    assert!(checked(&choice("", "", "a\u{0}")).is_err());
    assert!(choose(&given("", "custom", "k", ""), None, None, |_| Ok(None)).is_err());
    assert!(!format!("{:?}", choice("", "sk-secret", "")).contains("sk-secret"));
}
