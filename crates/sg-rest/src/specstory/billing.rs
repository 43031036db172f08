//! What an account may use. A server of one's own has one plan, with everything that is built.

use axum::response::Response;
use http::StatusCode;

use super::answer;
use super::credential::Reader;
use super::failure::Failure;
use super::wire::Envelope;
use super::wire::account::{Entitlement, Features};

/// `GET /billing/entitlement`. The command line offers resuming and searching the cloud only where the plan is a paid
/// one and the feature is on; `skills` and the other services of the hosted product are not part of this server.
pub(super) async fn entitlement(Reader(_): Reader) -> Result<Response, Failure> {
    let features = Features {
        resume: true,
        skills: false,
        analytics: true,
        knowledge_base: false,
        work_tracking: false,
        governance: false,
    };
    Ok(answer::json(StatusCode::OK, 256, &Envelope::new(Entitlement { plan: "pro", features }))?)
}
