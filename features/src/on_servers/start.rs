//! Starts a mart: first databases, topics and the mail server, then the services, and at last the gateway and the sandbox.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};

use devstack::keys::Keys;
use devstack::secrets::Secrets;
use devstack::service::ServiceSpec;
use devstack::testing::{self, App, Servers, prefix};
use devstack::{contracts, gateway, kafka, mail, ports, sandbox};
use sqlx::postgres::PgPoolOptions;

use super::log::read_all;
use super::running::{Running, RunningService};
use crate::providers::Providers;
use crate::{Hosted, InProcess};

/// The parts of a mart that exist before its services run.
struct Setup {
    servers: Servers,
    topic_prefix: String,
    /// The access to the payment provider.
    access: sandbox::Access,
    providers: Providers,
    mail: Option<mail::MailProcess>,
}

impl Running {
    /// Starts the services of a mart in one process, with further variables.
    pub(crate) async fn start(mart: &InProcess, more: &[(&str, &str)]) -> Self {
        let mut setup = Setup::new();
        let mut specs = Vec::new();
        for hosted in mart.services() {
            specs.push(setup.spec(hosted, mart.has_many_providers(), more).await);
        }
        let partitions = Arc::new(setup.create_topics(mart).await);
        let (log, ended) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        read_all(&setup.servers.kafka, &setup.topic_prefix, &partitions, &log, &ended);
        let mut services = BTreeMap::new();
        for (hosted, spec) in mart.services().iter().zip(specs) {
            services.insert(spec.name.clone(), RunningService::start(hosted, spec).await);
        }
        let keys = Keys::in_folder(&setup.servers.scratch.join("keys")).expect("keys");
        let (folder, program) = (setup.folder("gateway"), testing::devstack());
        let addresses = services.iter().map(|(name, service)| (name.clone(), service.app.spec.url())).collect();
        let ports = (ports::any().expect("a port"), ports::any().expect("a port"));
        let gateway =
            gateway::GatewayProcess::start(&program, &folder, addresses, &keys, ports).await.expect("a gateway");
        let mut sandbox = None;
        if services.contains_key(sandbox::PAYMENT) {
            let started = sandbox::SandboxProcess::start(&program, &folder, setup.access, &gateway.url()).await;
            sandbox = Some(started.expect("a sandbox"));
        }
        Self {
            services,
            gateway,
            _sandbox: sandbox,
            providers: setup.providers,
            _mail: setup.mail,
            keys,
            brokers: setup.servers.kafka,
            topic_prefix: setup.topic_prefix,
            partitions,
            clients: Mutex::default(),
            log,
            ended,
            names: mart.services().iter().map(|hosted| hosted.name).collect(),
            scenarios: AtomicUsize::new(0),
        }
    }
}

impl RunningService {
    /// Starts a service that is prepared.
    async fn start(hosted: &Hosted, spec: ServiceSpec) -> Self {
        let options = PgPoolOptions::new().max_connections(4);
        let database = options.connect_lazy(&spec.database.owner).expect("a URL");
        let consumed = hosted.handlers.iter().flat_map(|handlers| handlers.subscriptions);
        let consumed = consumed.map(|consumed| consumed.event_type).collect();
        Self { app: App::of(spec).await, database, consumed, jobs: hosted.jobs.len() }
    }
}

impl Setup {
    fn new() -> Self {
        let (servers, topic_prefix) = (Servers::from_env(), prefix());
        let secrets = Secrets::in_file(&servers.scratch.join("secrets.json"));
        let access = sandbox::Access::new(ports::any().expect("a port"), &secrets).expect("secrets");
        Self { servers, topic_prefix, access, providers: Providers::default(), mail: None }
    }

    /// Returns the folder of this mart's files of a program.
    fn folder(&self, program: &str) -> PathBuf {
        self.servers.scratch.join(format!("{program}-{}", self.topic_prefix))
    }

    /// Prepares a service, and starts the provider or the mail server that only it uses.
    async fn spec(&mut self, hosted: &Hosted, many_providers: bool, more: &[(&str, &str)]) -> ServiceSpec {
        let program = testing::program(hosted.name);
        let prepared = self.servers.service_among(hosted.name, &program, &self.topic_prefix).await;
        let mut spec = prepared.expect("prepared");
        if hosted.name == sandbox::PAYMENT {
            spec.more.extend(self.access.variables());
            if many_providers {
                spec.more.extend(variables(&self.providers).await);
            }
        }
        if hosted.name == mail::NOTIFICATION {
            let access = mail::Access { smtp: ports::any().expect("a port"), page: ports::any().expect("a port") };
            spec.more.extend(access.variables());
            let (program, folder) = (testing::devstack(), self.folder("mail"));
            let started = mail::MailProcess::start(&program, &folder, access, Some(mail::TEST_MAILBOXES)).await;
            self.mail = Some(started.expect("a mail server"));
        }
        // The gateway is the one proxy that reports the client's address.
        spec.more.push(("HTTP_TRUSTED_PROXY_HOPS".to_owned(), "1".to_owned()));
        spec.more.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        spec
    }

    /// Creates the topics that the services publish to or consume, and returns their partitions.
    async fn create_topics(&self, mart: &InProcess) -> Vec<(String, i32)> {
        let mut topics = BTreeSet::new();
        for hosted in mart.services() {
            topics.extend(contracts::topics_of(hosted.name));
            let consumed = hosted.handlers.iter().flat_map(|handlers| handlers.subscriptions);
            topics.extend(consumed.map(|consumed| consumed.topic.to_owned()));
        }
        let topics: Vec<String> = topics.iter().map(|topic| format!("{}{topic}", self.topic_prefix)).collect();
        kafka::topics(&self.servers.kafka, &topics).await.expect("topics");
        let partitions = topics.iter().flat_map(|topic| (0..kafka::PARTITIONS).map(|nth| (topic.clone(), nth)));
        partitions.collect()
    }
}

/// Serves Stripe and PayFast in this process; returns the variables that payment needs for them.
async fn variables(providers: &Providers) -> Vec<(String, String)> {
    let mut variables = providers.stripe.serve().await.expect("served");
    variables.extend(providers.payfast.serve().await.expect("served"));
    variables.push(("PAYMENT_PROVIDERS".to_owned(), "sandbox,stripe,payfast".to_owned()));
    variables
}
