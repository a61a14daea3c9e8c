//! The services behind the gateway under test.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// Starts a service that returns the request that reached it. Returns its address.
pub(crate) async fn echo() -> SocketAddr {
    async fn respond(request: Request) -> Json<Value> {
        let (parts, body) = request.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes().len();
        let mut headers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, value) in &parts.headers {
            headers.entry(name.as_str()).or_default().push(value.to_str().unwrap_or("?"));
        }
        let (path, query) = (parts.uri.path(), parts.uri.query());
        Json(json!({
            "method": parts.method.as_str(), "path": path, "query": query, "headers": headers, "bytes": bytes,
        }))
    }
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(respond)).await });
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Starts a service that rejects quotes without reading their bodies. Returns its address.
pub(crate) async fn rejecting_service() -> SocketAddr {
    let reject = || async { StatusCode::NOT_FOUND };
    let routes = Router::new().route("/v1/orders/quote", post(reject)).fallback(|| async { "ok" });
    let listener = mart_server::listen(([127, 0, 0, 1], 0).into()).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let limits = mart_server::Limits::default();
    tokio::spawn(async move {
        mart_server::serve(listener, routes, &limits, CancellationToken::new(), Duration::ZERO).await;
    });
    address
}
