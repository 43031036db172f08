//! What devices get, bare: without `success` and `data`.

use serde::Serialize;

use super::Iso;

/// The answer to a code.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct RefreshToken<'a> {
    pub(in super::super) refresh_token: &'a str,
    pub(in super::super) created_at: Iso,
    pub(in super::super) expires_at: Iso,
    pub(in super::super) user: DeviceUser<'a>,
}

/// Whose account the device is in.
#[derive(Serialize)]
pub(in super::super) struct DeviceUser<'a> {
    pub(in super::super) email: &'a str,
}

/// The answer to a refresh token.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct AccessToken<'a> {
    pub(in super::super) access_token: &'a str,
    pub(in super::super) created_at: Iso,
    pub(in super::super) expires_at: Iso,
}
