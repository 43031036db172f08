//! What an account may use, and the services of the hosted product that are not here.

use serde::Serialize;

/// `data` of what an account may use.
#[derive(Serialize)]
pub(in super::super) struct Entitlement {
    pub(in super::super) plan: &'static str,
    pub(in super::super) features: Features,
}

/// The features of a plan.
#[derive(Serialize)]
pub(in super::super) struct Features {
    pub(in super::super) resume: bool,
    pub(in super::super) skills: bool,
    pub(in super::super) analytics: bool,
    pub(in super::super) knowledge_base: bool,
    pub(in super::super) work_tracking: bool,
    pub(in super::super) governance: bool,
}

/// The library of skills, which is empty.
#[derive(Serialize)]
pub(in super::super) struct NoSkills {
    pub(in super::super) success: bool,
    pub(in super::super) skills: [(); 0],
    pub(in super::super) message: &'static str,
}

/// The runs that mined skills: none.
#[derive(Serialize)]
pub(in super::super) struct NoRuns {
    pub(in super::super) success: bool,
    pub(in super::super) runs: [(); 0],
    pub(in super::super) message: &'static str,
}
