//! The whole mart, started in order and stopped in the opposite one.

use crate::outln;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::future::try_join_all;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::databases;
use crate::kafka::Kafka;
use crate::keys::{Keys, LONGEST_TOKEN};
use crate::ports::Ports;
use crate::postgres::{Durability, Postgres};
use crate::process::Process;
use crate::secrets::Secrets;
use crate::service::{self, ServiceSpec};
use crate::toolchain::{self, SERVERS};
use crate::{demo_data, demo_users, gateway, mail, sandbox, state};

/// What runs, written down for the other commands.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Running {
    /// The process of `up`.
    pub pid: u32,
    /// Kafka's address.
    pub brokers: String,
    /// A URL of PostgreSQL's superuser, without database.
    pub postgres: String,
    /// Where the gateway is, which all requests go through.
    pub gateway: String,
    /// Where the payment provider is that takes no money.
    pub sandbox: String,
    /// Where the mails can be read that were sent.
    #[serde(default)]
    pub mail: String,
    /// The folder of PostgreSQL's programs.
    pub postgres_bin: PathBuf,
    /// The services.
    pub services: Vec<RunningService>,
}

/// A service that runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunningService {
    /// Its name.
    pub name: String,
    /// Where its operations are.
    pub url: String,
    /// Where its health, metrics and dead letters are.
    pub internal_url: String,
}

impl Running {
    fn file() -> PathBuf {
        state().join("running.json")
    }

    /// What `up` wrote down; an error that says what to do where nothing runs.
    pub fn read() -> Result<Self> {
        let text =
            std::fs::read_to_string(Self::file()).ok().context("the mart is not running: start it by ./mart up")?;
        // Who has just ended may still have a process id, but no lock.
        ensure!(lock()?.is_none(), "the mart is not running any more: start it by ./mart up");
        Ok(serde_json::from_str(&text)?)
    }

    /// Writes it down, as readable for its owner only as the secrets in it need.
    pub fn write(&self) -> Result<()> {
        crate::secrets::write_private(&Self::file(), serde_json::to_string_pretty(self)?.as_bytes())
    }

    /// Nothing runs any more.
    pub fn forget() {
        if Self::file().exists() && std::fs::remove_file(Self::file()).is_err() {
            eprintln!("{} could not be removed", Self::file().display());
        }
    }

    /// The superuser's URL of every service's database.
    pub fn databases(&self) -> BTreeMap<String, String> {
        let server = self.postgres.rsplit_once('/').map_or(self.postgres.as_str(), |(server, _)| server);
        let services = self.services.iter();
        services.map(|service| (service.name.clone(), format!("{server}/{}", service.name))).collect()
    }
}

/// The lock of the one `up` of this clone, until it is dropped; `None` while another process has it.
pub fn lock() -> Result<Option<File>> {
    std::fs::create_dir_all(state())?;
    let file = File::create(state().join("up.lock"))?;
    Ok(flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok().then_some(file))
}

/// A copy of this program, which no build replaces while it serves as the gateway.
fn own_program() -> Result<PathBuf> {
    let kept = state().join("bin/devstack");
    service::keep(&std::env::current_exe()?, &kept)?;
    Ok(kept)
}

/// How a service of this clone's stack is run, but for its ports.
async fn setting(running: &Running, name: &str, program: &Path) -> Result<ServiceSpec> {
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
        // Requests and handled events stand in the log's debug lines; `./mart timeline` reads them.
        // The gateway is in front of it, and says where a request comes from.
        more: [("RUST_LOG", "info,mart_chassis=debug"), ("HTTP_TRUSTED_PROXY_HOPS", "1")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .to_vec(),
    })
}

/// Does a step of the start, and says how long it took.
async fn step<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let begun = Instant::now();
    let done = work.await?;
    outln!("  {what:<22}{:>6.1} s", begun.elapsed().as_secs_f64());
    Ok(done)
}

/// What came of something, or else its error among the others.
fn ok<T>(done: Result<T>, failed: &mut Vec<anyhow::Error>) -> Option<T> {
    done.map_err(|error| failed.push(error)).ok()
}

/// A service whose database and topics are as its version wants them.
async fn prepared_service(
    running: &Running,
    name: &str,
    program: &Path,
    (http, internal): (u16, u16),
    more: Vec<(String, String)>,
) -> Result<ServiceSpec> {
    let mut setting = ServiceSpec { http, internal, ..setting(running, name, program).await? };
    setting.more.extend(more);
    setting.migrate().await?;
    Ok(setting)
}

/// Waits until all services say that they are ready.
async fn ready(members: &mut [Member]) -> Result<()> {
    let wait = async |member: &mut Member| {
        let Some(process) = &mut member.process else { return Ok(()) };
        let setting = &member.setting;
        process
            .until(Duration::from_mins(1), || setting.ready())
            .await
            .with_context(|| format!("Mend what the lines say, or look at all of them by ./mart logs {}", setting.name))
    };
    try_join_all(members.iter_mut().map(wait)).await?;
    Ok(())
}

/// What stands in front of the services, and the payment provider behind them.
async fn fronts(
    program: &Path,
    running: &Running,
    ports: (u16, u16),
    access: sandbox::Access,
) -> Result<(gateway::Running, sandbox::Running)> {
    let keys = Keys::in_folder(&state().join("keys"))?;
    let addresses = running.services.iter().map(|service| (service.name.clone(), service.url.clone())).collect();
    let gateway = gateway::Running::start(program, &state(), addresses, &keys, ports).await?;
    let sandbox = sandbox::Running::start(program, &state(), access, &gateway.url()).await?;
    Ok((gateway, sandbox))
}

