//! Responses of the gateway itself, with the same bodies as Kong's.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
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

/// The message of an error response, whose format follows the header Accept.
#[derive(Clone, Copy)]
struct Message(&'static str);

/// Builds an error response with a message and a request id.
pub(super) fn error(status: StatusCode, message: &'static str) -> Response<Body> {
    let body = json!({ "message": message, "request_id": Uuid::new_v4().simple().to_string() });
    let mut response = json_response(status, &body);
    response.extensions_mut().insert(Message(message));
    response
}

/// Returns an error response as a page if the client prefers HTML, and any other response unchanged.
pub(super) fn in_accepted_format(response: Response<Body>, request: &HeaderMap) -> Response<Body> {
    let Some(Message(message)) = response.extensions().get().copied() else { return response };
    if !prefers_html(request) {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let page = format!("<!doctype html><title>Error</title><h1>Error</h1><p>{message}.</p>");
    Response::from_parts(parts, Body::from(page))
}

/// Returns whether the first media type of the header Accept that the gateway has is HTML.
fn prefers_html(request: &HeaderMap) -> bool {
    let accept = request.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let types = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    let known = |media: &&str| matches!(*media, "text/html" | "application/json" | "*/*");
    types.into_iter().find(known) == Some("text/html")
}

/// Builds a response with status 401 to a request without a token.
pub(super) fn unauthorized(body: &Value) -> Response<Body> {
    challenge(body, HeaderValue::from_static("Bearer"))
}

/// Builds a response with status 401 to a request with an invalid token.
pub(super) fn invalid_token(body: &Value) -> Response<Body> {
    challenge(body, HeaderValue::from_static("Bearer error=\"invalid_token\""))
}

fn challenge(body: &Value, challenge: HeaderValue) -> Response<Body> {
    let mut response = json_response(StatusCode::UNAUTHORIZED, body);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// Sets a header, unless its name or value is invalid.
pub(super) fn set(response: &mut Response<Body>, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
        response.headers_mut().insert(name, value);
    }
}
