//! Waits until a scenario's aggregates have settled: all events about them are processed, and no further ones follow.

use std::time::{Duration, Instant};

use mart_chassis::sql;

use super::log::LoggedRecord;
use super::scenario::OnServers;

/// The longest that a scenario waits for its aggregates to settle. Only a failing one waits that long, so that slow machines have
/// enough time.
const PATIENCE: Duration = Duration::from_mins(5);

impl OnServers {
    /// Waits until all events about the scenario's aggregates are processed and no further ones follow.
    pub(crate) async fn settle(&self) {
        let (begun, mut before) = (Instant::now(), None);
        loop {
            let checked = self.check_settled().await;
            // What was processed before the previous check has published its events, and this check began after that.
            if checked.is_ok() && before.as_ref() == Some(&checked) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "the mart does not settle: {checked:?}; {self:?}");
            if checked.is_err() {
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            before = Some(checked);
        }
    }

    /// Returns the number of events about the scenario's aggregates if all are processed, or else what is pending.
    async fn check_settled(&self) -> Result<usize, String> {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        for (name, service) in &self.running.services {
            let outbox = sql!("select count(*) from outbox where key = any($keys)", keys = &keys);
            if service.count(outbox).await > 0 {
                return Err(format!("{name} has events that are not published yet"));
            }
        }
        self.running.read_to_the_end().await;
        let mine = self.mine();
        for (name, service) in &self.running.services {
            let theirs = mine.iter().filter(|logged| service.consumed.contains(logged.record.event_type.as_str()));
            let theirs: Vec<&LoggedRecord> = theirs.collect();
            if theirs.is_empty() {
                continue;
            }
            let handled = self.running.handled(name).await;
            for logged in theirs {
                let topic = format!("{}{}", self.running.topic_prefix, logged.record.topic);
                if handled.get(&(topic, logged.partition)).copied().unwrap_or_default() <= logged.offset {
                    return Err(format!("{name} has not processed {}", logged.record.event_type));
                }
            }
            let waiting = sql!("select count(*) from inbox where key = any($keys) and dead_at is null", keys = &keys);
            if service.count(waiting).await > 0 {
                return Err(format!("records wait at {name}"));
            }
        }
        Ok(mine.len())
    }
}
