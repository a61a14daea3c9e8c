//! A service never waits for the reader of its log.

use std::process::Stdio;
use std::time::Duration;

use devstack::service::ServiceSpec;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::fixture::{Shelf, until};

/// Starts a service whose standard output is not read, and waits until log lines are lost.
async fn start_unread(spec: &ServiceSpec) -> Child {
    let child = Command::new(&spec.program)
        .arg("serve")
        .envs(spec.env(&spec.database.app))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("started");
    until("it is ready", || spec.ready()).await;
    let (client, internal) = (devstack::http::client(), spec.internal_url());
    until("lines are lost", async || {
        for _ in 0..100 {
            let response = client.get(format!("{internal}/livez")).send().await.expect("a response");
            assert_eq!(response.status(), 200);
        }
        let metrics = client.get(format!("{internal}/metrics")).send().await.expect("a response");
        let metrics = metrics.text().await.expect("text");
        let lost = metrics.lines().find_map(|line| line.strip_prefix("log_lines_lost_total")?.rsplit(' ').next());
        lost.expect("the metric is there").parse::<u64>().expect("a number") > 0
    })
    .await;
    child
}

#[tokio::test]
async fn a_service_with_an_unread_log_responds_and_stops() {
    let spec = Shelf::prepared(&[("RUST_LOG", "trace")]).await;
    let mut service = start_unread(&spec).await;
    assert!(spec.ready().await);
    let pid = i32::try_from(service.id().expect("it runs")).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, Signal::TERM).expect("asked to stop");
    let stopped = tokio::time::timeout(Duration::from_mins(2), service.wait()).await;
    assert!(stopped.expect("it stops").expect("a status").success());
}

#[tokio::test]
async fn lost_lines_are_reported_once_there_is_room() {
    let spec = Shelf::prepared(&[("RUST_LOG", "trace")]).await;
    let mut service = start_unread(&spec).await;
    let mut lines = BufReader::new(service.stdout.take().expect("piped")).lines();
    let reported = async {
        while let Some(line) = lines.next_line().await.expect("text") {
            if line.contains("log lines were lost") {
                return Some(line);
            }
        }
        None
    };
    let line = tokio::time::timeout(Duration::from_mins(2), reported).await.expect("it reports");
    let line: serde_json::Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
    assert!(line["lines"].as_u64().is_some_and(|lines| lines > 0), "{line}");
}
