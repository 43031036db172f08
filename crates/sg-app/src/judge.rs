//! Which model is asked for an account, where, and with whose key (`contracts/sessionfs.md` row 23).
//!
//! A key goes nowhere but to the endpoint it was given for: one that is kept is sealed together with its provider and
//! address, and opens for those alone.

use sg_domain::{Error, Identity, Result, UserId};
use sg_store::StoredJudge;

use crate::{App, ModelEndpoint, ModelProtocol, Vault};

/// The model that is asked when nobody names one.
const DEFAULT_MODEL: &str = "claude-sonnet-4";
/// The longest name of a model or a provider, key and address.
const MAX_NAME_CHARS: usize = 200;
const MAX_KEY_BYTES: usize = 4_096;
const MAX_URL_BYTES: usize = 2_048;
/// What the vault seals kept keys for.
pub(crate) const KEPT_KEY: &str = "judge key";

/// Providers by name, with the address that each answers at; all but Anthropic speak as OpenAI does.
const PROVIDERS: [(&str, &str); 14] = [
    ("anthropic", "https://api.anthropic.com"),
    ("openai", "https://api.openai.com/v1"),
    ("google", "https://generativelanguage.googleapis.com/v1beta/openai"),
    ("openrouter", "https://openrouter.ai/api/v1"),
    ("deepseek", "https://api.deepseek.com/v1"),
    ("kimi", "https://api.moonshot.ai/v1"),
    ("xai", "https://api.x.ai/v1"),
    ("mistral", "https://api.mistral.ai/v1"),
    ("zai", "https://api.z.ai/api/paas/v4"),
    ("qwen", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"),
    ("minimax", "https://api.minimax.io/v1"),
    ("groq", "https://api.groq.com/openai/v1"),
    ("together", "https://api.together.xyz/v1"),
    ("fireworks", "https://api.fireworks.ai/inference/v1"),
];
/// What is none of them: an address of one's own.
pub(crate) const CUSTOM: &str = "custom";
/// The end of an address that is spoken to as Anthropic is.
const ANTHROPIC_PATH: &str = "/v1/messages";

/// What a caller says of the model to ask. What is left out, or empty, comes from the account's settings, then from the
/// server's.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ModelChoice {
    /// Its name.
    pub model: Option<String>,
    /// Who runs it.
    pub provider: Option<String>,
    /// What it is paid with.
    pub key: Option<String>,
    /// The address to ask it at.
    pub base_url: Option<String>,
}

/// Shows no key.
impl std::fmt::Debug for ModelChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelChoice")
            .field("model", &self.model)
            .field("provider", &self.provider)
            .field("has_key", &self.key.is_some())
            .field("base_url", &self.base_url)
            .finish()
    }
}

/// The model that the server itself offers to all of its accounts.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerModel {
    /// Who runs it, by name.
    pub provider: String,
    /// Its name there; empty: the one that nobody has to name.
    pub model: String,
    /// The address to ask it at, without a slash at its end; empty: the provider's own.
    pub base_url: String,
    /// What it is paid with.
    pub key: Option<String>,
}

/// Shows no key.
impl std::fmt::Debug for ServerModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerModel").field("provider", &self.provider).field("base_url", &self.base_url).finish()
    }
}

/// Where a key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyFrom {
    /// The request.
    Request,
    /// The account's settings.
    Settings,
    /// The server's settings.
    Server,
    /// There is none.
    Nowhere,
}

#[expect(dead_code, reason = "for audits, which are not built yet")]
impl KeyFrom {
    const ALL: [Self; 4] = [Self::Request, Self::Settings, Self::Server, Self::Nowhere];

    /// Its name in storage.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Settings => "settings",
            Self::Server => "server",
            Self::Nowhere => "nowhere",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|from| from.name() == name)
    }
}

/// A model that is ready to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judge {
    /// Where, and with what key.
    pub endpoint: ModelEndpoint,
    /// Its name there.
    pub model: String,
    /// Who runs it, by name, for reports.
    pub provider: String,
    /// Where the key came from.
    pub(crate) key_from: KeyFrom,
}

impl Judge {
    /// The address it is asked at, for reports: it holds no key.
    pub fn base_url(&self) -> &str {
        &self.endpoint.base_url
    }
}

impl App {
    /// The model to ask for an account: what the request says, then the account's settings, then the server's. `None` when
    /// none of them has a key or an address. `Invalid` for a provider that is not known and an address that is none.
    pub(crate) async fn judge_endpoint(&self, identity: &Identity, choice: &ModelChoice) -> Result<Option<Judge>> {
        let kept = self.store().judge_setting(&identity.user).await?;
        choose(&checked(choice)?, kept.as_ref(), self.inner.server_model.as_ref(), |kept| {
            self.kept_key(&identity.user, kept)
        })
    }

