//! The whole mart. It is started in order and stopped in reverse order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::future::try_join_all;

use crate::databases;
use crate::kafka::Kafka;
use crate::keys::{Keys, MAX_TOKEN_LIFETIME};
use crate::ports::Ports;
use crate::postgres::{Durability, Postgres};
use crate::process::Process;
use crate::running::{RunningService, RunningStack};
use crate::secrets::Secrets;
use crate::service::{self, ServiceSpec};
use crate::toolchain::{self, SERVERS};
use crate::{demo_data, demo_users, gateway, mail, outln, sandbox, state};

/// Links this program to a path where no build replaces it while it serves as gateway, sandbox or mail server.
fn own_program() -> Result<PathBuf> {
    let path = state().join("bin/devstack");
    service::install(&std::env::current_exe()?, &path)?;
    Ok(path)
}

/// Returns the configuration of a service of this clone, without its ports. Creates the service's database if it is missing.
async fn service_spec(running: &RunningStack, name: &str, program: &Path) -> Result<ServiceSpec> {
    let secrets = Secrets::in_file(&state().join("secrets.json"));
    Ok(ServiceSpec {
        name: name.to_owned(),
        program: program.to_owned(),
        http: 0,
        internal: 0,
        database: databases::ensure(&running.postgres, name, name, &secrets).await?,
        brokers: running.brokers.clone(),
        topic_prefix: String::new(),
        keys: Keys::in_folder(&state().join("keys"))?,
        page_secret: secrets.get("page-token")?,
        log: state().join(format!("logs/{name}.log")),
        // `./mart timeline` reads requests and handled events from the log's debug lines.
        // One proxy is trusted: the gateway, which forwards the client's address.
        more: [("RUST_LOG", "info,mart_chassis=debug"), ("HTTP_TRUSTED_PROXY_HOPS", "1")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .to_vec(),
    })
}

/// Runs a step of the start and prints how long it took.
async fn step<T>(name: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let begun = Instant::now();
    let output = work.await?;
    outln!("  {name:<22}{:>6.1} s", begun.elapsed().as_secs_f64());
    Ok(output)
}

/// Returns the value of a result, or adds its error to `errors`.
fn ok<T>(result: Result<T>, errors: &mut Vec<anyhow::Error>) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}

/// Migrates a service and returns its configuration.
async fn migrated_service(
    running: &RunningStack,
    name: &str,
    program: &Path,
    (http, internal): (u16, u16),
    more: Vec<(String, String)>,
) -> Result<ServiceSpec> {
    let mut spec = ServiceSpec { http, internal, ..service_spec(running, name, program).await? };
    spec.more.extend(more);
    spec.migrate().await?;
    Ok(spec)
}

/// Waits until all services are ready.
async fn wait_until_ready(members: &mut [Member]) -> Result<()> {
    let wait = async |member: &mut Member| {
        let Some(process) = &mut member.process else { return Ok(()) };
        let spec = &member.spec;
        process
            .wait_until(Duration::from_mins(1), || spec.ready())
            .await
            .with_context(|| format!("cannot start {0} (./mart logs {0} prints its log)", spec.name))
    };
    try_join_all(members.iter_mut().map(wait)).await?;
    Ok(())
}

/// Starts the gateway and the payment sandbox.
async fn start_gateway_and_sandbox(
    program: &Path,
    running: &RunningStack,
    ports: (u16, u16),
    access: sandbox::Access,
) -> Result<(gateway::GatewayProcess, sandbox::SandboxProcess)> {
    let keys = Keys::in_folder(&state().join("keys"))?;
    let addresses = running.services.iter().map(|service| (service.name.clone(), service.url.clone())).collect();
    let gateway = gateway::GatewayProcess::start(program, &state(), addresses, &keys, ports).await?;
    let sandbox = sandbox::SandboxProcess::start(program, &state(), access, &gateway.url()).await?;
    Ok((gateway, sandbox))
}

/// A service of the stack.
#[derive(Debug)]
pub struct Member {
    /// The service's configuration.
    pub spec: ServiceSpec,
    /// The service's process; `None` if it is stopped.
    pub process: Option<Process>,
}

/// All processes of the mart. [`Stack::stop`] stops them; a drop kills them.
#[derive(Debug, Default)]
pub struct Stack {
    postgres: Option<Postgres>,
    kafka: Option<Kafka>,
    /// The gateway in front of the services.
    pub gateway: Option<gateway::GatewayProcess>,
    /// The payment provider, which takes no money.
    pub sandbox: Option<sandbox::SandboxProcess>,
    /// The mail server, which forwards no mail.
    pub mail: Option<mail::MailProcess>,
    /// The services, in the order in which they were started.
    pub members: Vec<Member>,
}

