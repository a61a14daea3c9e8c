//! Points where a test stops this process, or has it kill itself. They are in debug builds only: programs for production have no
//! such code, and one build serves `./mart up` and all tests.
//!
//! - `FAILPOINTS=relay.produced=pause` is the `fail` crate's.
//! - `KILL_AT=commit.after:5` kills this process, with SIGKILL, when it passes that point for the sixth time.
//! - `KILL_LIST=/path` names a file of lines such as `commit.after@order.stock-reserved`: a point and what is under way there, which is a
//!   handler, the route of an operation, the name of a sweep, or for the relay the kind of an event. The first of them that is passed is
//!   taken out of the file, and the process kills itself. Whoever starts it again needs to know no more.

/// Passes a point within whatever is under way.
macro_rules! pass {
    ($point:literal) => {
        $crate::points::pass!($point, $crate::points::step())
    };
    ($point:literal, $step:expr) => {
        #[cfg(debug_assertions)]
        {
            fail::fail_point!($point);
            $crate::points::killed($point, &$step);
        }
    };
}

pub(crate) use pass;

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

    /// Sets up what the environment names.
    pub(crate) fn set_up() -> fail::FailScenario<'static> {
        let points = fail::FailScenario::setup();
        let said = std::env::var("KILL_AT").unwrap_or_default();
        if let Some((point, passes)) = said.split_once(':') {
            let left = AtomicU32::new(passes.parse().unwrap_or_default());
            let kill = move || {
                if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
                    kill();
                }
            };
            if let Err(error) = fail::cfg_callback(point, kill) {
                tracing::error!(error, point, "this point can't be set");
            }
        }
        if let Some(path) = std::env::var_os("KILL_LIST").map(PathBuf::from) {
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    let left = text.lines().map(str::to_owned).collect();
                    *LIST.lock().unwrap_or_else(PoisonError::into_inner) = Some(List { path, left });
                }
                Err(error) => tracing::error!(%error, ?path, "this list can't be read"),
            }
        }
        points
    }

    /// What is under way.
    pub(crate) fn step() -> String {
        STEP.try_with(Clone::clone).unwrap_or_default()
    }

    /// Does something under a name.
    pub(crate) fn during<F: Future>(step: &str, work: F) -> TaskLocalFuture<String, F> {
        STEP.scope(step.to_owned(), work)
    }

    /// Kills this process where this point of this step is on the list.
    pub(crate) fn killed(point: &str, step: &str) {
        let mut list = LIST.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(List { path, left }) = list.as_mut() else { return };
        let passed = format!("{point}@{step}");
        if !left.contains(&passed) {
            return;
        }
        left.retain(|line| *line != passed);
        // Whoever passes another point meanwhile waits for the lock, and for the end.
        let next = path.with_extension("next");
        match std::fs::write(&next, left.join("\n")).and_then(|()| std::fs::rename(&next, path)) {
            Ok(()) => kill(),
            Err(error) => tracing::error!(%error, "the list can't be written"),
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
    /// Nobody wants to know what is under way.
    pub(crate) fn step() -> String {
        String::new()
    }

    /// Does something.
    pub(crate) fn during<F: Future>(_step: &str, work: F) -> F {
        work
    }
}

#[cfg(not(debug_assertions))]
pub(crate) use left_out::{during, step};
