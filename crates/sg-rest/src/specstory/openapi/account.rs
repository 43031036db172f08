//! What an account may use, described, and the services of the hosted product that are not here.

use super::schema::account::{Entitlement, SkillLibrary, SkillRuns};
use super::schema::{Envelope, ErrorBody};

/// What the account may use
#[utoipa::path(
    get, path = "/api/v1/billing/entitlement", operation_id = "getEntitlement", tag = "account",
    responses((status = 200, description = "The plan and its features.", body = inline(Envelope<Entitlement>)))
)]
fn entitlement() {}

/// List skills
///
/// This server mines no skills: the list is empty and says so.
#[utoipa::path(
    get, path = "/api/v1/lore/skills/library", operation_id = "listSkills", tag = "skills",
    responses((status = 200, description = "No skills.", body = SkillLibrary, example = json!({"success": true, "skills": [], "message": "This server does not mine skills from sessions"})))
)]
fn skills() {}

/// List runs that mined skills
///
/// This server mines no skills: the list is empty and says so.
#[utoipa::path(
    get, path = "/api/v1/lore/runs", operation_id = "listSkillRuns", tag = "skills",
    responses((status = 200, description = "No runs.", body = SkillRuns, example = json!({"success": true, "runs": [], "message": "This server does not mine skills from sessions"})))
)]
fn skill_runs() {}

/// Mine skills
///
/// This server mines no skills.
#[utoipa::path(
    post, path = "/api/v1/lore/run", operation_id = "runSkills", tag = "skills",
    responses((status = 409, description = "This server mines no skills, so no run can begin.", body = ErrorBody, example = json!({"success": false, "error": "This server does not mine skills from sessions"})))
)]
fn run_skills() {}

/// Decide a dossier
///
/// This server mines no skills, so there is no dossier to decide.
#[utoipa::path(
    patch, path = "/api/v1/lore/dossiers/{id}", operation_id = "decideDossier", tag = "skills",
    params(("id" = String, Path, description = "The dossier's id.", min_length = 1)),
    responses((status = 404, description = "There is no dossier.", body = ErrorBody, example = json!({"success": false, "error": "Dossier not found"})))
)]
fn decide_dossier() {}

/// Install a skill
///
/// This server mines no skills, so there is none to install.
#[utoipa::path(
    patch, path = "/api/v1/lore/skills/{name}", operation_id = "installSkill", tag = "skills",
    params(("name" = String, Path, description = "The skill's name.", min_length = 1)),
    responses((status = 404, description = "There is no skill.", body = ErrorBody, example = json!({"success": false, "error": "Skill not found"})))
)]
fn install_skill() {}
