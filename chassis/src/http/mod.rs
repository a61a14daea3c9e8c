//! Operations over HTTP: the types that generated code uses, and the processing that all requests share.
//!
//! A request is decoded to a typed message that satisfies the contract's rules, with a [`RequestContext`]. The response is JSON or
//! a problem (RFC 9457). [`server`] owns the sockets and their limits.

mod decode;
mod layers;
pub mod problem;
pub mod server;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::RequestPartsExt;
use axum::extract::{RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::header::HeaderValue;
use hyper::{HeaderMap, StatusCode, header};
use mart_kernel::{Fingerprint, Receipt, ReceiptBuilder, Version};
use mart_proto::Wire;
use mart_server::Peer;

use crate::Config;
use crate::auth::{Keys, KeysError};
use crate::config::Limits;
use crate::trace::{self, TraceContext};

pub use layers::with_middleware;
pub use problem::{ApiError, Problem};

/// The description of one operation. Generated code has one constant for each.
#[derive(Debug)]
pub struct Operation {
    /// The rpc's name, such as `CreateProduct`.
    pub name: &'static str,
    /// The callers that may call it.
    pub auth: Auth,
    /// The part of the request message that the body contains.
    pub body: Body,
    /// The location of the created resource, if the operation creates one.
    pub creates: Option<Created>,
    /// The path of the response's field for the header `ETag`, if it has one.
    pub etag: Option<&'static str>,
}

/// The callers that may call an operation.
#[derive(Debug, Clone, Copy)]
pub enum Auth {
    /// Any caller. A token is ignored.
    Public,
    /// A provider that signs its request. The operation verifies the signature over [`RequestContext::raw`].
    Webhook,
    /// A caller whose token has one of these roles.
    Roles(&'static [&'static str]),
}

/// The part of the request message that the body contains. The path and the query contain the other fields.
#[derive(Debug, Clone, Copy)]
pub enum Body {
    /// The request has no body.
    None,
    /// The body is the whole message.
    Whole,
    /// The body is this field. With `mask`, that field names the members to change; if the client omits it, it is derived from the
    /// members of the body.
    Field {
        /// The field that the body contains.
        name: &'static str,
        /// The field mask, if the request has one.
        mask: Option<&'static str>,
    },
}

/// The location of a created resource.
#[derive(Debug, Clone, Copy)]
pub struct Created {
    /// The path of the operation that reads it, up to the id.
    pub location: &'static str,
    /// The path of the id in the response.
    pub id: &'static str,
}

/// The caller of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// An unauthenticated caller: the operation is public or a webhook.
    Anonymous,
    /// The holder of a valid token.
    Authenticated {
        /// The token's `sub`.
        subject: String,
        /// The token's role, which its key is allowed to grant.
        role: String,
    },
}

/// The properties of a request that are not part of its message.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The caller.
    pub principal: Principal,
    /// The client's address. It is taken from X-Forwarded-For if trusted proxies are configured; `None` if they did not set it or
    /// if the request came over no network.
    pub client_ip: Option<IpAddr>,
    /// The Idempotency-Key; `None` if the client sent none.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The version of If-Match: the one that the client has read.
    pub if_match: Option<Version>,
    /// The trace context of the request.
    pub trace: TraceContext,
    /// The bytes that were received, for a webhook only. Its signature covers exactly these bytes.
    pub raw: Option<RawRequest>,
}

/// The bytes of a webhook's request. They are not trusted until the signature is verified.
#[derive(Clone)]
pub struct RawRequest {
    /// The headers.
    pub headers: HeaderMap,
    /// The query, still encoded; empty if there is none.
    pub query: String,
    /// The body.
    pub body: Bytes,
}

/// Prints the number of bytes only: they may be secret.
impl std::fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawRequest").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl RequestContext {
    /// Returns the version that the client has read: that of If-Match, or that of the `etag` in the resource that it sends back.
    pub fn expected(&self, etag: &str) -> Result<Option<Version>, ApiError> {
        match self.if_match {
            None if !etag.is_empty() => etag.parse().map(Some).map_err(|_| ApiError::PreconditionFailed),
            version => Ok(version),
        }
    }
}

/// An Idempotency-Key with its scope (the operation and its caller) and the fingerprint of its request.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    scope: String,
    key: String,
    fingerprint: [u8; 32],
}

impl IdempotencyKey {
    /// Returns the receipt to commit with the resource that the request creates.
    pub fn receipt(self, subject: String) -> Receipt {
        Receipt { scope: self.scope, key: self.key, fingerprint: self.fingerprint, subject }
    }

