//! Signing in through an OpenID Connect provider: authorization code with PKCE, state and nonce.
//!
//! What a sign-in needs to remember is in a cookie of the browser that began it, so that an answer of the provider is good
//! in that browser alone, and for a few minutes.

use axum::extract::{Query, State};
use axum::response::Response;
use http::request::Parts;
use http::{StatusCode, Uri};
use maud::html;
use openidconnect::core::CoreAuthenticationFlow;
use openidconnect::{CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier};
use sg_app::SignUp;
use sg_domain::{Digest, Error, ErrorKind, ExternalIdentity};

use crate::failure::{problem, sentence};
use crate::layout::{self, Frame, Place};
use crate::{Pages, answer, next, sign_in, visitor};

mod provider;

pub(crate) use provider::Provider;

/// A provider that people sign in through.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OidcSettings {
    /// The provider's address, as its discovery document names itself.
    pub issuer: String,
    /// This server's name at the provider.
    pub client_id: String,
    /// Its secret there; empty for a public client.
    pub client_secret: String,
    /// What the button says, behind "Sign in with".
    pub name: String,
    /// Who may come in without having been linked to an account.
    pub sign_up: SignUp,
}

/// Shows no secret.
impl std::fmt::Debug for OidcSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OidcSettings").field("issuer", &self.issuer).field("client_id", &self.client_id).finish()
    }
}

/// Where the provider sends browsers back to, below the public address.
pub(crate) const CALLBACK: &str = "/login/oidc/callback";
/// How long a person has for it.
const COOKIE_SECS: i64 = 10 * 60;

