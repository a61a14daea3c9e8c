//! The middleware around every request: trace, log line, metrics, limits, and problems outside handlers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use hyper::header::HeaderValue;
use hyper::{HeaderMap, StatusCode};
use tokio::sync::Semaphore;
use tracing::Instrument;

use super::Problem;
use crate::config::Limits;
use crate::failpoints;
use crate::trace::{self, TraceContext};

const REQUEST_ID: &str = "x-request-id";

/// Adds the limits, the trace and the fallbacks to a service's routes.
pub fn with_middleware(routes: Router, limits: &Limits) -> Router {
    let limits = Arc::new(limits.clone());
    let permits = Arc::new(Semaphore::new(limits.concurrent_requests));
    routes
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let (limits, permits) = (limits.clone(), permits.clone());
            async move { observe(request, |request| enforce_limits(request, next, limits, permits)).await }
        }))
}

/// Sets the request's trace context and id, and records its metrics and log line.
async fn observe<F: Future<Output = Response>>(request: Request, run: impl FnOnce(Request) -> F) -> Response {
    let started = Instant::now();
    let context = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    let context = context.and_then(TraceContext::parse).map_or_else(TraceContext::root, TraceContext::child);
    let id = request_id(request.headers()).cloned().or_else(|| HeaderValue::from_str(&context.trace_id()).ok());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", trace_id = %context.trace_id(), %method, route);

    let response = failpoints::during(&route, run(request));
    let mut response = trace::within(context, response).instrument(span.clone()).await;

    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let (status, seconds) = (response.status().as_u16(), started.elapsed().as_secs_f64());
    // The names of OpenTelemetry's semantic conventions for HTTP metrics. The histogram's count is the number of requests.
    let labels = [
        ("http_request_method", known(&method).to_owned()),
        ("http_route", route),
        ("http_response_status_code", status.to_string()),
    ];
    metrics::histogram!("http_server_request_duration_seconds", &labels).record(seconds);
    span.in_scope(|| tracing::debug!(status, seconds, "answered"));
    response
}

/// Returns the method for metrics. Clients can invent methods, so unknown ones share a label.
fn known(method: &hyper::Method) -> &str {
    match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS") => known,
        _ => "_OTHER",
    }
}

/// Returns the client's request id if it is short and printable.
fn request_id(headers: &HeaderMap) -> Option<&HeaderValue> {
    let id = headers.get(REQUEST_ID)?;
    let text = id.to_str().ok()?;
    ((1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())).then_some(id)
}

/// Enforces the limits and turns a panic into a problem.
async fn enforce_limits(request: Request, next: Next, limits: Arc<Limits>, permits: Arc<Semaphore>) -> Response {
    let Ok(_permit) = permits.try_acquire() else {
        return Problem::busy("The service is handling its maximum number of requests. Try again.").into_response();
    };
    let bytes: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if bytes > limits.header_bytes {
        return Problem::headers_too_large(limits.header_bytes).into_response();
    }
    let handled = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(limits.timeout, handled).await {
        Ok(Ok(response)) => error_to_problem(response),
        Ok(Err(_)) => {
            tracing::error!("a handler panicked");
            Problem::internal().into_response()
        }
        Err(_) => Problem::timed_out().into_response(),
    }
}

/// Turns an error response of the framework, which has no body, into a problem.
fn error_to_problem(response: Response) -> Response {
    let bare =
        response.headers().get(hyper::header::CONTENT_TYPE).is_none_or(|kind| !kind.as_bytes().ends_with(b"json"));
    match response.status() {
        status if bare && status.is_client_error() => {
            let reason = status.canonical_reason().unwrap_or("The request is invalid.");
            Problem::new(status.as_u16(), "BAD_REQUEST", reason).into_response()
        }
        status if bare && status == StatusCode::INTERNAL_SERVER_ERROR => Problem::internal().into_response(),
        _ => response,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use axum::routing::get;
    use http_body_util::BodyExt;
    use hyper::header;
    use tower::ServiceExt;

    use super::*;

    async fn call(routes: Router, limits: &Limits, path: &str) -> (StatusCode, HeaderMap, serde_json::Value) {
        let request = Request::builder().uri(path).body(Body::empty()).expect("a request");
        let response = with_middleware(routes, limits).oneshot(request).await.expect("a response");
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        (status, headers, serde_json::from_slice(&body).unwrap_or_default())
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_without_its_message() {
        async fn broken() -> &'static str {
            panic!("the secret is out")
        }
        let (status, headers, body) = call(Router::new().route("/", get(broken)), &Limits::default(), "/").await;
        assert_eq!((status, body["code"].as_str()), (StatusCode::INTERNAL_SERVER_ERROR, Some("INTERNAL")));
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        assert!(!body.to_string().contains("secret"));
    }

    #[tokio::test]
    async fn a_request_has_a_time_limit() {
        let routes = Router::new().route("/", get(std::future::pending::<&'static str>));
        let limits = Limits { timeout: Duration::from_millis(50), ..Limits::default() };
        let (status, _, body) = call(routes, &limits, "/").await;
        assert_eq!((status, body["code"].as_str()), (StatusCode::GATEWAY_TIMEOUT, Some("TIMED_OUT")));
    }

    #[tokio::test]
    async fn rejections_of_the_framework_are_problems() {
        let number = |axum::extract::Path(_): axum::extract::Path<u8>| async { "a number" };
        let (status, headers, body) = call(Router::new().route("/{n}", get(number)), &Limits::default(), "/x").await;
        assert_eq!((status, body["status"].as_u64()), (StatusCode::BAD_REQUEST, Some(400)));
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    }

    #[tokio::test]
    async fn every_response_has_a_request_id() {
        let routes = Router::new().route("/", get(|| async { "ok" }));
        let (_, headers, _) = call(routes, &Limits::default(), "/").await;
        assert_eq!(headers[REQUEST_ID].len(), 32);
    }
}
