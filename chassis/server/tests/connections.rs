//! A connection is reused after an early response, or its close is announced.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::routing::{get, post};
use mart_server::{Limits, listen, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

const UNREAD: usize = 64 * 1024;

/// Starts a server with this time for draining a body.
async fn server(unread_time: Duration) -> SocketAddr {
    start(Limits { unread_bytes: UNREAD, unread_time, ..Limits::default() }).await
}

/// Starts a server whose routes reject a request without reading its body, keep the body, or read it.
async fn start(limits: Limits) -> SocketAddr {
    // Never drops the body.
    let keep = |body: Body| async {
        tokio::spawn(async move {
            let _body = body;
            std::future::pending::<()>().await;
        });
        StatusCode::UNAUTHORIZED
    };
    let routes = Router::new()
        .route("/reject", post(|| async { StatusCode::UNAUTHORIZED }))
        .route("/keep", post(keep))
        .route("/read", post(|body: Bytes| async move { body.len().to_string() }))
        .route("/ok", get(|| async { "ok" }));
    let listener = listen(([127, 0, 0, 1], 0).into()).await.expect("listening");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { serve(listener, routes, &limits, CancellationToken::new(), Duration::ZERO).await });
    address
}

/// Reads a response. Returns its status line and header lines in lower case, and its body.
async fn read_response(stream: &mut TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        let byte = stream.read_u8().await.expect("a response");
        bytes.push(byte);
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("text").to_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().expect("a number"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.expect("its body");
    (head, String::from_utf8(body).expect("text"))
}

fn head(path: &str, more: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: mart\r\n{more}\r\n")
}

/// Returns whether the next request on the connection gets a response.
async fn is_reusable(stream: &mut TcpStream) -> bool {
    stream.write_all(b"GET /ok HTTP/1.1\r\nhost: mart\r\n\r\n").await.expect("sent");
    read_response(stream).await.1 == "ok"
}

#[tokio::test]
async fn a_small_unread_body_keeps_the_connection_open() {
    let mut stream = TcpStream::connect(server(Duration::from_mins(2)).await).await.expect("connected");
    for size in [0, 1, 1000, UNREAD] {
        let sent = head("/reject", &format!("content-length: {size}\r\n"));
        stream.write_all(&[sent.as_bytes(), &vec![b'x'; size]].concat()).await.expect("sent");
        let (head_lines, _) = read_response(&mut stream).await;
        assert!(
            head_lines.starts_with("http/1.1 401") && !head_lines.contains("connection: close"),
            "{size}: {head_lines}"
        );
        assert!(is_reusable(&mut stream).await, "{size}");
    }
    let chunked =
        [head("/reject", "transfer-encoding: chunked\r\n").as_bytes(), b"3\r\nabc\r\n", b"0\r\n\r\n"].concat();
    stream.write_all(&chunked).await.expect("sent");
    assert!(read_response(&mut stream).await.0.starts_with("http/1.1 401"));
    assert!(is_reusable(&mut stream).await);
    stream.write_all(&[head("/read", "content-length: 3\r\n").as_bytes(), b"abc"].concat()).await.expect("sent");
    assert_eq!(read_response(&mut stream).await.1, "3");
    assert!(is_reusable(&mut stream).await);
}

#[tokio::test]
async fn a_connection_with_an_undrained_body_announces_its_close() {
    // Bodies that are too large, with and without a declared length, one that awaits 100 Continue, and one that is still in use.
    let declared = head("/reject", &format!("content-length: {}\r\n", UNREAD + 1));
    let chunk = format!("{:x}\r\n{}\r\n", UNREAD + 1, "x".repeat(UNREAD + 1));
    let chunked = format!("{}{chunk}", head("/reject", "transfer-encoding: chunked\r\n"));
    let waiting = head("/reject", "content-length: 3\r\nexpect: 100-continue\r\n");
    let kept = head("/keep", "content-length: 3\r\n");
    for sent in [declared, chunked, waiting, kept] {
        let mut stream = TcpStream::connect(server(Duration::from_mins(2)).await).await.expect("connected");
        stream.write_all(sent.as_bytes()).await.expect("sent");
        let (head_lines, _) = read_response(&mut stream).await;
        assert!(head_lines.starts_with("http/1.1 401") && head_lines.contains("connection: close"), "{head_lines}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_awaited() {
    let mut stream = TcpStream::connect(server(Duration::from_millis(10)).await).await.expect("connected");
    stream.write_all(head("/reject", "content-length: 3\r\n").as_bytes()).await.expect("sent");
    let (head_lines, _) = read_response(&mut stream).await;
    assert!(head_lines.starts_with("http/1.1 401") && head_lines.contains("connection: close"), "{head_lines}");
}

#[tokio::test]
async fn idle_connections_and_incomplete_requests_are_closed() {
    let address = start(Limits { idle: Duration::from_millis(10), ..Limits::default() }).await;
    for sent in ["", "POST /ok HTTP/1.1\r\nhost:"] {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(sent.as_bytes()).await.expect("sent");
        let mut received = Vec::new();
        let closed = tokio::time::timeout(Duration::from_mins(2), stream.read_to_end(&mut received)).await;
        closed.expect("it is closed").expect("without an error");
        assert!(!received.starts_with(b"HTTP/1.1 2"), "{sent:?}");
    }
}
