//! A scenario on a running mart, with the names and the aggregates that only it has.

use std::collections::BTreeSet;
use std::fmt::{Debug, Formatter};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use devstack::testing::{TestEvent, until};
use mart_chassis::Record;

use super::log::LoggedRecord;
use super::running::Running;
use crate::providers::Providers;

/// One scenario's part of a running mart.
pub struct OnServers {
    pub(super) running: Arc<Running>,
    /// Distinguishes its names from those of all other scenarios.
    pub(super) suffix: String,
    /// The aggregates that it has created or published events about.
    pub(super) keys: BTreeSet<String>,
    /// Sends from an address that no other scenario has, so that no other scenario uses up its rate limits.
    pub(super) client: reqwest::Client,
    pub(super) address: IpAddr,
}

impl OnServers {
    pub(crate) fn new(running: Arc<Running>) -> Self {
        let nth = running.scenarios.fetch_add(1, Ordering::Relaxed);
        let [.., high, low] = nth.to_be_bytes();
        let address = IpAddr::from([127, 1, high, low]);
        let client = devstack::http::builder().local_address(address).build().expect("a client");
        Self { running, suffix: format!("s{nth}"), keys: BTreeSet::new(), client, address }
    }

    /// Returns a name that no other scenario has; an empty name stays empty.
    pub(crate) fn own(&self, name: &str) -> String {
        if name.is_empty() { String::new() } else { format!("{name}-{}", self.suffix) }
    }

    /// Returns the providers, which are simulations.
    pub(crate) fn providers(&self) -> &Providers {
        &self.running.providers
    }

    /// Publishes a record of a service that is not part of the mart, and includes its aggregate in this scenario.
    pub(crate) async fn publish(&mut self, record: &Record) {
        self.keys.insert(record.key.clone());
        let event = TestEvent::new(&record.topic, &record.event_type, record.payload.clone());
        let event = event.about(&record.key, record.version.get()).with_id(record.id);
        devstack::publisher::publish(&self.running.brokers, &self.running.topic_prefix, &[event])
            .await
            .expect("on Kafka");
    }

    /// Returns every published event about the scenario's aggregates.
    pub(crate) fn history(&self) -> Vec<Record> {
        self.mine().into_iter().map(|logged| logged.record).collect()
    }

    /// Waits for a record, and includes its aggregate in this scenario.
    pub(crate) async fn follow(&mut self, what: &str, record: impl Fn(&Record) -> bool) -> Record {
        let mut found = None;
        until(what, async || {
            found = self
                .running
                .log()
                .records
                .iter()
                .map(|logged| &logged.record)
                .rfind(|published| record(published))
                .cloned();
            found.is_some()
        })
        .await;
        let found = found.expect("waited for");
        self.keys.insert(found.key.clone());
        found
    }

    /// Returns the published records about the scenario's aggregates.
    pub(super) fn mine(&self) -> Vec<LoggedRecord> {
        let log = self.running.log();
        log.records.iter().filter(|logged| self.keys.contains(&logged.record.key)).cloned().collect()
    }
}

impl Debug for OnServers {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let kinds: Vec<String> = self.mine().into_iter().map(|logged| logged.record.event_type).collect();
        write!(f, "published {kinds:?} about {:?}", self.keys)
    }
}