/// A service of the stack, with its process while it runs.
#[derive(Debug)]
pub struct Member {
    /// How it is run.
    pub setting: ServiceSpec,
    /// Its process.
    pub process: Option<Process>,
}

/// Everything that runs. What was started is stopped by [`Stack::stop`], or killed when this is dropped.
#[derive(Debug, Default)]
pub struct Stack {
    postgres: Option<Postgres>,
    kafka: Option<Kafka>,
    /// What stands in front of the services.
    pub gateway: Option<gateway::Running>,
    /// The payment provider that takes no money.
    pub sandbox: Option<sandbox::Running>,
    /// The mail server that keeps what it gets.
    pub mail: Option<mail::Running>,
    /// The services, in the order in which they were started.
    pub members: Vec<Member>,
}

impl Stack {
    /// Fetches what is missing, builds, starts everything and waits until all are ready. Each step says how long it took.
    pub async fn start(&mut self) -> Result<Running> {
        let names = service::all()?;
        toolchain::get_all(SERVERS).await?;
        let program = own_program()?;
        let secrets = Secrets::in_file(&state().join("secrets.json"));
        let mut ports = Ports::remembered();
        let access = sandbox::Access::new(ports.free("sandbox")?, &secrets)?;
        let mails = mail::Access { smtp: ports.free("smtp")?, page: ports.free("mail")? };
        let gateway = (ports.free("gateway")?, ports.free("gateway-status")?);

        let programs = self.servers_and_programs(&mut ports, &secrets, &program, mails, &names).await?;
        let (Some(postgres), Some(kafka)) = (&self.postgres, &self.kafka) else { bail!("the servers have ended") };
        let mut running = Running {
            pid: std::process::id(),
            brokers: kafka.brokers(),
            postgres: postgres.url("postgres"),
            gateway: String::new(),
            sandbox: access.url(),
            mail: mails.url(),
            postgres_bin: postgres.bin().to_owned(),
            services: Vec::new(),
        };
        let mut prepared = Vec::new();
        for (name, program) in &programs {
            let (http, internal) = (ports.free(name)?, ports.free(&format!("{name}-internal"))?);
            let mut more = Vec::new();
            if name == sandbox::PAYMENT {
                more.extend(access.variables());
            }
            if name == mail::NOTIFICATION {
                more.extend(mails.variables());
            }
            prepared.push(prepared_service(&running, name, program, (http, internal), more));
        }
        let settings = step("databases and topics", try_join_all(prepared)).await?;
        // Those of contracts that have no service yet, so that events can be published by hand.
        let topics: Vec<String> = crate::contracts::topics().into_iter().collect();
        crate::kafka::topics(&running.brokers, &topics).await?;
        let address = |setting: &ServiceSpec| RunningService {
            name: setting.name.clone(),
            url: setting.url(),
            internal_url: setting.internal_url(),
        };
        running.services = settings.iter().map(address).collect();
        // Only now: a consumer finds the topics of all others.
        for setting in settings {
            let process = Some(setting.start()?);
            self.members.push(Member { setting, process });
        }
        let (ready, fronts) = tokio::join!(
            step("services", ready(&mut self.members)),
            step("gateway and sandbox", fronts(&program, &running, gateway, access))
        );
        let (gateway, sandbox) = fronts?;
        running.gateway = gateway.url();
        (self.gateway, self.sandbox) = (Some(gateway), Some(sandbox));
        ready?;
        running.write()?;
        if let Some(user) = self.members.iter().find(|member| member.setting.name == demo_users::USER) {
            step("users and goods", async {
                demo_users::register(&running, &user.setting).await?;
                demo_data::load(&running).await
            })
            .await?;
        }
        Ok(running)
    }

    /// Builds the services while PostgreSQL, Kafka and the mail server start; where the programs are, by their services.
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
            step("mail server", mail::Running::start(program, &mail, mails, None)),
        );
        // What has started is stopped, not killed, where something else has not.
        let mut failed = Vec::new();
        self.postgres = ok(postgres, &mut failed);
        self.kafka = ok(kafka, &mut failed);
        self.mail = ok(mail, &mut failed);
        let programs = ok(programs, &mut failed);
        match failed.pop() {
            Some(error) => Err(error),
            None => programs.context("nothing was built"),
        }
    }

    /// How a service of a mart that runs is run, for its other commands; its listeners are left out.
    pub async fn setting_of(running: &Running, name: &str) -> Result<ServiceSpec> {
        setting(running, name, &service::kept_program(name)).await
    }

    /// ShutdownSignals everything: the gateway first and then services, so that they can finish.
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
        // After the service that sends to it.
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

    /// Withdraws signing keys whose last token has run out; which.
    pub fn withdraw_keys(&self) -> Result<Vec<String>> {
        let keys = self.members.first().map(|member| &member.setting.keys);
        keys.map_or(Ok(Vec::new()), |keys| keys.withdraw(LONGEST_TOKEN))
    }

    /// The servers' processes, to see whether they still run.
    pub fn servers(&mut self) -> Vec<&mut Process> {
        let postgres = self.postgres.as_mut().and_then(Postgres::process);
        postgres.into_iter().chain(self.kafka.as_mut().and_then(Kafka::process)).collect()
    }
}
