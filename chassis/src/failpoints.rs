//! Failpoints, where a test pauses or kills this process. Only debug builds have them; release builds contain no such code.
//!
//! - `PAUSE_AT=relay.produced` blocks each thread that reaches the failpoint, until the process is killed.
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
            $crate::failpoints::reached($point, &$step);
        }
    };
}

pub(crate) use failpoint;

#[cfg(debug_assertions)]
mod built_in {
    use std::path::PathBuf;
    use std::sync::{Mutex, OnceLock, PoisonError};

    use tokio::task::futures::TaskLocalFuture;

    tokio::task_local! {
        static STEP: String;
    }

    static PAUSE_AT: OnceLock<String> = OnceLock::new();

    /// The failpoint at which this process kills itself, and how often it passes it before.
    static KILL_AT: Mutex<Option<(String, u32)>> = Mutex::new(None);

    static LIST: Mutex<Option<List>> = Mutex::new(None);

    struct List {
        path: PathBuf,
        left: Vec<String>,
    }

    /// Sets up the failpoints that the environment names.
    pub(crate) fn set_up() {
        if let Ok(point) = std::env::var("PAUSE_AT") {
            PAUSE_AT.get_or_init(|| point);
        }
        if let Some((point, passes)) = std::env::var("KILL_AT").unwrap_or_default().split_once(':') {
            let passes = passes.parse().unwrap_or_default();
            *KILL_AT.lock().unwrap_or_else(PoisonError::into_inner) = Some((point.to_owned(), passes));
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
    }

    /// Returns the current step.
    pub(crate) fn step() -> String {
        STEP.try_with(Clone::clone).unwrap_or_default()
    }

    /// Runs work as a step with this name.
    pub(crate) fn during<F: Future>(step: &str, work: F) -> TaskLocalFuture<String, F> {
        STEP.scope(step.to_owned(), work)
    }

    /// Pauses or kills this process if it is to be at this failpoint in this step.
    pub(crate) fn reached(point: &str, step: &str) {
        while PAUSE_AT.get().is_some_and(|at| at == point) {
            std::thread::park();
        }
        if let Some((at, passes)) = KILL_AT.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
            && at == point
        {
            match passes.checked_sub(1) {
                Some(left) => *passes = left,
                None => kill(),
            }
        }
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
pub(crate) use built_in::{during, reached, set_up, step};

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
