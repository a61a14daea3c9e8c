//! Answers in Kong's words.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

/// An answer of the gateway itself.
pub(super) fn said(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static("mart-devstack"));
    response
}

/// One that names the request, so that somebody can ask about it.
pub(super) fn traced(status: StatusCode, message: &str) -> Response<Body> {
    said(status, &json!({ "message": message, "request_id": Uuid::new_v4().simple().to_string() }))
}

/// Nobody who is known.
pub(super) fn unauthorized(body: &Value) -> Response<Body> {
    let mut response = said(StatusCode::UNAUTHORIZED, body);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// Sets a header; what can't stand in one is left out.
pub(super) fn set(response: &mut Response<Body>, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
        response.headers_mut().insert(name, value);
    }
}
