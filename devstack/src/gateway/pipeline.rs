//! Processes a request in the order of Kong's plugins: route, correlation-id, cors, jwt, request-size-limiting, acl,
//! rate-limiting, request-transformer, and then the service.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use axum_reverse_proxy::{HostBehaviour, ProxyError, ProxyPolicy, ReverseProxy};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::answer::{self, error, set, unauthorized};
use super::config::{ConsumerKey, Cors, Jwt, LimitBy, Plugin, RateLimiting, Route, Service};
use super::limits::LimitStatus;
use super::state::Gateway;
use super::{jwt, nginx, routes};

/// The timeout of a request body without a declared length.
const BODY_TIMEOUT: Duration = Duration::from_mins(1);

/// The settings of the plugins that apply to a route.
#[derive(Default)]
struct Settings<'a> {
    /// The header's name, and whether the response has it too.
    correlation: Option<(&'a str, bool)>,
    cors: Option<&'a Cors>,
    jwt: Option<&'a Jwt>,
    max_body_bytes: Option<usize>,
    allowed_groups: Option<&'a [String]>,
    limit: Option<&'a RateLimiting>,
    removed_headers: Vec<&'a str>,
    metrics: bool,
}

impl<'a> Settings<'a> {
    /// Collects the plugins' settings. A later plugin, which is the route's own, replaces an earlier one, which is global.
    fn new(plugins: impl Iterator<Item = &'a Plugin>) -> Self {
        let mut settings = Self::default();
        for plugin in plugins {
            match plugin {
                Plugin::CorrelationId(id) => settings.correlation = Some((&id.header_name, id.echo_downstream)),
                Plugin::Cors(cors) => settings.cors = Some(cors),
                Plugin::Jwt(jwt) => settings.jwt = Some(jwt),
                Plugin::RequestSizeLimiting(size) => settings.max_body_bytes = Some(size.bytes()),
                Plugin::Acl(acl) => settings.allowed_groups = Some(&acl.allow),
                Plugin::RateLimiting(limit) => settings.limit = Some(limit),
                Plugin::RequestTransformer(transformer) => {
                    settings.removed_headers = transformer.remove.headers.iter().map(String::as_str).collect();
                }
                Plugin::Prometheus(_) => settings.metrics = true,
            }
        }
        settings
    }
}

impl Gateway {
    /// Responds to a request itself or forwards it to a service.
    pub(super) async fn handle(&self, peer: SocketAddr, request: Request<Body>) -> Response<Body> {
        let accept = request.headers().clone();
        answer::in_accepted_format(self.respond(peer, request).await, &accept)
    }

    async fn respond(&self, peer: SocketAddr, mut request: Request<Body>) -> Response<Body> {
        if let Some(rejection) = nginx::rejection(&request) {
            return rejection;
        }
        let begun = Instant::now();
        let table = self.table();
        let normal = routes::normal_form(request.uri().path());
        let found = routes::find(&table.file, request.method().as_str(), &normal);
        // The global plugins apply to a request without a route, too.
        let plugins = found.iter().flat_map(|(_, route)| &route.plugins);
        let settings = Settings::new(table.file.plugins.iter().chain(plugins));
        *request.uri_mut() = uri(&routes::escaped(&normal), request.uri().query());
        let correlation = settings.correlation.map(|(name, echo)| (name, correlate(name, request.headers_mut()), echo));
        let mut limit = None;
        let mut response = match found {
            None => error(StatusCode::NOT_FOUND, "no Route matched with those values"),
            Some((service, route)) => {
                match self.apply_plugins(&settings, &table.keys, route, peer, request, &mut limit).await {
                    Ok(request) => self.forward(service, peer, request).await,
                    Err(response) => *response,
                }
            }
        };
        if let Some(limit) = limit {
            limit.set_headers(&mut response);
        }
        if let Some(cors) = settings.cors {
            expose(cors, &mut response);
        }
        if let Some((name, value, true)) = &correlation {
            set(&mut response, name, value);
        }
        if let Some((service, route)) = found
            && settings.metrics
        {
            let labels = [
                ("service", service.name.clone()),
                ("route", route.name.clone()),
                ("code", response.status().as_u16().to_string()),
            ];
            metrics::counter!("kong_http_requests_total", &labels).increment(1);
            metrics::histogram!("kong_request_latency_ms", &labels[..2]).record(begun.elapsed().as_secs_f64() * 1000.0);
        }
        response
    }

