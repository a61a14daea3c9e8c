//! A running mart: its services, its gateway and its providers, which all scenarios share.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use devstack::keys::Keys;
use devstack::testing::App;
use devstack::{gateway, mail, sandbox};
use rdkafka::consumer::BaseConsumer;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgPool, Postgres, Row};

use super::log::Log;
use crate::providers::Providers;

/// A service and its database.
#[derive(Debug)]
pub(super) struct RunningService {
    pub(super) app: App,
    pub(super) database: PgPool,
    /// Full names of the events that it consumes.
    pub(super) consumed: BTreeSet<&'static str>,
    pub(super) jobs: usize,
}

/// A running mart; it stops when this is dropped.
#[allow(missing_debug_implementations, reason = "the client library's consumer has none")]
pub struct Running {
    pub(super) services: BTreeMap<String, RunningService>,
    /// The gateway in front of the services.
    pub(super) gateway: gateway::GatewayProcess,
    /// The payment provider, if a service uses it.
    pub(super) _sandbox: Option<sandbox::SandboxProcess>,
    /// The other providers, if they are enabled.
    pub(super) providers: Providers,
    /// The mail server, if a service sends mails.
    pub(super) _mail: Option<mail::MailProcess>,
    pub(super) keys: Keys,
    pub(super) brokers: String,
    pub(super) topic_prefix: String,
    pub(super) partitions: Arc<Vec<(String, i32)>>,
    /// A client for each group, used for queries only.
    pub(super) clients: Mutex<HashMap<String, Arc<BaseConsumer>>>,
    pub(super) log: Arc<Mutex<Log>>,
    pub(super) ended: Arc<AtomicBool>,
    /// The services' names in the order of the mart in one process. Time passes in one after the other.
    pub(super) names: Vec<&'static str>,
    pub(super) scenarios: AtomicUsize,
}

impl RunningService {
    /// Returns the count that a query selects from the service's database.
    pub(super) async fn count(&self, query: Query<'_, Postgres, PgArguments>) -> i64 {
        query.fetch_one(&self.database).await.expect("counted").get(0)
    }
}

impl Running {
    /// Returns the owner's URL of every service's database.
    pub fn databases(&self) -> BTreeMap<String, String> {
        let url = |service: &RunningService| service.app.spec.database.owner.clone();
        self.services.iter().map(|(name, service)| (name.clone(), url(service))).collect()
    }

    /// Returns Kafka's address.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Returns the prefix of its topics.
    pub fn topic_prefix(&self) -> &str {
        &self.topic_prefix
    }

    /// Returns everything that has been read from Kafka so far.
    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}
