//! What happens to a request, in the order of Kong's plugins: route, correlation-id, cors, jwt, request-size-limiting, acl,
//! rate-limiting, request-transformer, and then the service.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use axum_reverse_proxy::{HostBehaviour, ProxyError, ProxyPolicy, ReverseProxy};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use time::OffsetDateTime;
use uuid::Uuid;

use super::answer::{said, set, traced, unauthorized};
use super::config::{Cors, LimitBy, Plugin, RateLimiting, Route, Service};
use super::limits::Left;
use super::serve::Gateway;
use super::{jwt, routes};

/// How long a body of no declared length may take.
const BODY: Duration = Duration::from_mins(1);

/// The client that all services are reached by.
pub(super) type Upstreams = Client<HttpConnector, Body>;

/// What the plugins of a route and of all routes say.
#[derive(Default)]
struct Said<'a> {
    correlation: Option<(&'a str, bool)>,
    cors: Option<&'a Cors>,
    jwt: Option<&'a super::config::Jwt>,
    bytes: Option<usize>,
    allow: Option<&'a [String]>,
    limit: Option<&'a RateLimiting>,
    removed: Vec<&'a str>,
    measured: bool,
}

impl<'a> Said<'a> {
    /// A route's own plugin stands in place of one of all routes.
    fn of(plugins: impl Iterator<Item = &'a Plugin>) -> Self {
        let mut said = Self::default();
        for plugin in plugins {
            match plugin {
                Plugin::CorrelationId(id) => said.correlation = Some((&id.header_name, id.echo_downstream)),
                Plugin::Cors(cors) => said.cors = Some(cors),
                Plugin::Jwt(jwt) => said.jwt = Some(jwt),
                Plugin::RequestSizeLimiting(size) => said.bytes = Some(size.bytes()),
                Plugin::Acl(acl) => said.allow = Some(&acl.allow),
                Plugin::RateLimiting(limit) => said.limit = Some(limit),
                Plugin::RequestTransformer(transformer) => {
                    said.removed = transformer.remove.headers.iter().map(String::as_str).collect();
                }
                Plugin::Prometheus(_) => said.measured = true,
            }
        }
        said
    }
}

impl Gateway {
    /// Answers a request, or has a service answer it.
    pub(super) async fn answer(&self, peer: SocketAddr, request: Request<Body>) -> Response<Body> {
        let begun = Instant::now();
        let table = self.table();
        let normal = routes::normal_form(request.uri().path());
        let Some((service, route)) = routes::find(&table.file, request.method().as_str(), &normal) else {
            return traced(StatusCode::NOT_FOUND, "no Route matched with those values");
        };
        let said = Said::of(table.file.plugins.iter().chain(&route.plugins));
        let mut request = request;
        *request.uri_mut() = uri(&routes::escaped(&normal), request.uri().query());
        let correlation = said.correlation.map(|(name, echo)| (name, correlate(name, request.headers_mut()), echo));
        let mut left = None;
        let mut response = match self.gates(&said, &table.known, route, peer, request, &mut left).await {
            Ok(request) => self.forward(service, peer, request).await,
            Err(response) => *response,
        };
        if let Some(left) = left {
            left.tell(&mut response);
        }
        if let Some(cors) = said.cors {
            expose(cors, &mut response);
        }
        if let Some((name, value, true)) = &correlation {
            set(&mut response, name, value);
        }
        if said.measured {
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

    /// The request as it goes on to the service, or why it does not.
    async fn gates(
        &self,
        said: &Said<'_>,
        known: &std::collections::HashMap<String, super::config::Known>,
        route: &Route,
        peer: SocketAddr,
        request: Request<Body>,
        left: &mut Option<Left>,
    ) -> Result<Request<Body>, Box<Response<Body>>> {
        if let Some(cors) = said.cors
            && is_preflight(&request)
        {
            return Err(Box::new(preflight(cors)));
        }
        let mut groups = None;
        if let Some(jwt) = said.jwt
            && (jwt.run_on_preflight || request.method() != Method::OPTIONS)
        {
            groups = Some(jwt::groups(jwt, known, request.headers())?);
        }
        let mut request = match said.bytes {
            Some(bytes) => sized(request, bytes).await?,
            None => request,
        };
        if let Some(allow) = said.allow {
            let Some(groups) = groups else {
                return Err(Box::new(unauthorized(&serde_json::json!({ "message": "Unauthorized" }))));
            };
            if !groups.iter().any(|group| allow.contains(group)) {
                let body = serde_json::json!({ "message": "You cannot consume this service" });
                return Err(Box::new(self::said(StatusCode::FORBIDDEN, &body)));
            }
        }
        if let Some(limit) = said.limit {
            let now = u64::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or_default();
            let counted = self.counters.count(&route.name, &who(limit, peer, request.headers()), limit.minute, now);
            *left = Some(counted);
            if let Some(refusal) = counted.refusal() {
                return Err(Box::new(refusal));
            }
        }
        for name in &said.removed {
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
        if let Some(error) = response.extensions().get::<ProxyError>() {
            tracing::warn!(service = service.name, error = error.message(), "a service did not answer");
            return match response.status() {
                StatusCode::GATEWAY_TIMEOUT => traced(StatusCode::GATEWAY_TIMEOUT, "The upstream server is timing out"),
                status => traced(status, "An invalid response was received from the upstream server"),
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

/// The client's own value, or a new one.
fn correlate(name: &str, headers: &mut HeaderMap) -> String {
    let own = headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
    if let Some(own) = own {
        return own.to_owned();
    }
    let made = Uuid::new_v4().to_string();
    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&made)) {
        headers.insert(name, value);
    }
    made
}

fn is_preflight(request: &Request<Body>) -> bool {
    let asks = |name| request.headers().contains_key(name);
    request.method() == Method::OPTIONS && asks(header::ORIGIN) && asks(header::ACCESS_CONTROL_REQUEST_METHOD)
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

/// Whose limit it is.
fn who(limit: &RateLimiting, peer: SocketAddr, headers: &HeaderMap) -> String {
    let named = match (limit.limit_by, &limit.header_name) {
        (LimitBy::Header, Some(name)) => headers.get(name.as_str()).and_then(|value| value.to_str().ok()),
        _ => None,
    };
    named.map_or_else(|| peer.ip().to_string(), str::to_owned)
}

/// The request with a body of no more than these bytes.
async fn sized(request: Request<Body>, bytes: usize) -> Result<Request<Body>, Box<Response<Body>>> {
    let too_large = || Box::new(traced(StatusCode::PAYLOAD_TOO_LARGE, "Request size limit exceeded"));
    let declared: Option<usize> =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    match declared {
        Some(declared) if declared > bytes => Err(too_large()),
        Some(_) => Ok(request),
        None => {
            let (parts, body) = request.into_parts();
            match tokio::time::timeout(BODY, Limited::new(body, bytes).collect()).await {
                Ok(Ok(body)) => Ok(Request::from_parts(parts, Body::from(body.to_bytes()))),
                Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
                Ok(Err(_)) => Err(Box::new(traced(StatusCode::BAD_REQUEST, "Bad request"))),
                Err(_) => Err(Box::new(traced(StatusCode::REQUEST_TIMEOUT, "Request timed out"))),
            }
        }
    }
}