    /// Returns a builder of the receipt, for a core that generates the id.
    pub fn receipt_builder(self) -> ReceiptBuilder {
        Box::new(|subject| self.receipt(subject))
    }
}

/// The state of generated routes.
#[derive(Debug)]
pub struct AppState<S> {
    /// The implementation of the contract's trait.
    pub service: Arc<S>,
    /// The processing that all operations share.
    pub api: Arc<Api>,
}

impl<S> Clone for AppState<S> {
    fn clone(&self) -> Self {
        Self { service: self.service.clone(), api: self.api.clone() }
    }
}

/// The processing that all operations of a service share.
#[derive(Debug)]
pub struct Api {
    keys: Arc<Keys>,
    body_bytes: usize,
    /// The time limit for the body: half of the request's, which leaves the other half for the operation.
    body_timeout: Duration,
    trusted_proxy_hops: usize,
}

impl Api {
    /// Creates an API that trusts these keys and reads bodies within these limits.
    pub fn new(keys: Arc<Keys>, limits: &Limits) -> Self {
        Self {
            keys,
            body_bytes: limits.body_bytes,
            body_timeout: limits.timeout / 2,
            trusted_proxy_hops: limits.trusted_proxy_hops,
        }
    }

    /// Creates an API with the keys and the limits of a configuration.
    pub fn load(config: &Config) -> Result<Arc<Self>, KeysError> {
        let keys = Keys::load(&config.token_keys, &config.token_issuer, &config.token_audience)?;
        Ok(Arc::new(Self::new(Arc::new(keys), &config.limits)))
    }

    /// Returns the trusted keys.
    pub fn keys(&self) -> Arc<Keys> {
        self.keys.clone()
    }

    /// Handles one request: authenticates the caller, decodes and validates the request, calls the operation and encodes the
    /// response.
    pub async fn handle<Q, A, E, F>(
        &self,
        operation: &'static Operation,
        request: Request,
        run: impl FnOnce(RequestContext, Q) -> F,
    ) -> Response
    where
        Q: Wire,
        A: Wire,
        E: Into<Problem>,
        F: Future<Output = Result<A, E>>,
    {
        let (context, message) = match self.decode(operation, request).await {
            Ok(decoded) => decoded,
            Err(problem) => return problem.into_response(),
        };
        match run(context, message).await {
            Ok(response) => encode(operation, &response),
            Err(error) => error.into().into_response(),
        }
    }

    async fn decode<Q: Wire>(&self, operation: &Operation, request: Request) -> Result<(RequestContext, Q), Problem> {
        let (mut parts, body) = request.into_parts();
        let principal = self.authenticate(operation.auth, &parts.headers)?;
        let peer = parts.extensions.get::<Peer>();
        let client_ip = peer.and_then(|peer| client_ip(peer.0.ip(), &parts.headers, self.trusted_proxy_hops));
        let path = parts.extract::<RawPathParams>().await.map_err(|_| Problem::malformed("path", "not valid UTF-8"))?;
        let webhook = matches!(operation.auth, Auth::Webhook);
        let body = match operation.body {
            Body::None if !webhook => Bytes::new(),
            Body::None | Body::Whole | Body::Field { .. } => self.body(body).await?,
        };
        let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        // A webhook's message has the fields of the path only; the rest has the provider's format.
        let query = parts.uri.query().filter(|_| !webhook);
        let whole = decode::Parts { path, query, headers: &parts.headers, body: &body };
        let message: Q = decode::request(operation, &whole)?;
        let raw = webhook.then(|| RawRequest {
            headers: parts.headers.clone(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            body: body.clone(),
        });
        let idempotency_key = idempotency_key(operation, &principal, &parts.headers, &message)?;
        let if_match = if_match(&parts.headers)?;
        let trace = trace::current();
        Ok((RequestContext { principal, client_ip, idempotency_key, if_match, trace, raw }, message))
    }

    async fn body(&self, body: axum::body::Body) -> Result<Bytes, Problem> {
        let whole = Limited::new(body, self.body_bytes).collect();
        match tokio::time::timeout(self.body_timeout, whole).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::body_too_large(self.body_bytes)),
            Ok(Err(_)) => Err(Problem::malformed("body", "the connection ended before the body did")),
            Err(_) => Err(Problem::request_timeout()),
        }
    }

    fn authenticate(&self, auth: Auth, headers: &HeaderMap) -> Result<Principal, Problem> {
        let Auth::Roles(roles) = auth else { return Ok(Principal::Anonymous) };
        let mut all = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (all.next(), all.next()) else { return Err(Problem::unauthenticated()) };
        // Kong accepts exactly this form of the header and limits the rate by its value.
        let token =
            value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ").or(value.strip_prefix("bearer ")));
        let token = token.filter(|token| !token.contains(' '));
        let identity = self.keys.verify(token.unwrap_or_default()).map_err(|error| {
            tracing::info!(%error, "a token was rejected");
            Problem::unauthenticated()
        })?;
        if roles.contains(&identity.role.as_str()) {
            Ok(Principal::Authenticated { subject: identity.subject, role: identity.role })
        } else {
            Err(Problem::forbidden())
        }
    }
}

