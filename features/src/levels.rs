//! The two levels that scenarios run at, and which of them run where.
//!
//! In one process every scenario runs, under each seed. On servers those without a tag of this module run side by side on
//! one mart, those that move time on another one whose time-outs are seconds, and those that look at all that a service
//! has each on one of its own. What only a clock that stands still can show runs in the process only.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::on_servers::Running;
use crate::{InProcess, Mart, OnServers, Plan};

/// The tag of scenarios that move time.
pub(crate) const TIME: &str = "time";
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

/// Puts up the stage for the scenarios that come.
pub(crate) fn set(stage: Stage) {
    *STAGE.lock().unwrap_or_else(PoisonError::into_inner) = Some(stage);
}

/// Takes the stage down, and with it a mart that nobody else uses.
pub(crate) fn clear() {
    *STAGE.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// The mart of a scenario that begins.
pub(crate) async fn mart() -> Mart {
    let plan = of_this_program();
    let stage = STAGE.lock().unwrap_or_else(PoisonError::into_inner).clone().expect("a stage");
    match stage {
        Stage::InProcess { seed } => Mart::InProcess(Box::new((plan.mart)(seed))),
        Stage::Together(running) => Mart::OnServers(OnServers::new(running)),
        Stage::Alone => Mart::OnServers(OnServers::new(Arc::new(start(plan, false).await))),
    }
}

/// Starts a mart on servers, in a hurry or not.
pub(crate) async fn start(plan: &Plan, hurry: bool) -> Running {
    let mart: InProcess = (plan.mart)(0);
    Running::start(&mart, plan.hurry.filter(|_| hurry)).await
}

/// Whether a scenario with these tags has one of them.
pub(crate) fn has(tags: &[String], tag: &str) -> bool {
    tags.iter().any(|found| found == tag)
}
