//! Where settings come from: the file, the environment, the flags.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{Config, absolute};

/// What the command line says instead of the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The file to read. Without it, `SESSIONGRAPH_CONFIG`, else the platform's configuration folder.
    pub config: Option<PathBuf>,
    /// `data_dir`.
    pub data: Option<PathBuf>,
    /// `store.database_url`.
    pub database_url: Option<String>,
    /// `store.blob_url`.
    pub blob_url: Option<String>,
    /// `http.listen`.
    pub listen: Option<std::net::SocketAddr>,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read configuration {path}: {source}")]
    Read {
        /// Its path.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("configuration {path}: {message}")]
    File {
        /// Its path.
        path: String,
        /// What is wrong, with its line.
        message: String,
    },
    /// A variable is not what it should be.
    #[error("environment variable {name}: {message}")]
    Variable {
        /// Its name.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// Settings do not go together.
    #[error("{0}")]
    Fault(&'static str),
    /// There is no folder to keep data in.
    #[error("there is no home folder to keep data in, name a folder with --data")]
    NoHome,
}

const PREFIX: &str = "SESSIONGRAPH_";

/// Reads the file, lays the environment and then the flags over it, and fills in what is left.
pub fn load(overrides: &Overrides, environment: &[(String, String)]) -> Result<Config, ConfigError> {
    let variable = |name: &str| {
        let found = environment.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    };
    let mut table = Table::new();
    let mut origin = "environment".to_owned();
    let named = overrides.config.clone().or_else(|| variable("SESSIONGRAPH_CONFIG").map(PathBuf::from));
    let default = || config_home(&variable).map(|dir| dir.join("sessiongraph.toml")).filter(|path| path.exists());
    if let Some(path) = named.or_else(default) {
        origin = path.display().to_string();
        table = read(&path)?;
    }
    for (name, value) in environment {
        lay_over(&mut table, name, value)?;
    }
    let parsed: Result<Config, _> = Value::Table(table).try_into();
    let mut config = parsed.map_err(|error| ConfigError::File { path: origin, message: one_line(&error) })?;
    if let Some(data) = &overrides.data {
        config.data_dir = data.clone();
    }
    if let Some(url) = &overrides.database_url {
        config.store.database_url = url.clone().into();
    }
    if let Some(url) = &overrides.blob_url {
        config.store.blob_url = url.clone().into();
    }
    if let Some(listen) = overrides.listen {
        config.http.listen = listen;
    }
    finish(config, &variable)
}

fn read(path: &Path) -> Result<Table, ConfigError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: shown.clone(), source })?;
    let invalid = |error: &toml::de::Error| ConfigError::File { path: shown.clone(), message: one_line(error) };
    // Read as settings first: only from the text itself can an error tell its line.
    toml::from_str::<Config>(&text).map_err(|error| invalid(&error))?;
    toml::from_str(&text).map_err(|error| invalid(&error))
}

/// `SESSIONGRAPH_HTTP__LISTEN` sets `http.listen`. Variables without `__` are not settings, but for the data folder.
fn lay_over(table: &mut Table, name: &str, value: &str) -> Result<(), ConfigError> {
    let Some(rest) = name.strip_prefix(PREFIX) else { return Ok(()) };
    let wrong = |message: String| ConfigError::Variable { name: name.to_owned(), message };
    if rest == "DATA_DIR" {
        table.insert("data_dir".to_owned(), Value::String(value.to_owned()));
        return Ok(());
    }
    let Some((section, key)) = rest.split_once("__") else { return Ok(()) };
    let (section, key) = (section.to_lowercase(), key.to_lowercase());
    let defaults = Table::try_from(Config::default()).map_err(|error| wrong(error.to_string()))?;
    let default = defaults.get(&section).and_then(Value::as_table).and_then(|s| s.get(&key));
    let Some(default) = default else {
        return Err(wrong(format!("there is no setting {section}.{key}, see examples/sessiongraph.toml")));
    };
    let typed = match default {
        Value::Integer(_) => value.parse().map(Value::Integer).map_err(|_| wrong("not a whole number".to_owned()))?,
        Value::Boolean(_) => value.parse().map(Value::Boolean).map_err(|_| wrong("not true or false".to_owned()))?,
        Value::Array(_) => {
            let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
            Value::Array(parts.map(|part| Value::String(part.to_owned())).collect())
        }
        _ => Value::String(value.to_owned()),
    };
    // Tried alone, so that a bad value is blamed on its variable and not on the file.
    let mut alone = Table::new();
    alone.insert(section.clone(), Value::Table(Table::from_iter([(key.clone(), typed.clone())])));
    Value::Table(alone).try_into::<Config>().map_err(|error| wrong(one_line(&error)))?;
    let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(section) = entry {
        section.insert(key, typed);
    }
    Ok(())
}

/// Fills in what is derived: folders, and the object store's usual variables.
fn finish(mut config: Config, variable: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
    if config.data_dir.as_os_str().is_empty() {
        config.data_dir = data_home(variable).ok_or(ConfigError::NoHome)?;
    }
    for dir in [&mut config.data_dir, &mut config.search.index_dir, &mut config.http.spool_dir, &mut config.prices.file]
    {
        if !dir.as_os_str().is_empty() {
            let shown = dir.display().to_string();
            *dir = absolute(dir).map_err(|source| ConfigError::Read { path: shown, source })?;
        }
    }
    let store = &mut config.store;
    let fill = |text: &mut String, names: &[&str]| {
        if text.is_empty() {
            *text = names.iter().find_map(|name| variable(name)).unwrap_or_default();
        }
    };
    fill(&mut store.aws_access_key_id, &["AWS_ACCESS_KEY_ID"]);
    fill(&mut store.aws_secret_access_key.0, &["AWS_SECRET_ACCESS_KEY"]);
    fill(&mut store.aws_session_token.0, &["AWS_SESSION_TOKEN"]);
    fill(&mut store.aws_region, &["AWS_REGION", "AWS_DEFAULT_REGION"]);
    fill(&mut store.aws_endpoint, &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
    match config.fault() {
        Some(fault) => Err(ConfigError::Fault(fault)),
        None => Ok(config),
    }
}

/// The platform's folder for a program's data.
fn data_home(variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let home = || variable("HOME").map(PathBuf::from);
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA").map(PathBuf::from)
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Application Support"))
    } else {
        variable("XDG_DATA_HOME").map(PathBuf::from).or_else(|| home().map(|home| home.join(".local/share")))
    };
    base.map(|base| base.join("sessiongraph"))
}

/// The platform's folder for a program's settings.
fn config_home(variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let home = || variable("HOME").map(PathBuf::from);
    let base = if cfg!(windows) {
        variable("APPDATA").map(PathBuf::from)
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Application Support"))
    } else {
        variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| home().map(|home| home.join(".config")))
    };
    base.map(|base| base.join("sessiongraph"))
}

/// The parser draws its errors over several lines; an error of ours is one.
fn one_line(error: &toml::de::Error) -> String {
    let drawn = error.to_string();
    let place = drawn.lines().next().and_then(|line| line.strip_prefix("TOML parse error at "));
    let message = error.message().lines().collect::<Vec<_>>().join(" ");
    place.map_or_else(|| message.clone(), |place| format!("{place}: {message}"))
}
