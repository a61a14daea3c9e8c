//! Problem details (RFC 9457): the form of every error response, of handlers and of the server itself.

use axum::response::{IntoResponse, Response};
use hyper::{HeaderMap, StatusCode, header};
use mart_proto::{Violation, Wire};
use serde::Serialize;

use crate::trace;

/// An error response.
///
/// `type` is always `about:blank`, so `title` is the status's reason phrase. Programs decide by `code`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    violations: Vec<Violation>,
    details: Option<Box<serde_json::Value>>,
    headers: Vec<(header::HeaderName, header::HeaderValue)>,
}

/// The errors that every operation can return. Generated code adds the reasons of each contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// The request violates rules that only the core can check. 400.
    Invalid(Vec<Violation>),
    /// The version in If-Match is not the current one. 412.
    PreconditionFailed,
    /// Concurrent requests changed the same resource during every attempt. 503, retryable.
    Contention,
    /// The Idempotency-Key was used with another request. 422.
    KeyReused,
    /// The resource that this request created was deleted since. It is not created again. 410.
    Gone,
    /// The store is unavailable. 503, retryable.
    Unavailable,
    /// The service or its store failed unexpectedly. 500.
    Internal,
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Invalid(violations) => Self::invalid(violations),
            ApiError::PreconditionFailed => Self::new(
                StatusCode::PRECONDITION_FAILED.as_u16(),
                "ETAG_MISMATCH",
                "The resource has changed since you read it. Read it again and send its new ETag in If-Match.",
            ),
            ApiError::Contention => Self::busy("Other requests are changing the same resource. Try again."),
            ApiError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
                "IDEMPOTENCY_KEY_REUSED",
                "The Idempotency-Key was used with another request. Use a new key for a new request.",
            ),
            ApiError::Gone => Self::new(
                StatusCode::GONE.as_u16(),
                "RESOURCE_DELETED",
                "The resource that this request created was deleted. Use a new Idempotency-Key to create another one.",
            ),
            ApiError::Internal => Self::internal(),
            ApiError::Unavailable => Self::busy("The service's database is unavailable. Try again."),
        }
    }
}

impl From<mart_kernel::StoreError> for ApiError {
    fn from(error: mart_kernel::StoreError) -> Self {
        match error {
            mart_kernel::StoreError::Unavailable => Self::Unavailable,
            mart_kernel::StoreError::Internal => Self::Internal,
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
    /// Creates a problem with a status, a code for programs and a sentence for people.
    pub fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code, detail: detail.into(), violations: Vec::new(), details: None, headers: Vec::new() }
    }

    /// Adds the details that the contract defines for this code.
    #[must_use]
    pub fn details<M: Wire>(mut self, details: &M) -> Self {
        self.details =
            serde_json::from_slice(&mart_proto::json::write(&mart_proto::dynamic(details))).ok().map(Box::new);
        self
    }

    /// Creates the problem of an invalid request with all violations.
    pub(crate) fn invalid(violations: Vec<Violation>) -> Self {
        let detail = "The request is invalid; see violations.";
        Self { violations, ..Self::new(400, "INVALID_REQUEST", detail) }
    }

    pub(crate) fn malformed(place: &str, problem: impl Into<String>) -> Self {
        Self::invalid(vec![Violation::new(place, "form", problem)])
    }

    pub(crate) fn body_too_large(limit: usize) -> Self {
        Self::new(413, "BODY_TOO_LARGE", format!("The body exceeds the limit of {limit} bytes."))
    }

    pub(crate) fn request_timeout() -> Self {
        Self::new(408, "REQUEST_TIMEOUT", "The body was not received in time.")
    }

    pub(crate) fn headers_too_large(limit: usize) -> Self {
        Self::new(431, "HEADERS_TOO_LARGE", format!("The headers exceed the limit of {limit} bytes in total."))
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
        Self::new(405, "METHOD_NOT_ALLOWED", "This path does not support the method; see the header Allow.")
    }

    pub(crate) fn busy(detail: &str) -> Self {
        Self::new(503, "UNAVAILABLE", detail).with(header::RETRY_AFTER, header::HeaderValue::from_static("1"))
    }

    pub(crate) fn timed_out() -> Self {
        Self::new(504, "TIMED_OUT", "The request exceeded its time limit. It may have been carried out.")
    }

    pub(crate) fn internal() -> Self {
        Self::new(500, "INTERNAL", "The service failed unexpectedly. Report the trace id.")
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
