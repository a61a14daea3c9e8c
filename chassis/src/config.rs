//! Typed settings from the environment. All faults are reported at once, and secrets are never printed.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::EnvFilter;
use url::Url;

/// The longest duration of a setting: a year.
const MAX_DURATION: Duration = Duration::from_hours(365 * 24);
const MIN_DURATION: Duration = Duration::from_millis(10);

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

/// How the inbox retries an event before it becomes a dead letter.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// `INBOX_MAX_BACKOFF`: the longest pause between two attempts.
    pub max_backoff: Duration,
    /// `INBOX_MAX_ATTEMPTS`: the number of attempts after which the event becomes a dead letter.
    pub max_attempts: u32,
    /// `INBOX_LEASE`: the time for which a replica reserves a pending record. The record of a killed replica is retried after it.
    pub lease: Duration,
    /// `INBOX_MAX_AGE`: the age at which the event becomes a dead letter.
    pub max_age: Duration,
}

/// The limits of requests, and the proxies in front.
#[derive(Debug, Clone)]
pub struct Limits {
    /// `HTTP_MAX_HEADER_BYTES`: the size of all headers together.
    pub header_bytes: usize,
    /// `HTTP_MAX_BODY_BYTES`: the size of a body.
    pub body_bytes: usize,
    /// `HTTP_TIMEOUT`: the time for a whole request.
    pub timeout: Duration,
    /// `HTTP_MAX_CONCURRENT_REQUESTS`: the number of concurrent requests. Further ones are rejected.
    pub concurrent_requests: usize,
    /// `HTTP_MAX_CONNECTIONS`: the number of connections. Further ones wait to be accepted.
    pub connections: usize,
    /// `HTTP_TRUSTED_PROXY_HOPS`: the number of proxies in front that append to X-Forwarded-For. With 0 the header is ignored.
    pub trusted_proxy_hops: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 16 * 1024,
            body_bytes: 1024 * 1024,
            timeout: Duration::from_secs(10),
            concurrent_requests: 512,
            connections: 4096,
            trusted_proxy_hops: 0,
        }
    }
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
        let limits = Limits::default();
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
            limits: Limits {
                header_bytes: env.parsed("HTTP_MAX_HEADER_BYTES", "bytes, 1024 to 65536", limits.header_bytes, |n| {
                    (1024..=65_536).contains(n)
                }),
                body_bytes: env.parsed("HTTP_MAX_BODY_BYTES", "bytes, at least 1", limits.body_bytes, |n| *n > 0),
                timeout: env.duration("HTTP_TIMEOUT", UP_TO_A_DAY, limits.timeout),
                concurrent_requests: env.parsed(
                    "HTTP_MAX_CONCURRENT_REQUESTS",
                    "a number above 0",
                    limits.concurrent_requests,
                    |n| *n > 0,
                ),
                connections: env.parsed("HTTP_MAX_CONNECTIONS", "a number above 0", limits.connections, |n| *n > 0),
                trusted_proxy_hops: env.parsed(
                    "HTTP_TRUSTED_PROXY_HOPS",
                    "a number from 0 to 10",
                    limits.trusted_proxy_hops,
                    |n| *n <= 10,
                ),
            },
            shutdown_grace_period: env.duration("SHUTDOWN_GRACE_PERIOD", UP_TO_A_DAY, Duration::from_secs(20)),
            retries: Retries {
                max_backoff: env.duration("INBOX_MAX_BACKOFF", UP_TO_A_DAY, Duration::from_mins(10)),
                lease: env.duration(
                    "INBOX_LEASE",
                    Duration::from_secs(1)..=Duration::from_hours(1),
                    Duration::from_mins(1),
                ),
                max_attempts: env
                    .parsed("INBOX_MAX_ATTEMPTS", "a number from 2 to 1000", 20, |n| (2..=1000).contains(n)),
                // Well below the retention of receipts of events.
                max_age: env.duration(
                    "INBOX_MAX_AGE",
                    MIN_DURATION..=Duration::from_hours(7 * 24),
                    Duration::from_hours(24),
                ),
            },
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

