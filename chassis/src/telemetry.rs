//! JSON log lines on standard output, and metrics in Prometheus' text format on the internal listener.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::Config;

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// The number of log lines that are buffered for standard output. Further lines are lost, so that logging never blocks a request.
const BUFFERED_LINES: usize = 4_096;

/// Counts the lost lines.
static LOST: OnceLock<ErrorCounter> = OnceLock::new();

/// The time to write the buffered lines when the process ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// The logging and metrics of a process. When dropped, it writes the buffered lines for at most two seconds.
#[derive(Debug)]
#[must_use = "it writes the buffered lines when it is dropped"]
pub struct Telemetry {
    lines: Option<WorkerGuard>,
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        let (lines, (ending, ended)) = (self.lines.take(), std::sync::mpsc::channel::<()>());
        // In a separate thread: a guard that times out prints to standard output, which may be what is blocked.
        std::thread::spawn(move || {
            drop(lines);
            drop(ending);
        });
        // An error when the other end is dropped.
        let _ = ended.recv_timeout(FLUSH_TIMEOUT);
    }
}

/// The upper bounds of the buckets of every duration histogram, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Starts logging and metrics, once per process. A panic is logged.
pub fn start(config: &Config) -> Telemetry {
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(BUFFERED_LINES).thread_name("log");
    let (lines, waiting) = builder.finish(std::io::stdout());
    LOST.get_or_init(|| lines.error_counter());
    // The configuration has checked the filter.
    let filter = EnvFilter::try_new(&config.log_filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let json = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(true).with_span_list(false);
    if json.with_env_filter(filter).with_writer(lines).try_init().is_err() {
        tracing::debug!("logging was started before");
    }
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panicked")));
    METRICS.get_or_init(|| {
        let builder = PrometheusBuilder::new().add_global_label("service", config.service);
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

/// Aggregates the recorded values regularly. Without it, the buffers grow until the metrics are requested.
pub(crate) async fn upkeep() {
    let mut reported = 0;
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let lost = lost_lines();
        if lost > reported {
            tracing::warn!(lines = lost - reported, "log lines were lost because standard output was blocked");
            // This line may be lost too.
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

/// Returns all metrics in Prometheus' text format.
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