/// Returns the client's address. Each proxy appends its client to X-Forwarded-For, so as many entries from the end are trusted as
/// there are trusted proxies; a client may have forged the others. `None` if a trusted proxy did not add an entry.
fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted_proxy_hops: usize) -> Option<IpAddr> {
    let Some(nth) = trusted_proxy_hops.checked_sub(1) else { return Some(peer) };
    // Split as bytes, because a forged entry need not be UTF-8.
    let lines: Vec<&[u8]> = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes).collect();
    let whole = lines.join(&b',');
    std::str::from_utf8(whole.rsplit(|byte| *byte == b',').nth(nth)?).ok()?.trim().parse().ok()
}

/// Reads the Idempotency-Key. Only operations that create a resource support it.
fn idempotency_key<Q: Wire>(
    operation: &Operation,
    principal: &Principal,
    headers: &HeaderMap,
    message: &Q,
) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = headers.get("idempotency-key").filter(|_| operation.creates.is_some()) else { return Ok(None) };
    let key = value.to_str().ok().map(str::trim).filter(|key| (1..=255).contains(&key.len()));
    let key = key.ok_or_else(|| Problem::malformed("Idempotency-Key", "expected 1 to 255 visible ASCII characters"))?;
    let fingerprint = Fingerprint::new(operation.name).part(&message.encode_to_vec()).finish();
    let scope = match principal {
        Principal::Authenticated { subject, .. } => format!("{}:{subject}", operation.name),
        // Anonymous callers do not share keys: the same key with another request is another key.
        Principal::Anonymous => {
            format!("{}:#{}", operation.name, base16ct::lower::encode_string(&fingerprint[..16]))
        }
    };
    Ok(Some(IdempotencyKey { scope, key: key.to_owned(), fingerprint }))
}

/// Reads `If-Match`: one strong entity tag of this service, or `*`, which matches every version.
fn if_match(headers: &HeaderMap) -> Result<Option<Version>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let tag = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    // A tag that is not a version matches none.
    tag.and_then(|tag| tag.parse().ok()).map(Some).ok_or_else(|| ApiError::PreconditionFailed.into())
}

fn encode<A: Wire>(operation: &Operation, response: &A) -> Response {
    let response = mart_proto::dynamic(response);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(tag) = operation.etag.and_then(|path| mart_proto::text(&response, path)) {
        insert(&mut headers, header::ETAG, &format!("\"{tag}\""));
    }
    let mut status = StatusCode::OK;
    if let Some(created) = operation.creates {
        status = StatusCode::CREATED;
        let id = mart_proto::text(&response, created.id).unwrap_or_default();
        insert(&mut headers, header::LOCATION, &format!("{}{id}", created.location));
    }
    (status, headers, mart_proto::json::write(&response)).into_response()
}

fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_entries_of_trusted_proxies_are_used() {
        let peer: IpAddr = "10.0.0.9".parse().expect("an address");
        let mut headers = HeaderMap::new();
        assert_eq!(client_ip(peer, &headers, 0), Some(peer));
        assert_eq!(client_ip(peer, &headers, 1), None, "the proxy added no entry");
        for line in ["1.1.1.1", "2.2.2.2, 203.0.113.7", " 10.0.0.1"] {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        let found = |hops| client_ip(peer, &headers, hops).map(|ip| ip.to_string());
        assert_eq!(found(0).as_deref(), Some("10.0.0.9"), "without a proxy the header may be forged");
        assert_eq!(found(1).as_deref(), Some("10.0.0.1"));
        assert_eq!(found(2).as_deref(), Some("203.0.113.7"));
        assert_eq!(found(9), None);
        let odd = HeaderValue::from_bytes(b"\xff, 203.0.113.9").expect("a header");
        headers.insert("x-forwarded-for", odd);
        assert_eq!(client_ip(peer, &headers, 1).map(|ip| ip.to_string()).as_deref(), Some("203.0.113.9"));
    }
}
