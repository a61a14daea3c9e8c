//! Tests the devstack's gateway, or another one, against the recorded behaviour of Kong (`kong/facts.yml`).
//!
//! `GATEWAY_URL` selects another gateway, which has to serve `target/gateway/kong.yml`. With `GATEWAY_ADMIN`, the URL of its Admin
//! API, each file is loaded into it. `GATEWAY_UPSTREAM` is the name of this machine for that gateway; the default is 127.0.0.1.

mod check;
mod facts;
mod tokens;
mod under_test;
mod upstreams;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use devstack::gateway::GatewayProcess;
use devstack::keys::Keys;
use devstack::testing::until;
use devstack::{ports, root};

use check::check;
use facts::{RejectedChange, facts};
use under_test::{PROGRAM, gateway_for, mart_file, serve};
use upstreams::{echo, rejecting_service};

/// Creates a folder that is unique to this run.
fn folder(name: &str) -> PathBuf {
    let folder = root().join(format!("target/gateway/{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
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
