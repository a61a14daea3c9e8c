//! The gateway under test: the devstack's, or the one that `GATEWAY_URL` selects.

use std::path::Path;
use std::time::{Duration, Instant};

use devstack::gateway::effective;
use devstack::keys::Keys;
use devstack::process::Process;
use devstack::{outln, ports, root};
use rustix::process::Signal;
use serde_json::json;

/// The program with the devstack's gateway.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_devstack");

/// How long a person may take to load a file into a gateway.
const LOAD_TIMEOUT: Duration = Duration::from_mins(10);

/// A gateway under test.
pub(crate) struct TestGateway {
    pub(crate) url: String,
    _process: Option<Process>,
}

/// Serves a file with the devstack's gateway.
pub(crate) async fn serve(path: &Path) -> TestGateway {
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
pub(crate) async fn gateway_for(path: &Path, text: &str) -> Option<TestGateway> {
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
pub(crate) fn mart_file(keys: &Keys, upstream: &str) -> String {
    let rendered = std::fs::read_to_string(root().join("kong/kong.yml")).expect("kong/kong.yml");
    let services = devstack::service::all().expect("services");
    let addresses = services.into_iter().map(|name| (name, upstream.to_owned())).collect();
    effective(&rendered, keys, &addresses).expect("a file that can be served")
}
