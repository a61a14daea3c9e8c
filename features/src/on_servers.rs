//! The mart on real servers: every service is a process of its own behind the gateway, with the PostgreSQL and the Kafka of the run.
//! Scenarios share it and run side by side, each with users, products and orders of its own. A scenario waits for a condition: every
//! consumer has processed all events about its aggregates, and no further ones follow.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use devstack::kafka::each_partition;
use devstack::keys::Keys;
use devstack::providers::Callback;
use devstack::secrets::Secrets;
use devstack::testing::{self, App, Servers, TestEvent, prefix, until};
use devstack::{gateway, kafka, mail, ports, sandbox};
use mart_chassis::{Record, sql};
use mart_kernel::Timestamp;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;
use sqlx::postgres::{PgArguments, PgPoolOptions};
use sqlx::query::Query;
use sqlx::{PgPool, Postgres, Row};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::InProcess;
use crate::providers::{self, Providers};
use crate::scene::{self, Answer, Caller};

/// The longest that a scenario waits for its aggregates to settle. Only a failing one waits that long, so that slow machines have
/// enough time.
const PATIENCE: Duration = Duration::from_mins(5);

/// A record read from Kafka.
#[derive(Debug, Clone)]
struct LoggedRecord {
    record: Record,
    partition: i32,
    offset: i64,
}

/// All records read so far.
#[derive(Debug, Default)]
struct Log {
    records: Vec<LoggedRecord>,
    /// The next offset of each partition.
    next: HashMap<(String, i32), i64>,
}

/// A service and its database.
#[derive(Debug)]
struct RunningService {
    app: App,
    database: PgPool,
    /// Full names of the events that it consumes.
    consumed: BTreeSet<&'static str>,
    jobs: usize,
}

/// A running mart; it stops when this is dropped.
#[allow(missing_debug_implementations, reason = "the client library's consumer has none")]
pub struct Running {
    services: BTreeMap<String, RunningService>,
    /// The gateway in front of the services.
    gateway: gateway::GatewayProcess,
    /// The payment provider, if a service uses it.
    _sandbox: Option<sandbox::SandboxProcess>,
    /// The other providers, if they are enabled.
    providers: Providers,
    /// The mail server, if a service sends mails.
    _mail: Option<mail::MailProcess>,
    keys: Keys,
    brokers: String,
    topic_prefix: String,
    partitions: Arc<Vec<(String, i32)>>,
    /// A client for each group, used for queries only.
    clients: Mutex<HashMap<String, Arc<BaseConsumer>>>,
    log: Arc<Mutex<Log>>,
    ended: Arc<AtomicBool>,
    /// The services' names in the order of the mart in one process. Time passes in one after the other.
    names: Vec<&'static str>,
    scenarios: AtomicUsize,
}

