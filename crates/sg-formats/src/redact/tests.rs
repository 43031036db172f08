//! What is found, what is left alone, and that JSON stays JSON.

use proptest::prelude::*;

use super::*;

fn redact(text: &str) -> String {
    String::from_utf8(Redactor::shared().redact(text.as_bytes()).bytes.into_owned()).unwrap()
}

/// Fixtures are put together here, so that no scanner of this repository takes them for real ones.
fn secrets() -> Vec<(&'static str, String)> {
    let mix = |n: usize| "aB3dE6gH9jK2mN5pQ8rS1tV4wX7yZ0".chars().cycle().take(n).collect::<String>();
    let hex = |n: usize| "0a1b2c3d4e5f6789".chars().cycle().take(n).collect::<String>();
    vec![
        ("aws-key", format!("AKIA{}", "IOSFODNN7EXAMPLE")),
        ("google-key", format!("AIza{}", mix(35))),
        ("anthropic-key", format!("sk-ant-api03-{}", mix(90))),
        ("openai-key", format!("sk-proj-{}", mix(64))),
        ("openai-key", format!("sk-{}", mix(48))),
        ("github-token", format!("ghp_{}", mix(36))),
        ("github-token", format!("github_pat_{}", mix(60))),
        ("gitlab-token", format!("glpat-{}", mix(20))),
        ("stripe-key", format!("sk_live_{}", mix(24))),
        ("slack-token", format!("xoxb-123456789012-{}", mix(24))),
        ("sendgrid-key", format!("SG.{}.{}", mix(22), mix(43))),
        ("twilio-key", format!("SK{}", hex(32))),
        ("npm-token", format!("npm_{}", mix(36))),
        ("huggingface-token", format!("hf_{}", mix(34))),
        ("jwt", format!("eyJhbGciOiJIUzI1NiJ9.eyJ{}.{}", mix(40), mix(43))),
        ("sessiongraph-key", format!("sk_sfs_{}", hex(32))),
    ]
}

#[test]
fn every_anchor_is_in_the_automaton() {
    assert!(Redactor::new().anchors.is_some());
}

#[test]
fn tokens_are_found_wherever_they_stand() {
    for (kind, secret) in secrets() {
        for text in [
            secret.clone(),
            format!("key {secret}, then"),
            format!("{{\"a\":\"line\\n{secret}\\nline\"}}"),
            format!("{{\"a\":\"\\u001b[32m{secret}\\u001b[0m\"}}"),
            format!("\x1b[1;32m{secret}\x1b[0m"),
            format!("export KEY={secret}"),
        ] {
            let redacted = Redactor::shared().redact(text.as_bytes());
            assert_eq!(String::from_utf8_lossy(&redacted.bytes), text.replace(&secret, &format!("[REDACTED:{kind}]")));
            assert_eq!(redacted.counts.get(kind), Some(&1));
        }
    }
}

