//! Typed configuration from the environment: all faults are told at once, and secrets never print.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

/// How a service runs. `Debug` leaves secrets out.
///
/// Beside these, `LOG` filters log lines as tracing's `EnvFilter` does (`info`, or `warn,mart_chassis=debug`).
#[derive(Debug, Clone)]
pub struct Config {
    /// The service's name, as in its contract's package.
    pub service: &'static str,
    /// `HTTP_ADDR`: where operations are served.
    pub http_addr: SocketAddr,
    /// `INTERNAL_ADDR`: where operators ask for health, metrics and dead letters; the gateway never routes to it.
    pub internal_addr: SocketAddr,
    /// `DATABASE_URL`: PostgreSQL as the app role, or as the owner role for `migrate`. A secret.
    pub database_url: SecretString,
    /// `DATABASE_POOL`: connections for single statements; a quarter as many more for decisions over several rows.
    pub database_pool: u32,
    /// `KAFKA_BROKERS`: host:port, separated by commas.
    pub kafka_brokers: String,
    /// `KAFKA_SESSION_TIMEOUT`: after so many seconds without a sign of life another replica reads on where this one was. What brokers take
    /// is theirs to say, 6 to 1800 unless they say otherwise.
    pub kafka_session: Duration,
    /// `TOPIC_PREFIX`: put before every topic and consumer group, so that environments can share a cluster.
    pub topic_prefix: String,
    /// `TOKEN_KEYS`: the file with the public keys (JWKS) of those who sign tokens. Read again when it changes.
    pub token_keys: PathBuf,
    /// `TOKEN_ISSUER`: the `iss` that tokens must have.
    pub token_issuer: String,
    /// `TOKEN_AUDIENCE`: the `aud` that tokens must have.
    pub token_audience: String,
    /// `PAGE_TOKEN_SECRET`: seals page tokens; the same for all replicas. A secret of at least 32 characters.
    pub page_token_secret: SecretString,
    /// What one request may take.
    pub limits: Limits,
    /// `SHUTDOWN_BUDGET`: seconds from SIGTERM to the exit.
    pub shutdown_budget: Duration,
    /// How an event that can't be handled now is tried again.
    pub retries: Retries,
    /// The variables that a service may have of its own; the shared secrets are not among them.
    own: Own,
}

/// How an event that can't be handled now is tried again, before it is a dead letter.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// `INBOX_RETRY_CEILING`: the longest pause in seconds between two attempts.
    pub ceiling: Duration,
    /// `INBOX_ATTEMPTS`: after so many it is dead.
    pub attempts: u32,
    /// `INBOX_LEASE`: so many seconds a replica has a waiting record to itself. One that was killed over a record holds it up so long.
    pub lease: Duration,
    /// `INBOX_PATIENCE`: after so many seconds it is dead.
    pub patience: Duration,
}

/// Variables by their names. They don't print: nobody knows what is in them.
#[derive(Clone)]
struct Own(BTreeMap<String, String>);

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What one request may take, and who stands in front.
#[derive(Debug, Clone)]
pub struct Limits {
    /// `HTTP_MAX_HEADER_BYTES`: all header lines together.
    pub header_bytes: usize,
    /// `HTTP_MAX_BODY_BYTES`.
    pub body_bytes: usize,
    /// `HTTP_TIMEOUT`: seconds for the whole request.
    pub time: Duration,
    /// `HTTP_MAX_CONCURRENT`: requests at once; more are turned away.
    pub concurrent: usize,
    /// `HTTP_MAX_CONNECTIONS`: connections at once; more wait to be accepted.
    pub connections: usize,
    /// `HTTP_PROXIES`: how many proxies stand between clients and this service, each of which adds to X-Forwarded-For. With 0
    /// the header is not believed.
    pub proxies: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 16 * 1024,
            body_bytes: 1024 * 1024,
            time: Duration::from_secs(10),
            concurrent: 512,
            connections: 4096,
            proxies: 0,
        }
    }
}

