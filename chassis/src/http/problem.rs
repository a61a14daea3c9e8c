//! Everything that goes wrong is a problem of RFC 9457, inside handlers and outside.

use axum::response::{IntoResponse, Response};
use hyper::{HeaderMap, StatusCode, header};
use mart_proto::{Violation, Wire};
use serde::Serialize;

use crate::trace;

/// A problem as a client sees it.
///
/// `type` is always `about:blank`, so `title` is the status's own phrase; `code` is what programs decide by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    violations: Vec<Violation>,
    details: Option<Box<serde_json::Value>>,
    headers: Vec<(header::HeaderName, header::HeaderValue)>,
}

/// What can go wrong in every operation; generated code adds the reasons of each contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The request breaks rules that only the core knows. 400.
    Invalid(Vec<Violation>),
    /// The version in If-Match is not the current one. 412.
    Stale,
    /// Others changed the same resource each time that this was tried. 503, to be tried again.
    Contended,
    /// The Idempotency-Key was used with another request. 422.
    KeyReused,
    /// The same request created something that was deleted since; it is not created again. 410.
    Gone,
    /// The store can't be reached. 503, to be tried again.
    Unavailable,
    /// The service or its store did what it should never do. 500.
    Broken,
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Invalid(violations) => Self::invalid(violations),
            Fault::Stale => Self::new(
                StatusCode::PRECONDITION_FAILED.as_u16(),
                "ETAG_MISMATCH",
                "The resource has changed since you read it. Read it again and send its new ETag in If-Match.",
            ),
            Fault::Contended => Self::busy("Others are changing the same resource. Try again."),
            Fault::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
                "IDEMPOTENCY_KEY_REUSED",
                "The Idempotency-Key was used with another request. Use a new key for a new request.",
            ),
            Fault::Gone => Self::new(
                StatusCode::GONE.as_u16(),
                "CREATED_BEFORE",
                "What this request created was deleted since. Use a new Idempotency-Key to create another.",
            ),
            Fault::Broken => Self::internal(),
            Fault::Unavailable => Self::busy("The service can't reach its store now. Try again."),
        }
    }
}

impl From<mart_kernel::Unavailable> for Fault {
    fn from(unavailable: mart_kernel::Unavailable) -> Self {
        match unavailable {
            mart_kernel::Unavailable::Away => Self::Unavailable,
            mart_kernel::Unavailable::Failed => Self::Broken,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: &'a str,
    trace_id: String,
    #[serde(skip_serializing_if = "<[Violation]>::is_empty")]
    violations: &'a [Violation],
    #[serde(skip_serializing_if = "Option::is_none")]
    details: &'a Option<Box<serde_json::Value>>,
}

impl Problem {
    /// A problem with a status, the code that programs decide by and a sentence for people.
    pub fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code, detail: detail.into(), violations: Vec::new(), details: None, headers: Vec::new() }
    }

    /// The problem with what more the contract has it say.
    #[must_use]
    pub fn details<M: Wire>(mut self, details: &M) -> Self {
        self.details =
            serde_json::from_slice(&mart_proto::json::write(&mart_proto::dynamic(details))).ok().map(Box::new);
        self
    }

    /// Rules of the contract that the request breaks, all of them.
    pub(crate) fn invalid(violations: Vec<Violation>) -> Self {
        let detail = "The request breaks rules of the contract; see violations.";
        Self { violations, ..Self::new(400, "INVALID_REQUEST", detail) }
    }

    pub(crate) fn malformed(place: &str, problem: impl Into<String>) -> Self {
        Self::invalid(vec![Violation::new(place, "form", problem)])
    }

    pub(crate) fn body_too_large(limit: usize) -> Self {
        Self::new(413, "BODY_TOO_LARGE", format!("The body may have at most {limit} bytes."))
    }

    pub(crate) fn body_too_slow() -> Self {
        Self::new(408, "BODY_TOO_SLOW", "The body did not come in time.")
    }

    pub(crate) fn headers_too_large(limit: usize) -> Self {
        Self::new(431, "HEADERS_TOO_LARGE", format!("All header lines together may have at most {limit} bytes."))
    }

    pub(crate) fn unsupported_media_type() -> Self {
        Self::new(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body as JSON with Content-Type: application/json.")
    }

    pub(crate) fn unauthenticated() -> Self {
        let detail = "Send a valid token as Authorization: Bearer.";
        Self::new(401, "UNAUTHENTICATED", detail)
            .with(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"))
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(403, "FORBIDDEN", "The token's role may not call this operation.")
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "ROUTE_NOT_FOUND", "There is no operation at this path.")
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(405, "METHOD_NOT_ALLOWED", "The path has operations, but not with this method; see Allow.")
    }

    pub(crate) fn busy(detail: &str) -> Self {
        Self::new(503, "UNAVAILABLE", detail).with(header::RETRY_AFTER, header::HeaderValue::from_static("1"))
    }

    pub(crate) fn timed_out() -> Self {
        Self::new(504, "TIMED_OUT", "The request took longer than it may; whether it was carried out is not known.")
    }

    pub(crate) fn internal() -> Self {
        Self::new(500, "INTERNAL", "The service failed in a way it should not. The trace leads to the cause.")
    }

    fn with(mut self, name: header::HeaderName, value: header::HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            trace_id: trace::current().trace_id(),
            violations: &self.violations,
            details: &self.details,
        };
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/problem+json"));
        headers.extend(self.headers);
        (self.status, headers, json).into_response()
    }
}
