//! Devices that signed in.

use async_graphql::{ID, InputObject, Object, SimpleObject};
use sg_domain::{DeviceToken, Error, KeyId, Scope};

use crate::failure::Outcome;
use crate::loader::Reach;
use crate::scalar::DateTime;

/// A device without its tokens, of which only hashes are stored.
pub(crate) struct Device(pub(crate) DeviceToken);

/// A device that signed in, such as a machine that SpecStory's command line syncs from. What it says of itself is not
/// checked.
#[Object]
impl Device {
    /// The device's id, which `revokeDevice` takes.
    pub(crate) async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// Its name.
    fn hostname(&self) -> &str {
        &self.0.hostname
    }

    /// The client that signed in, such as `specstory-cli`.
    fn client(&self) -> &str {
        &self.0.client
    }

    /// The client's version.
    fn client_version(&self) -> &str {
        &self.0.client_version
    }

    /// Its system, such as `Linux 12 (bookworm) amd64`.
    fn os(&self) -> &str {
        &self.0.os
    }

    /// When it signed in.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it has to sign in again.
    fn expires_at(&self) -> DateTime {
        DateTime(self.0.expires_at)
    }

    /// When it last asked for an access token.
    fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(DateTime)
    }

    /// When it was revoked; null while it works.
    fn revoked_at(&self) -> Option<DateTime> {
        self.0.revoked_at.map(DateTime)
    }
}

/// Which device is to be revoked.
#[derive(InputObject)]
pub(crate) struct RevokeDeviceInput {
    /// The device's id.
    id: String,
}

/// What came of revoking a device.
#[derive(SimpleObject)]
pub(crate) struct RevokeDevicePayload {
    /// The id of the device, whose tokens no longer work.
    revoked_device_id: ID,
}

/// The caller's devices, oldest first.
pub(crate) async fn devices(reach: &Reach) -> Outcome<Vec<Device>> {
    let devices = reach.app.devices(&reach.caller, false).await?;
    reach.spend(devices.len() as u64)?;
    Ok(devices.into_iter().map(Device).collect())
}

/// Revokes a device.
pub(crate) async fn revoke_device(reach: &Reach, input: RevokeDeviceInput) -> Outcome<RevokeDevicePayload> {
    reach.caller.require(Scope::Write)?;
    let id: KeyId = input.id.parse().map_err(|_| Error::not_found("device"))?;
    reach.app.revoke_device(&reach.caller, id).await?;
    Ok(RevokeDevicePayload { revoked_device_id: ID(id.to_string()) })
}
