//! The provider itself: finding out about it, and asking it who somebody is.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenResponse,
    CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AsyncHttpClient, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    EmptyAdditionalClaims, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IdTokenVerifier,
    IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    SignatureVerificationError, StandardErrorResponse, TokenResponse as _,
};
use sg_app::App;
use sg_domain::{Error, ErrorKind, ExternalIdentity, Result, Timestamp};
use tokio::sync::{Mutex, Semaphore};

use super::{CALLBACK, OidcSettings};

/// A client that knows where the provider's endpoints are.
pub(super) type Client = openidconnect::Client<
    EmptyAdditionalClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    CoreTokenResponse,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// How an identity may be signed: by a key of which the provider publishes one half. Not `none`, and not by the secret
/// that both sides have.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 10] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EcdsaP521Sha512,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// How long what the provider says of itself, its keys too, is taken to be so.
const FRESH_MICROS: i64 = 60 * 60 * 1_000_000;
/// How long it is used on while the provider does not answer.
const USABLE_MICROS: i64 = 24 * FRESH_MICROS;
/// How soon it is asked again after it did not answer, or for keys that it did not have.
const AGAIN_MICROS: i64 = 10 * 1_000_000;
/// How often it is asked in one go.
const TRIES: u32 = 3;
const TIMEOUT: Duration = Duration::from_secs(8);
/// People who are being signed in at a time; more are asked to wait.
const AT_ONCE: usize = 32;
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// A provider.
pub(crate) struct Provider {
    pub(crate) settings: OidcSettings,
    callback: String,
    http: Http,
    known: Mutex<Known>,
    turns: Semaphore,
}

/// What is known of it.
#[derive(Default)]
struct Known {
    metadata: Option<(Timestamp, CoreProviderMetadata)>,
    asked_at: Option<Timestamp>,
}

impl Provider {
    pub(crate) fn new(settings: OidcSettings, public_url: &str) -> Self {
        Self {
            settings,
            callback: format!("{}{CALLBACK}", public_url.trim_end_matches('/')),
            http: Http::default(),
            known: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// A client of what is known of the provider, found out first where it is not, or too old, or not good enough (`anew`).
    pub(super) async fn client(&self, app: &App, anew: bool) -> Result<Client> {
        let metadata = self.metadata(app, anew).await?;
        let methods = metadata.token_endpoint_auth_methods_supported().cloned().unwrap_or_default();
        let secret = Some(self.settings.client_secret.clone()).filter(|secret| !secret.is_empty());
        let client_id = ClientId::new(self.settings.client_id.clone());
        let mut client = CoreClient::from_provider_metadata(metadata, client_id, secret.map(ClientSecret::new));
        // The header is what a provider takes that does not say.
        let is_basic = methods.is_empty() || methods.contains(&CoreClientAuthMethod::ClientSecretBasic);
        if !is_basic && methods.contains(&CoreClientAuthMethod::ClientSecretPost) {
            client = client.set_auth_type(AuthType::RequestBody);
        }
        Ok(client.set_redirect_uri(RedirectUrl::new(self.callback.clone()).map_err(Error::internal)?))
    }

    /// Who somebody is who comes back with a code.
    pub(super) async fn identity(
        &self,
        app: &App,
        code: String,
        verifier: PkceCodeVerifier,
        nonce: Nonce,
    ) -> Result<ExternalIdentity> {
        let _turn = self.turns.try_acquire().map_err(|_| unavailable("too many people sign in at once, try again"))?;
        let client = self.client(app, false).await?;
        let request = client.exchange_code(AuthorizationCode::new(code)).map_err(Error::internal)?;
        let tokens = match request.set_pkce_verifier(verifier).request_async(&self.http).await {
            Ok(tokens) => tokens,
            Err(RequestTokenError::ServerResponse(refusal)) => {
                let reason = sg_domain::error::quote(refusal.error().as_ref());
                return Err(Error::new(ErrorKind::Forbidden, "your provider takes its code back, begin again")
                    .because(format!("token endpoint: {reason}")));
            }
            Err(error) => return Err(unavailable(AWAY).because(error)),
        };
        let id_token = tokens.id_token().ok_or_else(|| forged("there is no ID token"))?;
        let mut client = client;
        let is_unknown_key = id_token.claims(&trusting(&client, app.now()), &nonce).err().is_some_and(|error| {
            matches!(error, ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey))
        });
        if is_unknown_key {
            // The provider has new keys since.
            client = self.client(app, true).await?;
        }
        let trusted = trusting(&client, app.now());
        let claims = id_token.claims(&trusted, &nonce).map_err(forged)?;
        if let Some(wanted) = claims.access_token_hash() {
            let key = id_token.signing_key(&trusted).map_err(forged)?;
            let algorithm = id_token.signing_alg().map_err(forged)?;
            let have = AccessTokenHash::from_token(tokens.access_token(), algorithm, key).map_err(forged)?;
            if have != *wanted {
                return Err(forged("the access token is another one's"));
            }
        }
        let subject = claims.subject().clone();
        let mut email = claims.email().map(|email| email.to_string());
        let mut is_email_verified = claims.email_verified();
        if (email.is_none() || is_email_verified.is_none())
            && let Ok(request) = client.user_info(tokens.access_token().clone(), Some(subject.clone()))
        {
            let more: CoreUserInfoClaims =
                request.request_async(&self.http).await.map_err(|error| unavailable(AWAY).because(error))?;
            // Address and verification are said together or not at all.
            email = more.email().map(|email| email.to_string());
            is_email_verified = more.email_verified();
        }
        Ok(ExternalIdentity {
            issuer: self.settings.issuer.clone(),
            subject: subject.to_string(),
            email: email
                .ok_or_else(|| Error::new(ErrorKind::Forbidden, "your provider does not tell your mail address"))?,
            is_email_verified: is_email_verified == Some(true),
        })
    }

    async fn metadata(&self, app: &App, anew: bool) -> Result<CoreProviderMetadata> {
        let mut known = self.known.lock().await;
        let now = app.now();
        let age = |at: Timestamp| now.micros().saturating_sub(at.micros());
        let rests = known.asked_at.is_some_and(|at| age(at) < AGAIN_MICROS);
        if let Some((at, metadata)) = &known.metadata {
            let is_fresh = age(*at) < FRESH_MICROS && !anew;
            if is_fresh || (rests && age(*at) < USABLE_MICROS) {
                return Ok(metadata.clone());
            }
        } else if rests {
            return Err(unavailable(AWAY));
        }
        match self.discover().await {
            Ok(metadata) => {
                known.asked_at = Some(now);
                known.metadata = Some((now, metadata.clone()));
                Ok(metadata)
            }
            Err(error) => {
                known.asked_at = Some(now);
                match &known.metadata {
                    Some((at, metadata)) if age(*at) < USABLE_MICROS => {
                        tracing::warn!(error = ?error, "the sign-in provider does not answer, what is known of it is used on");
                        Ok(metadata.clone())
                    }
                    _ => Err(error),
                }
            }
        }
    }

    async fn discover(&self) -> Result<CoreProviderMetadata> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(|error| unavailable(AWAY).because(error))?;
        let mut tries = 0;
        loop {
            tries += 1;
            match CoreProviderMetadata::discover_async(issuer.clone(), &self.http).await {
                Ok(metadata) => return Ok(metadata),
                Err(error) if tries >= TRIES => return Err(unavailable(AWAY).because(error)),
                Err(_) => tokio::time::sleep(Duration::from_millis(200) * tries).await,
            }
        }
    }
}

