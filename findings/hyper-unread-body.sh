#!/usr/bin/env bash
# axum 0.8.9 on hyper 1 (crates.io).
#
# Expectation: after an HTTP/1.1 response without `Connection: close`, the connection stays open for the next request, even if the handler
# rejected the request without reading its body. Otherwise the response announces the close.
# Observation: if hyper has not received the whole body when it writes the response, it closes the connection after the response
# without announcing it.
# Impact: a gateway reuses such a connection for the next request, which may be another client's. That request gets no response, and the
# gateway must not repeat it. A server that rejects a large body (401, 404, 413) has to read the rest or send `Connection: close`.
# Evidence: status 401 without `Connection: close`, then the end of the stream. Without a body, the connection stays open. Source: hyper's
# src/proto/h1/conn.rs, poll_drain_or_close_read.
set -euo pipefail

work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/src"
cat >"$work/Cargo.toml" <<'MANIFEST'
[package]
name = "unread"
edition = "2024"

[dependencies]
axum = "=0.8.9"
tokio = { version = "=1.54.1", features = ["macros", "net", "rt"] }
MANIFEST
cat >"$work/src/main.rs" <<'PROGRAM'
use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let routes = Router::new().route("/orders", post(|| async { StatusCode::UNAUTHORIZED }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    axum::serve(listener, routes).await
}
PROGRAM
cargo build --quiet --manifest-path "$work/Cargo.toml"
"$work/target/debug/unread" >"$work/port" &
server=$!
until [ -s "$work/port" ]; do sleep 0.1; done
python3 - "$(cat "$work/port")" <<'CLIENT'
import socket, sys


def refused(size):
    """Returns the status line, whether the response announces the close, and whether the next request gets a response."""
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
        connection.settimeout(30)
        head = f"POST /orders HTTP/1.1\r\nhost: mart\r\ncontent-length: {size}\r\n\r\n"
        # The response arrives when half of the body has been sent.
        connection.sendall(head.encode() + b"x" * (size // 2))
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(4096)
        announced = b"connection: close" in answer.lower()
        try:
            connection.sendall(b"x" * (size - size // 2) + b"POST /orders HTTP/1.1\r\nhost: mart\r\ncontent-length: 0\r\n\r\n")
            return answer.split(b"\r\n")[0], announced, connection.recv(4096) != b""
        except ConnectionError:
            return answer.split(b"\r\n")[0], announced, False


small, large = refused(0), refused(200_000)
print(f"no body: {small}; 200,000 bytes: {large} (status, end announced, next request answered)")
assert small == (b"HTTP/1.1 401 Unauthorized", False, True), "this has changed"
assert large == (b"HTTP/1.1 401 Unauthorized", False, False), "this has changed"
CLIENT
