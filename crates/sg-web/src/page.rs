//! The pages as data: the router is built from this table and tests walk it, so that no page can stand outside of either.

use axum::routing::{MethodRouter, get, post};

use crate::{Pages, device, key, playground, project, resume, search, session, share};

/// Who may look at a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever has the address.
    Open,
    /// Whoever is signed in; it shows their own data.
    SignedIn,
    /// Whoever is signed in and owns what the address names; to all others it is not there.
    Owner,
}

/// One row of the table.
#[derive(Clone, Copy)]
pub struct Page {
    /// What it is, by the name it has in tests.
    pub name: &'static str,
    /// `GET` (with `HEAD`) for a page, `POST` for a form.
    pub method: &'static str,
    /// The path, with `{name}` for the segments that vary.
    pub path: &'static str,
    /// Who may look at it.
    pub access: Access,
    pub(crate) answer: fn() -> MethodRouter<Pages>,
}

const fn shows(name: &'static str, path: &'static str, access: Access, answer: fn() -> MethodRouter<Pages>) -> Page {
    Page { name, method: "GET", path, access, answer }
}

const fn changes(name: &'static str, path: &'static str, access: Access, answer: fn() -> MethodRouter<Pages>) -> Page {
    Page { name, method: "POST", path, access, answer }
}

/// Every page but sign-in and sign-out.
pub const PAGES: &[Page] = &[
    shows("projects", "/projects", Access::SignedIn, || get(project::projects)),
    shows("project", "/projects/{pid}", Access::Owner, || get(project::project)),
    changes("change project", "/projects/{pid}/change", Access::Owner, || post(project::change)),
    changes("delete project", "/projects/{pid}/delete", Access::Owner, || post(project::delete)),
    shows("session", "/projects/{pid}/sessions/{sid}", Access::Owner, || get(session::show)),
    shows("sharing", "/projects/{pid}/sessions/{sid}/sharing", Access::Owner, || get(session::sharing::show)),
    shows("message", "/projects/{pid}/sessions/{sid}/messages/{ordinal}", Access::Owner, || {
        get(session::download::message)
    }),
    shows("download", "/projects/{pid}/sessions/{sid}/download/{what}", Access::Owner, || get(session::download::file)),
    changes("rename session", "/projects/{pid}/sessions/{sid}/title", Access::Owner, || post(session::form::rename)),
    changes("share session", "/projects/{pid}/sessions/{sid}/share", Access::Owner, || post(session::form::share)),
    changes("delete session", "/projects/{pid}/sessions/{sid}/delete", Access::Owner, || post(session::form::delete)),
    changes("change exchange", "/projects/{pid}/sessions/{sid}/exchanges/{ordinal}", Access::Owner, || {
        post(session::form::exchange)
    }),
    shows("shared session", "/share/{sid}", Access::Open, || get(share::show)),
    shows("search", "/search", Access::SignedIn, || get(search::search)),
    shows("API keys", "/settings/api-keys", Access::SignedIn, || get(key::keys)),
    shows("API keys, as the SDKs name it", "/api-keys", Access::SignedIn, || get(key::keys)),
    changes("create API key", "/settings/api-keys/create", Access::SignedIn, || post(key::create)),
    changes("revoke API key", "/settings/api-keys/{id}/revoke", Access::Owner, || post(key::revoke)),
    shows("devices", "/settings/devices", Access::SignedIn, || get(device::devices)),
    changes("revoke device", "/settings/devices/{id}/revoke", Access::Owner, || post(device::revoke)),
    shows("sign in a device", "/cli-login", Access::SignedIn, || get(device::code)),
    shows("who is signed in, for the playground", "/playground/visitor", Access::Open, || get(playground::visitor)),
    shows("resuming", "/resume", Access::Open, || get(resume::show)),
];
