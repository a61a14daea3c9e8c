//! The mart in one process: real routers and handlers, a clock that a scenario moves, and a bus that delays, doubles and
//! reorders as a seed says.
//!
//! The bus keeps what Kafka and the consumer keep, and no more: records of one topic and key come in their order, and those
//! that wait hold up the later ones of their handler and key only. Everything else may happen: any topic or key first, a
//! record once more at any later time, and a handler that has to be asked again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use axum::Router;
use devstack::contracts;
use devstack::providers::Callback;
use devstack::sandbox::Action;
use hyper::StatusCode;
use mart_chassis::Record;
use mart_chassis::consumer::{EventHandlers, Outcome};
use mart_chassis::http::Api;
use mart_chassis::run::BackgroundJob;
use mart_chassis::trace::{self, TraceContext};
use mart_kernel::clock::ManualClock;
use serde_json::Value;

use crate::providers::{Providers, Sandbox};
use crate::scene::{self, Answer, Who};

/// A service within the process.
pub struct Hosted {
    /// Its name.
    pub name: &'static str,
    /// Its operations.
    pub routes: Router,
    /// What events of others do here.
    pub handlers: Option<EventHandlers>,
    /// All events that it has told so far, in their order.
    pub outbox: Box<dyn Fn() -> Vec<Record>>,
    /// What time makes due here.
    pub jobs: Vec<BackgroundJob>,
}