const UP_TO_A_DAY: RangeInclusive<Duration> = MIN_DURATION..=Duration::from_hours(24);

fn unspecified() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 0))
}

/// All faults of a service's settings. It contains no secret.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    service: &'static str,
    faults: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.len();
        let what = if count == 1 { "setting is" } else { "settings are" };
        write!(f, "{} can't start: {count} {what} invalid", self.service)?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

/// Reads settings from environment variables and collects their faults.
///
/// After a fault each function returns a placeholder, so that the others are checked too.
pub struct SettingsReader {
    vars: BTreeMap<String, String>,
    faults: Vec<String>,
}

/// Prints neither names nor values of variables: some are secrets.
impl fmt::Debug for SettingsReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettingsReader").field("faults", &self.faults).finish_non_exhaustive()
    }
}

impl SettingsReader {
    /// Returns a duration such as `15m` or `1h 30m`, from 10 ms to a year.
    pub fn setting_duration<D>(&mut self, name: &str, default: D) -> D
    where
        D: TryFrom<Duration> + TryInto<Duration> + Copy,
    {
        self.setting_duration_within(name, MIN_DURATION..=MAX_DURATION, default)
    }

    /// Returns a duration within a range.
    pub fn setting_duration_within<D>(&mut self, name: &str, range: RangeInclusive<Duration>, default: D) -> D
    where
        D: TryFrom<Duration> + TryInto<Duration> + Copy,
    {
        let usual = default.try_into().unwrap_or_default();
        D::try_from(self.duration(name, range, usual)).unwrap_or(default)
    }

    /// Returns a number within a range.
    pub fn setting_number<N>(&mut self, name: &str, range: RangeInclusive<N>, default: N) -> N
    where
        N: FromStr + PartialOrd + fmt::Display,
    {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        self.parsed(name, &expected, default, |number| range.contains(number))
    }

    /// Returns a required text.
    pub fn setting_text(&mut self, name: &str, expected: &str) -> String {
        self.required(name, expected, String::new())
    }

    /// Returns an optional text, or its default if the variable is missing or empty.
    pub fn setting_or(&self, name: &str, default: &str) -> String {
        self.vars.get(name).filter(|value| !value.is_empty()).map_or_else(|| default.to_owned(), Clone::clone)
    }

    /// Returns an `http` or `https` URL without a trailing slash; required if there is no default. In production it has to be
    /// `https`.
    pub fn setting_url(&mut self, name: &str, expected: &str, default: Option<&str>) -> String {
        let text = match default {
            Some(default) => self.setting_or(name, default),
            None => self.setting_text(name, expected),
        };
        let production = self.is_production();
        let schemes: &[&str] = if production { &["https"] } else { &["http", "https"] };
        let valid = text.parse::<Url>().is_ok_and(|url| schemes.contains(&url.scheme()) && url.has_host());
        if !text.is_empty() && !valid {
            let scheme =
                if production { "an https URL, because ENVIRONMENT is production" } else { "an http or https URL" };
            self.fault(name, format!("{text:?}: expected {scheme}: {expected}"));
        }
        text.trim_end_matches('/').to_owned()
    }

    /// Returns a required secret. A fault does not print it.
    pub fn setting_secret(&mut self, name: &str, expected: &str) -> SecretString {
        self.secret(name, expected, |_| true)
    }

    /// Returns required secrets that are separated by commas, such as the new and the old one during a rotation.
    pub fn setting_secrets(&mut self, name: &str, expected: &str) -> Vec<SecretString> {
        let all = self.setting_secret(name, expected);
        let secrets = all.expose_secret().split(',').map(str::trim).filter(|secret| !secret.is_empty());
        let secrets: Vec<SecretString> = secrets.map(SecretString::from).collect();
        if secrets.is_empty() && !all.expose_secret().is_empty() {
            self.fault(name, format!("has no secret in it: expected {expected}"));
        }
        secrets
    }

