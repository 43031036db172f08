//! Skills that the hosted service mines from sessions. This server mines none: its lists are empty and say so, and what
//! would start or decide something is refused in words that a person understands.

use axum::response::Response;
use http::StatusCode;

use super::answer;
use super::credential::{Reader, Writer};
use super::failure::Failure;
use super::wire::account::{NoRuns, NoSkills};

/// Why the lists are empty.
const WHY: &str = "This server does not mine skills from sessions";

/// `GET /lore/skills/library`.
pub(super) async fn skills(Reader(_): Reader) -> Result<Response, Failure> {
    Ok(answer::json(StatusCode::OK, 128, &NoSkills { success: true, skills: [], message: WHY })?)
}

/// `GET /lore/runs`.
pub(super) async fn runs(Reader(_): Reader) -> Result<Response, Failure> {
    Ok(answer::json(StatusCode::OK, 128, &NoRuns { success: true, runs: [], message: WHY })?)
}

/// `POST /lore/run`.
pub(super) async fn run(Writer(_): Writer) -> Failure {
    Failure::not_built(WHY)
}

/// `PATCH /lore/dossiers/{id}`: there is no dossier.
pub(super) async fn dossier(Writer(_): Writer) -> Failure {
    Failure::not_found("Dossier not found")
}

/// `PATCH /lore/skills/{name}`: there is no skill.
pub(super) async fn skill(Writer(_): Writer) -> Failure {
    Failure::not_found("Skill not found")
}
