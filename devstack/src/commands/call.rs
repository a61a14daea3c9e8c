//! `./mart call`.

use devstack::outln;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use devstack::call::Reader;
use devstack::contracts;
use devstack::running::RunningStack;
use rdkafka::Offset;
use serde_json::Value;

/// How long to wait for a further event of the request's trace.
const QUIET: Duration = Duration::from_secs(1);

/// Send a request; print the response, the events that it caused, and the same request for curl.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The HTTP method.
    #[arg(value_parser = ["GET", "POST", "PATCH", "PUT", "DELETE"], ignore_case = true)]
    method: String,
    /// The path and query, such as '/v1/products?query=mug'.
    path: String,
    /// The JSON body.
    body: Option<String>,
    /// Log in as the demo user of this role.
    #[arg(long = "as", value_name = "ROLE", value_parser = devstack::keys::ROLES)]
    role: Option<String>,
    /// An additional header, such as 'If-Match: "1"'; repeatable.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let running = RunningStack::read()?;
    let url = format!("{}{}", running.gateway, arguments.path);
    let method = arguments.method.to_uppercase();
    let trace = uuid::Uuid::new_v4().simple().to_string();
    let mut headers = vec![("traceparent".to_owned(), format!("00-{trace}-{}-01", &trace[..16]))];
    if arguments.body.is_some() {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    if let Some(role) = &arguments.role {
        let token = devstack::demo_users::log_in(&running, role).await?;
        headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
    }
    for header in &arguments.headers {
        let (name, value) =
            header.split_once(':').with_context(|| format!("invalid header {header:?}: write 'Name: value'"))?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    let topics: Vec<String> = contracts::topics().into_iter().collect();
    // Created before the request is sent, so that no event of the request is missed.
    let reader = Reader::new(&running.brokers, &topics, Offset::End)?;

    let mut request = devstack::http::client().request(method.parse()?, &url);
    for (name, value) in &headers {
        request = request.header(name, value);
    }
    if let Some(body) = &arguments.body {
        request = request.body(body.clone());
    }
    outln!("{method} {url}");
    if let Some(body) = &arguments.body {
        outln!("{}", pretty(body));
    }
    let response = request.send().await.context("the gateway does not respond: ./mart status shows what is running")?;
    let status = response.status();
    outln!("\n{status}");
    for name in ["location", "etag", "retry-after", "allow"] {
        if let Some(value) = response.headers().get(name).and_then(|value| value.to_str().ok()) {
            outln!("{name}: {value}");
        }
    }
    outln!("{}", pretty(&response.text().await?));

    if method != "GET" {
        outln!("\nevents of trace {trace}:");
        let (mut any, mut last) = (false, Instant::now());
        // Events of other traces do not extend the wait.
        while let Some(left) = QUIET.checked_sub(last.elapsed()) {
            if let Some(event) = reader.next(left).filter(|event| event.trace_id() == trace) {
                super::events::print(&event);
                (any, last) = (true, Instant::now());
            }
        }
        if !any {
            outln!("  none");
        }
    }
    outln!("\n{}", curl(&method, &url, &headers, arguments.body.as_deref()));
    Ok(if status.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn pretty(text: &str) -> String {
    let value: Result<Value, _> = serde_json::from_str(text);
    value.ok().and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| text.to_owned())
}

/// Returns the same request as a curl command for a shell. Its token expires after some minutes.
fn curl(method: &str, url: &str, headers: &[(String, String)], body: Option<&str>) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let mut line = format!("curl -i -X {method} {}", quoted(url));
    for (name, value) in headers.iter().filter(|(name, _)| name != "traceparent") {
        line += &format!(" -H {}", quoted(&format!("{name}: {value}")));
    }
    if let Some(body) = body {
        line += &format!(" -d {}", quoted(body));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::curl;

    #[test]
    fn the_curl_command_is_quoted_for_a_shell() {
        let headers = [("If-Match".to_owned(), "\"1\"".to_owned())];
        let line = curl("PATCH", "http://x/v1?a=b&c", &headers, Some(r#"{"name":"Chef's"}"#));
        assert_eq!(line, r#"curl -i -X PATCH 'http://x/v1?a=b&c' -H 'If-Match: "1"' -d '{"name":"Chef'\''s"}'"#);
    }
}
