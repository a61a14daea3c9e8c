//! Responses of the gateway itself, with the same bodies as Kong's.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

/// Builds a response with a JSON body.
pub(super) fn json_response(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static("mart-devstack"));
    response
}

/// Builds an error response with a message and a request id.
pub(super) fn error(status: StatusCode, message: &str) -> Response<Body> {
    json_response(status, &json!({ "message": message, "request_id": Uuid::new_v4().simple().to_string() }))
}

/// Builds a response with status 401.
pub(super) fn unauthorized(body: &Value) -> Response<Body> {
    let mut response = json_response(StatusCode::UNAUTHORIZED, body);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// Sets a header, unless its name or value is invalid.
pub(super) fn set(response: &mut Response<Body>, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
        response.headers_mut().insert(name, value);
    }
}