impl Config {
    /// Reads the process's environment.
    pub fn from_env(service: &'static str) -> Result<Self, ConfigError> {
        Self::from_vars(service, std::env::vars().collect())
    }

    /// A configuration of nothing but the database, for tools and tests that need no more.
    pub fn of_database(service: &'static str, url: &str) -> Result<Self, ConfigError> {
        let vars = [
            ("HTTP_ADDR", "127.0.0.1:0"),
            ("INTERNAL_ADDR", "127.0.0.1:0"),
            ("DATABASE_URL", url),
            ("KAFKA_BROKERS", "none"),
            ("TOKEN_KEYS", "none"),
            ("TOKEN_ISSUER", "none"),
            ("TOKEN_AUDIENCE", "none"),
            ("PAGE_TOKEN_SECRET", "no page is sealed by this service"),
        ];
        Self::from_vars(service, vars.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// Reads a given environment.
    pub fn from_vars(service: &'static str, vars: BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut env = Env { vars, faults: Vec::new() };
        let limits = Limits::default();
        let config = Self {
            service,
            http_addr: env.required("HTTP_ADDR", "an address such as 127.0.0.1:8080", unspecified()),
            internal_addr: env.required("INTERNAL_ADDR", "an address such as 127.0.0.1:8081", unspecified()),
            database_url: env.secret("DATABASE_URL", "a URL such as postgres://user:password@host/database", |url| {
                sqlx::postgres::PgConnectOptions::from_str(url).is_ok()
            }),
            database_pool: env.or("DATABASE_POOL", "a number from 1 to 1000", 16, |n| (1..=1000).contains(n)),
            kafka_brokers: env.required("KAFKA_BROKERS", "host:port, separated by commas", String::new()),
            kafka_session: env.seconds_within("KAFKA_SESSION_TIMEOUT", 1.0..=1_800.0, Duration::from_secs(10)),
            topic_prefix: env.or("TOPIC_PREFIX", "letters, digits, '.', '_' and '-'", String::new(), |prefix| {
                prefix.len() <= 100 && prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            }),
            token_keys: env.required("TOKEN_KEYS", "the path of a JWKS file", PathBuf::new()),
            token_issuer: env.required("TOKEN_ISSUER", "the `iss` of tokens", String::new()),
            token_audience: env.required("TOKEN_AUDIENCE", "the `aud` of tokens", String::new()),
            page_token_secret: env.secret("PAGE_TOKEN_SECRET", "at least 32 characters", |s| s.len() >= 32),
            limits: Limits {
                header_bytes: env.or("HTTP_MAX_HEADER_BYTES", "bytes, 1024 to 65536", limits.header_bytes, |n| {
                    (1024..=65_536).contains(n)
                }),
                body_bytes: env.or("HTTP_MAX_BODY_BYTES", "bytes, at least 1", limits.body_bytes, |n| *n > 0),
                time: env.seconds("HTTP_TIMEOUT", limits.time),
                concurrent: env.or("HTTP_MAX_CONCURRENT", "a number above 0", limits.concurrent, |n| *n > 0),
                connections: env.or("HTTP_MAX_CONNECTIONS", "a number above 0", limits.connections, |n| *n > 0),
                proxies: env.or("HTTP_PROXIES", "a number from 0 to 10", limits.proxies, |n| *n <= 10),
            },
            shutdown_budget: env.seconds("SHUTDOWN_BUDGET", Duration::from_secs(20)),
            retries: Retries {
                ceiling: env.seconds("INBOX_RETRY_CEILING", Duration::from_mins(10)),
                lease: env.seconds_within("INBOX_LEASE", 1.0..=3_600.0, Duration::from_mins(1)),
                attempts: env.or("INBOX_ATTEMPTS", "a number from 2 to 1000", 20, |n| (2..=1000).contains(n)),
                // Well below the time for which receipts of events are kept.
                patience: env.seconds_within("INBOX_PATIENCE", 0.01..=604_800.0, Duration::from_hours(24)),
            },
            // Last, when the secrets have been taken out.
            own: Own(std::mem::take(&mut env.vars)),
        };
        if env.faults.is_empty() { Ok(config) } else { Err(ConfigError { service, faults: env.faults }) }
    }
}

impl Config {
    /// A duration of the service's own, in seconds from 0.01 to 31,536,000 (a year).
    pub fn own_seconds(&self, name: &str, default: Duration) -> Result<Duration, ConfigError> {
        self.own(|env| env.seconds_within(name, 0.01..=31_536_000.0, default))
    }

    /// The same as a duration that times are reckoned with.
    pub fn own_duration(&self, name: &str, default: time::Duration) -> Result<time::Duration, ConfigError> {
        let seconds = self.own_seconds(name, default.unsigned_abs())?;
        // At most a year: it fits.
        Ok(time::Duration::try_from(seconds).unwrap_or(time::Duration::MAX))
    }

    /// A number of the service's own.
    pub fn own_number(&self, name: &str, range: RangeInclusive<u32>, default: u32) -> Result<u32, ConfigError> {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        self.own(|env| env.or(name, &expected, default, |number| range.contains(number)))
    }

    /// A text of the service's own that it can't do without.
    pub fn own_text(&self, name: &str, expected: &str) -> Result<String, ConfigError> {
        self.own(|env| env.required(name, expected, String::new()))
    }

    fn own<T>(&self, read: impl FnOnce(&mut Env) -> T) -> Result<T, ConfigError> {
        let mut env = Env { vars: self.own.0.clone(), faults: Vec::new() };
        let value = read(&mut env);
        if env.faults.is_empty() { Ok(value) } else { Err(ConfigError { service: self.service, faults: env.faults }) }
    }

    /// A text of the service's own, or what it is where nobody says.
    pub fn own_or(&self, name: &str, default: &str) -> String {
        self.own.0.get(name).filter(|value| !value.is_empty()).map_or_else(|| default.to_owned(), Clone::clone)
    }

    /// Whether `ENVIRONMENT` is `production`, where what only plays at being a real party is refused; `development` where nobody
    /// says. A word that nobody knows, such as `prod`, lets nothing in.
    pub fn production(&self) -> Result<bool, ConfigError> {
        match self.own_or("ENVIRONMENT", "development").as_str() {
            "development" => Ok(false),
            "production" => Ok(true),
            other => {
                let fault = format!("ENVIRONMENT={other:?}: expected development or production");
                Err(ConfigError { service: self.service, faults: vec![fault] })
            }
        }
    }

    /// The bytes that seal page tokens.
    pub fn page_token_secret(&self) -> &[u8] {
        self.page_token_secret.expose_secret().as_bytes()
    }
}

fn unspecified() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 0))
}

