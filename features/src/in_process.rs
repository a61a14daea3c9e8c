//! The mart in one process: real routers and handlers, a clock that a scenario moves, and a bus whose delays, duplicates and order
//! depend on a seed.
//! The bus guarantees what Kafka and the consumer guarantee, and no more. Records of one topic and key arrive in order, and a
//! waiting record holds up only later records of its handler and key. Everything else may happen: any topic or key first, a record
//! again at any later time, and a handler that has to retry.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use axum::Router;
use devstack::contracts;
use devstack::providers::Callback;
use devstack::sandbox::Action;
use hyper::StatusCode;
use mart_chassis::Record;
use mart_chassis::consumer::{EventHandlers, Outcome};
use mart_chassis::run::BackgroundJob;
use mart_chassis::trace::{self, TraceContext};
use mart_kernel::clock::ManualClock;
use serde_json::Value;

use crate::providers::{Providers, Sandbox};
use crate::scene::{self, Adapters, Answer, Caller};

/// A service within the process.
pub struct Hosted {
    /// Its name.
    pub name: &'static str,
    /// Its operations.
    pub routes: Router,
    /// The handlers of events of other services.
    pub handlers: Option<EventHandlers>,
    /// Returns all events that it has published so far, in their order.
    pub outbox: Box<dyn Fn() -> Vec<Record>>,
    /// Its background jobs.
    pub jobs: Vec<BackgroundJob>,
}

