//! Signing a device in, described. These answers are bare: what a command line reads has no `data`.

use super::schema::token::{AccessToken, DeviceLogin, RefreshToken};
use super::schema::{Done, ErrorBody};

/// Sign a device in
///
/// With a code of six characters that `/cli-login` shows to whoever is signed in there. A code works once; attempts are
/// limited.
#[utoipa::path(
    post, path = "/api/v1/device-login", operation_id = "deviceLogin", tag = "devices",
    request_body(content = DeviceLogin, description = "The code, and what the device says of itself."),
    responses(
        (status = 200, description = "The device's refresh token.", body = RefreshToken),
        (status = 400, description = "The body is not what it should be.", body = ErrorBody, example = json!({"success": false, "error": "Missing required field: device_code"})),
        (status = 401, description = "The code is not known, was used, or has expired.", body = ErrorBody, example = json!({"success": false, "error": "Invalid or expired device code"})),
    )
)]
fn device_login() {}

/// Get an access token
///
/// For the device's refresh token, in `Authorization`. It works for an hour.
#[utoipa::path(
    post, path = "/api/v1/device-refresh", operation_id = "deviceRefresh", tag = "devices",
    security(("refreshToken" = [])),
    responses(
        (status = 200, description = "The access token.", body = AccessToken),
        (status = 401, description = "The refresh token is not known, was revoked, or has expired.", body = ErrorBody, example = json!({"success": false, "error": "Invalid or expired refresh token"})),
    )
)]
fn device_refresh() {}

/// Sign a device out
///
/// The refresh token in `Authorization` stops working, if it has not already.
#[utoipa::path(
    post, path = "/api/v1/device-logout", operation_id = "deviceLogout", tag = "devices",
    security(("refreshToken" = []), ()),
    responses(
        (status = 200, description = "It is done.", body = Done),
        (status = 401, description = "Another kind of credential, which must be revoked where it was made.", body = ErrorBody, example = json!({"success": false, "error": "Invalid token type. Required: device-refresh"})),
    )
)]
fn device_logout() {}

/// Sign a device out, by its documents
///
/// The same as `POST`: SpecStory's documents say `GET`, its command line sends `POST`.
#[utoipa::path(
    get, path = "/api/v1/device-logout", operation_id = "getDeviceLogout", tag = "devices",
    security(("refreshToken" = []), ()),
    responses(
        (status = 200, description = "It is done.", body = Done),
        (status = 401, description = "Another kind of credential, which must be revoked where it was made.", body = ErrorBody, example = json!({"success": false, "error": "Invalid token type. Required: device-refresh"})),
    )
)]
fn device_logout_by_get() {}