    /// Returns the request to forward to the service, or the response if a plugin ends it. Sets `status` if a limit was counted.
    async fn apply_plugins(
        &self,
        settings: &Settings<'_>,
        keys: &HashMap<String, ConsumerKey>,
        route: &Route,
        peer: SocketAddr,
        request: Request<Body>,
        status: &mut Option<LimitStatus>,
    ) -> Result<Request<Body>, Box<Response<Body>>> {
        if let Some(cors) = settings.cors
            && is_preflight(&request)
        {
            return Err(Box::new(preflight(cors)));
        }
        let mut groups = None;
        if let Some(jwt) = settings.jwt
            && (jwt.run_on_preflight || request.method() != Method::OPTIONS)
        {
            groups = Some(jwt::groups(jwt, keys, request.headers())?);
        }
        let mut request = match settings.max_body_bytes {
            Some(bytes) => limit_body(request, bytes).await?,
            None => request,
        };
        if let Some(allowed) = settings.allowed_groups {
            let Some(groups) = groups else {
                return Err(Box::new(unauthorized(&json!({ "message": "Unauthorized" }))));
            };
            if !groups.iter().any(|group| allowed.contains(group)) {
                return Err(Box::new(error(StatusCode::FORBIDDEN, "You cannot consume this service")));
            }
        }
        if let Some(limit) = settings.limit {
            let now = u64::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or_default();
            let client = limited_client(limit, peer, request.headers());
            let counted = self.counters.count(&route.name, &client, limit.minute, now);
            *status = Some(counted);
            if let Some(rejection) = counted.rejection() {
                return Err(Box::new(rejection));
            }
        }
        for name in &settings.removed_headers {
            request.headers_mut().remove(*name);
        }
        Ok(request)
    }

    async fn forward(&self, service: &Service, peer: SocketAddr, mut request: Request<Body>) -> Response<Body> {
        request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
        request.headers_mut().insert("x-real-ip", HeaderValue::from_str(&peer.ip().to_string()).unwrap_or(EMPTY));
        let policy = ProxyPolicy::new()
            .with_host_behaviour(HostBehaviour::Preserve)
            .with_public_scheme("http")
            .with_upstream_timeout(Duration::from_millis(service.read_timeout));
        let proxy = ReverseProxy::new_with_client("", service.url.as_str(), self.upstreams.clone()).with_policy(policy);
        let Ok(response) = proxy.proxy_request(request).await;
        if let Some(failure) = response.extensions().get::<ProxyError>() {
            tracing::warn!(service = service.name, error = failure.message(), "a service did not respond");
            return match response.status() {
                StatusCode::GATEWAY_TIMEOUT => error(StatusCode::GATEWAY_TIMEOUT, "The upstream server is timing out"),
                status => error(status, "An invalid response was received from the upstream server"),
            };
        }
        response
    }
}

const EMPTY: HeaderValue = HeaderValue::from_static("");

fn uri(path: &str, query: Option<&str>) -> Uri {
    let text = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    text.parse().unwrap_or_default()
}

/// Returns the correlation id of the client, or sets and returns a new one.
fn correlate(name: &str, headers: &mut HeaderMap) -> String {
    let given = headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
    if let Some(given) = given {
        return given.to_owned();
    }
    let new = Uuid::new_v4().to_string();
    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&new)) {
        headers.insert(name, value);
    }
    new
}

fn is_preflight(request: &Request<Body>) -> bool {
    let has = |name| request.headers().contains_key(name);
    request.method() == Method::OPTIONS && has(header::ORIGIN) && has(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight(cors: &Cors) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    set(&mut response, "Access-Control-Allow-Origin", "*");
    set(&mut response, "Access-Control-Allow-Methods", &cors.methods.join(","));
    set(&mut response, "Access-Control-Allow-Headers", &cors.headers.join(","));
    set(&mut response, "Access-Control-Max-Age", &cors.max_age.to_string());
    set(&mut response, "Content-Length", "0");
    response
}

fn expose(cors: &Cors, response: &mut Response<Body>) {
    set(response, "Access-Control-Allow-Origin", "*");
    set(response, "Access-Control-Expose-Headers", &cors.exposed_headers.join(","));
}

/// Returns the client that a limit applies to: the value of the configured header, or else the peer's address.
fn limited_client(limit: &RateLimiting, peer: SocketAddr, headers: &HeaderMap) -> String {
    let named = match (limit.limit_by, &limit.header_name) {
        (LimitBy::Header, Some(name)) => headers.get(name.as_str()).and_then(|value| value.to_str().ok()),
        _ => None,
    };
    named.map_or_else(|| peer.ip().to_string(), str::to_owned)
}

/// Returns the request, or an error response if its body is larger than this. A body without a declared length is read first.
async fn limit_body(request: Request<Body>, bytes: usize) -> Result<Request<Body>, Box<Response<Body>>> {
    let expects = request.headers().contains_key(header::EXPECT);
    let too_large = || {
        // A client that waits for `100 Continue` has not sent its body yet.
        let (status, message) = if expects {
            (StatusCode::EXPECTATION_FAILED, "Expectation failed")
        } else {
            (StatusCode::PAYLOAD_TOO_LARGE, "Request size limit exceeded")
        };
        Box::new(error(status, message))
    };
    let declared: Option<usize> =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    match declared {
        Some(declared) if declared > bytes => Err(too_large()),
        Some(_) => Ok(request),
        None => {
            let (parts, body) = request.into_parts();
            match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, bytes).collect()).await {
                Ok(Ok(body)) => Ok(Request::from_parts(parts, Body::from(body.to_bytes()))),
                // nginx itself ends such a body, at the limit that compose/compose.yml sets for it.
                Ok(Err(failure)) if failure.is::<LengthLimitError>() => {
                    Err(Box::new(error(StatusCode::PAYLOAD_TOO_LARGE, "Payload too large")))
                }
                Ok(Err(_)) => Err(Box::new(error(StatusCode::BAD_REQUEST, "Bad request"))),
                Err(_) => Err(Box::new(error(StatusCode::REQUEST_TIMEOUT, "Request timed out"))),
            }
        }
    }
}