/// Records of one topic and key for one service; a duplicate has a lane of its own.
type Lane = (usize, String, String, u64);
/// Records of one handler and key that wait for a retry.
type Waiting = (usize, &'static str, String);

/// The whole mart, in this process.
pub struct InProcess {
    services: Vec<Hosted>,
    clock: Arc<ManualClock>,
    rng: fastrand::Rng,
    /// The number of each service's events that are on the bus.
    published: Vec<usize>,
    lanes: BTreeMap<Lane, VecDeque<Record>>,
    waiting: BTreeMap<Waiting, VecDeque<Record>>,
    duplicates: u64,
    /// The dead letters with their reasons.
    dead: Vec<(Record, String)>,
    /// Everything that was published, by services and by the scenario.
    history: Vec<Record>,
    providers: Providers,
    /// Whether other providers than the sandbox are enabled.
    all_providers: bool,
    /// Callbacks of providers that are still on their way.
    callbacks: Vec<Callback>,
}

/// More steps than this mean an endless loop.
const MOST: usize = 10_000;

impl InProcess {
    /// Creates the services from their common adapters. The seed decides the order and the duplicates of records on the bus.
    pub fn new(seed: u64, services: impl FnOnce(Adapters) -> Vec<Hosted>) -> Self {
        let adapters = Adapters::new();
        let clock = adapters.clock.clone();
        let services = services(adapters);
        let published = vec![0; services.len()];
        Self {
            services,
            clock,
            rng: fastrand::Rng::with_seed(seed),
            published,
            lanes: BTreeMap::new(),
            waiting: BTreeMap::new(),
            duplicates: 0,
            dead: Vec::new(),
            history: Vec::new(),
            providers: Providers::default(),
            all_providers: false,
            callbacks: Vec::new(),
        }
    }

    /// Returns the same mart with the sandbox alone, which a service of it uses.
    #[must_use]
    pub fn with_sandbox(self, sandbox: Sandbox) -> Self {
        Self { providers: Providers { sandbox, ..Providers::default() }, all_providers: false, ..self }
    }

    /// Returns the same mart with all providers.
    #[must_use]
    pub fn with_providers(self, providers: Providers) -> Self {
        Self { providers, all_providers: true, ..self }
    }

    /// Returns these providers.
    pub(crate) fn providers(&self) -> &Providers {
        &self.providers
    }

    /// Returns whether other providers than the sandbox are enabled.
    pub(crate) fn has_many_providers(&self) -> bool {
        self.all_providers
    }

    /// Acts on a checkout as its customer. The callback arrives at once, or when time passes.
    pub async fn act(&mut self, checkout: &Value, action: &Action) {
        let now = mart_kernel::Clock::now(&*self.clock).get();
        let acted = self.providers.act(checkout, action, now);
        let callback = acted.unwrap_or_else(|refused| panic!("the provider rejects the action: {refused:?}"));
        if callback.delay_ms > 0 {
            self.callbacks.push(callback);
        } else {
            self.deliver_callback(&callback).await;
        }
    }

    pub(crate) fn seconds(&self) -> i64 {
        mart_kernel::Clock::now(&*self.clock).get().unix_timestamp()
    }

    /// Delivers a callback of a provider.
    pub(crate) async fn deliver_callback(&mut self, callback: &Callback) {
        for _ in 0..callback.calls {
            self.clock.advance(time::Duration::MILLISECOND);
            let headers = callback.headers(mart_kernel::Clock::now(&*self.clock).get());
            let answer = scene::post(self.routes(callback.path()), callback.path(), &callback.body, &headers).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    }

    /// Returns its services.
    pub(crate) fn services(&self) -> &[Hosted] {
        &self.services
    }

    /// Sends a request to the service that has the path. Every request is a little later than the previous one.
    pub async fn send(
        &mut self,
        who: Caller<'_>,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.clock.advance(time::Duration::MILLISECOND);
        let answer = scene::send(self.routes(path), who, method, path, body, headers).await;
        assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR.as_u16(), "{}", answer.body);
        answer
    }

    /// Returns the routes of the service that has a path.
    fn routes(&self, path: &str) -> Router {
        let name = contracts::service_of(path);
        let service = self.services.iter().find(|service| Some(service.name) == name.as_deref());
        service.unwrap_or_else(|| panic!("no service has {path}")).routes.clone()
    }

    /// Puts a record on the bus, as a service outside of this mart.
    pub fn publish(&mut self, record: &Record) {
        self.enqueue(record);
    }

    /// Lets time pass, and lets every service run its background jobs.
    pub async fn pass(&mut self, by: time::Duration) {
        self.clock.advance(by);
        for callback in std::mem::take(&mut self.callbacks) {
            self.deliver_callback(&callback).await;
        }
        for service in &self.services {
            for job in &service.jobs {
                while job.run_once().await.expect("a store in memory") > 0 {}
            }
        }
    }

    /// Delivers until nothing is left, except records that wait for something that has not happened.
    pub async fn settle(&mut self) {
        let mut idle = false;
        for _ in 0..MOST {
            self.collect();
            if self.lanes.is_empty() {
                if idle || self.waiting.is_empty() {
                    return;
                }
                idle = !self.retry_waiting().await;
            } else {
                idle = false;
                // A waiting record may be retried before or after anything that arrives.
                if self.rng.usize(..8) == 0 {
                    self.retry_waiting().await;
                }
                self.deliver().await;
            }
        }
        panic!("the mart does not settle: {self:?}");
    }

    /// Returns every published event, in the order in which the bus received it.
    pub fn history(&mut self) -> &[Record] {
        self.collect();
        &self.history
    }

    /// Returns the number of dead letters.
    pub(crate) fn dead(&self) -> usize {
        self.dead.len()
    }

    /// Discards all dead letters, as an operator would.
    pub(crate) fn discard(&mut self) {
        self.dead.clear();
    }

    /// Returns the number of waiting records.
    fn waiting(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    /// Puts the events that services have published since the last call on the bus.
    fn collect(&mut self) {
        for nth in 0..self.services.len() {
            let all = (self.services[nth].outbox)();
            for record in &all[self.published[nth]..] {
                let key = contracts::key(&record.event_type, &record.payload);
                assert_eq!(
                    key.as_deref(),
                    Some(&*record.key),
                    "the core's key of {} is the contract's",
                    record.event_type
                );
                self.enqueue(record);
            }
            self.published[nth] = all.len();
        }
    }

    fn enqueue(&mut self, record: &Record) {
        self.history.push(record.clone());
        for (nth, service) in self.services.iter().enumerate() {
            let mut subscriptions = service.handlers.iter().flat_map(|handlers| handlers.subscriptions);
            if subscriptions
                .any(|subscription| subscription.topic == record.topic && subscription.event_type == record.event_type)
            {
                let lane = (nth, record.topic.clone(), record.key.clone(), 0);
                self.lanes.entry(lane).or_default().push_back(record.clone());
            }
        }
    }

    /// Delivers the head of any lane.
    async fn deliver(&mut self) {
        let lanes: Vec<Lane> = self.lanes.keys().cloned().collect();
        let lane = lanes[self.rng.usize(..lanes.len())].clone();
        let Some(queue) = self.lanes.get_mut(&lane) else { return };
        let Some(record) = queue.pop_front() else { return };
        if queue.is_empty() {
            self.lanes.remove(&lane);
        }
        if self.rng.usize(..4) == 0 {
            self.duplicates += 1;
            self.lanes
                .insert((lane.0, lane.1.clone(), lane.2.clone(), self.duplicates), VecDeque::from([record.clone()]));
        }
        let Some(handler) = self.handler(lane.0, &record) else { return };
        let waits = (lane.0, handler, record.key.clone());
        if self.waiting.contains_key(&waits) || self.rng.usize(..8) == 0 {
            self.waiting.entry(waits).or_default().push_back(record);
            return;
        }
        if let Some(record) = self.handle(lane.0, handler, record).await {
            self.waiting.entry(waits).or_default().push_back(record);
        }
    }

    /// Retries the heads of all waiting queues, in any order. Returns whether one of them is done.
    async fn retry_waiting(&mut self) -> bool {
        let mut all: Vec<Waiting> = self.waiting.keys().cloned().collect();
        let mut any = false;
        while !all.is_empty() {
            let waits = all.swap_remove(self.rng.usize(..all.len()));
            let Some(record) = self.waiting.get_mut(&waits).and_then(VecDeque::pop_front) else { continue };
            if let Some(record) = self.handle(waits.0, waits.1, record).await {
                self.waiting.entry(waits).or_default().push_front(record);
            } else {
                any = true;
                self.waiting.retain(|_, queue| !queue.is_empty());
            }
        }
        any
    }

    /// Calls a handler; returns the record if it has to wait.
    async fn handle(&mut self, nth: usize, handler: &'static str, record: Record) -> Option<Record> {
        let handlers = self.services[nth].handlers.as_ref()?;
        let context = TraceContext::parse(&record.traceparent).map_or_else(TraceContext::root, TraceContext::child);
        match trace::within(context, (handlers.dispatch)(handler.to_owned(), record.clone())).await {
            Ok(Outcome::Applied | Outcome::Ignored(_)) => None,
            Ok(Outcome::Retry(_)) => Some(record),
            Ok(Outcome::Reject(why)) => self.dead_letter(record, why),
            Err(error) => self.dead_letter(record, &error.to_string()),
        }
    }

    /// Adds a record to the dead letters, once.
    fn dead_letter(&mut self, record: Record, why: &str) -> Option<Record> {
        if self.dead.iter().all(|(known, _)| known.id != record.id) {
            self.dead.push((record, why.to_owned()));
        }
        None
    }

    fn handler(&self, nth: usize, record: &Record) -> Option<&'static str> {
        let subscriptions = self.services[nth].handlers.as_ref()?.subscriptions;
        subscriptions
            .iter()
            .find(|subscription| subscription.event_type == record.event_type)
            .map(|subscription| subscription.handler)
    }
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kinds = self.history.iter().map(|record| record.event_type.rsplit('.').next().unwrap_or_default());
        let why: Vec<&str> = self.dead.iter().map(|(_, why)| why.as_str()).collect();
        write!(f, "published {:?}; {} wait; dead letters {why:?}", kinds.collect::<Vec<_>>(), self.waiting())
    }
}
