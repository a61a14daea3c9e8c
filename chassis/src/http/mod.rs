//! Operations over HTTP: what generated code says of each, and what happens around every call.
//!
//! A request becomes a typed message that keeps the contract's rules, together with the [`Call`] around it; the answer is
//! JSON, or a problem of RFC 9457. [`server`] owns the sockets and their limits.

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
use mart_kernel::{Fingerprint, Receipt, ReceiptFor, Version};
use mart_proto::Wire;
use mart_server::Peer;

use crate::auth::Keys;
use crate::config::Limits;
use crate::trace::{self, TraceContext};

pub use layers::protect;
pub use problem::{Fault, Problem};

/// What a contract says of one operation. Generated code has one constant for each.
#[derive(Debug)]
pub struct Operation {
    /// The rpc's name, such as `CreateProduct`.
    pub name: &'static str,
    /// Who may call it.
    pub auth: Auth,
    /// Where the request's fields come from, beside path and query.
    pub body: Body,
    /// What it makes, where it makes something.
    pub creates: Option<Created>,
    /// The path of the field in the answer that goes into `ETag`, where there is one.
    pub etag: Option<&'static str>,
}

/// Who may call an operation.
#[derive(Debug, Clone, Copy)]
pub enum Auth {
    /// Everybody; a token is not looked at.
    Public,
    /// A provider that signs its request; the operation checks the signature over [`Call::sent`].
    Webhook,
    /// A token of one of these roles.
    Roles(&'static [&'static str]),
}

/// Where the fields of a request come from that are not in the path.
#[derive(Debug, Clone, Copy)]
pub enum Body {
    /// The query: the request has no body.
    None,
    /// The body has all of them.
    Whole,
    /// The body is this field, the query has the others. With `mask`, that field names the members to change; where a
    /// client leaves it out, it is made of the members that the body names.
    Field {
        /// The field that the body is.
        name: &'static str,
        /// The field mask, where the request has one.
        mask: Option<&'static str>,
    },
}

/// Where the new resource is read.
#[derive(Debug, Clone, Copy)]
pub struct Created {
    /// The path of the operation that reads it, up to the id.
    pub location: &'static str,
    /// The path of the id in the answer.
    pub id: &'static str,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Nobody known: the operation is public or a webhook.
    Anyone,
    /// The holder of a valid token.
    Known {
        /// The token's `sub`.
        subject: String,
        /// The token's role, which its key may speak for.
        role: String,
    },
}

/// What surrounds a request and never stands in its message.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    /// The address of the network that the call comes from, as far as the gateways in front can be believed; `None` where it
    /// came over no network.
    pub from: Option<IpAddr>,
    /// Makes the receipt that an Idempotency-Key asks for; `None` where the client sent none.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The version that the client has seen and wants to change.
    pub if_match: Option<Version>,
    /// The trace that the call belongs to.
    pub trace: TraceContext,
    /// What came over the wire, for a webhook only: a signature is over these bytes and no others.
    pub sent: Option<Sent>,
}

/// A webhook's request as it was sent. Nothing of it is believed until its signature is checked.
#[derive(Clone)]
pub struct Sent {
    /// The header lines.
    pub headers: HeaderMap,
    /// The query, as it is written; empty where there is none.
    pub query: String,
    /// The body, to the byte.
    pub body: Bytes,
}

/// Tells how much it is: what is in it may be secret.
impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sent").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl Call {
    /// The version that the client has seen: of If-Match, or of the `etag` in the resource that it sends back.
    pub fn expected(&self, etag: &str) -> Result<Option<Version>, Fault> {
        match self.if_match {
            None if !etag.is_empty() => etag.parse().map(Some).map_err(|_| Fault::Stale),
            seen => Ok(seen),
        }
    }
}

/// An Idempotency-Key within its operation and caller, with the fingerprint of its request.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    scope: String,
    key: String,
    fingerprint: [u8; 32],
}

impl IdempotencyKey {
    /// The receipt to commit with what the request makes.
    pub fn receipt(self, subject: String) -> Receipt {
        Receipt { scope: self.scope, key: self.key, fingerprint: self.fingerprint, subject }
    }

