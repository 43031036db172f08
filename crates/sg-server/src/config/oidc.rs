//! `[oidc]`: an OpenID Connect provider that people sign in through.

use serde::{Deserialize, Serialize};

use super::Secret;

/// An OpenID Connect provider that people sign in through. Off while `issuer` is empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OidcSection {
    /// The provider's address, as its discovery document names itself.
    pub issuer: String,
    /// This server's name at the provider.
    pub client_id: String,
    /// Its secret there; empty for a public client.
    pub client_secret: Secret,
    /// What the button says, behind "Sign in with".
    pub name: String,
    /// Whether an account is made for a person who has none.
    pub allow_sign_up: bool,
    /// The mail domains that accounts are made for; empty: all.
    pub allowed_domains: Vec<String>,
    /// Whether an account that has the person's verified mail address is taken to be theirs.
    pub link_by_email: bool,
}

impl Default for OidcSection {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_id: String::new(),
            client_secret: Secret::default(),
            name: "OpenID Connect".to_owned(),
            allow_sign_up: false,
            allowed_domains: Vec::new(),
            link_by_email: false,
        }
    }
}

impl OidcSection {
    /// The pages' part; `None` while there is no provider.
    pub(crate) fn settings(&self) -> Option<sg_web::OidcSettings> {
        (!self.issuer.is_empty()).then(|| sg_web::OidcSettings {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.expose().to_owned(),
            name: self.name.clone(),
            sign_up: sg_app::SignUp {
                allow_sign_up: self.allow_sign_up,
                allowed_domains: self.allowed_domains.clone(),
                link_by_email: self.link_by_email,
            },
        })
    }

    /// What is wrong with it.
    pub(super) fn fault(&self, public_url: &str) -> Option<&'static str> {
        if self.issuer.is_empty() {
            return None;
        }
        if !is_url(&self.issuer) {
            return Some("oidc.issuer must be the address of a provider, such as https://id.example.com");
        }
        if self.client_id.is_empty() {
            return Some("oidc.issuer needs oidc.client_id");
        }
        public_url.is_empty().then_some("oidc.issuer needs http.public_url: the provider sends people back to it")
    }
}

/// Whether this is an address that a browser opens.
pub(super) fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split('/').next().unwrap_or_default();
        !host.is_empty()
            && text.bytes().all(|b| b.is_ascii_graphic())
            && !text.contains(['?', '#', '@', '"', '<', '>', '\\'])
    })
}