impl Running {
    /// Starts the services of a mart in one process, with further variables.
    pub(crate) async fn start(mart: &InProcess, more: &[(&str, &str)]) -> Self {
        let (servers, topic_prefix) = (Servers::from_env(), prefix());
        let (mut specs, mut topics) = (Vec::new(), BTreeSet::new());
        let secrets = Secrets::in_file(&servers.scratch.join("secrets.json"));
        let access = sandbox::Access::new(ports::any().expect("a port"), &secrets).expect("secrets");
        let providers = Providers::default();
        let mut pays = false;
        let mut mails = None;
        for hosted in mart.services() {
            let program = testing::program(hosted.name);
            let mut spec = servers.service_among(hosted.name, &program, &topic_prefix).await.expect("prepared");
            if hosted.name == sandbox::PAYMENT {
                spec.more.extend(access.variables());
                if mart.has_many_providers() {
                    spec.more.extend(variables(&providers).await);
                }
                pays = true;
            }
            if hosted.name == mail::NOTIFICATION {
                let access = mail::Access { smtp: ports::any().expect("a port"), page: ports::any().expect("a port") };
                spec.more.extend(access.variables());
                let folder = servers.scratch.join(format!("mail-{topic_prefix}"));
                let started =
                    mail::MailProcess::start(&testing::devstack(), &folder, access, Some(mail::TEST_MAILBOXES)).await;
                mails = Some(started.expect("a mail server"));
            }
            // The gateway is the one proxy that reports the client's address.
            spec.more.push(("HTTP_TRUSTED_PROXY_HOPS".to_owned(), "1".to_owned()));
            spec.more.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            let consumed = hosted.handlers.iter().flat_map(|handlers| handlers.subscriptions);
            topics.extend(devstack::contracts::topics_of(hosted.name));
            topics.extend(consumed.clone().map(|consumed| consumed.topic.to_owned()));
            specs.push((spec, consumed.map(|consumed| consumed.event_type).collect(), hosted.jobs.len()));
        }
        let topics: Vec<String> = topics.iter().map(|topic| format!("{topic_prefix}{topic}")).collect();
        kafka::topics(&servers.kafka, &topics).await.expect("topics");
        let partitions = topics.iter().flat_map(|topic| (0..kafka::PARTITIONS).map(|nth| (topic.clone(), nth)));
        let partitions = Arc::new(partitions.collect::<Vec<_>>());
        let (log, ended) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        read_all(&servers.kafka, &topic_prefix, &partitions, &log, &ended);
        let mut services = BTreeMap::new();
        for (spec, consumed, jobs) in specs {
            let name = spec.name.clone();
            let options = PgPoolOptions::new().max_connections(4);
            let database = options.connect_lazy(&spec.database.owner).expect("a URL");
            services.insert(name, RunningService { app: App::of(spec).await, database, consumed, jobs });
        }
        let addresses = services.iter().map(|(name, service)| (name.clone(), service.app.spec.url())).collect();
        let keys = Keys::in_folder(&servers.scratch.join("keys")).expect("keys");
        let folder = servers.scratch.join(format!("gateway-{topic_prefix}"));
        let ports = (ports::any().expect("a port"), ports::any().expect("a port"));
        let program = testing::devstack();
        let gateway =
            gateway::GatewayProcess::start(&program, &folder, addresses, &keys, ports).await.expect("a gateway");
        let mut sandbox = None;
        if pays {
            let started = sandbox::SandboxProcess::start(&program, &folder, access, &gateway.url()).await;
            sandbox = Some(started.expect("a sandbox"));
        }
        let (brokers, scenarios) = (servers.kafka, AtomicUsize::new(0));
        let clients = Mutex::default();
        let names = mart.services().iter().map(|hosted| hosted.name).collect();
        Self {
            services,
            gateway,
            _sandbox: sandbox,
            providers,
            _mail: mails,
            keys,
            brokers,
            topic_prefix,
            partitions,
            clients,
            log,
            ended,
            names,
            scenarios,
        }
    }

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

    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a blocking query of the Kafka client.
    async fn ask<T: Send + 'static>(
        &self,
        group: &str,
        question: impl FnOnce(&BaseConsumer, &[(String, i32)]) -> T + Send + 'static,
    ) -> T {
        let client = {
            let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(consumer(&self.brokers, group));
            clients.entry(group.to_owned()).or_insert_with(new).clone()
        };
        let partitions = self.partitions.clone();
        tokio::task::spawn_blocking(move || question(&client, &partitions)).await.expect("the query ended")
    }

    /// Waits until everything that is on Kafka now has been read.
    async fn read_to_the_end(&self) {
        let ends = self.ask("none", |consumer, partitions| {
            // One query for all partitions: the time -1 is the end.
            let mut wanted = TopicPartitionList::new();
            for (topic, partition) in partitions {
                wanted.add_partition_offset(topic, *partition, Offset::End).expect("an offset");
            }
            let ends = || each_partition(consumer.offsets_for_times(wanted.clone(), kafka::TIMEOUT)?);
            kafka::retry_transient(ends).expect("the ends")
        });
        let end = |offset: Offset| match offset {
            Offset::Offset(offset) => offset,
            other => panic!("no end offset of a partition: {other:?}"),
        };
        let ends = ends.await;
        let ends = ends.elements();
        let ends: HashMap<(String, i32), i64> =
            ends.iter().map(|at| ((at.topic().to_owned(), at.partition()), end(at.offset()))).collect();
        until("all of Kafka is read", async || {
            let log = self.log();
            ends.iter().all(|(partition, end)| log.next.get(partition).copied().unwrap_or_default() >= *end)
        })
        .await;
    }

    /// Returns the committed offset of a service for each partition.
    async fn handled(&self, service: &str) -> HashMap<(String, i32), i64> {
        let group = format!("{}{service}", self.topic_prefix);
        let committed = self.ask(&group, |consumer, partitions| {
            let mut wanted = TopicPartitionList::new();
            for (topic, partition) in partitions {
                wanted.add_partition(topic, *partition);
            }
            let committed = || each_partition(consumer.committed_offsets(wanted.clone(), kafka::TIMEOUT)?);
            kafka::retry_transient(committed).expect("offsets")
        });
        let offset = |offset: Offset| match offset {
            Offset::Offset(offset) => offset,
            _ => 0,
        };
        let committed = committed.await;
        let elements = committed.elements();
        elements.iter().map(|at| ((at.topic().to_owned(), at.partition()), offset(at.offset()))).collect()
    }

    /// Returns the number of runs of each background job of a service.
    async fn job_runs(&self, service: &RunningService) -> BTreeMap<String, f64> {
        let url = format!("{}/metrics", service.app.spec.internal_url());
        let answer = service.app.client.get(url).send().await.expect("metrics");
        let text = answer.text().await.expect("text");
        let runs = text.lines().filter(|line| line.starts_with("background_job_runs_total{"));
        let run = |line: &str| Some((line.split(' ').next()?.to_owned(), line.rsplit(' ').next()?.parse().ok()?));
        runs.filter_map(run).collect()
    }

    /// Waits until every background job of a service has begun and ended a run after now.
    async fn jobs_ran(&self, service: &RunningService) {
        // A job that has not run yet has no counter yet.
        let before = self.job_runs(service).await;
        until("every background job has run", async || {
            let now = self.job_runs(service).await;
            let twice = |(job, runs): (&String, &f64)| *runs >= before.get(job).copied().unwrap_or(0.0) + 2.0;
            now.len() == service.jobs && now.iter().all(twice)
        })
        .await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

fn consumer(brokers: &str, group: &str) -> BaseConsumer {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", brokers).set("group.id", group).set("enable.auto.commit", "false");
    client.set("fetch.wait.max.ms", "20").set("log_level", "0");
    client.create().expect("a consumer")
}

/// Reads all topics into a log until the mart has ended.
fn read_all(
    brokers: &str,
    prefix: &str,
    partitions: &Arc<Vec<(String, i32)>>,
    log: &Arc<Mutex<Log>>,
    ended: &Arc<AtomicBool>,
) {
    let (consumer, partitions, prefix) = (consumer(brokers, "none"), partitions.clone(), prefix.to_owned());
    let (log, ended) = (log.clone(), ended.clone());
    // A thread of its own, which ends with the mart.
    let read = move || {
        let mut assigned = TopicPartitionList::new();
        for (topic, partition) in partitions.iter() {
            assigned.add_partition_offset(topic, *partition, Offset::Beginning).expect("an offset");
        }
        consumer.assign(&assigned).expect("assigned");
        while !ended.load(Ordering::Relaxed) {
            let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) else { continue };
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            let (partition, offset) = (message.partition(), message.offset());
            log.next.insert((message.topic().to_owned(), partition), offset + 1);
            if let Some(record) = record(&message, &prefix) {
                log.records.push(LoggedRecord { record, partition, offset });
            }
        }
    };
    std::thread::spawn(read);
}

