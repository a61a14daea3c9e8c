//! The settings that all services share, and how they are read.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::EnvFilter;

use super::error::ConfigError;
use super::limits::Limits;
use super::reader::{SettingsReader, UP_TO_A_DAY};
use super::retries::Retries;

/// The settings that all services share. `Debug` prints no secrets.
#[derive(Debug, Clone)]
pub struct Config {
    /// The service's name, as in its contract's package.
    pub service: &'static str,
    /// `RUST_LOG`: the filter of log lines, in the syntax of tracing's `EnvFilter`.
    pub log_filter: String,
    /// `HTTP_ADDR`: the address of the operations.
    pub http_addr: SocketAddr,
    /// `INTERNAL_ADDR`: the address of health, metrics and dead letters. The gateway never routes to it.
    pub internal_addr: SocketAddr,
    /// `DATABASE_URL`: PostgreSQL as the app role, or as the owner role for `migrate`. A secret.
    pub database_url: SecretString,
    /// `DATABASE_MAX_CONNECTIONS`: connections for single statements. A quarter as many are added for transactions.
    pub database_max_connections: u32,
    /// `KAFKA_BROKERS`: host:port, separated by commas.
    pub kafka_brokers: String,
    /// `KAFKA_SESSION_TIMEOUT`: the time until a silent replica loses its partitions. By default brokers accept `6s` to `30m`.
    pub kafka_session_timeout: Duration,
    /// `TOPIC_PREFIX`: the prefix of every topic and consumer group, so that environments can share a cluster.
    pub topic_prefix: String,
    /// `TOKEN_KEYS`: the file with the trusted public keys (JWKS). It is read again when it changes.
    pub token_keys: PathBuf,
    /// `TOKEN_ISSUER`: the required `iss` of tokens.
    pub token_issuer: String,
    /// `TOKEN_AUDIENCE`: the required `aud` of tokens.
    pub token_audience: String,
    /// `PAGE_TOKEN_SECRET`: signs page tokens; the same for all replicas. A secret of at least 32 characters.
    pub page_token_secret: SecretString,
    /// The limits of requests.
    pub limits: Limits,
    /// `SHUTDOWN_GRACE_PERIOD`: the time from SIGTERM to the exit.
    pub shutdown_grace_period: Duration,
    /// The retries of events.
    pub retries: Retries,
}

impl Config {
    /// Reads the shared settings from the process's environment.
    pub fn from_env(service: &'static str) -> Result<Self, ConfigError> {
        Self::with_settings(service, |_| ()).map(|(config, ())| config)
    }

    /// Reads the shared settings and the service's own from the process's environment. The error lists the faults of both.
    pub fn with_settings<T>(
        service: &'static str,
        read: impl FnOnce(&mut SettingsReader) -> T,
    ) -> Result<(Self, T), ConfigError> {
        Self::from_vars(service, std::env::vars().collect(), read)
    }

    /// Returns a configuration with nothing but a database, for tools and tests.
    pub fn of_database(service: &'static str, url: &str) -> Result<Self, ConfigError> {
        let vars = [
            ("HTTP_ADDR", "127.0.0.1:0"),
            ("INTERNAL_ADDR", "127.0.0.1:0"),
            ("DATABASE_URL", url),
            ("KAFKA_BROKERS", "none"),
            ("TOKEN_KEYS", "none"),
            ("TOKEN_ISSUER", "none"),
            ("TOKEN_AUDIENCE", "none"),
            ("PAGE_TOKEN_SECRET", "no page token is signed by this service"),
        ];
        let vars = vars.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self::from_vars(service, vars, |_| ()).map(|(config, ())| config)
    }

    /// Reads the shared settings and the service's own from the given variables.
    pub fn from_vars<T>(
        service: &'static str,
        vars: BTreeMap<String, String>,
        read: impl FnOnce(&mut SettingsReader) -> T,
    ) -> Result<(Self, T), ConfigError> {
        let mut env = SettingsReader { vars, faults: Vec::new() };
        let config = Self {
            service,
            log_filter: env.parsed(
                "RUST_LOG",
                "a filter such as info or warn,mart_chassis=debug",
                "info".to_owned(),
                |filter| EnvFilter::builder().parse(filter).is_ok(),
            ),
            http_addr: env.required("HTTP_ADDR", "an address such as 127.0.0.1:8080", unspecified()),
            internal_addr: env.required("INTERNAL_ADDR", "an address such as 127.0.0.1:8081", unspecified()),
            database_url: env.secret("DATABASE_URL", "a URL such as postgres://user:password@host/database", |url| {
                sqlx::postgres::PgConnectOptions::from_str(url).is_ok()
            }),
            database_max_connections: env
                .parsed("DATABASE_MAX_CONNECTIONS", "a number from 1 to 1000", 16, |n| (1..=1000).contains(n)),
            kafka_brokers: env.required("KAFKA_BROKERS", "host:port, separated by commas", String::new()),
            kafka_session_timeout: env.duration(
                "KAFKA_SESSION_TIMEOUT",
                Duration::from_secs(1)..=Duration::from_mins(30),
                Duration::from_secs(10),
            ),
            topic_prefix: env.parsed("TOPIC_PREFIX", "letters, digits, '.', '_' and '-'", String::new(), |prefix| {
                prefix.len() <= 100 && prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            }),
            token_keys: env.required("TOKEN_KEYS", "the path of a JWKS file", PathBuf::new()),
            token_issuer: env.required("TOKEN_ISSUER", "the `iss` of tokens", String::new()),
            token_audience: env.required("TOKEN_AUDIENCE", "the `aud` of tokens", String::new()),
            page_token_secret: env.secret("PAGE_TOKEN_SECRET", "at least 32 characters", |s| s.len() >= 32),
            limits: Limits::read(&mut env),
            shutdown_grace_period: env.duration("SHUTDOWN_GRACE_PERIOD", UP_TO_A_DAY, Duration::from_secs(20)),
            retries: Retries::read(&mut env),
        };
        // Last: the shared secrets are no longer among the variables.
        let settings = read(&mut env);
        if env.faults.is_empty() { Ok((config, settings)) } else { Err(ConfigError { service, faults: env.faults }) }
    }

    /// Returns the secret that signs page tokens.
    pub fn page_token_secret(&self) -> &[u8] {
        self.page_token_secret.expose_secret().as_bytes()
    }
}

fn unspecified() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 0))
}