/// What makes an identity one of this provider, for us, now.
fn trusting(client: &Client, now: Timestamp) -> IdTokenVerifier<'_, CoreJsonWebKey> {
    let time = move || chrono::DateTime::from_timestamp_micros(now.micros()).unwrap_or_default();
    client.id_token_verifier().set_allowed_algs(ALGORITHMS).set_time_fn(time)
}

const AWAY: &str = "your sign-in provider does not answer, try again in a moment";

fn unavailable(message: &str) -> Error {
    Error::new(ErrorKind::Unavailable, message)
}

/// An identity that is not what it should be: signed by others, for others, too old.
fn forged(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Forbidden, "what your provider says of you cannot be trusted, begin again").because(why)
}

/// How the provider is asked: over our own TLS, following no redirects, within a time and a size.
#[derive(Default)]
struct Http {
    client: std::sync::OnceLock<reqwest::Client>,
}

/// Why there is no answer.
#[derive(Debug)]
struct HttpError(String);

impl std::fmt::Display for HttpError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HttpError {}

impl Http {
    fn client(&self) -> Result<&reqwest::Client, HttpError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // The client finds its TLS provider in the process; one that is there already stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .user_agent("sessiongraph")
            .build()
            .map_err(|error| HttpError(error.to_string()))?;
        Ok(self.client.get_or_init(|| client))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let text = |error: reqwest::Error| HttpError(format!("{:?}", error.without_url()));
        let (parts, body) = request.into_parts();
        let url = parts.uri.to_string();
        let request = self.client()?.request(parts.method, url).headers(parts.headers).body(body);
        let mut answer = request.send().await.map_err(text)?;
        let mut response = http::Response::new(Vec::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        while let Some(chunk) = answer.chunk().await.map_err(text)? {
            if response.body().len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(HttpError(format!("more than {MAX_ANSWER_BYTES} bytes")));
            }
            response.body_mut().extend_from_slice(&chunk);
        }
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