fn record(message: &impl Message, prefix: &str) -> Option<Record> {
    let headers = message.headers()?;
    let header = |name: &str| {
        let header = headers.iter().find(|header| header.key == name)?;
        std::str::from_utf8(header.value?).ok().map(str::to_owned)
    };
    Some(Record {
        id: header("ce_id")?.parse().ok()?,
        at: Timestamp::new(OffsetDateTime::parse(&header("ce_time")?, &Rfc3339).ok()?),
        topic: message.topic().strip_prefix(prefix)?.to_owned(),
        key: String::from_utf8(message.key()?.to_vec()).ok()?,
        event_type: header("ce_type")?,
        version: header("ce_version")?.parse().ok()?,
        traceparent: header("traceparent").unwrap_or_default(),
        payload: message.payload().unwrap_or_default().to_vec(),
    })
}

/// Returns the code that a service has for a status that the gateway returns, too.
fn refusal(status: u16) -> Option<&'static str> {
    match status {
        401 => Some("UNAUTHENTICATED"),
        403 => Some("FORBIDDEN"),
        _ => None,
    }
}

/// One scenario's part of a running mart.
pub struct OnServers {
    running: Arc<Running>,
    /// Distinguishes its names from those of all other scenarios.
    suffix: String,
    /// The aggregates that it has created or published events about.
    keys: BTreeSet<String>,
    /// Sends from an address that no other scenario has, so that no other scenario uses up its rate limits.
    client: reqwest::Client,
    address: IpAddr,
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

