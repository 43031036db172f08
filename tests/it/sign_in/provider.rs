//! An OpenID Connect provider that says whatever a test wants, signed with a key of its own.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey as _};
use serde_json::{Value, json};
use sg_domain::Digest;

use super::browser::{encoded, field};

pub(super) const CLIENT: &str = "sessiongraph";
pub(super) const SECRET: &str = "client+secret";

/// What the provider does, for a test to change between two requests.
pub(super) struct Behaviour {
    /// The header of its ID tokens.
    pub(super) header: Value,
    /// What its next ID token says; `nonce`, `aud`, `iss`, `exp` and `iat` are filled in where they are missing.
    pub(super) claims: Value,
    /// What its userinfo endpoint says.
    pub(super) userinfo: Value,
    /// Signs with this key, by the name it is published under.
    pub(super) key: u8,
    /// Publishes these keys.
    pub(super) published: Vec<u8>,
    /// Does something else than signing to a token.
    pub(super) tamper: fn(String) -> String,
    /// Answers nothing but this.
    pub(super) status: Option<u16>,
    /// How often its discovery document was read.
    pub(super) discovered: usize,
    now: i64,
    url: String,
    /// What the browser was sent with.
    asked: Option<Asked>,
}

#[derive(Clone)]
struct Asked {
    nonce: String,
    challenge: String,
    redirect: String,
}

/// A running provider.
#[derive(Clone)]
pub(super) struct Provider {
    pub(super) behaviour: Arc<Mutex<Behaviour>>,
    pub(super) url: String,
    task: Arc<tokio::task::JoinHandle<()>>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        if Arc::strong_count(&self.task) == 1 {
            self.task.abort();
        }
    }
}

type Shared = State<Arc<Mutex<Behaviour>>>;

impl Provider {
    /// Starts one whose clock says `now`, in seconds.
    pub(super) async fn start(now: i64) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let behaviour = Arc::new(Mutex::new(Behaviour {
            header: json!({ "alg": "EdDSA" }),
            claims: json!({}),
            userinfo: json!({}),
            key: 1,
            published: vec![1],
            tamper: |token| token,
            status: None,
            discovered: 0,
            now,
            url: url.clone(),
            asked: None,
        }));
        let router = axum::Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(behaviour.clone());
        #[allow(clippy::disallowed_methods, reason = "the test is the server here")]
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { behaviour, url, task: Arc::new(task) }
    }

    pub(super) fn set(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.behaviour.lock().unwrap());
    }

    /// What the provider does with a browser that comes from `location`: the address that it sends it back to.
    pub(super) fn consent(&self, location: &str) -> String {
        assert!(location.starts_with(&format!("{}/authorize?", self.url)), "{location}");
        assert_eq!((field(location, "client_id"), field(location, "response_type")), (CLIENT.into(), "code".into()));
        assert_eq!(field(location, "code_challenge_method"), "S256");
        let scope = field(location, "scope");
        assert!(scope.split(' ').any(|s| s == "openid") && scope.split(' ').any(|s| s == "email"), "{scope}");
        let (nonce, challenge) = (field(location, "nonce"), field(location, "code_challenge"));
        let redirect = field(location, "redirect_uri");
        self.set(|b| b.asked = Some(Asked { nonce, challenge, redirect: redirect.clone() }));
        format!("{redirect}?code=the%20code&state={}", encoded(&field(location, "state")))
    }
}

fn signing(key: u8) -> CoreEdDsaPrivateSigningKey {
    // The PKCS#8 frame of an Ed25519 key, around one that nobody would choose.
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend([key; 32]);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(format!("key-{key}")))).unwrap()
}

async fn discovery(State(behaviour): Shared) -> Response {
    let mut b = behaviour.lock().unwrap();
    b.discovered += 1;
    if let Some(status) = b.status {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let url = &b.url;
    Json(json!({
        "issuer": url, "authorization_endpoint": format!("{url}/authorize"), "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/userinfo"), "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        // It says that it would also send tokens that nobody signed, or signed with the shared secret.
        "id_token_signing_alg_values_supported": ["EdDSA", "none", "HS256"],
    }))
    .into_response()
}

async fn keys(State(behaviour): Shared) -> Json<Value> {
    let published = behaviour.lock().unwrap().published.clone();
    let keys: Vec<_> = published.iter().map(|key| signing(*key).as_verification_key()).collect();
    Json(json!({ "keys": keys }))
}

async fn token(State(behaviour): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let b = behaviour.lock().unwrap();
    if let Some(status) = b.status {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let refuse = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    let Some(asked) = b.asked.clone() else { return refuse("invalid_grant") };
    let form = format!("?{}", String::from_utf8(body.to_vec()).unwrap());
    let authorization = headers.get("authorization").map(|v| v.to_str().unwrap().to_owned());
    // RFC 6749 2.3.1: both are encoded as in a form first.
    let expected = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{}", encoded(SECRET))));
    if authorization.as_ref() != Some(&expected) {
        return refuse("invalid_client");
    }
    let challenge = URL_SAFE_NO_PAD.encode(Digest::of(field(&form, "code_verifier").as_bytes()).0);
    let is_right = field(&form, "code") == "the code"
        && field(&form, "grant_type") == "authorization_code"
        && field(&form, "redirect_uri") == asked.redirect
        && challenge == asked.challenge;
    if !is_right {
        return refuse("invalid_grant");
    }
    let mut claims = json!({
        "iss": b.url, "aud": CLIENT, "exp": b.now + 300, "iat": b.now, "nonce": asked.nonce, "sub": "person-1",
    });
    claims.as_object_mut().unwrap().extend(b.claims.as_object().unwrap().clone());
    let mut header = b.header.clone();
    header["kid"] = format!("key-{}", b.key).into();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(&claims));
    let signature = signing(b.key).sign(&CoreJwsSigningAlgorithm::EdDsa, message.as_bytes()).unwrap();
    let id_token = (b.tamper)(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)));
    Json(json!({ "access_token": "opaque", "token_type": "Bearer", "expires_in": 60, "id_token": id_token }))
        .into_response()
}

async fn userinfo(State(behaviour): Shared, headers: HeaderMap) -> Response {
    if headers.get("authorization").is_none_or(|value| value != "Bearer opaque") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(behaviour.lock().unwrap().userinfo.clone()).into_response()
}