#[test]
fn only_the_secret_of_an_assignment_goes() {
    for (text, want) in [
        ("postgres://app:hunter2@db:5432/x", "postgres://app:[REDACTED:url-password]@db:5432/x"),
        ("redis://:p%40ss@h/0", "redis://:[REDACTED:url-password]@h/0"),
        ("PASSWORD=hunter2!", "PASSWORD=[REDACTED:password]"),
        (r#"{"password": "hunter2"}"#, r#"{"password": "[REDACTED:password]"}"#),
        (r#"{"a":"{\"password\": \"hunter2\"}"}"#, r#"{"a":"{\"password\": \"[REDACTED:password]\"}"}"#),
        ("db_password: Tr0ub4dor&3", "db_password: [REDACTED:password]"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzKEYzz", "AWS_SECRET_ACCESS_KEY=[REDACTED:secret]"),
        ("api_key = 'a1B2c3D4e5F6g7H8i9'", "api_key = '[REDACTED:secret]'"),
        ("Authorization: Bearer abcdef1234567890abcdef", "Authorization: Bearer [REDACTED:authorization]"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZDEyMw==", "Authorization: Basic [REDACTED:authorization]"),
        (
            "https://hooks.slack.com/services/T000/B000/abcDEF123456",
            "https://hooks.slack.com/services/[REDACTED:slack-webhook]",
        ),
    ] {
        assert_eq!(redact(text), want);
    }
}

#[test]
fn private_keys_keep_their_head_and_end() {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
    for (label, newline) in [("RSA PRIVATE KEY", "\n"), ("PRIVATE KEY", "\\n"), ("OPENSSH PRIVATE KEY", "\\\\n")] {
        let key = format!("-----BEGIN {label}-----{newline}{body}{newline}{body}{newline}-----END {label}-----");
        let want = format!("-----BEGIN {label}-----[REDACTED:private-key]-----END {label}-----");
        assert_eq!(redact(&format!("x {key} y")), format!("x {want} y"));
    }
    let cut = format!("{{\"k\":\"-----BEGIN PRIVATE KEY-----\\n{body}\"}}");
    assert_eq!(redact(&cut), "{\"k\":\"-----BEGIN PRIVATE KEY-----[REDACTED:private-key]\"}");
    for text in [
        "-----BEGIN PRIVATE KEY----- is how it starts",
        "-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAo",
    ] {
        assert_eq!(redact(text), text);
    }
}

#[test]
fn ordinary_text_is_left_alone() {
    for text in [
        "commit 3f786850e387550fdab836ed7e6dc881de23001b",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "session 7252c258-a24e-4a6c-82ac-772e10678465",
        "token: 7252c258-a24e-4a6c-82ac-772e10678465",
        "\"token_count\": 123456789012345678",
        "let token = tokenize(input_string_number_1);",
        "password: string;",
        "password = os.environ[\"DB_PASSWORD\"]",
        "password=$PASSWORD&x=1",
        "if password == expected_password_2 {",
        "secretName: my-application-tls-certificate",
        "const accessKey = config.get('storage.accessKey1');",
        "https://user:password@example.com/",
        "https://github.com/org/repo:main@v1",
        "postgres://$USER:$PASS@host/db and postgres://user:<password>@host/db",
        "git@github.com:org/repo.git and ssh://git@host:2222/x",
        "task-skeleton-component-with-a-long-name-and-number-1",
        "sk-some-very-long-component-name-without-anything",
        "DISKSTATION TASK SKIP SK0123",
        "eyJ is how base64 of {\" begins; eyJhbGciOiJIUzI1NiJ9 alone is a header",
        "Bearer tokens are opaque strings that authenticate",
        "Authorization: Bearer <token>",
        "{\"max_tokens\": 4096, \"input_tokens\": 12345678901234567890}",
        "the secret of https://docs.rs/tokio/1.2.3/tokio/index.html",
        "api_key = \"your-api-key-goes-here-1234\"",
        "SECRET_KEY_BASE=xxxxxxxxxxxxxxxxxxxxxxxx",
        "12:34:56 http://localhost:8080/a@b 2001:db8::1",
    ] {
        assert_eq!(redact(text), text);
        assert!(matches!(Redactor::shared().redact(text.as_bytes()).bytes, Cow::Borrowed(_)));
    }
}

#[test]
fn a_file_of_anchors_takes_no_longer_than_its_length_allows() {
    // Each of these begins something: none may look further than a bounded way ahead.
    for unit in ["-----BEGIN PRIVATE KEY-----", "://a:", "eyJ", "password=\\\\\\\\", "Bearer ", "sk-ant-"] {
        let text = unit.repeat((4 << 20) / unit.len() / 16);
        let again = redact(&text);
        assert_eq!(redact(&again), again);
    }
}

#[test]
fn archives_are_redacted_inside() {
    let member = |bytes: &[u8]| sessionfs::Member { name: "messages.jsonl".into(), bytes: bytes.to_vec() };
    let archive = sessionfs::pack(&[member(b"{\"a\":\"PASSWORD=hunter2!\"}")]).unwrap();
    let redacted = Redactor::shared().redact(&archive);
    assert_eq!(redacted.counts.get("password"), Some(&1));
    let inside = sessionfs::unpack(&redacted.bytes, &sessionfs::Limits::default()).unwrap();
    assert_eq!(inside, [member(b"{\"a\":\"PASSWORD=[REDACTED:password]\"}")]);
    let clean = sessionfs::pack(&[member(b"{}")]).unwrap();
    assert!(matches!(Redactor::shared().redact(&clean).bytes, Cow::Borrowed(_)));
}

fn piece() -> impl Strategy<Value = String> {
    let secrets: Vec<String> = secrets().into_iter().map(|(_, secret)| secret).collect();
    prop_oneof![
        "[ -~\\n\\t\"\\\\é語]{0,12}",
        prop::sample::select(secrets),
        prop::sample::select(vec![
            "password=",
            "\"password\": \"",
            "token:",
            "://u:",
            "@host",
            "Bearer ",
            "-----BEGIN PRIVATE KEY-----",
            "-----END PRIVATE KEY-----",
            "secret = '",
            "hunter2hunter2",
            "aB3dE6gH9jK2mN5pQ8rS1t",
            "[REDACTED:",
            "]",
            "\\",
            "\"",
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7",
        ])
        .prop_map(str::to_owned),
    ]
}

#[test]
fn a_password_that_runs_into_a_key_is_taken_out_too() {
    let redacted = redact("password=SK0a1b2c3d4e5f67890a1b2c3d4e5f6789AIzatoken:AKIAIOSFODNN7EXAMPLE");
    assert!(!redacted.contains("SK0a1b2c3d4e5f"), "{redacted}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn redacting_again_changes_nothing(pieces in prop::collection::vec(piece(), 0..12)) {
        let once = redact(&pieces.concat());
        prop_assert_eq!(redact(&once), once);
    }

    #[test]
    fn json_stays_json(pieces in prop::collection::vec(piece(), 0..10), key in piece(), nested in any::<bool>()) {
        let mut value = serde_json::json!({ key: pieces.concat(), "password": pieces.first(), "token": 12_345_678_901_234_567_u64, "list": pieces });
        if nested {
            value = serde_json::json!({ "inner": value.to_string() });
        }
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let redacted = redact(&text);
            let parsed = serde_json::from_str::<serde_json::Value>(&redacted);
            prop_assert!(parsed.is_ok(), "{}\n{}", text, redacted);
        }
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Redactor::shared().redact(&bytes);
    }
}
