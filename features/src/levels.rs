//! The two levels that scenarios run at, and which scenarios run at each.
//! In one process every scenario runs, under each seed. On servers, scenarios without a tag of this module run side by side on one
//! mart, and those with the tag for a mart of their own run alone. Scenarios that need a clock that stands still run in the process
//! only.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::on_servers::Running;
use crate::{InProcess, OnServers, Plan};

/// The tag of scenarios about the moment just before a deadline; they run in the process only.
pub(crate) const MOMENT: &str = "moment";
/// The tag of scenarios that read everything that a service stores; each has a mart of its own.
pub(crate) const ALONE: &str = "alone";

/// The place where the scenarios of a run take place.
#[derive(Clone)]
pub(crate) enum Stage {
    /// In this process, under a seed.
    InProcess { seed: u64 },
    /// On one mart, side by side.
    Together(Arc<Running>),
    /// Each on a mart of its own.
    Alone,
}

/// Where the mart of one scenario runs.
#[derive(Debug)]
pub(crate) enum Level {
    /// In this process.
    InProcess(Box<InProcess>),
    /// On real servers.
    OnServers(OnServers),
}

static PLAN: OnceCell<Plan> = OnceCell::const_new();
static STAGE: Mutex<Option<Stage>> = Mutex::new(None);

/// Stores the plan of this program.
pub(crate) fn plan(plan: Plan) {
    assert!(PLAN.set(plan).is_ok(), "a program runs one plan");
}

/// Returns the plan of this program.
pub(crate) fn of_this_program() -> &'static Plan {
    PLAN.get().expect("features::run has been called")
}

/// Sets the stage of the next scenarios, and stops the mart of the previous stage.
pub(crate) fn set(stage: Stage) {
    *STAGE.lock().unwrap_or_else(PoisonError::into_inner) = Some(stage);
}

/// Returns the mart of a new scenario.
pub(crate) async fn current() -> Level {
    let plan = of_this_program();
    let stage = STAGE.lock().unwrap_or_else(PoisonError::into_inner).clone().expect("a stage");
    match stage {
        Stage::InProcess { seed } => Level::InProcess(Box::new((plan.mart)(seed))),
        Stage::Together(running) => Level::OnServers(OnServers::new(running)),
        Stage::Alone => Level::OnServers(OnServers::new(Arc::new(start(plan).await))),
    }
}

/// Starts a mart on servers.
pub(crate) async fn start(plan: &Plan) -> Running {
    let mart: InProcess = (plan.mart)(0);
    Running::start(&mart, plan.variables).await
}

/// Returns whether one of the tags is this one.
pub(crate) fn has(tags: &[String], tag: &str) -> bool {
    tags.iter().any(|found| found == tag)
}
