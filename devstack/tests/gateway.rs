//! What Kong was seen to answer (`kong/facts.yml`), asked of the devstack's gateway, or of any other.
//!
//! `GATEWAY_URL` names another gateway, which serves `target/gateway/kong.yml`; with `GATEWAY_ADMIN`, the address of its Admin API,
//! each file is loaded into it. `GATEWAY_UPSTREAM` is this machine's name as that gateway sees it (127.0.0.1).

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
use devstack::gateway::{Running, effective};
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
    refused: Vec<Refused>,
}

/// A file that a gateway serves, and what it answers then.
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
    /// It follows Kong's documents; nobody has seen it.
    #[serde(default)]
    #[expect(dead_code, reason = "it is for who reads the facts")]
    unseen: bool,
}

/// Headers to send, each by itself so that one may come twice.
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
struct Refused {
    change: String,
    from: String,
    to: String,
    named: String,
}

fn facts() -> Facts {
    let text = std::fs::read_to_string(root().join("kong/facts.yml")).expect("the facts");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("kong/facts.yml: {error}"))
}

/// A folder of this run that nobody else has.
fn folder(name: &str) -> PathBuf {
    let folder = root().join(format!("target/gateway/{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A service that tells what reached it; its address.
async fn echo() -> SocketAddr {
    async fn tell(request: Request) -> Json<Value> {
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
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(tell)).await });
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// How long somebody may take to load a file into a gateway.
const LOADING: Duration = Duration::from_mins(10);

/// A gateway under test, and the keys whose tokens it takes.
struct Gate {
    url: String,
    _process: Option<Process>,
}

/// Serves a file by the devstack's gateway.
async fn serve(path: &Path) -> Gate {
    let (port, status) = (ports::any().expect("a port"), ports::any().expect("a port"));
    let words = [PROGRAM, "gateway", &path.display().to_string(), "--address", &format!("127.0.0.1:{port}")];
    let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    words.push(format!("--status=127.0.0.1:{status}"));
    let mut process =
        Process::start("gateway", words, &[], &path.with_extension("log"), Signal::TERM).expect("started");
    let status = format!("http://127.0.0.1:{status}");
    let ready = || async { devstack::http::client().get(format!("{status}/status/ready")).send().await.is_ok() };
    process.until(Duration::from_mins(3), ready).await.expect("ready");
    Gate { url: format!("http://127.0.0.1:{port}"), _process: Some(process) }
}

/// The gateway that serves a text: the one that was named, or the devstack's.
async fn gate(path: &Path, text: &str) -> Option<Gate> {
    std::fs::write(path, text).expect("written");
    let Ok(url) = std::env::var("GATEWAY_URL") else { return Some(serve(path).await) };
    let gate = Gate { url: url.trim_end_matches('/').to_owned(), _process: None };
    match std::env::var("GATEWAY_ADMIN") {
        Ok(admin) => {
            let asked = devstack::http::client().post(format!("{admin}/config")).json(&json!({ "config": text }));
            let answer = asked.send().await.expect("the Admin API answers");
            assert!(answer.status().is_success(), "{}", answer.text().await.expect("text"));
            Some(gate)
        }
        // Without it only the mart's own file can be asked about, which somebody has to load.
        Err(_) if path.ends_with("kong.yml") => {
            let reached = format!("{}/v1/products", gate.url);
            let serves = async || match devstack::http::client().get(&reached).send().await {
                Ok(answer) => answer.text().await.is_ok_and(|told| told.contains("\"path\":\"/v1/products\"")),
                Err(_) => false,
            };
            let begun = Instant::now();
            outln!("load {} into the gateway now, unless it reads it by itself", path.display());
            while !serves().await {
                assert!(begun.elapsed() < LOADING, "{} does not serve {}", gate.url, path.display());
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Some(gate)
        }
        Err(_) => None,
    }
}

/// The mart's own file with all services behind one address.
fn marts(keys: &Keys, upstream: &str) -> String {
    let rendered = std::fs::read_to_string(root().join("kong/kong.yml")).expect("kong/kong.yml");
    let services = devstack::service::all().expect("services");
    let addresses = services.into_iter().map(|name| (name, upstream.to_owned())).collect();
    effective(&rendered, keys, &addresses).expect("a file that can be served")
}

#[tokio::test]
async fn the_gateway_answers_as_kong_was_seen_to() {
    let folder = root().join("target/gateway");
    std::fs::create_dir_all(&folder).expect("a folder");
    let keys = Keys::in_folder(&folder.join("keys")).expect("keys");
    let host = std::env::var("GATEWAY_UPSTREAM").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let upstream = format!("http://{host}:{}", echo().await.port());
    let (mut asked, mut wrong) = (0, Vec::new());
    for (nth, file) in facts().files.iter().enumerate() {
        let (name, text) = match &file.text {
            None => ("kong.yml".to_owned(), marts(&keys, &upstream)),
            Some(text) => (format!("file-{nth}.yml"), text.replace("{upstream}", &upstream)),
        };
        let Some(gate) = gate(&folder.join(name), &text).await else { continue };
        for fact in &file.facts {
            asked += 1;
            if let Err(why) = check(&gate, &keys, fact).await {
                wrong.push(format!("{}, {}: {why}", file.name, fact.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {asked} facts do not hold:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > 0, "no fact was asked about");
}

async fn check(gate: &Gate, keys: &Keys, fact: &Fact) -> Result<(), String> {
    let mut answer = ask(gate, keys, fact).await?;
    for _ in 1..fact.times.unwrap_or(1) {
        if answer.0 == fact.answer && fact.answer == 429 {
            break;
        }
        answer = ask(gate, keys, fact).await?;
    }
    let (status, headers, body) = answer;
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    let expect =
        |right: bool, what: String| if right { Ok(()) } else { Err(format!("{what}: {status} {told} {headers:?}")) };
    expect(status == fact.answer, format!("expected {}", fact.answer))?;
    for (name, expected) in &fact.echoes {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        expect(value.is_some_and(|value| fits(value, expected)), format!("{name} is not {expected}"))?;
    }
    for name in &fact.silent {
        expect(!headers.contains_key(name), format!("{name} is there"))?;
    }
    if let Some(body) = &fact.body {
        let members = told.as_object().ok_or_else(|| format!("no JSON: {status}"))?;
        let names = |name: &String| members.contains_key(name);
        expect(
            body.len() == members.len() && body.keys().all(names),
            format!("the members are not those of {body:?}"),
        )?;
        for (name, expected) in body {
            let value = members[name].as_str().unwrap_or_default();
            expect(fits(value, expected), format!("{name} is not {expected}"))?;
        }
    }
    if let Some(reached) = &fact.reaches {
        let parts = [("method", &reached.method), ("path", &reached.path), ("query", &reached.query)];
        for (name, expected) in parts {
            if let Some(expected) = expected {
                expect(told[name] == expected.as_str(), format!("the {name} that reached it is not {expected}"))?;
            }
        }
        for (name, expected) in &reached.headers {
            let value = told["headers"][name][0].as_str().unwrap_or_default();
            expect(fits(value, expected), format!("{name} reached it and is not {expected}"))?;
        }
        for name in &reached.without {
            expect(told["headers"][name].is_null(), format!("{name} reached it"))?;
        }
    }
    Ok(())
}

/// "…" stands for anything, at the end of other words too.
fn fits(value: &str, expected: &str) -> bool {
    match expected.strip_suffix('…') {
        Some(start) => value.starts_with(start) && value.len() > start.len(),
        None => value == expected,
    }
}

async fn ask(gate: &Gate, keys: &Keys, fact: &Fact) -> Result<(u16, HeaderMap, Bytes), String> {
    let (method, path) = fact.request.split_once(' ').ok_or("a request is a method and a path")?;
    // As it is written: a client for people would put the path into its normal form first.
    let uri: Uri = format!("{}{path}", gate.url).parse().map_err(|error| format!("{path}: {error}"))?;
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
    let answer = client.request(request.body(body).expect("a request")).await;
    let answer = answer.map_err(|error| format!("no answer: {error:?}"))?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok((status, headers, body))
}

/// What stands in Authorization.
fn authorization(keys: &Keys, kind: &str) -> String {
    let claims = |role: &str| Keys::claims(role, "somebody");
    let lasting = |seconds: i64| {
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
        "unknown key" => keys.sign_under(Some("nobody-1"), "customer", &claims("customer")).expect("signed"),
        "customer under the key of admins" => {
            keys.sign_under(Some(&newest("admin").kid()), "customer", &claims("admin")).expect("signed")
        }
        "customer claiming admin" => keys.sign("customer", &claims("admin")).expect("signed"),
        "expired" => lasting(-60).expect("signed"),
        "good for two hours" => lasting(7_200).expect("signed"),
        "tampered" => {
            let good = keys.token("customer", "somebody").expect("signed");
            let (head, rest) = good.split_once('.').expect("three parts");
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
        role => keys.token(role, "somebody").expect("a role"),
    };
    format!("Bearer {token}")
}

#[tokio::test]
async fn what_is_wrong_or_not_implemented_is_refused_by_name() {
    let folder = folder("refused");
    let keys = Keys::in_folder(&folder).expect("keys");
    let good = marts(&keys, "http://127.0.0.1:9");
    let path = folder.join("kong.yml");
    let changes = facts().refused.into_iter().map(|Refused { change, from, to, named }| (change, from, to, named));
    // What a Kong would take, and what is not here.
    let ours = [
        ("a plugin that is not implemented", "- name: prometheus", "- name: oauth2", "oauth2"),
        ("a limit in a Redis", "policy: local", "policy: redis", "redis"),
        ("a plain path", "'~/v1/products$'", "'/v1/products'", "/v1/products"),
        ("a stripped path", "strip_path: false", "strip_path: true", "strip_path"),
        ("a key that is none", "-----BEGIN PUBLIC KEY-----", "-----BEGIN NOTHING-----", "admin-1"),
    ];
    let ours =
        ours.map(|(change, from, to, named)| (change.to_owned(), from.to_owned(), to.to_owned(), named.to_owned()));
    for (change, from, to, named) in changes.chain(ours) {
        let bad = good.replacen(&from, &to, 1);
        assert_ne!(bad, good, "{change}: nothing was changed");
        std::fs::write(&path, bad).expect("written");
        let told = std::process::Command::new(PROGRAM).arg("gateway").arg(&path).arg("--check").output().expect("run");
        let text = String::from_utf8_lossy(&told.stderr);
        assert!(!told.status.success() && text.contains(&named), "{change}: {text}");
    }
    std::fs::remove_dir_all(folder).expect("removed");
}

#[tokio::test]
async fn a_file_is_read_again_and_one_that_is_broken_leaves_the_old_one_serving() {
    let folder = folder("again");
    let keys = Keys::in_folder(&folder).expect("keys");
    let upstream = format!("http://{}", echo().await);
    let addresses = BTreeMap::from([("order".to_owned(), upstream.clone())]);
    let ports = (ports::any().expect("a port"), ports::any().expect("a port"));
    let mut gateway = Running::start(Path::new(PROGRAM), &folder, addresses, &keys, ports).await.expect("a gateway");
    let client = devstack::http::client();
    let (before, url) = (keys.token("customer", "somebody").expect("signed"), format!("{}/v1/orders", gateway.url()));
    let status =
        async |token: &str| client.get(&url).bearer_auth(token).send().await.expect("answered").status().as_u16();
    assert_eq!(status(&before).await, 200);

    // A rotation: the new key is known before it signs, and no token that is good is refused.
    keys.publish_next().expect("published");
    gateway.refresher().refresh().expect("written");
    until("the gateway has read it", async || gateway.process.output().contains("read again")).await;
    keys.sign_with_next().expect("signing");
    gateway.refresher().refresh().expect("written");
    let after = keys.token("customer", "somebody").expect("signed");
    assert_eq!((status(&before).await, status(&after).await), (200, 200));
    keys.withdraw(Duration::ZERO).expect("withdrawn");
    gateway.refresher().refresh().expect("written");
    until("the old key is withdrawn", async || status(&before).await == 401).await;
    assert_eq!(status(&after).await, 200);

    let file = folder.join("kong.yml");
    std::fs::write(&file, "services: [").expect("written");
    std::fs::File::options().append(true).open(&file).expect("open").set_modified(SystemTime::now()).expect("touched");
    until("the file was looked at", async || gateway.process.output().contains("goes on serving")).await;
    assert_eq!(status(&after).await, 200);

    let measured =
        devstack::http::client().get(format!("{}/metrics", gateway.status_url())).send().await.expect("answered");
    let measured = measured.text().await.expect("text");
    let line = "kong_http_requests_total{service=\"order\",route=\"order.list_orders\",code=\"200\"}";
    assert!(measured.contains(line), "{measured}");
    drop(gateway);
    std::fs::remove_dir_all(folder).expect("removed");
}

/// A service that refuses orders and quotes before it has read them.
async fn refusing() -> SocketAddr {
    let refuse = || async { StatusCode::NOT_FOUND };
    let routes = Router::new().route("/v1/orders/quote", post(refuse)).fallback(|| async { "ok" });
    let listener = mart_server::listen(([127, 0, 0, 1], 0).into()).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let limits = mart_server::Limits::default();
    tokio::spawn(async move {
        mart_server::serve(listener, routes, &limits, CancellationToken::new(), Duration::ZERO).await;
    });
    address
}

#[tokio::test]
async fn large_refused_bodies_fail_no_request_of_others() {
    let folder = folder("large-bodies");
    let keys = Keys::in_folder(&folder.join("keys")).expect("keys");
    let path = folder.join("kong.yml");
    std::fs::write(&path, marts(&keys, &format!("http://{}", refusing().await))).expect("written");
    let gate = serve(&path).await;
    let body = vec![b'x'; 900 * 1024];
    // Without a token the gateway refuses an order; the service refuses a quote, which needs none.
    let sender = async |path: &str, status: u16| {
        for _ in 0..40 {
            let sent = devstack::http::client().post(format!("{}{path}", gate.url)).body(body.clone());
            let answer = sent.header("content-type", "application/json").send().await;
            assert_eq!(answer.expect("an answer").status().as_u16(), status, "{path}");
        }
    };
    let other = async || {
        let client = devstack::http::client();
        for nth in 0..200 {
            let answer = client.get(format!("{}/v1/products", gate.url)).send().await;
            assert_eq!(answer.expect("an answer").status(), 200, "request {nth}");
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
