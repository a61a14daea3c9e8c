//! Tests the devstack's gateway, or another one, against the recorded behaviour of Kong (`kong/facts.yml`).
//!
//! `GATEWAY_URL` selects another gateway, which has to serve `target/gateway/kong.yml`. With `GATEWAY_ADMIN`, the URL of its Admin
//! API, each file is loaded into it. `GATEWAY_UPSTREAM` is the name of this machine for that gateway; the default is 127.0.0.1.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use devstack::gateway::{GatewayProcess, effective};
use devstack::keys::Keys;
use devstack::process::Process;
use devstack::testing::until;
use devstack::{outln, ports, root};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustix::process::Signal;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const PROGRAM: &str = env!("CARGO_BIN_EXE_devstack");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    files: Vec<File>,
    refused: Vec<RejectedChange>,
}

/// A declarative file, and the facts about a gateway that serves it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "file")]
    name: String,
    #[serde(default)]
    text: Option<String>,
    facts: Vec<Fact>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fact {
    #[serde(rename = "fact")]
    name: String,
    request: String,
    #[serde(default, rename = "as")]
    token: Option<String>,
    #[serde(default)]
    headers: Option<Headers>,
    #[serde(default)]
    bytes: Option<usize>,
    #[serde(default)]
    chunked: bool,
    #[serde(default)]
    times: Option<usize>,
    answer: u16,
    #[serde(default)]
    echoes: BTreeMap<String, String>,
    #[serde(default)]
    silent: Vec<String>,
    #[serde(default)]
    body: Option<BTreeMap<String, String>>,
    #[serde(default)]
    reaches: Option<Reached>,
    /// The fact is from Kong's documentation and was not observed.
    #[serde(default)]
    #[expect(dead_code, reason = "information for the file's readers")]
    unseen: bool,
}

/// The headers to send. Each is a map of its own, so that a name can occur twice.
type Headers = Vec<BTreeMap<String, String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reached {
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    query: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    without: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RejectedChange {
    change: String,
    from: String,
    to: String,
    named: String,
}

fn facts() -> Facts {
    let text = std::fs::read_to_string(root().join("kong/facts.yml")).expect("the facts");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("kong/facts.yml: {error}"))
}