    pub(crate) async fn send(
        &mut self,
        who: Caller<'_>,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let verb = method.parse().expect("a method");
        let mut request = self.client.request(verb, format!("{}{path}", self.running.gateway.url()));
        if let Some((role, subject)) = who {
            // An id from the mart is unique already.
            let given = subject.parse::<uuid::Uuid>().is_ok();
            let subject = if given { subject.to_owned() } else { self.own(subject) };
            request = request.bearer_auth(self.running.keys.token(role, &subject).expect("signed"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("answered");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let mut body: Value = answer.json().await.unwrap_or(Value::Null);
        // The gateway's own rejections have no code; scenarios name the code that the service has for the status.
        if let (true, Some(code)) = (body["code"].is_null(), refusal(status)) {
            body["code"] = code.into();
        }
        assert_ne!(status, 500, "{body}");
        if method != "GET" && status < 300 {
            scene::ids(&body, &mut self.keys);
        }
        Answer { status, headers, body }
    }

    /// Returns the providers, which are simulations.
    pub(crate) fn providers(&self) -> &Providers {
        &self.running.providers
    }

    /// Acts on a checkout as its customer. An immediate callback has arrived when this returns.
    pub(crate) async fn act(&self, checkout: &Value, action: &Value) {
        if !providers::is_sandbox(checkout) {
            let action = serde_json::from_value(action.clone()).expect("an action");
            let acted = self.running.providers.act(checkout, &action, OffsetDateTime::now_utc());
            let callback = acted.unwrap_or_else(|refused| panic!("the provider rejects the action: {refused:?}"));
            return self.deliver_callback(&callback).await;
        }
        let answer = self.client.post(providers::page(checkout)).json(action).send().await.expect("answered");
        let (status, text) = (answer.status(), answer.text().await.expect("text"));
        assert!(status.is_success(), "the sandbox rejects the action: {status} {text}");
    }

    /// Delivers a callback of a provider through the gateway.
    pub(crate) async fn deliver_callback(&self, callback: &Callback) {
        for _ in 0..callback.calls {
            let answer = callback.send(&self.client, &self.running.gateway.url()).await.expect("answered");
            assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
        }
    }

    pub(crate) async fn publish(&mut self, record: &Record) {
        self.keys.insert(record.key.clone());
        let event = TestEvent::new(&record.topic, &record.event_type, record.payload.clone());
        let event = event.about(&record.key, record.version.get()).with_id(record.id);
        devstack::publisher::publish(&self.running.brokers, &self.running.topic_prefix, &[event])
            .await
            .expect("on Kafka");
    }

    /// Lets time pass for the scenario's own aggregates, and waits until every background job has run after it.
    /// The machine's clock is untouched: the scenario's rows are made older instead. So no scenario has to keep up with a clock, and
    /// none disturbs another.
    pub(crate) async fn pass(&self, by: time::Duration) {
        self.settle().await;
        for name in &self.running.names {
            let service = &self.running.services[*name];
            self.age(&service.database, by).await;
            if service.jobs > 0 {
                self.running.jobs_ran(service).await;
            }
        }
    }

    /// Moves every point in time back in the rows that hold one of the scenario's aggregates, its names or its address.
    async fn age(&self, database: &PgPool, by: time::Duration) {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let own = format!(r"(-{}|{})(\D|$)", self.suffix, self.address.to_string().replace('.', r"\."));
        let statements: Vec<String> = sqlx::query_scalar(AGE).fetch_all(database).await.expect("a service's tables");
        for statement in statements {
            let aged = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(by.whole_microseconds().to_string());
            aged.bind(&keys).bind(&own).execute(database).await.expect("aged");
        }
    }

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
            if count(&service.database, outbox).await > 0 {
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
            if count(&service.database, waiting).await > 0 {
                return Err(format!("records wait at {name}"));
            }
        }
        Ok(mine.len())
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

    /// Returns the number of dead letters about the scenario's aggregates.
    pub(crate) async fn dead(&self) -> usize {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        let mut dead = 0;
        for service in self.running.services.values() {
            let query = sql!(
                "select count(distinct event) from inbox where key = any($keys) and dead_at is not null",
                keys = &keys,
            );
            dead += count(&service.database, query).await;
        }
        usize::try_from(dead).unwrap_or_default()
    }

    /// Discards the scenario's dead letters, as an operator would.
    pub(crate) async fn discard(&self) {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        for service in self.running.services.values() {
            let dead = sql!("select position from inbox where key = any($keys) and dead_at is not null", keys = &keys);
            for row in dead.fetch_all(&service.database).await.expect("queried") {
                let position: i64 = row.get("position");
                let url = format!("{}/dead-letters/{position}", service.app.spec.internal_url());
                let answer = service.app.client.delete(url).send().await.expect("answered");
                assert!(answer.status().is_success(), "{answer:?}");
            }
        }
    }

    fn mine(&self) -> Vec<LoggedRecord> {
        let log = self.running.log();
        log.records.iter().filter(|logged| self.keys.contains(&logged.record.key)).cloned().collect()
    }
}

impl std::fmt::Debug for OnServers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kinds: Vec<String> = self.mine().into_iter().map(|logged| logged.record.event_type).collect();
        write!(f, "published {kinds:?} about {:?}", self.keys)
    }
}

/// Returns, for each table of the service, the statement that makes rows older by $1 microseconds: those with a column that is one
/// of the keys $2 or matches $3. The tables of chassis use the database's clock, which scenarios don't move.
const AGE: &str = r"
    select format('update %I set %s where %s', relname,
        string_agg(format('%1$I = %1$I - $1::text::bigint * interval ''1 microsecond''', attname), ', ')
            filter (where kind = 'timestamp with time zone'),
        string_agg(format('%1$I::text = any($2) or %1$I::text ~ $3', attname), ' or ') filter (where kind in ('uuid', 'text')))
    from pg_class
    join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
    cross join lateral format_type(atttypid, null) as kind
    where relnamespace = 'public'::regnamespace and relkind = 'r'
        and relname not in ('outbox', 'receipt', 'inbox', '_sqlx_migrations')
    group by relname
    having bool_or(kind = 'timestamp with time zone') and bool_or(kind in ('uuid', 'text'))";

/// Serves Stripe and PayFast in this process; returns the variables that payment needs for them.
async fn variables(providers: &Providers) -> Vec<(String, String)> {
    let mut variables = providers.stripe.serve().await.expect("served");
    variables.extend(providers.payfast.serve().await.expect("served"));
    variables.push(("PAYMENT_PROVIDERS".to_owned(), "sandbox,stripe,payfast".to_owned()));
    variables
}

async fn count(database: &PgPool, query: Query<'_, Postgres, PgArguments>) -> i64 {
    query.fetch_one(database).await.expect("counted").get(0)
}