    /// The same, for a core that makes the id.
    pub fn receipt_for(self) -> ReceiptFor {
        Box::new(|subject| self.receipt(subject))
    }
}

/// The state of generated routes: who answers, and the edge around it.
#[derive(Debug)]
pub struct Served<S> {
    /// The implementation of the contract's trait.
    pub service: Arc<S>,
    /// What all operations share.
    pub edge: Arc<Edge>,
}

impl<S> Clone for Served<S> {
    fn clone(&self) -> Self {
        Self { service: self.service.clone(), edge: self.edge.clone() }
    }
}

/// What all operations of a service share.
#[derive(Debug)]
pub struct Edge {
    keys: Arc<Keys>,
    body_bytes: usize,
    /// Half of a request's time, so that the other half is left for its work.
    body_time: Duration,
    proxies: usize,
}

impl Edge {
    /// An edge that trusts these keys and reads bodies within these limits.
    pub fn new(keys: Arc<Keys>, limits: &Limits) -> Self {
        Self { keys, body_bytes: limits.body_bytes, body_time: limits.time / 2, proxies: limits.proxies }
    }

    /// The keys that it trusts.
    pub fn keys(&self) -> Arc<Keys> {
        self.keys.clone()
    }

    /// Serves one call: authenticates, reads and checks the request, runs the operation and writes the answer.
    pub async fn answer<Q, A, E, F>(
        &self,
        operation: &'static Operation,
        request: Request,
        run: impl FnOnce(Call, Q) -> F,
    ) -> Response
    where
        Q: Wire,
        A: Wire,
        E: Into<Problem>,
        F: Future<Output = Result<A, E>>,
    {
        let (call, message) = match self.read(operation, request).await {
            Ok(read) => read,
            Err(problem) => return problem.into_response(),
        };
        match run(call, message).await {
            Ok(answer) => write(operation, &answer),
            Err(error) => error.into().into_response(),
        }
    }

    async fn read<Q: Wire>(&self, operation: &Operation, request: Request) -> Result<(Call, Q), Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = self.caller(operation.auth, &parts.headers)?;
        let from = parts.extensions.get::<Peer>().and_then(|peer| from(peer.0.ip(), &parts.headers, self.proxies));
        let path = parts.extract::<RawPathParams>().await.map_err(|_| Problem::malformed("path", "not valid UTF-8"))?;
        let webhook = matches!(operation.auth, Auth::Webhook);
        let body = match operation.body {
            Body::None if !webhook => Bytes::new(),
            Body::None | Body::Whole | Body::Field { .. } => self.body(body).await?,
        };
        let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        // A webhook's message has what the path says; the rest is in its sender's own form.
        let query = parts.uri.query().filter(|_| !webhook);
        let whole = decode::Parts { path, query, headers: &parts.headers, body: &body };
        let message: Q = decode::request(operation, &whole)?;
        let sent = webhook.then(|| Sent {
            headers: parts.headers.clone(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            body: body.clone(),
        });
        let idempotency_key = idempotency_key(operation, &caller, &parts.headers, &message)?;
        let if_match = if_match(&parts.headers)?;
        Ok((Call { caller, from, idempotency_key, if_match, trace: trace::current(), sent }, message))
    }

    async fn body(&self, body: axum::body::Body) -> Result<Bytes, Problem> {
        let whole = Limited::new(body, self.body_bytes).collect();
        match tokio::time::timeout(self.body_time, whole).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::body_too_large(self.body_bytes)),
            Ok(Err(_)) => Err(Problem::malformed("body", "the connection ended before the body did")),
            Err(_) => Err(Problem::body_too_slow()),
        }
    }

    fn caller(&self, auth: Auth, headers: &HeaderMap) -> Result<Caller, Problem> {
        let Auth::Roles(roles) = auth else { return Ok(Caller::Anyone) };
        let mut all = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (all.next(), all.next()) else { return Err(Problem::unauthenticated()) };
        // One spelling of a token, as Kong takes it: a gateway counts requests by what the header says.
        let token =
            value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ").or(value.strip_prefix("bearer ")));
        let token = token.filter(|token| !token.contains(' '));
        let identity = self.keys.verify(token.unwrap_or_default()).map_err(|error| {
            tracing::info!(%error, "a token was refused");
            Problem::unauthenticated()
        })?;
        if roles.contains(&identity.role.as_str()) {
            Ok(Caller::Known { subject: identity.subject, role: identity.role })
        } else {
            Err(Problem::forbidden())
        }
    }
}

