//! Devices: the code that lets SpecStory's command line in, and the list of those that are in.

use axum::extract::{Extension, State};
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use sg_app::{App, NewDeviceCode};
use sg_domain::{ClientAddress, DeviceToken, Error, Result, Timestamp};

use crate::csrf::SignedForm;
use crate::layout::{self, Place, notice};
use crate::request::{Asked, Ids, ids};
use crate::visitor::Visitor;
use crate::{answer, failure, key, shown};

/// `GET /cli-login`: a fresh code each time, as the command line tells people to look here for one.
pub(crate) async fn code(State(app): State<App>, visitor: Visitor, from: Option<Extension<ClientAddress>>) -> Response {
    let page = async {
        let code = app.create_device_code(&visitor.caller, from.map(|Extension(from)| from)).await?;
        let body = code_body(&code, app.now());
        Ok(answer::page(StatusCode::OK, layout::page(&visitor.frame("Sign in a device", Place::Settings), body)))
    };
    failure::shown(&visitor, page.await)
}

/// `GET /settings/devices`
pub(crate) async fn devices(State(app): State<App>, visitor: Visitor, asked: Asked) -> Response {
    let page = async {
        let mut devices = app.devices(&visitor.caller, false).await?;
        devices.sort_by_key(|device| (device.revoked_at.is_some(), std::cmp::Reverse(device.created_at)));
        let body = devices_body(&devices, asked.get("done"), &visitor.token(), app.now());
        Ok(answer::page(StatusCode::OK, layout::page(&visitor.frame("Devices", Place::Settings), body)))
    };
    failure::shown(&visitor, page.await)
}

/// `POST /settings/devices/{id}/revoke`
pub(crate) async fn revoke(State(app): State<App>, path: Ids<String>, form: SignedForm) -> Response {
    let done = async {
        let id = ids(path)?.parse().map_err(|_| Error::not_found("device"))?;
        app.revoke_device(&form.visitor.caller, id).await?;
        Ok(answer::see_other("/settings/devices?done=revoked"))
    };
    let done: Result<Response> = done.await;
    failure::shown(&form.visitor, done)
}

fn code_body(code: &NewDeviceCode, now: Timestamp) -> Markup {
    let minutes = (code.expires_at.micros() - now.micros()).max(0) / 60_000_000;
    let half = code.code.char_indices().nth(code.code.chars().count() / 2).map_or(0, |(at, _)| at);
    let (first, second) = code.code.split_at(half);
    html! {
        div.narrow {
            h1 { "Sign in the command line" }
            p { "Run " code { "specstory login" } " on the machine that should sync to this server, and type this code there:" }
            p.code-big #code { (first) "-" (second) }
            div.row {
                button type="button" data-copy="code" hidden { "Copy the code" }
                a.button href="/cli-login" { "Another code" }
            }
            p.soft {
                "Capital and small letters differ. The code works once, for "
                (shown::plural(u64::try_from(minutes.max(1)).unwrap_or(1), "minute")) ", until " (shown::time(code.expires_at)) "."
            }
            h2 { "Pointing SpecStory at this server" }
            p { "Its command line goes to SpecStory's own cloud unless told otherwise. Set " code { "SPECSTORY_CLOUD_URL" } " to this server's address, or give " code { "--cloud-url" } " to each command." }
            p {
                "Somebody who is signed in to SpecStory's cloud on that machine should run " code { "specstory logout" }
                " first, or use another " code { "HOME" } ": the command line keeps one sign-in for all servers."
            }
            p { a href="/settings/devices" { "Devices that are signed in" } }
        }
    }
}

fn devices_body(devices: &[DeviceToken], done: &str, token: &Markup, now: Timestamp) -> Markup {
    html! {
        (key::tabs("/settings/devices"))
        (notice(done))
        p { "Machines where SpecStory's command line is signed in to your account. " a href="/cli-login" { "Sign in another" } }
        @if devices.is_empty() {
            p.soft { "There are none yet." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Devices" {
                table {
                    thead { tr {
                        th scope="col" { "Device" } th scope="col" { "Client" } th scope="col" { "Signed in" } th scope="col" { "Last used" }
                        th scope="col" { "Expires" } th scope="col" { span.soft { "Action" } }
                    } }
                    tbody { @for device in devices { (row(device, token, now)) } }
                }
            }
        }
    }
}

fn row(device: &DeviceToken, token: &Markup, now: Timestamp) -> Markup {
    let name = if device.hostname.is_empty() { "unnamed" } else { &device.hostname };
    html! {
        tr {
            th scope="row" {
                (shown::name(name))
                @if !device.username.is_empty() { " " span.soft { "as " (shown::name(&device.username)) } }
                @if !device.os.is_empty() { br; span.soft.small-text { (shown::name(&device.os)) } }
            }
            td { (shown::name(&device.client)) " " (shown::name(&device.client_version)) }
            td { (shown::ago(device.created_at, now)) }
            td { @match device.last_used_at { Some(at) => (shown::ago(at, now)), None => span.soft { "never" } } }
            td { (shown::time(device.expires_at)) }
            td {
                @if let Some(at) = device.revoked_at {
                    span.tag.bad { "signed out" } " " (shown::ago(at, now))
                } @else {
                    form action={ "/settings/devices/" (device.id) "/revoke" } method="post" {
                        (token)
                        button.small.bad type="submit" aria-label={ "Revoke " (name) } { "Revoke" }
                    }
                }
            }
        }
    }
}
