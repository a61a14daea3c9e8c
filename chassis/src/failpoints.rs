//! Failpoints, where a test pauses or kills this process. Only debug builds have them; release builds contain no such code.
//!
//! - `FAILPOINTS=relay.produced=pause` configures the `fail` crate.
//! - `KILL_AT=commit.after:5` kills this process with SIGKILL when it reaches the failpoint for the sixth time.
//! - `KILL_LIST=/path` names a file with lines such as `commit.after@order.stock-reserved`: a failpoint and the current step, which
//!   is a handler, the route of an operation, the name of a background job or, in the relay, an event type. The first of them that
//!   is reached is removed from the file and the process kills itself, so that a restarted process does not stop there again.

/// Reaches a failpoint in the current step.
macro_rules! failpoint {
    ($point:literal) => {
        $crate::failpoints::failpoint!($point, $crate::failpoints::step())
    };
    ($point:literal, $step:expr) => {
        #[cfg(debug_assertions)]
        {
            fail::fail_point!($point);
            $crate::failpoints::killed($point, &$step);
        }
    };
}

pub(crate) use failpoint;

#[cfg(debug_assertions)]
mod built_in {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Mutex, PoisonError};

    use tokio::task::futures::TaskLocalFuture;

    tokio::task_local! {
        static STEP: String;
    }

    static LIST: Mutex<Option<List>> = Mutex::new(None);

    struct List {
        path: PathBuf,
        left: Vec<String>,
    }

    /// Sets up the failpoints that the environment names.
    pub(crate) fn set_up() -> fail::FailScenario<'static> {
        let scenario = fail::FailScenario::setup();
        let setting = std::env::var("KILL_AT").unwrap_or_default();
        if let Some((point, passes)) = setting.split_once(':') {
            let left = AtomicU32::new(passes.parse().unwrap_or_default());
            let kill = move || {
                if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
                    kill();
                }
            };
            if let Err(error) = fail::cfg_callback(point, kill) {
                tracing::error!(error, point, "the failpoint could not be set");
            }
        }
        if let Some(path) = std::env::var_os("KILL_LIST").map(PathBuf::from) {
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    let left = text.lines().map(str::to_owned).collect();
                    *LIST.lock().unwrap_or_else(PoisonError::into_inner) = Some(List { path, left });
                }
                Err(error) => tracing::error!(%error, ?path, "the kill list could not be read"),
            }
        }
        scenario
    }

    /// Returns the current step.
    pub(crate) fn step() -> String {
        STEP.try_with(Clone::clone).unwrap_or_default()
    }

    /// Runs work as a step with this name.
    pub(crate) fn during<F: Future>(step: &str, work: F) -> TaskLocalFuture<String, F> {
        STEP.scope(step.to_owned(), work)
    }

    /// Kills this process if this failpoint and step are on the list.
    pub(crate) fn killed(point: &str, step: &str) {
        let mut list = LIST.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(List { path, left }) = list.as_mut() else { return };
        let passed = format!("{point}@{step}");
        if !left.contains(&passed) {
            return;
        }
        left.retain(|line| *line != passed);
        // A task that reaches another failpoint meanwhile waits for the lock until the process ends.
        let next = path.with_extension("next");
        match std::fs::write(&next, left.join("\n")).and_then(|()| std::fs::rename(&next, path)) {
            Ok(()) => kill(),
            Err(error) => tracing::error!(%error, "the kill list could not be written"),
        }
    }

    fn kill() {
        let own = rustix::process::getpid();
        let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
    }
}

#[cfg(debug_assertions)]
pub(crate) use built_in::{during, killed, set_up, step};

#[cfg(not(debug_assertions))]
mod left_out {
    /// Returns an empty text: release builds have no failpoints.
    pub(crate) fn step() -> String {
        String::new()
    }

    /// Runs the work.
    pub(crate) fn during<F: Future>(_step: &str, work: F) -> F {
        work
    }
}

#[cfg(not(debug_assertions))]
pub(crate) use left_out::{during, step};
