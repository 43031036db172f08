//! What secrets look like: a literal that starts each, and what must follow.

/// A rule: the literal it starts from, and what to look for there.
pub(super) struct Rule {
    pub(super) anchor: &'static str,
    pub(super) shape: Shape,
}

/// What is looked for at an anchor.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// The anchor begins a token of `min` to `max` more characters of a set, with nothing of a word before or after it.
    Token { kind: &'static str, of: Set, min: usize, max: usize },
    /// As `Token`, but the anchor itself stays: it is an address or a header.
    After { kind: &'static str, of: Set, min: usize, max: usize },
    /// `-----BEGIN`, the head of a PEM block.
    Pem,
    /// `://`, after which a user and a password may stand.
    Address,
    /// The `eyJ` of a JSON Web Token.
    Jwt,
    /// A name whose value is secret: `password`, `api_key`.
    Assignment { kind: &'static str, is_password: bool },
    /// `Bearer` or `Basic` before a credential.
    Scheme,
}

/// A set of characters.
#[derive(Clone, Copy)]
pub(super) enum Set {
    /// Letters and digits.
    Alnum,
    /// Capital letters and digits.
    Upper,
    /// Hex digits in lower case.
    Hex,
    /// Letters, digits, `_`, `-`.
    Word,
    /// `Word` and `.`.
    Dotted,
    /// `Word` and `/`, `+`, `=`, `.`, `~`, `%`.
    Base64,
}

impl Set {
    pub(super) fn has(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Self::Word => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Self::Base64 => {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/' | b'+' | b'=' | b'.' | b'~' | b'%')
            }
        }
    }
}

const fn token(anchor: &'static str, kind: &'static str, of: Set, min: usize, max: usize) -> Rule {
    Rule { anchor, shape: Shape::Token { kind, of, min, max } }
}

const fn after(anchor: &'static str, kind: &'static str, of: Set, min: usize, max: usize) -> Rule {
    Rule { anchor, shape: Shape::After { kind, of, min, max } }
}

const fn key(anchor: &'static str) -> Rule {
    Rule { anchor, shape: Shape::Assignment { kind: "secret", is_password: false } }
}

const fn password(anchor: &'static str) -> Rule {
    Rule { anchor, shape: Shape::Assignment { kind: "password", is_password: true } }
}

const fn rule(anchor: &'static str, shape: Shape) -> Rule {
    Rule { anchor, shape }
}

/// No upper bound worth naming.
const LONG: usize = 4096;

/// Every rule. The families are those of `contracts/sessionfs.md` 2.9, and the tokens of common code hosts, package
/// registries and model providers. Names come in the spellings that code uses, so that the automaton need not fold case.
pub(super) static RULES: &[Rule] = &[
    token("AKIA", "aws-key", Set::Upper, 16, 16),
    token("ASIA", "aws-key", Set::Upper, 16, 16),
    token("AIza", "google-key", Set::Word, 35, 35),
    token("GOCSPX-", "google-key", Set::Word, 20, 60),
    token("ya29.", "google-key", Set::Dotted, 20, LONG),
    token("sk-ant-", "anthropic-key", Set::Word, 20, 256),
    token("sk-proj-", "openai-key", Set::Word, 20, 256),
    token("sk-svcacct-", "openai-key", Set::Word, 20, 256),
    token("sk-or-v1-", "openrouter-key", Set::Hex, 32, 128),
    token("sk-", "openai-key", Set::Alnum, 32, 128),
    token("gsk_", "groq-key", Set::Alnum, 40, 80),
    token("xai-", "xai-key", Set::Alnum, 60, 120),
    token("hf_", "huggingface-token", Set::Alnum, 30, 60),
    token("ghp_", "github-token", Set::Alnum, 36, 255),
    token("gho_", "github-token", Set::Alnum, 36, 255),
    token("ghu_", "github-token", Set::Alnum, 36, 255),
    token("ghs_", "github-token", Set::Dotted, 36, 1024),
    token("ghr_", "github-token", Set::Alnum, 36, 255),
    token("github_pat_", "github-token", Set::Word, 36, 255),
    token("glpat-", "gitlab-token", Set::Dotted, 20, 255),
    token("sk_live_", "stripe-key", Set::Alnum, 16, 255),
    token("sk_test_", "stripe-key", Set::Alnum, 16, 255),
    token("rk_live_", "stripe-key", Set::Alnum, 16, 255),
    token("rk_test_", "stripe-key", Set::Alnum, 16, 255),
    token("whsec_", "stripe-key", Set::Base64, 24, 255),
    token("xoxb-", "slack-token", Set::Word, 20, 255),
    token("xoxp-", "slack-token", Set::Word, 20, 255),
    token("xoxa-", "slack-token", Set::Word, 20, 255),
    token("xoxr-", "slack-token", Set::Word, 20, 255),
    token("xoxs-", "slack-token", Set::Word, 20, 255),
    token("xapp-", "slack-token", Set::Word, 20, 255),
    after("hooks.slack.com/services/", "slack-webhook", Set::Base64, 20, 255),
    after("discord.com/api/webhooks/", "discord-webhook", Set::Base64, 40, 255),
    token("SG.", "sendgrid-key", Set::Dotted, 60, 80),
    token("SK", "twilio-key", Set::Hex, 32, 32),
    token("npm_", "npm-token", Set::Alnum, 36, 36),
    token("pypi-AgE", "pypi-token", Set::Word, 50, LONG),
    token("dop_v1_", "digitalocean-token", Set::Hex, 64, 64),
    token("shpat_", "shopify-token", Set::Hex, 32, 32),
    token("sk_sfs_", "sessiongraph-key", Set::Hex, 32, 32),
    token("AGE-SECRET-KEY-1", "age-key", Set::Upper, 40, 80),
    after("AccountKey=", "azure-key", Set::Base64, 40, 120),
    after("SharedAccessKey=", "azure-key", Set::Base64, 40, 120),
    rule("-----BEGIN ", Shape::Pem),
    rule("://", Shape::Address),
    rule("eyJ", Shape::Jwt),
    rule("Bearer ", Shape::Scheme),
    rule("bearer ", Shape::Scheme),
    rule("Basic ", Shape::Scheme),
    password("password"),
    password("Password"),
    password("PASSWORD"),
    password("passwd"),
    password("PASSWD"),
    password("passphrase"),
    password("PASSPHRASE"),
    key("api_key"),
    key("api-key"),
    key("apikey"),
    key("apiKey"),
    key("ApiKey"),
    key("API_KEY"),
    key("API-Key"),
    key("Api-Key"),
    key("APIKEY"),
    key("secret"),
    key("Secret"),
    key("SECRET"),
    key("access_key"),
    key("accessKey"),
    key("AccessKey"),
    key("ACCESS_KEY"),
    key("auth_token"),
    key("authToken"),
    key("AuthToken"),
    key("AUTH_TOKEN"),
    key("access_token"),
    key("accessToken"),
    key("ACCESS_TOKEN"),
    key("refresh_token"),
    key("refreshToken"),
    key("REFRESH_TOKEN"),
    key("token"),
    key("Token"),
    key("TOKEN"),
];
