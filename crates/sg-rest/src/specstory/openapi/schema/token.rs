//! API tokens and devices as the description names them.

use utoipa::ToSchema;

/// The account's API tokens, oldest first, revoked ones too.
#[derive(ToSchema)]
pub(in super::super) struct TokenList {
    /// The tokens.
    tokens: Vec<Token>,
    /// How many there are.
    total: u64,
}

/// An API token, without its secret.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct Token {
    /// Its id.
    #[schema(example = "01900000-0000-7000-8000-000000000001")]
    id: String,
    /// What its owner calls it.
    name: String,
    /// How its secret begins, to tell tokens apart.
    #[schema(example = "sk_live_1a2b")]
    prefix: String,
    /// What it may do.
    scopes: Vec<Scope>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it stops working.
    #[schema(format = DateTime, required = true)]
    expires_at: Option<String>,
    /// When it last worked, to the minute.
    #[schema(format = DateTime, required = true)]
    last_used_at: Option<String>,
    /// When it was revoked.
    #[schema(format = DateTime, required = true)]
    revoked_at: Option<String>,
}

/// What a token may do.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub(in super::super) enum Scope {
    Read,
    Write,
    Admin,
}

/// A token that is wanted.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct NewToken {
    /// What to call it. Space around it is dropped.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
        example = "laptop"
    )]
    name: String,
    /// What it may do, of what the caller may: reading and writing when it is left out.
    #[schema(min_items = 1)]
    scopes: Option<Vec<Scope>>,
    /// When it stops working, in the future.
    #[schema(format = DateTime, example = "2099-01-01T00:00:00Z")]
    expires_at: Option<String>,
}

/// A token that was made, with its secret, which is shown this once.
#[derive(ToSchema)]
pub(in super::super) struct CreatedToken {
    #[serde(flatten)]
    body: Token,
    /// The secret.
    token: String,
}

/// A token that was revoked.
#[derive(ToSchema)]
pub(in super::super) struct RevokedToken {
    /// Its id.
    id: String,
    /// Always `true`.
    #[schema(example = true)]
    success: bool,
}

/// A device that signs in, with what it says of itself.
#[derive(ToSchema)]
pub(in super::super) struct DeviceLogin {
    /// The code that `/cli-login` shows; a dash in it does not matter.
    #[schema(min_length = 1, example = "aB3xY9")]
    device_code: String,
    /// Its name.
    hostname: Option<String>,
    /// Its system.
    os: Option<String>,
    /// The system's version.
    os_version: Option<String>,
    /// The system's name for people.
    os_display_name: Option<String>,
    /// Its processor.
    architecture: Option<String>,
    /// Who uses it.
    username: Option<String>,
    /// The program that signs in.
    client: Option<String>,
    /// Its version.
    client_version: Option<String>,
}

/// A device's refresh token.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct RefreshToken {
    /// The token.
    refresh_token: String,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it stops working.
    #[schema(format = DateTime)]
    expires_at: String,
    /// Whose account the device is in.
    user: DeviceUser,
}

/// Whose account a device is in.
#[derive(ToSchema)]
pub(in super::super) struct DeviceUser {
    /// The account's mail address.
    email: String,
}

/// A device's access token.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(in super::super) struct AccessToken {
    /// The token.
    access_token: String,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it stops working.
    #[schema(format = DateTime)]
    expires_at: String,
}
