//! The two levels that scenarios run at, and which of them run where.
//!
//! In one process every scenario runs, under each seed. On servers those without a tag of this module run side by side on
//! one mart, and those that look at all that a service has each on one of its own. What only a clock that stands still can
//! show runs in the process only.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::on_servers::Running;
use crate::{InProcess, Mart, OnServers, Plan};

/// The tag of scenarios about the moment just before a deadline.
pub(crate) const MOMENT: &str = "moment";
/// The tag of scenarios that look at everything that a service has.
pub(crate) const ALONE: &str = "alone";

/// Where the scenarios of a run play.
#[derive(Clone)]
pub(crate) enum Stage {
    /// In this process, under a seed.
    InProcess { seed: u64 },
    /// Side by side on one mart.
    Together(Arc<Running>),
    /// Each on a mart of its own.
    Alone,
}

static PLAN: OnceCell<Plan> = OnceCell::const_new();
static STAGE: Mutex<Option<Stage>> = Mutex::new(None);

/// Keeps the plan of this program.
pub(crate) fn plan(plan: Plan) {
    assert!(PLAN.set(plan).is_ok(), "a program runs one plan");
}

/// The plan of this program.
pub(crate) fn of_this_program() -> &'static Plan {
    PLAN.get().expect("features::run has been called")
}

/// Puts up the stage for the scenarios that come, and takes the one before it down with its mart.
pub(crate) fn set(stage: Stage) {
    *STAGE.lock().unwrap_or_else(PoisonError::into_inner) = Some(stage);
}

/// The mart of a scenario that begins.
pub(crate) async fn mart() -> Mart {
    let plan = of_this_program();
    let stage = STAGE.lock().unwrap_or_else(PoisonError::into_inner).clone().expect("a stage");
    match stage {
        Stage::InProcess { seed } => Mart::InProcess(Box::new((plan.mart)(seed))),
        Stage::Together(running) => Mart::OnServers(OnServers::new(running)),
        Stage::Alone => Mart::OnServers(OnServers::new(Arc::new(start(plan).await))),
    }
}

/// Starts a mart on servers.
pub(crate) async fn start(plan: &Plan) -> Running {
    let mart: InProcess = (plan.mart)(0);
    Running::start(&mart, plan.variables).await
}

/// Whether a scenario with these tags has one of them.
pub(crate) fn has(tags: &[String], tag: &str) -> bool {
    tags.iter().any(|found| found == tag)
}