/// Everything that is wrong with the environment. Values of secrets are not in it.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    service: &'static str,
    faults: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} can't start: {} of its environment variables are wrong", self.service, self.faults.len())?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

struct Env {
    vars: BTreeMap<String, String>,
    faults: Vec<String>,
}

impl Env {
    fn required<T: FromStr>(&mut self, name: &str, expected: &str, placeholder: T) -> T {
        match self.vars.get(name).filter(|value| !value.is_empty()).map(|value| value.parse()) {
            Some(Ok(value)) => return value,
            Some(Err(_)) => self.faults.push(format!("{name}={:?}: expected {expected}", self.vars[name])),
            None => self.faults.push(format!("{name} is missing: expected {expected}")),
        }
        placeholder
    }

    fn or<T: FromStr>(&mut self, name: &str, expected: &str, default: T, valid: impl Fn(&T) -> bool) -> T {
        let Some(text) = self.vars.get(name) else { return default };
        match text.parse() {
            Ok(value) if valid(&value) => value,
            _ => {
                self.faults.push(format!("{name}={text:?}: expected {expected}"));
                default
            }
        }
    }

    fn seconds(&mut self, name: &str, default: Duration) -> Duration {
        self.seconds_within(name, 0.01..=86_400.0, default)
    }

    fn seconds_within(&mut self, name: &str, range: RangeInclusive<f64>, default: Duration) -> Duration {
        let expected = format!("seconds, {} to {}", range.start(), range.end());
        Duration::from_secs_f64(self.or(name, &expected, default.as_secs_f64(), |seconds| range.contains(seconds)))
    }

