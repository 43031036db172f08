//! Settings from file, environment and flags, and which one wins.

use super::*;

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let home = ("HOME".to_owned(), "/home/u".to_owned());
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).chain([home]).collect()
}

fn folder(name: &str, toml: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("sg-config-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("sessiongraph.toml");
    std::fs::write(&path, toml).unwrap();
    path
}

#[test]
fn the_example_lists_every_option_with_its_default() {
    let text = include_str!("../../../../examples/sessiongraph.toml");
    let example: Config = toml::from_str(text).unwrap();
    assert_eq!(example, Config::default());
    let given: toml::Table = toml::from_str(text).unwrap();
    let all = toml::Table::try_from(Config::default()).unwrap();
    for (name, value) in &all {
        let listed = given.get(name).unwrap_or_else(|| panic!("{name} is not in the example"));
        for key in value.as_table().into_iter().flat_map(toml::Table::keys) {
            assert!(listed.as_table().is_some_and(|t| t.contains_key(key)), "{name}.{key} is not in the example");
        }
    }
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let path = folder("order", "data_dir = '/file'\n[http]\nlisten = '127.0.0.1:1'\nmax_connections = 7\n");
    let overrides = Overrides { config: Some(path), data: Some("/flag".into()), ..Overrides::default() };
    let config = load(&overrides, &env(&[("SESSIONGRAPH_HTTP__LISTEN", "127.0.0.1:2")])).unwrap();
    assert_eq!(config.data_dir, Path::new("/flag"));
    assert_eq!(config.http.listen.port(), 2);
    assert_eq!(config.http.max_connections, 7);
    assert_eq!(config.store().database_url, "sqlite:///flag/sessiongraph.db");
    assert_eq!(config.index_dir(), Path::new("/flag/index"));
}

#[test]
fn mistakes_are_named() {
    let fail = |pairs: &[(&str, &str)]| load(&Overrides::default(), &env(pairs)).unwrap_err().to_string();
    assert!(fail(&[("SESSIONGRAPH_HTTP__LISTN", "x")]).contains("there is no setting http.listn"));
    assert!(fail(&[("SESSIONGRAPH_HTTP__MAX_CONNECTIONS", "many")]).contains("not a whole number"));
    let error = fail(&[("SESSIONGRAPH_HTTP__LISTEN", "here")]);
    assert!(error.starts_with("environment variable SESSIONGRAPH_HTTP__LISTEN: "), "{error}");
    let path = folder("typo", "[http]\nlisten = '127.0.0.1:1'\nlimit = 3\n");
    let overrides = Overrides { config: Some(path), ..Overrides::default() };
    let error = load(&overrides, &env(&[])).unwrap_err().to_string();
    assert!(error.contains("line 3") && error.contains("limit") && !error.contains('\n'), "{error}");
}

#[test]
fn a_list_in_a_variable_is_separated_by_commas() {
    let name = "SESSIONGRAPH_HTTP__TRUSTED_PROXIES";
    let config = load(&Overrides::default(), &env(&[(name, "10.0.0.0/8, ::1")])).unwrap();
    let networks: Vec<_> = config.http.trusted_proxies.iter().map(Network::to_string).collect();
    assert_eq!(networks, ["10.0.0.0/8", "::1/128"]);
    let error = load(&Overrides::default(), &env(&[(name, "10.0.0.0/8,proxy")])).unwrap_err().to_string();
    assert!(error.contains(name) && error.contains("\"proxy\" is not a network"), "{error}");
}

#[test]
fn other_variables_are_left_alone() {
    let config = load(&Overrides::default(), &env(&[("SESSIONGRAPH_KEY", "sk_live_x"), ("PATH", "/bin")])).unwrap();
    assert_eq!(config.http, HttpConfig::default());
}

#[test]
fn secrets_are_never_shown() {
    let pairs = [
        ("SESSIONGRAPH_STORE__DATABASE_URL", "postgres://sg:hunter2@db/sg?sslpassword=hunter2&sslmode=require"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ("SESSIONGRAPH_STORE__AWS_SESSION_TOKEN", "hunter2"),
    ];
    let config = load(&Overrides::default(), &env(&pairs)).unwrap();
    assert!(config.store().database_url.contains("hunter2"));
    assert!(config.store().blob_options.contains(&("aws_secret_access_key".to_owned(), "hunter2".to_owned())));
    let shown = format!("{config:?}\n{}", toml::to_string(&config).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("postgres://sg:********@db/sg?sslpassword=********&sslmode=require"), "{shown}");
}

#[test]
fn a_provider_needs_a_name_and_a_way_back() {
    let fail = |pairs: &[(&str, &str)]| load(&Overrides::default(), &env(pairs)).map(drop).unwrap_err().to_string();
    let issuer = ("SESSIONGRAPH_OIDC__ISSUER", "https://id.example.com/realm");
    let client = ("SESSIONGRAPH_OIDC__CLIENT_ID", "sessiongraph");
    let url = ("SESSIONGRAPH_HTTP__PUBLIC_URL", "https://sessions.example.com/");
    assert!(fail(&[issuer, url]).contains("oidc.client_id"));
    assert!(fail(&[issuer, client]).contains("http.public_url"));
    assert!(fail(&[("SESSIONGRAPH_OIDC__ISSUER", "id.example.com"), client, url]).contains("oidc.issuer"));
    for bad in ["sessions.example.com", "https://", "ftp://x", "https://user@x", "https://x/?y", "https://x y"] {
        assert!(fail(&[("SESSIONGRAPH_HTTP__PUBLIC_URL", bad)]).contains("http.public_url"), "{bad}");
    }
    let domains = ("SESSIONGRAPH_OIDC__ALLOWED_DOMAINS", "a.example, b.example");
    let secret = ("SESSIONGRAPH_OIDC__CLIENT_SECRET", "hunter2");
    let config = load(&Overrides::default(), &env(&[issuer, client, url, domains, secret])).unwrap();
    let pages = config.pages();
    assert_eq!(pages.public_url, "https://sessions.example.com");
    let oidc = pages.oidc.unwrap();
    assert_eq!((oidc.client_secret.as_str(), oidc.sign_up.allowed_domains.len()), ("hunter2", 2));
    assert!(!format!("{config:?}\n{}", toml::to_string(&config).unwrap()).contains("hunter2"));
}
