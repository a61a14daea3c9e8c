//! The supported part of Kong's declarative file. Anything else in a file is an error that names it.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow};
use jsonwebtoken::{Algorithm, DecodingKey};
use regex::Regex;
use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(rename = "_format_version")]
    format_version: FormatVersion,
    #[serde(rename = "_transform")]
    transform: bool,
    /// The plugins of every route.
    #[serde(default)]
    pub(super) plugins: Vec<Plugin>,
    pub(super) services: Vec<Service>,
    #[serde(default)]
    pub(super) consumers: Vec<Consumer>,
}

#[derive(Debug, Deserialize)]
enum FormatVersion {
    #[serde(rename = "3.0")]
    Three,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) connect_timeout: u64,
    pub(super) read_timeout: u64,
    write_timeout: u64,
    retries: u32,
    pub(super) routes: Vec<Route>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    pub(super) name: String,
    pub(super) methods: Vec<String>,
    paths: Vec<String>,
    pub(super) regex_priority: u32,
    strip_path: bool,
    preserve_host: bool,
    #[serde(default)]
    pub(super) plugins: Vec<Plugin>,
    /// The paths, compiled.
    #[serde(skip)]
    pub(super) patterns: Vec<Regex>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "name", content = "config", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Plugin {
    Jwt(Jwt),
    Acl(Acl),
    RateLimiting(RateLimiting),
    Cors(Cors),
    CorrelationId(CorrelationId),
    RequestSizeLimiting(RequestSizeLimiting),
    RequestTransformer(RequestTransformer),
    Prometheus(Prometheus),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Jwt {
    pub(super) key_claim_name: String,
    claims_to_verify: Vec<Claim>,
    uri_param_names: Vec<String>,
    pub(super) maximum_expiration: u64,
    pub(super) run_on_preflight: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Claim {
    Exp,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Acl {
    pub(super) allow: Vec<String>,
    hide_groups_header: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateLimiting {
    pub(super) minute: u64,
    policy: Policy,
    pub(super) limit_by: LimitBy,
    #[serde(default)]
    pub(super) header_name: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Policy {
    Local,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LimitBy {
    Ip,
    Header,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cors {
    pub(super) methods: Vec<String>,
    pub(super) headers: Vec<String>,
    pub(super) exposed_headers: Vec<String>,
    credentials: bool,
    pub(super) max_age: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CorrelationId {
    pub(super) header_name: String,
    generator: Generator,
    pub(super) echo_downstream: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Generator {
    Uuid,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestSizeLimiting {
    allowed_payload_size: usize,
    size_unit: SizeUnit,
    require_content_length: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SizeUnit {
    Megabytes,
    Kilobytes,
    Bytes,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestTransformer {
    pub(super) remove: Removed,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Removed {
    pub(super) headers: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Prometheus {
    status_code_metrics: bool,
    latency_metrics: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Consumer {
    pub(super) username: String,
    #[serde(default)]
    acls: Vec<Group>,
    #[serde(default)]
    jwt_secrets: Vec<Credential>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    group: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Credential {
    key: String,
    algorithm: Algorithm,
    rsa_public_key: String,
}

/// A public key of a consumer, with the consumer's groups.
#[derive(Clone)]
pub(super) struct ConsumerKey {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
    pub(super) groups: Vec<String>,
}

impl RequestSizeLimiting {
    pub(super) fn bytes(&self) -> usize {
        self.allowed_payload_size
            * match self.size_unit {
                SizeUnit::Megabytes => 1024 * 1024,
                SizeUnit::Kilobytes => 1024,
                SizeUnit::Bytes => 1,
            }
    }
}

impl File {
    /// Parses a file. An error names the place and what is invalid or not implemented.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut file: Self = serde_saphyr::from_str(text).map_err(|error| anyhow!("{error}"))?;
        let FormatVersion::Three = file.format_version;
        ensure_implemented(file.transform, "_transform: false")?;
        for service in &mut file.services {
            let place = format!("service {}", service.name);
            ensure_implemented(service.retries == 0, &format!("{place}: retries other than 0"))?;
            let one_timeout = service.write_timeout == service.read_timeout;
            ensure_implemented(one_timeout, &format!("{place}: a write_timeout that differs from read_timeout"))?;
            let uri: axum::http::Uri = service.url.parse().with_context(|| format!("{place}: url {}", service.url))?;
            let plain = uri.scheme_str() == Some("http") && uri.path() == "/" && uri.query().is_none();
            ensure_implemented(plain, &format!("{place}: a url with more than http://host:port"))?;
            for route in &mut service.routes {
                let place = format!("route {}", route.name);
                ensure_implemented(!route.strip_path, &format!("{place}: strip_path: true"))?;
                ensure_implemented(route.preserve_host, &format!("{place}: preserve_host: false"))?;
                route.patterns = patterns(&route.paths).with_context(|| place.clone())?;
                route.plugins.iter().try_for_each(|plugin| plugin.check().context(place.clone()))?;
            }
        }
        file.plugins.iter().try_for_each(Plugin::check)?;
        file.keys().map(|_| file)
    }

    /// Returns the public keys of all consumers by their ids.
    pub(super) fn keys(&self) -> Result<HashMap<String, ConsumerKey>> {
        let mut all = HashMap::new();
        for consumer in &self.consumers {
            let groups: Vec<String> = consumer.acls.iter().map(|acl| acl.group.clone()).collect();
            for Credential { key, algorithm, rsa_public_key } in &consumer.jwt_secrets {
                let place = || format!("consumer {}, key {key}", consumer.username);
                let pem = rsa_public_key.as_bytes();
                let decoding = match algorithm {
                    Algorithm::EdDSA => DecodingKey::from_ed_pem(pem),
                    Algorithm::ES256 => DecodingKey::from_ec_pem(pem),
                    other => return Err(anyhow!("{}: the algorithm {other:?} is not implemented", place())),
                };
                let consumer_key = ConsumerKey {
                    algorithm: *algorithm,
                    key: decoding.with_context(|| format!("{}: rsa_public_key", place()))?,
                    groups: groups.clone(),
                };
                if all.insert(key.clone(), consumer_key).is_some() {
                    return Err(anyhow!("{}: this key id is not unique", place()));
                }
            }
        }
        Ok(all)
    }
}

impl Plugin {
    fn check(&self) -> Result<()> {
        match self {
            Self::Jwt(jwt) => {
                ensure_implemented(jwt.claims_to_verify == [Claim::Exp], "jwt: claims_to_verify other than [exp]")?;
                ensure_implemented(jwt.uri_param_names.is_empty(), "jwt: uri_param_names other than []")
            }
            Self::Acl(acl) => ensure_implemented(acl.hide_groups_header, "acl: hide_groups_header: false"),
            Self::RateLimiting(limit) => {
                let Policy::Local = limit.policy;
                let named = (limit.limit_by == LimitBy::Header) == limit.header_name.is_some();
                ensure_implemented(named, "rate-limiting: header_name belongs to limit_by: header, and only to it")
            }
            Self::Cors(cors) => ensure_implemented(!cors.credentials, "cors: credentials: true"),
            Self::CorrelationId(id) => {
                let Generator::Uuid = id.generator;
                Ok(())
            }
            Self::RequestSizeLimiting(size) => {
                ensure_implemented(!size.require_content_length, "request-size-limiting: require_content_length: true")
            }
            Self::RequestTransformer(_) => Ok(()),
            Self::Prometheus(prometheus) => ensure_implemented(
                prometheus.status_code_metrics && prometheus.latency_metrics,
                "prometheus: status_code_metrics: false or latency_metrics: false",
            ),
        }
    }
}

fn ensure_implemented(condition: bool, feature: &str) -> Result<()> {
    if condition { Ok(()) } else { Err(anyhow!("{feature} is not implemented by the gateway of the devstack")) }
}

/// Compiles the paths of a route. They must be regular expressions, such as `~/path$`. Kong matches them at the start of a path.
fn patterns(paths: &[String]) -> Result<Vec<Regex>> {
    let pattern = |path: &String| {
        let pattern = path
            .strip_prefix('~')
            .with_context(|| format!("{path}: only regular expressions (~/…) are implemented"))?;
        Regex::new(&format!("^{pattern}")).with_context(|| format!("{path}: invalid regular expression"))
    };
    paths.iter().map(pattern).collect()
}
