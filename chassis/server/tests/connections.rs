//! A connection is used again after an early answer, or its end is announced.

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

/// A server that refuses without a look at the body, and one that reads it.
async fn server(unread_time: Duration) -> SocketAddr {
    served(Limits { unread_bytes: UNREAD, unread_time, ..Limits::default() }).await
}

async fn served(limits: Limits) -> SocketAddr {
    // Keeps the body for good.
    let keep = |body: Body| async {
        tokio::spawn(async move {
            let _body = body;
            std::future::pending::<()>().await;
        });
        StatusCode::UNAUTHORIZED
    };
    let routes = Router::new()
        .route("/refuse", post(|| async { StatusCode::UNAUTHORIZED }))
        .route("/keep", post(keep))
        .route("/read", post(|body: Bytes| async move { body.len().to_string() }))
        .route("/ok", get(|| async { "ok" }));
    let listener = listen(([127, 0, 0, 1], 0).into()).await.expect("listening");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { serve(listener, routes, &limits, CancellationToken::new(), Duration::ZERO).await });
    address
}

/// Reads one answer: its status line and header lines in small letters, and its body.
async fn answer(stream: &mut TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        let byte = stream.read_u8().await.expect("an answer");
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

/// Whether the next request on the connection is answered.
async fn goes_on(stream: &mut TcpStream) -> bool {
    stream.write_all(b"GET /ok HTTP/1.1\r\nhost: mart\r\n\r\n").await.expect("sent");
    answer(stream).await.1 == "ok"
}

#[tokio::test]
async fn a_refused_body_within_the_bound_leaves_the_connection_as_it_was() {
    let mut stream = TcpStream::connect(server(Duration::from_mins(2)).await).await.expect("connected");
    for size in [0, 1, 1000, UNREAD] {
        let sent = head("/refuse", &format!("content-length: {size}\r\n"));
        stream.write_all(&[sent.as_bytes(), &vec![b'x'; size]].concat()).await.expect("sent");
        let (told, _) = answer(&mut stream).await;
        assert!(told.starts_with("http/1.1 401") && !told.contains("connection: close"), "{size}: {told}");
        assert!(goes_on(&mut stream).await, "{size}");
    }
    let chunked =
        [head("/refuse", "transfer-encoding: chunked\r\n").as_bytes(), b"3\r\nabc\r\n", b"0\r\n\r\n"].concat();
    stream.write_all(&chunked).await.expect("sent");
    assert!(answer(&mut stream).await.0.starts_with("http/1.1 401"));
    assert!(goes_on(&mut stream).await);
    stream.write_all(&[head("/read", "content-length: 3\r\n").as_bytes(), b"abc"].concat()).await.expect("sent");
    assert_eq!(answer(&mut stream).await.1, "3");
    assert!(goes_on(&mut stream).await);
}

#[tokio::test]
async fn the_end_of_a_connection_is_announced() {
    // Too large, by its own word or not; one whose client waits to be asked for it; and one that somebody has still.
    let declared = head("/refuse", &format!("content-length: {}\r\n", UNREAD + 1));
    let chunk = format!("{:x}\r\n{}\r\n", UNREAD + 1, "x".repeat(UNREAD + 1));
    let chunked = format!("{}{chunk}", head("/refuse", "transfer-encoding: chunked\r\n"));
    let waiting = head("/refuse", "content-length: 3\r\nexpect: 100-continue\r\n");
    let kept = head("/keep", "content-length: 3\r\n");
    for sent in [declared, chunked, waiting, kept] {
        let mut stream = TcpStream::connect(server(Duration::from_mins(2)).await).await.expect("connected");
        stream.write_all(sent.as_bytes()).await.expect("sent");
        let (told, _) = answer(&mut stream).await;
        assert!(told.starts_with("http/1.1 401") && told.contains("connection: close"), "{told}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let mut stream = TcpStream::connect(server(Duration::from_millis(10)).await).await.expect("connected");
    stream.write_all(head("/refuse", "content-length: 3\r\n").as_bytes()).await.expect("sent");
    let (told, _) = answer(&mut stream).await;
    assert!(told.starts_with("http/1.1 401") && told.contains("connection: close"), "{told}");
}

#[tokio::test]
async fn idle_connections_and_half_sent_requests_end() {
    let address = served(Limits { idle: Duration::from_millis(10), ..Limits::default() }).await;
    for sent in ["", "POST /ok HTTP/1.1\r\nhost:"] {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(sent.as_bytes()).await.expect("sent");
        let mut told = Vec::new();
        let ended = tokio::time::timeout(Duration::from_mins(2), stream.read_to_end(&mut told)).await;
        ended.expect("it ends").expect("without an error");
        assert!(!told.starts_with(b"HTTP/1.1 2"), "{sent:?}");
    }
}