    /// Returns whether `ENVIRONMENT` is `production`, where stand-ins for real providers are rejected. The default is
    /// `development`.
    pub fn is_production(&mut self) -> bool {
        let environment = self.setting_or("ENVIRONMENT", "development");
        if !["development", "production"].contains(&environment.as_str()) {
            self.fault("ENVIRONMENT", format!("{environment:?}: expected development or production"));
        }
        // An unknown environment is treated as production, so that it allows nothing.
        environment != "development"
    }

    /// Adds a fault of a setting that its type alone does not show.
    pub fn fault(&mut self, name: &str, fault: impl fmt::Display) {
        let fault = format!("{name}: {fault}");
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn required<T: FromStr>(&mut self, name: &str, expected: &str, placeholder: T) -> T {
        match self.vars.get(name).filter(|value| !value.is_empty()).map(|value| value.parse()) {
            Some(Ok(value)) => return value,
            Some(Err(_)) => self.fault(name, format!("{:?}: expected {expected}", self.vars[name])),
            None => self.fault(name, format!("is missing: expected {expected}")),
        }
        placeholder
    }

    fn parsed<T: FromStr>(&mut self, name: &str, expected: &str, default: T, valid: impl Fn(&T) -> bool) -> T {
        let Some(text) = self.vars.get(name) else { return default };
        match text.parse() {
            Ok(value) if valid(&value) => value,
            _ => {
                self.fault(name, format!("{text:?}: expected {expected}"));
                default
            }
        }
    }

    fn duration(&mut self, name: &str, range: RangeInclusive<Duration>, default: Duration) -> Duration {
        let Some(text) = self.vars.get(name) else { return default };
        match humantime::parse_duration(text) {
            Ok(duration) if range.contains(&duration) => duration,
            _ => {
                let (least, most) =
                    (humantime::format_duration(*range.start()), humantime::format_duration(*range.end()));
                self.fault(name, format!("{text:?}: expected a duration such as 15m or 10s, from {least} to {most}"));
                default
            }
        }
    }

    fn secret(&mut self, name: &str, expected: &str, valid: impl Fn(&str) -> bool) -> SecretString {
        let value = self.vars.remove(name).unwrap_or_default().trim().to_owned();
        if value.is_empty() {
            self.fault(name, format!("is missing: expected {expected}"));
        } else if !valid(&value) {
            self.fault(name, format!("(not shown): expected {expected}"));
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
    fn all_faults_are_reported_at_once_without_secrets() {
        let bad = [
            ("HTTP_ADDR", "nowhere"),
            ("PAGE_TOKEN_SECRET", "hush"),
            ("HTTP_TIMEOUT", "10"),
            ("TOPIC_PREFIX", "a b"),
            ("RUST_LOG", "mart=loud"),
            ("HOLD", "soon"),
            ("SHELF_KEYS", ", ,"),
            ("ENVIRONMENT", "prod"),
        ];
        let own = |env: &mut SettingsReader| {
            env.setting_duration("HOLD", Duration::from_secs(7));
            env.setting_secrets("SHELF_KEYS", "keys");
            assert!(env.is_production(), "an unknown environment allows nothing");
        };
        let error = Config::from_vars("shelf", vars(&bad), own).expect_err("nearly all are invalid").to_string();
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
            "RUST_LOG",
            "HOLD",
            "SHELF_KEYS",
            "ENVIRONMENT",
        ] {
            assert!(error.contains(&format!("\n  {name}: ")), "{name} in {error}");
        }
        assert!(error.contains("14 settings are invalid"), "{error}");
        assert!(!error.contains("hush"), "{error}");
    }

    #[test]
    fn secrets_are_not_printed() {
        let own = |env: &mut SettingsReader| {
            assert!(env.vars.values().all(|value| !value.contains("hush")), "a shared secret is readable");
            (env.setting_secret("SHELF_KEY", "a key"), format!("{env:?}"))
        };
        let mut all = GOOD.to_vec();
        all.push(("SHELF_KEY", "quiet"));
        let (config, (secret, reader)) = Config::from_vars("shelf", vars(&all), own).expect("valid");
        let printed = format!("{config:?} {secret:?} {reader}");
        assert!(!printed.contains("hush") && !printed.contains("quiet"), "{printed}");
    }

    #[test]
    fn settings_have_defaults_and_bounds() {
        let mut all = GOOD.to_vec();
        all.extend([("HTTP_TIMEOUT", "500ms"), ("HTTP_MAX_BODY_BYTES", "10"), ("RUST_LOG", "warn,mart_chassis=debug")]);
        let (config, ()) = Config::from_vars("shelf", vars(&all), |_| ()).expect("valid");
        assert_eq!((config.limits.timeout, config.limits.body_bytes), (Duration::from_millis(500), 10));
        assert_eq!((config.database_max_connections, config.shutdown_grace_period), (16, Duration::from_secs(20)));
    }

    #[test]
    fn own_settings_are_typed() {
        let mut all = GOOD.to_vec();
        all.extend([("HOLD", "1h 30m"), ("COUNT", "90"), ("KEYS", "new, old"), ("NAME", "")]);
        let own = |env: &mut SettingsReader| {
            assert_eq!(env.setting_duration("HOLD", time::Duration::SECOND), time::Duration::minutes(90));
            assert_eq!(env.setting_duration("MISSING", Duration::from_secs(7)), Duration::from_secs(7));
            assert_eq!((env.setting_number("COUNT", 1..=90, 7), env.setting_number("MISSING", 1..=90, 7)), (90, 7));
            assert_eq!(env.setting_secrets("KEYS", "keys").len(), 2);
            assert_eq!(env.setting_or("NAME", "mart"), "mart");
            assert!(!env.is_production());
        };
        Config::from_vars("shelf", vars(&all), own).expect("valid");
        let number = |env: &mut SettingsReader| env.setting_number("COUNT", 1..=89, 7);
        let error = Config::from_vars("shelf", vars(&all), number).expect_err("too large").to_string();
        assert!(error.contains("COUNT: \"90\": expected a number from 1 to 89"), "{error}");
        let duration = |env: &mut SettingsReader| {
            env.setting_duration_within(
                "HOLD",
                Duration::from_secs(1)..=Duration::from_hours(1),
                Duration::from_secs(7),
            )
        };
        let error = Config::from_vars("shelf", vars(&all), duration).expect_err("too long").to_string();
        assert!(error.contains("HOLD: \"1h 30m\": expected a duration such as 15m or 10s, from 1s to 1h"), "{error}");
    }

    #[test]
    fn urls_are_http_and_https_only_in_production() {
        let read = |environment: &str, url: &str| {
            let mut all = GOOD.to_vec();
            all.extend([("ENVIRONMENT", environment), ("SHOP_URL", url)]);
            let own = |env: &mut SettingsReader| env.setting_url("SHOP_URL", "the shop", None);
            Config::from_vars("shelf", vars(&all), own).map(|(_, url)| url).map_err(|error| error.to_string())
        };
        assert_eq!(read("development", "http://shop.example/").as_deref(), Ok("http://shop.example"));
        assert_eq!(read("production", "https://shop.example").as_deref(), Ok("https://shop.example"));
        for url in ["", "shop.example", "ftp://shop.example", "javascript:alert(1)"] {
            assert!(read("development", url).is_err_and(|error| error.contains("SHOP_URL")), "{url}");
        }
        assert!(read("production", "http://shop.example").is_err_and(|error| error.contains("https")));
    }
}
