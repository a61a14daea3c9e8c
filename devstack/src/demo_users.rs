//! The demo users, an admin and a customer. Their passwords are generated for each clone.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rdkafka::Offset;
use reqwest::Response;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::call::Reader;
use crate::running::RunningStack;
use crate::secrets::Secrets;
use crate::service::ServiceSpec;
use crate::{outln, state};

/// How long to wait for the event with a verification link.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Returns the email address of the demo user of a role.
pub fn email(role: &str) -> String {
    format!("{role}@mart.example")
}

/// Returns the password of the demo user of a role. It is random and stored in this clone only.
pub fn password(role: &str) -> Result<String> {
    Secrets::in_file(&state().join("secrets.json")).get(&format!("password of the {role}"))
}

/// Logs in the demo user of a role and returns the access token.
pub async fn log_in(running: &RunningStack, role: &str) -> Result<String> {
    let response =
        post(running, "/v1/sessions/log-in", &json!({ "email": email(role), "password": password(role)? })).await?;
    let status = response.status();
    let body: Value = response.json().await.unwrap_or_default();
    let token = body["tokens"]["accessToken"].as_str();
    token.map(str::to_owned).with_context(|| format!("cannot log in as {}: {status} {body}", email(role)))
}

/// Creates the demo users that are missing: the admin by the user service's command, the customer through the API.
pub(crate) async fn register(running: &RunningStack, user: &ServiceSpec) -> Result<()> {
    if log_in(running, "admin").await.is_err() {
        create_admin(user, &email("admin"), "Admin of this clone", &password("admin")?).await?;
        outln!("created the demo user {}", email("admin"));
    }
    if log_in(running, "customer").await.is_err() {
        let (email, password) = (email("customer"), password("customer")?);
        let body = json!({ "email": email, "password": password, "name": "Customer of this clone" });
        ensure_success(post(running, "/v1/users/register", &body).await?).await?;
        let token = link_token(running, user, &email).await?;
        let body = json!({ "token": token, "password": password });
        ensure_success(post(running, "/v1/users/verify-email", &body).await?).await?;
        outln!("created the demo user {email}");
    }
    Ok(())
}

/// Creates an admin with the user service's command. An error has the command's own message.
pub async fn create_admin(user: &ServiceSpec, email: &str, name: &str, password: &str) -> Result<()> {
    let mut command = Command::new(&user.program);
    command.args(["create-admin", "--name", name, "--", email]).envs(user.env(&user.database.app)).kill_on_drop(true);
    // The message is shown to people, so it should have no backtrace.
    command.env("RUST_BACKTRACE", "0").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {}", user.program.display()))?;
    let mut stdin = child.stdin.take().context("the command has no standard input")?;
    stdin.write_all(format!("{password}\n").as_bytes()).await?;
    drop(stdin);
    let output = child.wait_with_output().await?;
    let message = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}", message.trim().trim_start_matches("Error: "));
    Ok(())
}

/// Returns the secret of the newest verification link that was sent to an email address.
async fn link_token(running: &RunningStack, user: &ServiceSpec, email: &str) -> Result<String> {
    let topic = format!("{}mart.user_link.v1", user.topic_prefix);
    let (brokers, email) = (running.brokers.clone(), email.to_owned());
    let find = move || -> Result<String> {
        let reader = Reader::new(&brokers, &[topic], Offset::Beginning)?;
        let mut found = None;
        // Waits for a first link, then reads the remaining events for a newer one.
        while let Some(event) = reader.next(if found.is_none() { TIMEOUT } else { Duration::from_millis(300) }) {
            if event.payload["link"]["email"] == email.as_str() {
                found = event.payload["link"]["token"].as_str().map(str::to_owned);
            }
        }
        found.context("no event with the customer's verification link arrived")
    };
    tokio::task::spawn_blocking(find).await?
}

async fn post(running: &RunningStack, path: &str, body: &Value) -> Result<Response> {
    let url = format!("{}{path}", running.gateway);
    crate::http::client().post(url).json(body).send().await.context("the gateway does not respond")
}

/// Returns an error with the response's status and body unless it is a success.
async fn ensure_success(response: Response) -> Result<()> {
    if response.status().is_success() {
        return Ok(());
    }
    let (path, status) = (response.url().path().to_owned(), response.status());
    bail!("{path} failed: {status} {}", response.text().await?)
}