/// `GET /login/oidc`: to the provider. A link and no form: the pages' policy sends forms nowhere else.
pub(crate) async fn start(State(pages): State<Pages>, uri: Uri) -> Response {
    let Some(provider) = &pages.oidc else { return problem(&Error::not_found("page"), None) };
    let client = match provider.client(&pages.app, false).await {
        Ok(client) => client,
        Err(error) => return refused(&error),
    };
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scope(openidconnect::Scope::new("email".to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    let begun = Begun {
        state: state.into_secret(),
        nonce: nonce.secret().clone(),
        verifier: verifier.into_secret(),
        next: sign_in::wanted(&uri),
    };
    let mut response = answer::see_other(url.as_str());
    sign_in::set_cookie(&mut response, &pages.oidc_cookie(&begun.to_cookie(), COOKIE_SECS));
    response
}

/// `GET /login/oidc/callback`: from the provider, with a code or a refusal.
pub(crate) async fn callback(State(pages): State<Pages>, parts: Parts) -> Response {
    let Some(provider) = &pages.oidc else { return problem(&Error::not_found("page"), None) };
    let mut response = match finish(&pages, provider, &parts).await {
        Ok(response) => response,
        Err(error) => refused(&error),
    };
    // Good for one answer, whatever that was.
    sign_in::set_cookie(&mut response, &pages.oidc_cookie("", 0));
    response
}

async fn finish(pages: &Pages, provider: &Provider, parts: &Parts) -> Result<Response, Error> {
    let answer = Answer::of(&parts.uri);
    let begun = visitor::read(&parts.headers, pages.oidc_cookie_name()).and_then(|cookie| Begun::of_cookie(&cookie));
    // The comparison is of hashes of both, which nobody can steer.
    let hash = |text: &str| Digest::of(text.as_bytes());
    let is_begun = |begun: &Begun| answer.state.as_deref().is_some_and(|state| hash(state) == hash(&begun.state));
    let Some(begun) = begun.filter(is_begun) else {
        return Err(Error::invalid(
            "this sign-in was not begun in this browser, or it took longer than ten minutes: begin again",
        ));
    };
    if answer.issuer.as_deref().is_some_and(|issuer| issuer != provider.settings.issuer) {
        return Err(Error::new(ErrorKind::Forbidden, "this answer is another provider's"));
    }
    if let Some(error) = &answer.error {
        tracing::info!(error = %sg_domain::error::quote(error), "the sign-in provider refused");
        return Err(Error::new(
            ErrorKind::Forbidden,
            match error.as_str() {
                "access_denied" => "your provider says that you may not, or that you changed your mind",
                _ => "your provider could not sign you in",
            },
        ));
    }
    let code = answer.code.ok_or_else(|| Error::invalid("your provider sent no code"))?;
    let verifier = PkceCodeVerifier::new(begun.verifier);
    let who: ExternalIdentity = provider.identity(&pages.app, code, verifier, Nonce::new(begun.nonce)).await?;
    let session = pages.app.sign_in_external(&who, &provider.settings.sign_up).await?;
    if let Some(old) = visitor::read(&parts.headers, visitor::COOKIE) {
        pages.app.sign_out(&old).await?;
    }
    Ok(sign_in::signed_in_as(pages, &session, next::local(Some(&begun.next))))
}

/// The page of a sign-in that came to nothing, with a way to begin again.
fn refused(error: &Error) -> Response {
    if matches!(error.kind, ErrorKind::Internal | ErrorKind::NotFound) {
        return problem(error, None);
    }
    if error.kind == ErrorKind::Unavailable {
        tracing::warn!(error = ?error, "signing in through the provider failed");
    } else {
        tracing::info!(error = ?error, "signing in through the provider was refused");
    }
    let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let frame = Frame { title: "Sign in", viewer: None, place: Place::Nowhere, query: "" };
    let main = html! {
        div.panel.sign-in {
            h1 { "You are not signed in" }
            p.note role="alert" { (sentence(&error.message)) }
            a.button href="/login" { "Back to sign-in" }
        }
    };
    answer::page(status, layout::page(&frame, main))
}

/// What the provider sends back.
#[derive(Default)]
struct Answer {
    code: Option<String>,
    state: Option<String>,
    issuer: Option<String>,
    error: Option<String>,
}

impl Answer {
    fn of(uri: &Uri) -> Self {
        let mut answer = Self::default();
        for (name, value) in pairs(uri) {
            let field = match name.as_str() {
                "code" => &mut answer.code,
                "state" => &mut answer.state,
                "iss" => &mut answer.issuer,
                "error" => &mut answer.error,
                _ => continue,
            };
            field.get_or_insert(value);
        }
        answer
    }
}

/// A sign-in that was begun, as its cookie keeps it.
struct Begun {
    state: String,
    nonce: String,
    verifier: String,
    next: String,
}

impl Begun {
    fn to_cookie(&self) -> String {
        let encoded = |text| next::encoded(text);
        let (state, nonce, verifier) = (encoded(&self.state), encoded(&self.nonce), encoded(&self.verifier));
        format!("state={state}&nonce={nonce}&verifier={verifier}&next={}", encoded(&self.next))
    }

    fn of_cookie(cookie: &str) -> Option<Self> {
        let pairs = pairs(&format!("/?{cookie}").parse().ok()?);
        let get =
            |name| pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone()).filter(|v| !v.is_empty());
        Some(Self { state: get("state")?, nonce: get("nonce")?, verifier: get("verifier")?, next: get("next")? })
    }
}

fn pairs(uri: &Uri) -> Vec<(String, String)> {
    Query::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default()
}

impl Pages {
    /// With TLS a name that no other host of the domain can set.
    fn oidc_cookie_name(&self) -> &'static str {
        if self.settings.is_secure() { "__Host-sg_oidc" } else { "sg_oidc" }
    }

    fn oidc_cookie(&self, value: &str, age_secs: i64) -> String {
        visitor::made(self.oidc_cookie_name(), value, "/", Some(age_secs), self.settings.is_secure()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_comes_back_from_its_cookie() {
        let begun = Begun {
            state: "a-b_c".to_owned(),
            nonce: "n+/=;".to_owned(),
            verifier: "v~.".to_owned(),
            next: "/p?a=b&c=%20;d".to_owned(),
        };
        let cookie = begun.to_cookie();
        assert!(cookie.bytes().all(|b| b.is_ascii_graphic() && !b";,\"\\".contains(&b)), "{cookie}");
        let back = Begun::of_cookie(&cookie).unwrap();
        assert_eq!(
            (back.state, back.nonce, back.verifier, back.next),
            (begun.state, begun.nonce, begun.verifier, begun.next)
        );
        for bad in ["", "x", "state=&nonce=n&verifier=v&next=/", "state=s&nonce=n&next=/"] {
            assert!(Begun::of_cookie(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn of_what_comes_twice_in_an_answer_the_first_counts() {
        let answer = Answer::of(&"/login/oidc/callback?code=1&code=2&state=a%20b&x=y".parse().unwrap());
        assert_eq!((answer.code.as_deref(), answer.state.as_deref(), answer.error), (Some("1"), Some("a b"), None));
    }
}