    fn secret(&mut self, name: &str, expected: &str, valid: impl Fn(&str) -> bool) -> SecretString {
        let value = self.vars.remove(name).unwrap_or_default();
        if value.is_empty() {
            self.faults.push(format!("{name} is missing: expected {expected}"));
        } else if !valid(&value) {
            self.faults.push(format!("{name} (not shown): expected {expected}"));
        }
        value.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    const GOOD: [(&str, &str); 8] = [
        ("HTTP_ADDR", "127.0.0.1:1"),
        ("INTERNAL_ADDR", "127.0.0.1:2"),
        ("DATABASE_URL", "postgres://app:hush-database@localhost/db"),
        ("KAFKA_BROKERS", "localhost:9092"),
        ("TOKEN_KEYS", "keys.json"),
        ("TOKEN_ISSUER", "mart"),
        ("TOKEN_AUDIENCE", "mart"),
        ("PAGE_TOKEN_SECRET", "hush-page-hush-page-hush-page-hush"),
    ];

    #[test]
    fn all_faults_are_told_at_once_and_no_secret() {
        let bad =
            [("HTTP_ADDR", "nowhere"), ("PAGE_TOKEN_SECRET", "hush"), ("HTTP_TIMEOUT", "-1"), ("TOPIC_PREFIX", "a b")];
        let error = Config::from_vars("shelf", vars(&bad)).expect_err("nearly nothing is right").to_string();
        for name in [
            "HTTP_ADDR",
            "INTERNAL_ADDR",
            "DATABASE_URL",
            "KAFKA_BROKERS",
            "TOKEN_KEYS",
            "TOKEN_ISSUER",
            "TOKEN_AUDIENCE",
            "PAGE_TOKEN_SECRET",
            "HTTP_TIMEOUT",
            "TOPIC_PREFIX",
        ] {
            assert!(error.contains(name), "{name} in {error}");
        }
        assert!(error.contains("10 of its environment variables"), "{error}");
        assert!(!error.contains("hush"), "{error}");
    }

    #[test]
    fn secrets_do_not_print() {
        let config = Config::from_vars("shelf", vars(&GOOD)).expect("good");
        assert!(!format!("{config:?}").contains("hush"), "{config:?}");
        assert!(config.own.0.values().all(|value| !value.contains("hush")), "a secret is kept in the clear");
    }

    #[test]
    fn numbers_have_defaults_and_bounds() {
        let mut all = GOOD.to_vec();
        all.extend([("HTTP_TIMEOUT", "0.5"), ("HTTP_MAX_BODY_BYTES", "10")]);
        let config = Config::from_vars("shelf", vars(&all)).expect("good");
        assert_eq!((config.limits.time, config.limits.body_bytes), (Duration::from_millis(500), 10));
        assert_eq!((config.database_pool, config.shutdown_budget), (16, Duration::from_secs(20)));
    }

    #[test]
    fn a_service_has_variables_of_its_own() {
        let mut all = GOOD.to_vec();
        all.extend([("HOLD", "90"), ("PAUSE", "soon")]);
        let config = Config::from_vars("shelf", vars(&all)).expect("good");
        let seconds = |name| config.own_seconds(name, Duration::from_secs(7));
        assert_eq!(seconds("HOLD").expect("good"), Duration::from_secs(90));
        assert_eq!(seconds("MISSING").expect("good"), Duration::from_secs(7));
        assert!(seconds("PAUSE").expect_err("no number").to_string().contains("PAUSE=\"soon\""));
        let number = |name| config.own_number(name, 1..=90, 7);
        assert_eq!((number("HOLD").expect("good"), number("MISSING").expect("good")), (90, 7));
        let error = config.own_number("HOLD", 1..=89, 7).expect_err("too much").to_string();
        assert!(error.contains("HOLD=\"90\": expected a number from 1 to 89"), "{error}");
    }
}