impl Stack {
    /// Fetches missing tools, builds and starts everything, and waits until all services are ready. Prints the time of each step.
    pub async fn start(&mut self) -> Result<RunningStack> {
        let names = service::all()?;
        toolchain::get_all(SERVERS).await?;
        let program = own_program()?;
        let secrets = Secrets::in_file(&state().join("secrets.json"));
        let mut ports = Ports::stored();
        let access = sandbox::Access::new(ports.free("sandbox")?, &secrets)?;
        let mails = mail::Access { smtp: ports.free("smtp")?, page: ports.free("mail")? };
        let gateway = (ports.free("gateway")?, ports.free("gateway-status")?);

        let programs = self.servers_and_programs(&mut ports, &secrets, &program, mails, &names).await?;
        let (Some(postgres), Some(kafka)) = (&self.postgres, &self.kafka) else { bail!("the servers are not running") };
        let mut running = RunningStack {
            pid: std::process::id(),
            brokers: kafka.brokers(),
            postgres: postgres.url("postgres"),
            gateway: String::new(),
            sandbox: access.url(),
            mail: mails.url(),
            postgres_bin: postgres.bin().to_owned(),
            services: Vec::new(),
        };
        let mut migrations = Vec::new();
        for (name, program) in &programs {
            let (http, internal) = (ports.free(name)?, ports.free(&format!("{name}-internal"))?);
            let mut more = Vec::new();
            if name == sandbox::PAYMENT {
                more.extend(access.variables());
            }
            if name == mail::NOTIFICATION {
                more.extend(mails.variables());
            }
            migrations.push(migrated_service(&running, name, program, (http, internal), more));
        }
        let specs = step("databases and topics", try_join_all(migrations)).await?;
        // Also creates the topics of contracts without a service, so that ./mart publish can publish their events.
        let topics: Vec<String> = crate::contracts::topics().into_iter().collect();
        crate::kafka::topics(&running.brokers, &topics).await?;
        let address = |spec: &ServiceSpec| RunningService {
            name: spec.name.clone(),
            url: spec.url(),
            internal_url: spec.internal_url(),
        };
        running.services = specs.iter().map(address).collect();
        // Started after all topics exist, because a consumer subscribes to the topics of other services.
        for spec in specs {
            let process = Some(spec.start()?);
            self.members.push(Member { spec, process });
        }
        let (ready, others) = tokio::join!(
            step("services", wait_until_ready(&mut self.members)),
            step("gateway and sandbox", start_gateway_and_sandbox(&program, &running, gateway, access))
        );
        let (gateway, sandbox) = others?;
        running.gateway = gateway.url();
        (self.gateway, self.sandbox) = (Some(gateway), Some(sandbox));
        ready?;
        running.write()?;
        self.load_demo(&running).await?;
        Ok(running)
    }

    /// Creates the demo users and loads the demo data that are missing, if the user service is there.
    async fn load_demo(&self, running: &RunningStack) -> Result<()> {
        if let Some(user) = self.members.iter().find(|member| member.spec.name == service::USER) {
            step("demo users and data", async {
                demo_users::register(running, &user.spec).await?;
                demo_data::load(running).await
            })
            .await?;
        }
        Ok(())
    }

    /// Builds the services while PostgreSQL, Kafka and the mail server start. Returns the programs by the services' names.
    async fn servers_and_programs(
        &mut self,
        ports: &mut Ports,
        secrets: &Secrets,
        program: &Path,
        mails: mail::Access,
        names: &[String],
    ) -> Result<BTreeMap<String, PathBuf>> {
        let (port, kafka_port) = (ports.free("postgres")?, ports.free("kafka")?);
        let controller = ports.free("kafka-controller")?;
        let password = secrets.get("postgres")?;
        let [postgres, kafka, mail] = ["postgres", "kafka", "mail"].map(|name| state().join(name));
        let (programs, postgres, kafka, mail) = tokio::join!(
            step("build", service::build(names)),
            step("PostgreSQL", Postgres::start(&postgres, port, &password, Durability::Full)),
            step("Kafka", Kafka::start(&kafka, kafka_port, controller)),
            step("mail server", mail::MailProcess::start(program, &mail, mails, None)),
        );
        // Stored even if another one has failed, so that `stop` shuts them down gracefully.
        let mut errors = Vec::new();
        self.postgres = ok(postgres, &mut errors);
        self.kafka = ok(kafka, &mut errors);
        self.mail = ok(mail, &mut errors);
        let programs = ok(programs, &mut errors);
        match errors.pop() {
            Some(error) => Err(error),
            None => programs.context("no service was built"),
        }
    }

    /// Returns the configuration of a service of the running mart, without its ports, to run the service's other commands.
    pub async fn service_spec(running: &RunningStack, name: &str) -> Result<ServiceSpec> {
        service_spec(running, name, &service::installed_program(name)).await
    }

    /// Stops everything: the gateway first, then the services, so that they can finish their requests, then the servers.
    pub async fn stop(&mut self) {
        let gateway = self.gateway.take().map(|gateway| gateway.process);
        for process in gateway.into_iter().chain(self.sandbox.take().map(|sandbox| sandbox.process)) {
            process.stop(Duration::from_secs(5)).await;
        }
        for member in self.members.drain(..).rev() {
            if let Some(process) = member.process {
                process.stop(Duration::from_secs(25)).await;
            }
        }
        // Stopped after notification, which sends mails to it.
        if let Some(mail) = self.mail.take() {
            mail.process.stop(Duration::from_secs(5)).await;
        }
        if let Some(mut kafka) = self.kafka.take() {
            kafka.stop().await;
        }
        if let Some(mut postgres) = self.postgres.take() {
            postgres.stop().await;
        }
    }

    /// Withdraws the signing keys whose last token has expired. Returns their ids.
    pub fn withdraw_keys(&self) -> Result<Vec<String>> {
        let keys = self.members.first().map(|member| &member.spec.keys);
        keys.map_or(Ok(Vec::new()), |keys| keys.withdraw(MAX_TOKEN_LIFETIME))
    }

    /// Returns the processes of PostgreSQL and Kafka.
    pub fn servers(&mut self) -> Vec<&mut Process> {
        let postgres = self.postgres.as_mut().and_then(Postgres::process);
        postgres.into_iter().chain(self.kafka.as_mut().and_then(Kafka::process)).collect()
    }
}