/// Where a request comes from. Each proxy in front adds its own client to the end of X-Forwarded-For, so as many entries can
/// be believed as there are proxies, and the ones before them are what a client may have made up. `None` where a proxy should
/// have said it and did not.
fn from(peer: IpAddr, headers: &HeaderMap, proxies: usize) -> Option<IpAddr> {
    let Some(nth) = proxies.checked_sub(1) else { return Some(peer) };
    // By bytes: what a client made up in front need not be text.
    let lines: Vec<&[u8]> = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes).collect();
    let whole = lines.join(&b',');
    std::str::from_utf8(whole.rsplit(|byte| *byte == b',').nth(nth)?).ok()?.trim().parse().ok()
}

/// Only an operation that creates something keeps receipts for clients.
fn idempotency_key<Q: Wire>(
    operation: &Operation,
    caller: &Caller,
    headers: &HeaderMap,
    message: &Q,
) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = headers.get("idempotency-key").filter(|_| operation.creates.is_some()) else { return Ok(None) };
    let key = value.to_str().ok().map(str::trim).filter(|key| (1..=255).contains(&key.len()));
    let key = key.ok_or_else(|| Problem::malformed("Idempotency-Key", "expected 1 to 255 visible ASCII characters"))?;
    let fingerprint = Fingerprint::new(operation.name).part(&message.encode_to_vec()).finish();
    let scope = match caller {
        Caller::Known { subject, .. } => format!("{}:{subject}", operation.name),
        // Strangers share no keys: the same key with another request is another key.
        Caller::Anyone => {
            format!("{}:#{}", operation.name, base16ct::lower::encode_string(&fingerprint[..16]))
        }
    };
    Ok(Some(IdempotencyKey { scope, key: key.to_owned(), fingerprint }))
}

/// Reads `If-Match`: one strong entity tag that this service gave, or `*`, which any version matches.
fn if_match(headers: &HeaderMap) -> Result<Option<Version>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let tag = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    // A tag that no version has can match none.
    tag.and_then(|tag| tag.parse().ok()).map(Some).ok_or_else(|| Fault::Stale.into())
}

fn write<A: Wire>(operation: &Operation, answer: &A) -> Response {
    let answer = mart_proto::dynamic(answer);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(tag) = operation.etag.and_then(|path| mart_proto::text(&answer, path)) {
        insert(&mut headers, header::ETAG, &format!("\"{tag}\""));
    }
    let mut status = StatusCode::OK;
    if let Some(created) = operation.creates {
        status = StatusCode::CREATED;
        let id = mart_proto::text(&answer, created.id).unwrap_or_default();
        insert(&mut headers, header::LOCATION, &format!("{}{id}", created.location));
    }
    (status, headers, mart_proto::json::write(&answer)).into_response()
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
    fn only_what_the_proxies_in_front_have_added_is_believed() {
        let peer: IpAddr = "10.0.0.9".parse().expect("an address");
        let mut headers = HeaderMap::new();
        assert_eq!(from(peer, &headers, 0), Some(peer));
        assert_eq!(from(peer, &headers, 1), None, "the proxy said nothing");
        for line in ["1.1.1.1", "2.2.2.2, 203.0.113.7", " 10.0.0.1"] {
            headers.append("x-forwarded-for", HeaderValue::from_static(line));
        }
        let told = |proxies| from(peer, &headers, proxies).map(|from| from.to_string());
        assert_eq!(told(0).as_deref(), Some("10.0.0.9"), "nobody is in front: a client may send what it likes");
        assert_eq!(told(1).as_deref(), Some("10.0.0.1"));
        assert_eq!(told(2).as_deref(), Some("203.0.113.7"));
        assert_eq!(told(9), None);
        let odd = HeaderValue::from_bytes(b"\xff, 203.0.113.9").expect("a header");
        headers.insert("x-forwarded-for", odd);
        assert_eq!(from(peer, &headers, 1).map(|from| from.to_string()).as_deref(), Some("203.0.113.9"));
    }
}
