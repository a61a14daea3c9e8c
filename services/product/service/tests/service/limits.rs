//! Invalid requests, the limits of requests, the start and the stop.

use devstack::testing::{App, answer, until};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::app::{self, assert_problem, fields, product};

#[tokio::test]
async fn invalid_requests_are_client_errors_with_a_problem() {
    let app = app::with(&[("HTTP_MAX_BODY_BYTES", "10000")]).await;
    let bearer = format!("Bearer {}", app.spec.keys.token("admin", "tests").expect("signed"));
    let url = |path: &str| format!("{}{path}", app.spec.url());
    let post = async |kind: Option<&str>, body: Vec<u8>| {
        let mut request = app.client.post(url("/v1/products")).header("authorization", &bearer).body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        answer(request.send().await.expect("answered")).await
    };
    let json_kind = Some("application/json");
    assert_problem(&app.send(Method::GET, "/nowhere", None, &[]).await, 404, "ROUTE_NOT_FOUND");
    assert_problem(&app.send(Method::GET, "/v1/products/", None, &[]).await, 404, "ROUTE_NOT_FOUND");
    let method = app.send(Method::DELETE, "/v1/products", None, &[]).await;
    assert_problem(&method, 405, "METHOD_NOT_ALLOWED");
    assert!(method.headers.contains_key("allow"));
    assert_problem(&post(Some("text/plain"), b"{}".to_vec()).await, 415, "UNSUPPORTED_MEDIA_TYPE");
    assert_problem(&post(None, b"{}".to_vec()).await, 415, "UNSUPPORTED_MEDIA_TYPE");
    assert_problem(&post(json_kind, vec![b' '; 10_001]).await, 413, "BODY_TOO_LARGE");
    for body in
        ["{", "[]", "null", "\"x\"", "{\"slug\":1}", "{\"slug\":\"a\",\"slug\"}", "{\"prices\":{}}", "\u{feff}{}"]
    {
        assert_problem(&post(json_kind, body.as_bytes().to_vec()).await, 400, "INVALID_REQUEST");
    }
    assert_problem(&post(json_kind, vec![b'{', 0xff, b'}']).await, 400, "INVALID_REQUEST");
    assert_problem(&post(json_kind, b"[".repeat(5_000)).await, 400, "INVALID_REQUEST");
    let mut nul = product("nul");
    nul["name"] = json!("a\u{0}b");
    let nul = app.admin(Method::POST, "/v1/products", Some(nul)).await;
    assert_problem(&nul, 400, "INVALID_REQUEST");
    assert_eq!(fields(&nul), ["name"]);
    for id in ["x", "%00", "%ff", "00000000-0000-0000-0000-00000000000g"] {
        let rejected = app.send(Method::GET, &format!("/v1/products/{id}"), None, &[]).await;
        assert_problem(&rejected, 400, "INVALID_REQUEST");
    }
    let many = [("x-filler", "x".repeat(17_000))];
    let headers: Vec<(&str, &str)> = many.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_problem(&app.send(Method::GET, "/v1/products", None, &headers).await, 431, "HEADERS_TOO_LARGE");
    let key = app
        .send(
            Method::POST,
            "/v1/products",
            Some(product("k")),
            &[("authorization", bearer.as_str()), ("idempotency-key", "")],
        )
        .await;
    assert_problem(&key, 400, "INVALID_REQUEST");
    assert_eq!(
        app.send(Method::GET, "/v1/products", None, &[("x-request-id", "mine-1")]).await.headers["x-request-id"],
        "mine-1"
    );
}

#[tokio::test]
async fn bytes_that_are_not_http_close_their_connection_only() {
    let app = app::start().await;
    let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", app.spec.http)).await.expect("connected");
    socket.write_all(b"\x16\x03\x01 nonsense\r\n\r\n").await.expect("sent");
    let mut response = Vec::new();
    socket.read_to_end(&mut response).await.expect("read");
    assert!(response.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&response));
    assert_eq!(app.send(Method::GET, "/v1/products", None, &[]).await.status, 200);
}

/// Sends a request whose body is incomplete.
async fn stalled(app: &App) -> tokio::net::TcpStream {
    let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", app.spec.http)).await.expect("connected");
    let token = app.spec.keys.token("admin", "tests").expect("signed");
    let head = format!(
        "POST /v1/products HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{{"
    );
    socket.write_all(head.as_bytes()).await.expect("sent");
    socket
}

#[tokio::test]
async fn requests_above_the_limit_are_rejected() {
    let app = app::with(&[("HTTP_MAX_CONCURRENT_REQUESTS", "2"), ("HTTP_TIMEOUT", "100s")]).await;
    let mut slow = Vec::new();
    until("both permits are in use", async || {
        // One that arrives while the request below is processed is rejected itself.
        slow.push(stalled(&app).await);
        let answer = app.send(Method::GET, "/v1/products", None, &[]).await;
        answer.status == 503 && answer.headers.contains_key("retry-after")
    })
    .await;
    drop(slow);
    until("both permits are free", async || app.send(Method::GET, "/v1/products", None, &[]).await.status == 200).await;
}

#[tokio::test]
async fn a_stalled_body_is_a_request_timeout() {
    let app = app::with(&[("HTTP_TIMEOUT", "1s")]).await;
    let mut response = vec![0; 1024];
    let length = stalled(&app).await.read(&mut response).await.expect("answered");
    assert!(response[..length].starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&response));
}

#[tokio::test]
async fn a_stopping_service_completes_requests_and_publishes_events() {
    let app = app::start().await;
    let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", app.spec.http)).await.expect("connected");
    let body = product("last").to_string();
    let token = app.spec.keys.token("admin", "tests").expect("signed");
    let head = format!(
        "POST /v1/products HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).await.expect("sent");
    socket.write_all(&body.as_bytes()[..10]).await.expect("sent");
    // This request is answered after the first one has begun.
    app.send(Method::GET, "/v1/products", None, &[]).await;
    app.process.signal(Signal::TERM);
    until("the service is not ready", async || !app.spec.ready().await).await;
    socket.write_all(&body.as_bytes()[10..]).await.expect("sent");
    let mut response = Vec::new();
    socket.read_to_end(&mut response).await.expect("answered");
    assert!(response.starts_with(b"HTTP/1.1 201"), "{}", String::from_utf8_lossy(&response));
    let spec = app.spec.clone();
    let mut process = app.process;
    let status =
        tokio::time::timeout(std::time::Duration::from_mins(3), process.wait()).await.expect("within the grace period");
    assert_eq!(status.and_then(|status| status.code()), Some(0));
    // The event of the last request was published before the exit.
    let events = devstack::testing::events(&spec).await;
    assert_eq!(events.len(), 1);
}

#[tokio::test]
async fn a_start_without_settings_reports_all_missing_ones() {
    let output = std::process::Command::new(app::PROGRAM).arg("serve").env_clear().output().expect("run");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    for name in ["HTTP_ADDR", "DATABASE_URL", "KAFKA_BROKERS", "TOKEN_KEYS", "PAGE_TOKEN_SECRET"] {
        assert!(errors.contains(name), "{name} in {errors}");
    }
}
