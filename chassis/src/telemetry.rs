//! Log lines as JSON on standard output, and metrics in Prometheus' text format on the internal listener.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Log lines that wait until standard output takes them. Further ones are lost: nothing that a service does waits for who reads its
/// log.
const WAITING_LINES: usize = 4_096;

/// Counts the lines that were lost.
static LOST: OnceLock<ErrorCounter> = OnceLock::new();

/// How long the lines that still wait at the end have to be written.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Logging and metrics of a process. Dropped, it writes the lines that still wait, for two seconds at most.
#[derive(Debug)]
#[must_use = "lines that wait when it is dropped are the last ones"]
pub struct Telemetry {
    lines: Option<WorkerGuard>,
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        let (lines, (ending, ended)) = (self.lines.take(), std::sync::mpsc::channel::<()>());
        // In a thread of its own: a guard that can't end in time prints that to standard output, which may be what is stuck.
        std::thread::spawn(move || {
            drop(lines);
            drop(ending);
        });
        // An error as soon as the other end is dropped.
        let _ = ended.recv_timeout(LAST_LINES);
    }
}

/// Upper bounds of the buckets of every histogram of durations, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Starts logging (filter: `LOG`, `info` where it is not set or not one) and metrics, once per process. A panic is a log line, too.
pub fn start(service: &'static str) -> Telemetry {
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING_LINES).thread_name("log");
    let (lines, waiting) = builder.finish(std::io::stdout());
    LOST.get_or_init(|| lines.error_counter());
    let filter = std::env::var("LOG").ok().and_then(|filter| filter.parse().ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new("info"));
    let json = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(true).with_span_list(false);
    if json.with_env_filter(filter).with_writer(lines).try_init().is_err() {
        tracing::debug!("logging was started before");
    }
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panicked")));
    METRICS.get_or_init(|| {
        let builder = PrometheusBuilder::new().add_global_label("service", service);
        let recorder = match builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS) {
            Ok(builder) => builder.build_recorder(),
            Err(_) => PrometheusBuilder::new().build_recorder(),
        };
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::debug!("metrics were started before");
        }
        handle
    });
    Telemetry { lines: Some(waiting) }
}

/// Moves what was measured out of the buffers that it is written to; without it they would grow until somebody asks.
pub(crate) async fn upkeep() {
    let mut reported = 0;
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let lost = lost_lines();
        if lost > reported {
            tracing::warn!(lines = lost - reported, "log lines were lost: standard output did not take them");
            // Unless this line was lost, too.
            if lost_lines() == lost {
                reported = lost;
            }
        }
        if let Some(handle) = METRICS.get() {
            handle.run_upkeep();
        }
    }
}

fn lost_lines() -> usize {
    LOST.get().map_or(0, ErrorCounter::dropped_lines)
}

/// All metrics in Prometheus' text format.
pub(crate) fn render() -> String {
    metrics::counter!("log_lines_lost_total").absolute(u64::try_from(lost_lines()).unwrap_or(u64::MAX));
    METRICS
        .get()
        .map(|handle| {
            handle.run_upkeep();
            handle.render()
        })
        .unwrap_or_default()
}
