//! What an account may use, as the description names it.

use utoipa::ToSchema;

/// What an account may use.
#[derive(ToSchema)]
pub(in super::super) struct Entitlement {
    /// The plan.
    #[schema(example = "pro")]
    plan: String,
    /// Its features.
    features: Features,
}

/// The features of a plan.
#[derive(ToSchema)]
pub(in super::super) struct Features {
    /// Resuming and searching sessions.
    resume: bool,
    /// Mining skills.
    skills: bool,
    /// Figures.
    analytics: bool,
    /// Not part of this server.
    knowledge_base: bool,
    /// Not part of this server.
    work_tracking: bool,
    /// Not part of this server.
    governance: bool,
}

/// The library of skills, which is empty.
#[derive(ToSchema)]
pub(in super::super) struct SkillLibrary {
    /// Always `true`.
    #[schema(example = true)]
    success: bool,
    /// Always empty.
    #[schema(value_type = Vec<Object>, max_items = 0)]
    skills: (),
    /// Why.
    message: String,
}

/// The runs that mined skills: none.
#[derive(ToSchema)]
pub(in super::super) struct SkillRuns {
    /// Always `true`.
    #[schema(example = true)]
    success: bool,
    /// Always empty.
    #[schema(value_type = Vec<Object>, max_items = 0)]
    runs: (),
    /// Why.
    message: String,
}