    /// The key that an account's settings keep, for their own provider and address.
    pub(crate) fn kept_key(&self, user: &UserId, kept: &StoredJudge) -> Result<Option<String>> {
        let bound_to = bound_to(user, &kept.provider, kept.base_url.as_deref());
        kept.sealed_key.as_deref().map(|sealed| opened(&self.inner.vault, KEPT_KEY, &bound_to, sealed)).transpose()
    }
}

/// Who may open a kept key: whose it is and where it goes.
pub(crate) fn bound_to(user: &UserId, provider: &str, base_url: Option<&str>) -> String {
    format!("{user}\n{provider}\n{}", base_url.unwrap_or_default())
}

/// Seals text, as hex digits.
#[expect(dead_code, reason = "for settings, which are not built yet")]
pub(crate) fn sealed(vault: &Vault, purpose: &str, bound_to: &str, text: &str) -> Result<String> {
    vault.seal(purpose, bound_to, text).map(hex::encode)
}

/// What [`sealed`] gave.
pub(crate) fn opened(vault: &Vault, purpose: &str, bound_to: &str, sealed: &str) -> Result<String> {
    let bytes = hex::decode(sealed).map_err(|_| Error::internal("a sealed key is no hex"))?;
    vault.open(purpose, bound_to, &bytes)
}

/// Row 23's order, without I/O. `open` gives the key of the settings, where it is wanted.
fn choose(
    given: &ModelChoice,
    kept: Option<&StoredJudge>,
    server: Option<&ServerModel>,
    open: impl Fn(&StoredJudge) -> Result<Option<String>>,
) -> Result<Option<Judge>> {
    // Settings for another provider have nothing to say about this one, nor for another address.
    let kept = kept.filter(|kept| given.provider.as_ref().is_none_or(|provider| *provider == kept.provider));
    let named = |kept: &StoredJudge| (!kept.model.is_empty()).then(|| kept.model.clone());
    let model = given.model.clone().or_else(|| kept.and_then(named));
    let is_kept_address =
        given.base_url.is_none() || given.base_url.as_deref() == kept.and_then(|k| k.base_url.as_deref());
    let bound = kept.filter(|_| is_kept_address);
    let base_url = given.base_url.clone().or_else(|| bound.and_then(|kept| kept.base_url.clone()));
    let (key, key_from) = match (&given.key, bound) {
        (Some(key), _) => (Some(key.clone()), KeyFrom::Request),
        (None, Some(bound)) => (open(bound)?, KeyFrom::Settings),
        (None, None) => (None, KeyFrom::Nowhere),
    };
    let key_from = if key.is_some() { key_from } else { KeyFrom::Nowhere };
    if key.is_none() && base_url.is_none() {
        return Ok(server
            .filter(|server| given.provider.as_ref().is_none_or(|p| *p == server.provider))
            .map(|server| server.judge(model.filter(|_| given.model.is_some()))));
    }
    let model = model.unwrap_or_else(|| DEFAULT_MODEL.to_owned());
    let named = given.provider.clone().or_else(|| bound.map(|kept| kept.provider.clone()));
    let (provider, endpoint) = match base_url {
        Some(base_url) => (named.unwrap_or_else(|| CUSTOM.to_owned()), foreign_endpoint(&base_url, key)),
        None => {
            // A key that came with a model is that model's maker's, whatever the settings say.
            let made_by = given.model.as_deref().filter(|_| key_from == KeyFrom::Request && given.provider.is_none());
            let provider = match made_by.and_then(maker_of).or(named.as_deref()) {
                Some(CUSTOM) => return Err(Error::invalid("the provider custom needs a base_url").at("baseUrl")),
                Some(named) => named,
                None => provider_of(&model),
            };
            (provider.to_owned(), own_endpoint(provider, key))
        }
    };
    Ok(Some(Judge { endpoint, model, provider, key_from }))
}

impl ServerModel {
    fn judge(&self, model: Option<String>) -> Judge {
        let endpoint = self.endpoint();
        let own = || if self.model.is_empty() { DEFAULT_MODEL.to_owned() } else { self.model.clone() };
        let key_from = if endpoint.key.is_some() { KeyFrom::Server } else { KeyFrom::Nowhere };
        Judge { endpoint, model: model.unwrap_or_else(own), provider: self.provider.clone(), key_from }
    }

    /// Where it is. The operator chose the address: it may lead anywhere.
    pub(crate) fn endpoint(&self) -> ModelEndpoint {
        let mut endpoint = own_endpoint(&self.provider, self.key.clone());
        if !self.base_url.is_empty() {
            self.base_url.trim_end_matches('/').clone_into(&mut endpoint.base_url);
        }
        endpoint
    }
}