/// Records of one topic and key for one service; a doubled one has a lane of its own.
type Lane = (usize, String, String, u64);
/// Records of one handler and key that wait to be asked again.
type Waiting = (usize, &'static str, String);

/// The whole mart, in this process.
pub struct InProcess {
    services: Vec<Hosted>,
    clock: Arc<ManualClock>,
    dice: fastrand::Rng,
    /// How many of each service's events are on the bus.
    told: Vec<usize>,
    lanes: BTreeMap<Lane, VecDeque<Record>>,
    waiting: BTreeMap<Waiting, VecDeque<Record>>,
    doubles: u64,
    /// What can never be handled, and why.
    dead: Vec<(Record, String)>,
    /// Everything that was told, by services and by the scenario.
    history: Vec<Record>,
    providers: Providers,
    /// Whether others than the sandbox are on.
    many: bool,
    /// What providers say and is still on its way.
    words: Vec<Callback>,
}

/// More steps than this are no settling but a circle.
const MOST: usize = 10_000;

impl InProcess {
    /// Puts up the services that are made for an api and a clock.
    pub fn new(seed: u64, services: impl FnOnce(Arc<Api>, Arc<ManualClock>) -> Vec<Hosted>) -> Self {
        let clock = scene::clock();
        let services = services(scene::api(), clock.clone());
        let told = vec![0; services.len()];
        Self {
            services,
            clock,
            dice: fastrand::Rng::with_seed(seed),
            told,
            lanes: BTreeMap::new(),
            waiting: BTreeMap::new(),
            doubles: 0,
            dead: Vec::new(),
            history: Vec::new(),
            providers: Providers::default(),
            many: false,
            words: Vec::new(),
        }
    }

    /// The same with the sandbox alone, which a service of it asks for money.
    #[must_use]
    pub fn with_sandbox(self, sandbox: Sandbox) -> Self {
        Self { providers: Providers { sandbox, ..Providers::default() }, many: false, ..self }
    }

    /// The same with all providers.
    #[must_use]
    pub fn with_providers(self, providers: Providers) -> Self {
        Self { providers, many: true, ..self }
    }

    /// Those providers.
    pub(crate) fn providers(&self) -> &Providers {
        &self.providers
    }

    /// Whether others than the sandbox are on.
    pub(crate) fn has_many_providers(&self) -> bool {
        self.many
    }

    /// A customer does something with a checkout. What the mart is told of it comes at once, or when time passes.
    pub async fn act(&mut self, checkout: &Value, action: &Action) {
        let now = mart_kernel::Clock::now(&*self.clock).get();
        let acted = self.providers.act(checkout, action, now);
        let said = acted.unwrap_or_else(|refused| panic!("the provider refuses: {refused:?}"));
        if said.delay_ms > 0 {
            self.words.push(said);
        } else {
            self.hear(&said).await;
        }
    }

    pub(crate) fn seconds(&self) -> i64 {
        mart_kernel::Clock::now(&*self.clock).get().unix_timestamp()
    }

    /// The mart hears what a provider says.
    pub(crate) async fn hear(&mut self, said: &Callback) {
        for _ in 0..said.calls {
            self.clock.advance(time::Duration::MILLISECOND);
            let headers = said.headers(mart_kernel::Clock::now(&*self.clock).get());
            let answer = scene::post(self.routes(said.path()), said.path(), &said.body, &headers).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    }

    /// The services that are in it.
    pub(crate) fn services(&self) -> &[Hosted] {
        &self.services
    }

    /// Sends a request to the service that has the path. Every request is a little later than the one before.
    pub async fn send(
        &mut self,
        who: Who<'_>,
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

    /// The operations of the service that has a path.
    fn routes(&self, path: &str) -> Router {
        let name = contracts::service_of(path);
        let service = self.services.iter().find(|service| Some(service.name) == name.as_deref());
        service.unwrap_or_else(|| panic!("no service has {path}")).routes.clone()
    }

    /// Puts a record on the bus, as a service that is not part of this mart would.
    pub fn publish(&mut self, record: &Record) {
        self.enqueue(record);
    }

    /// Lets time pass, and lets every service look what has become due.
    pub async fn pass(&mut self, by: time::Duration) {
        self.clock.advance(by);
        for word in std::mem::take(&mut self.words) {
            self.hear(&word).await;
        }
        for service in &self.services {
            for sweep in &service.jobs {
                while sweep.run_once().await.expect("a store in memory") > 0 {}
            }
        }
    }

    /// Delivers until nothing is left to deliver, but what waits for something that has not happened.
    pub async fn settle(&mut self) {
        let mut idle = false;
        for _ in 0..MOST {
            self.collect();
            if self.lanes.is_empty() {
                if idle || self.waiting.is_empty() {
                    return;
                }
                idle = !self.ask_again().await;
            } else {
                idle = false;
                // What waits may be asked again before or after anything that comes.
                if self.dice.usize(..8) == 0 {
                    self.ask_again().await;
                }
                self.deliver().await;
            }
        }
        panic!("the mart does not come to rest: {self:?}");
    }

    /// Every event that was told, in the order in which the bus heard of it.
    pub fn history(&mut self) -> &[Record] {
        self.collect();
        &self.history
    }

    /// How many records can never be handled.
    pub(crate) fn dead(&self) -> usize {
        self.dead.len()
    }

    /// Throws away, as an operator does, what can never be handled.
    pub(crate) fn discard(&mut self) {
        self.dead.clear();
    }

    /// How many records wait to be asked again.
    fn waiting(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    /// Takes what services have told since the last time.
    fn collect(&mut self) {
        for nth in 0..self.services.len() {
            let all = (self.services[nth].outbox)();
            for record in &all[self.told[nth]..] {
                let key = contracts::key(&record.event_type, &record.payload);
                assert_eq!(
                    key.as_deref(),
                    Some(&*record.key),
                    "the core's key of {} is the contract's",
                    record.event_type
                );
                self.enqueue(record);
            }
            self.told[nth] = all.len();
        }
    }

    fn enqueue(&mut self, record: &Record) {
        self.history.push(record.clone());
        for (nth, service) in self.services.iter().enumerate() {
            let subscription = service.handlers.iter().flat_map(|handlers| handlers.subscriptions);
            if subscription
                .clone()
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
        let lane = lanes[self.dice.usize(..lanes.len())].clone();
        let Some(queue) = self.lanes.get_mut(&lane) else { return };
        let Some(record) = queue.pop_front() else { return };
        if queue.is_empty() {
            self.lanes.remove(&lane);
        }
        if self.dice.usize(..4) == 0 {
            self.doubles += 1;
            self.lanes.insert((lane.0, lane.1.clone(), lane.2.clone(), self.doubles), VecDeque::from([record.clone()]));
        }
        let Some(handler) = self.handler(lane.0, &record) else { return };
        let waits = (lane.0, handler, record.key.clone());
        if self.waiting.contains_key(&waits) || self.dice.usize(..8) == 0 {
            self.waiting.entry(waits).or_default().push_back(record);
            return;
        }
        if let Some(record) = self.ask(lane.0, handler, record).await {
            self.waiting.entry(waits).or_default().push_back(record);
        }
    }

    /// Asks the heads of all that wait, in any order; whether one of them is done.
    async fn ask_again(&mut self) -> bool {
        let mut all: Vec<Waiting> = self.waiting.keys().cloned().collect();
        let mut any = false;
        while !all.is_empty() {
            let waits = all.swap_remove(self.dice.usize(..all.len()));
            let Some(record) = self.waiting.get_mut(&waits).and_then(VecDeque::pop_front) else { continue };
            if let Some(record) = self.ask(waits.0, waits.1, record).await {
                self.waiting.entry(waits).or_default().push_front(record);
            } else {
                any = true;
                self.waiting.retain(|_, queue| !queue.is_empty());
            }
        }
        any
    }

    /// Asks a reaction; gives the record back where it has to wait.
    async fn ask(&mut self, nth: usize, handler: &'static str, record: Record) -> Option<Record> {
        let handlers = self.services[nth].handlers.as_ref()?;
        let context = TraceContext::parse(&record.traceparent).map_or_else(TraceContext::root, TraceContext::child);
        match trace::within(context, (handlers.dispatch)(handler.to_owned(), record.clone())).await {
            Ok(Outcome::Applied | Outcome::Ignored(_)) => None,
            Ok(Outcome::Retry(_)) => Some(record),
            Ok(Outcome::Reject(why)) => self.bury(record, why),
            Err(error) => self.bury(record, &error.to_string()),
        }
    }

    /// Puts a record among the dead, once.
    fn bury(&mut self, record: Record, why: &str) -> Option<Record> {
        if self.dead.iter().all(|(known, _)| known.id != record.id) {
            self.dead.push((record, why.to_owned()));
        }
        None
    }

    fn handler(&self, nth: usize, record: &Record) -> Option<&'static str> {
        let subscription = self.services[nth].handlers.as_ref()?.subscriptions;
        subscription
            .iter()
            .find(|subscription| subscription.event_type == record.event_type)
            .map(|subscription| subscription.handler)
    }
}

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kinds = self.history.iter().map(|record| record.event_type.rsplit('.').next().unwrap_or_default());
        let why: Vec<&str> = self.dead.iter().map(|(_, why)| why.as_str()).collect();
        write!(f, "told {:?}; {} wait; dead {why:?}", kinds.collect::<Vec<_>>(), self.waiting())
    }
}