/// Creates a folder that is unique to this run.
fn folder(name: &str) -> PathBuf {
    let folder = root().join(format!("target/gateway/{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Starts a service that returns the request that reached it. Returns its address.
async fn echo() -> SocketAddr {
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

/// How long a person may take to load a file into a gateway.
const LOAD_TIMEOUT: Duration = Duration::from_mins(10);

/// A gateway under test.
struct TestGateway {
    url: String,
    _process: Option<Process>,
}

/// Serves a file with the devstack's gateway.
async fn serve(path: &Path) -> TestGateway {
    let (port, status) = (ports::any().expect("a port"), ports::any().expect("a port"));
    let words = [PROGRAM, "gateway", &path.display().to_string(), "--address", &format!("127.0.0.1:{port}")];
    let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    words.push(format!("--status=127.0.0.1:{status}"));
    let mut process =
        Process::start("gateway", words, &[], &path.with_extension("log"), Signal::TERM).expect("started");
    let status = format!("http://127.0.0.1:{status}");
    let ready = || async { devstack::http::client().get(format!("{status}/status/ready")).send().await.is_ok() };
    process.wait_until(Duration::from_mins(3), ready).await.expect("ready");
    TestGateway { url: format!("http://127.0.0.1:{port}"), _process: Some(process) }
}

/// Returns a gateway that serves this text: the selected one, or the devstack's. `None` if the text can't be loaded into it.
async fn gateway_for(path: &Path, text: &str) -> Option<TestGateway> {
    std::fs::write(path, text).expect("written");
    let Ok(url) = std::env::var("GATEWAY_URL") else { return Some(serve(path).await) };
    let gateway = TestGateway { url: url.trim_end_matches('/').to_owned(), _process: None };
    match std::env::var("GATEWAY_ADMIN") {
        Ok(admin) => {
            let request = devstack::http::client().post(format!("{admin}/config")).json(&json!({ "config": text }));
            let response = request.send().await.expect("a response of the Admin API");
            assert!(response.status().is_success(), "{}", response.text().await.expect("text"));
            Some(gateway)
        }
        // Without the Admin API only the mart's own file is tested, which a person has to load.
        Err(_) if path.ends_with("kong.yml") => {
            let products = format!("{}/v1/products", gateway.url);
            let serves = async || match devstack::http::client().get(&products).send().await {
                Ok(response) => response.text().await.is_ok_and(|body| body.contains("\"path\":\"/v1/products\"")),
                Err(_) => false,
            };
            let begun = Instant::now();
            outln!("load {} into the gateway now, unless it reloads the file itself", path.display());
            while !serves().await {
                assert!(begun.elapsed() < LOAD_TIMEOUT, "{} does not serve {}", gateway.url, path.display());
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Some(gateway)
        }
        Err(_) => None,
    }
}

/// Returns the mart's own file with one address for all services.
fn mart_file(keys: &Keys, upstream: &str) -> String {
    let rendered = std::fs::read_to_string(root().join("kong/kong.yml")).expect("kong/kong.yml");
    let services = devstack::service::all().expect("services");
    let addresses = services.into_iter().map(|name| (name, upstream.to_owned())).collect();
    effective(&rendered, keys, &addresses).expect("a file that can be served")
}

#[tokio::test]
async fn the_gateway_responds_as_kong_does() {
    let folder = root().join("target/gateway");
    std::fs::create_dir_all(&folder).expect("a folder");
    let keys = Keys::in_folder(&folder.join("keys")).expect("keys");
    let host = std::env::var("GATEWAY_UPSTREAM").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let upstream = format!("http://{host}:{}", echo().await.port());
    let (mut checked, mut failures) = (0, Vec::new());
    for (nth, file) in facts().files.iter().enumerate() {
        let (name, text) = match &file.text {
            None => ("kong.yml".to_owned(), mart_file(&keys, &upstream)),
            Some(text) => (format!("file-{nth}.yml"), text.replace("{upstream}", &upstream)),
        };
        let Some(gateway) = gateway_for(&folder.join(name), &text).await else { continue };
        for fact in &file.facts {
            checked += 1;
            if let Err(failure) = check(&gateway, &keys, fact).await {
                failures.push(format!("{}, {}: {failure}", file.name, fact.name));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {checked} facts do not hold:\n{}", failures.len(), failures.join("\n"));
    assert!(checked > 0, "no fact was checked");
}

async fn check(gateway: &TestGateway, keys: &Keys, fact: &Fact) -> Result<(), String> {
    let mut response = send(gateway, keys, fact).await?;
    for _ in 1..fact.times.unwrap_or(1) {
        if response.0 == fact.answer && fact.answer == 429 {
            break;
        }
        response = send(gateway, keys, fact).await?;
    }
    let (status, headers, bytes) = response;
    let json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let expect = |condition: bool, failure: String| {
        if condition { Ok(()) } else { Err(format!("{failure}: {status} {json} {headers:?}")) }
    };
    expect(status == fact.answer, format!("expected {}", fact.answer))?;
    for (name, expected) in &fact.echoes {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        expect(value.is_some_and(|value| matches(value, expected)), format!("{name} is not {expected}"))?;
    }
    for name in &fact.silent {
        expect(!headers.contains_key(name), format!("unexpected {name}"))?;
    }
    if let Some(body) = &fact.body {
        let members = json.as_object().ok_or_else(|| format!("the body is not JSON: {status}"))?;
        let names = |name: &String| members.contains_key(name);
        expect(
            body.len() == members.len() && body.keys().all(names),
            format!("the members are not those of {body:?}"),
        )?;
        for (name, expected) in body {
            let value = members[name].as_str().unwrap_or_default();
            expect(matches(value, expected), format!("{name} is not {expected}"))?;
        }
    }
    if let Some(reached) = &fact.reaches {
        let parts = [("method", &reached.method), ("path", &reached.path), ("query", &reached.query)];
        for (name, expected) in parts {
            if let Some(expected) = expected {
                expect(
                    json[name] == expected.as_str(),
                    format!("the service received a {name} other than {expected}"),
                )?;
            }
        }
        for (name, expected) in &reached.headers {
            let value = json["headers"][name][0].as_str().unwrap_or_default();
            expect(matches(value, expected), format!("the service received a {name} other than {expected}"))?;
        }
        for name in &reached.without {
            expect(json["headers"][name].is_null(), format!("the service received {name}"))?;
        }
    }
    Ok(())
}

/// Returns whether a value equals the expected one. A "…" at the end of the expected value matches any non-empty rest.
fn matches(value: &str, expected: &str) -> bool {
    match expected.strip_suffix('…') {
        Some(start) => value.starts_with(start) && value.len() > start.len(),
        None => value == expected,
    }
}

async fn send(gateway: &TestGateway, keys: &Keys, fact: &Fact) -> Result<(u16, HeaderMap, Bytes), String> {
    let (method, path) = fact.request.split_once(' ').ok_or("a request is a method and a path")?;
    // hyper sends the path unchanged, while reqwest would normalize it.
    let uri: Uri = format!("{}{path}", gateway.url).parse().map_err(|error| format!("{path}: {error}"))?;
    let mut request = Request::builder().method(method.parse::<Method>().expect("a method")).uri(uri);
    if let Some(token) = fact.token.as_deref().map(|kind| authorization(keys, kind)) {
        request = request.header("authorization", token);
    }
    let mut capitals = false;
    for (name, value) in fact.headers.iter().flatten().flatten() {
        capitals |= name.chars().any(char::is_uppercase);
        request = request.header(name, value);
    }
    let bytes = vec![b' '; fact.bytes.unwrap_or(0)];
    let body = match fact.bytes {
        Some(_) if fact.chunked => Body::from_stream(futures::stream::iter(
            bytes
                .chunks(65_536)
                .map(|chunk| Ok::<_, std::convert::Infallible>(Bytes::copy_from_slice(chunk)))
                .collect::<Vec<_>>(),
        )),
        Some(_) => Body::from(bytes),
        None => Body::empty(),
    };
    let client: Client<HttpConnector, Body> =
        Client::builder(TokioExecutor::new()).http1_title_case_headers(capitals).build_http();
    let response = client.request(request.body(body).expect("a request")).await;
    let response = response.map_err(|error| format!("no response: {error:?}"))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok((status, headers, body))
}

/// Returns the value of the header Authorization for a kind of token.
fn authorization(keys: &Keys, kind: &str) -> String {
    let claims = |role: &str| Keys::claims(role, "a-user");
    let expiring_in = |seconds: i64| {
        let mut claims = claims("customer");
        let now = claims["iat"].as_i64().expect("a time");
        claims["exp"] = json!(now + seconds);
        keys.sign("customer", &claims)
    };
    let newest = |role: &str| keys.all().expect("keys").into_iter().rfind(|key| key.role == role).expect("a key");
    let unsigned = |header: Value, claims: &Value| {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(&header), part(claims))
    };
    let token = match kind {
        "basic" => return "Basic c29tZWJvZHk6c2VjcmV0".to_owned(),
        "garbage" => "a.b.c".to_owned(),
        "unknown key" => keys.sign_with_kid(Some("unknown-1"), "customer", &claims("customer")).expect("signed"),
        "customer under the key of admins" => {
            keys.sign_with_kid(Some(&newest("admin").kid()), "customer", &claims("admin")).expect("signed")
        }
        "customer claiming admin" => keys.sign("customer", &claims("admin")).expect("signed"),
        "expired" => expiring_in(-60).expect("signed"),
        "good for two hours" => expiring_in(7_200).expect("signed"),
        "tampered" => {
            let valid = keys.token("customer", "a-user").expect("signed");
            let (head, rest) = valid.split_once('.').expect("three parts");
            let signature = rest.split_once('.').expect("three parts").1;
            format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(claims("admin").to_string()))
        }
        "alg none" => unsigned(json!({ "alg": "none", "kid": newest("customer").kid() }), &claims("customer")),
        "HS256 with the public key" => {
            let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
            header.kid = Some(newest("customer").kid());
            let secret = newest("customer").public_pem().expect("a key");
            let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
            jsonwebtoken::encode(&header, &claims("customer"), &key).expect("signed")
        }
        role => keys.token(role, "a-user").expect("a role"),
    };
    format!("Bearer {token}")
}

#[tokio::test]
async fn rejected_files_report_the_unsupported_feature() {
    let folder = folder("refused");
    let keys = Keys::in_folder(&folder).expect("keys");
    let valid = mart_file(&keys, "http://127.0.0.1:9");
    let path = folder.join("kong.yml");
    let changes =
        facts().refused.into_iter().map(|RejectedChange { change, from, to, named }| (change, from, to, named));
    // Changes that Kong accepts and this gateway does not implement. The last one is invalid for both.
    let ours = [
        ("a plugin that is not implemented", "- name: prometheus", "- name: oauth2", "oauth2"),
        ("a limit in a Redis", "policy: local", "policy: redis", "redis"),
        ("a plain path", "'~/v1/products$'", "'/v1/products'", "/v1/products"),
        ("a stripped path", "strip_path: false", "strip_path: true", "strip_path"),
        ("an invalid key", "-----BEGIN PUBLIC KEY-----", "-----BEGIN NOTHING-----", "admin-1"),
    ];
    let ours =
        ours.map(|(change, from, to, named)| (change.to_owned(), from.to_owned(), to.to_owned(), named.to_owned()));
    for (change, from, to, named) in changes.chain(ours) {
        let changed = valid.replacen(&from, &to, 1);
        assert_ne!(changed, valid, "{change}: nothing was changed");
        std::fs::write(&path, changed).expect("written");
        let mut check = std::process::Command::new(PROGRAM);
        let output = check.arg("gateway").arg(&path).arg("--check").output().expect("run");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(&named), "{change}: {text}");
    }
    std::fs::remove_dir_all(folder).expect("removed");
}

#[tokio::test]
async fn a_changed_file_is_reloaded_unless_it_is_invalid() {
    let folder = folder("again");
    let keys = Keys::in_folder(&folder).expect("keys");
    let upstream = format!("http://{}", echo().await);
    let addresses = BTreeMap::from([("order".to_owned(), upstream.clone())]);
    let ports = (ports::any().expect("a port"), ports::any().expect("a port"));
    let mut gateway =
        GatewayProcess::start(Path::new(PROGRAM), &folder, addresses, &keys, ports).await.expect("a gateway");
    let client = devstack::http::client();
    let (before, url) = (keys.token("customer", "a-user").expect("signed"), format!("{}/v1/orders", gateway.url()));
    let status =
        async |token: &str| client.get(&url).bearer_auth(token).send().await.expect("a response").status().as_u16();
    assert_eq!(status(&before).await, 200);

    // A rotation: the gateway has the new key before it signs, and every valid token is accepted.
    keys.publish_next().expect("published");
    gateway.refresher().refresh().expect("written");
    until("the gateway has reloaded its file", async || gateway.process.output().contains("reloaded")).await;
    keys.sign_with_next().expect("signing");
    gateway.refresher().refresh().expect("written");
    let after = keys.token("customer", "a-user").expect("signed");
    assert_eq!((status(&before).await, status(&after).await), (200, 200));
    keys.withdraw(Duration::ZERO).expect("withdrawn");
    gateway.refresher().refresh().expect("written");
    until("the old key is withdrawn", async || status(&before).await == 401).await;
    assert_eq!(status(&after).await, 200);

    let file = folder.join("kong.yml");
    std::fs::write(&file, "services: [").expect("written");
    std::fs::File::options().append(true).open(&file).expect("open").set_modified(SystemTime::now()).expect("touched");
    until("the gateway has rejected the file", async || gateway.process.output().contains("is still served")).await;
    assert_eq!(status(&after).await, 200);

    let metrics =
        devstack::http::client().get(format!("{}/metrics", gateway.status_url())).send().await.expect("a response");
    let metrics = metrics.text().await.expect("text");
    let line = "kong_http_requests_total{service=\"order\",route=\"order.list_orders\",code=\"200\"}";
    assert!(metrics.contains(line), "{metrics}");
    drop(gateway);
    std::fs::remove_dir_all(folder).expect("removed");
}

/// Starts a service that rejects quotes without reading their bodies. Returns its address.
async fn rejecting_service() -> SocketAddr {
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

#[tokio::test]
async fn rejected_large_bodies_do_not_affect_other_requests() {
    let folder = folder("large-bodies");
    let keys = Keys::in_folder(&folder.join("keys")).expect("keys");
    let path = folder.join("kong.yml");
    std::fs::write(&path, mart_file(&keys, &format!("http://{}", rejecting_service().await))).expect("written");
    let gateway = serve(&path).await;
    let body = vec![b'x'; 900 * 1024];
    // The gateway rejects an order without a token. The service rejects a quote, which needs no token.
    let sender = async |path: &str, status: u16| {
        for _ in 0..40 {
            let request = devstack::http::client().post(format!("{}{path}", gateway.url)).body(body.clone());
            let response = request.header("content-type", "application/json").send().await;
            assert_eq!(response.expect("a response").status().as_u16(), status, "{path}");
        }
    };
    let other = async || {
        let client = devstack::http::client();
        for nth in 0..200 {
            let response = client.get(format!("{}/v1/products", gateway.url)).send().await;
            assert_eq!(response.expect("a response").status(), 200, "request {nth}");
        }
    };
    tokio::join!(
        sender("/v1/orders", 401),
        sender("/v1/orders/quote", 404),
        sender("/v1/orders/quote", 404),
        other(),
        other()
    );
    std::fs::remove_dir_all(folder).expect("removed");
}