/// An endpoint at an address that a caller chose: spoken to as OpenAI is, unless the address itself is Anthropic's kind.
pub(crate) fn foreign_endpoint(base_url: &str, key: Option<String>) -> ModelEndpoint {
    let base_url = base_url.trim_end_matches('/');
    let (protocol, base_url) = match base_url.strip_suffix(ANTHROPIC_PATH) {
        Some(base_url) => (ModelProtocol::Anthropic, base_url),
        None if base_url == address_of("anthropic").unwrap_or_default() => (ModelProtocol::Anthropic, base_url),
        None => (ModelProtocol::OpenAi, base_url),
    };
    ModelEndpoint { protocol, base_url: base_url.to_owned(), key, is_foreign: true }
}

/// A provider's own endpoint.
fn own_endpoint(provider: &str, key: Option<String>) -> ModelEndpoint {
    let protocol = if provider == "anthropic" { ModelProtocol::Anthropic } else { ModelProtocol::OpenAi };
    let base_url = address_of(provider).unwrap_or_default().to_owned();
    ModelEndpoint { protocol, base_url, key, is_foreign: false }
}

fn address_of(provider: &str) -> Option<&'static str> {
    PROVIDERS.iter().find(|(name, _)| *name == provider).map(|(_, address)| *address)
}

/// Whether a provider is one that can be named.
pub(crate) fn is_provider(name: &str) -> bool {
    name == CUSTOM || address_of(name).is_some()
}

/// Who runs a model, by its name.
fn provider_of(model: &str) -> &'static str {
    maker_of(model).unwrap_or("openrouter")
}

/// Who makes a model that only its maker runs under this name.
fn maker_of(model: &str) -> Option<&'static str> {
    match model {
        _ if model.contains('/') => None,
        _ if model.starts_with("claude-") => Some("anthropic"),
        _ if ["gpt-", "o1", "o3", "o4"].iter().any(|start| model.starts_with(start)) => Some("openai"),
        _ if model.starts_with("gemini-") => Some("google"),
        _ => None,
    }
}

/// A choice with its texts trimmed, the empty ones left out; `Invalid` for what cannot be one.
fn checked(choice: &ModelChoice) -> Result<ModelChoice> {
    let text =
        |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let provider = text(&choice.provider).map(|name| name.to_lowercase());
    let provider = provider.map(|name| checked_provider(&name)).transpose()?;
    let model = text(&choice.model).map(|name| checked_name("model", name)).transpose()?;
    let key = text(&choice.key).map(checked_key).transpose()?;
    let base_url = text(&choice.base_url).map(|url| checked_base_url(&url)).transpose()?;
    Ok(ModelChoice { model, provider, key, base_url })
}

/// A provider's name, if it is one.
pub(crate) fn checked_provider(name: &str) -> Result<String> {
    if is_provider(name) {
        return Ok(name.to_owned());
    }
    let known: Vec<_> = PROVIDERS.iter().map(|(name, _)| *name).chain([CUSTOM]).collect();
    let message = format!("unknown provider {}, use one of: {}", sg_domain::error::quote(name), known.join(", "));
    Err(Error::invalid(message).at("provider"))
}

/// The name of a model, if it can be one.
pub(crate) fn checked_name(field: &'static str, name: String) -> Result<String> {
    if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(Error::invalid(format!("{field} must be at most {MAX_NAME_CHARS} characters of text")).at(field));
    }
    Ok(name)
}

/// A key, if it can stand in a header.
pub(crate) fn checked_key(key: String) -> Result<String> {
    if key.len() > MAX_KEY_BYTES || !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::invalid("the key must be printable ASCII without spaces").at("key"));
    }
    Ok(key)
}

/// An address that models can be at, without slashes at its end: nothing in it but scheme, host, port and path. Whether it
/// may be called is decided where it is.
pub(crate) fn checked_base_url(url: &str) -> Result<String> {
    let wrong = |message: &str| Err(Error::invalid(message).at("baseUrl"));
    let url = url.trim().trim_end_matches('/');
    let rest = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https")).map(|(_, rest)| rest);
    let Some(rest) = rest else { return wrong("base_url must begin with https://") };
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.is_empty() || url.len() > MAX_URL_BYTES || !url.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
        return wrong("base_url must be the address of an API, such as https://models.example.com/v1");
    }
    if authority.contains('@') {
        return wrong("base_url must hold no user name and no password");
    }
    if url.contains(['?', '#']) {
        return wrong("base_url must hold no query and no fragment");
    }
    Ok(url.to_owned())
}

#[cfg(test)]
mod tests;
