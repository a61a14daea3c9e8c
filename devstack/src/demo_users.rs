//! The users of a developer's stack: an admin and a customer, whose passwords this clone has made up.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rdkafka::Offset;
use reqwest::Response;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::call::Reader;
use crate::secrets::Secrets;
use crate::service::ServiceSpec;
use crate::stack::Running;
use crate::{outln, state};

/// The service that knows users.
pub const USER: &str = "user";
/// How long a link may take to come.
const PATIENCE: Duration = Duration::from_mins(2);

/// The mail address of the seeded user of a role.
pub fn email(role: &str) -> String {
    format!("{role}@mart.example")
}

/// The password of the seeded user of a role: random, and in no file but this clone's own.
pub fn password(role: &str) -> Result<String> {
    Secrets::in_file(&state().join("secrets.json")).get(&format!("password of the {role}"))
}

/// An access token of the seeded user of a role, who logs in for it.
pub async fn log_in(running: &Running, role: &str) -> Result<String> {
    let answer =
        post(running, "/v1/sessions/log-in", &json!({ "email": email(role), "password": password(role)? })).await?;
    let status = answer.status();
    let told: Value = answer.json().await.unwrap_or_default();
    let token = told["tokens"]["accessToken"].as_str();
    token.map(str::to_owned).with_context(|| format!("{} could not log in: {status} {told}", email(role)))
}

/// Makes the seeded users who are not there yet: the admin as an operator would, the customer as anybody would.
pub(crate) async fn register(running: &Running, user: &ServiceSpec) -> Result<()> {
    if log_in(running, "admin").await.is_err() {
        create_admin(user, &email("admin"), "Admin of this clone", &password("admin")?).await?;
        outln!("seeded user with {}", email("admin"));
    }
    if log_in(running, "customer").await.is_err() {
        let (email, password) = (email("customer"), password("customer")?);
        let body = json!({ "email": email, "password": password, "name": "Customer of this clone" });
        done(post(running, "/v1/users/register", &body).await?).await?;
        let token = link(running, user, &email).await?;
        let proof = json!({ "token": token, "password": password });
        done(post(running, "/v1/users/verify-email", &proof).await?).await?;
        outln!("seeded user with {email}");
    }
    Ok(())
}

/// Makes an admin by the service's own command; an error in its words where it does not.
pub async fn create_admin(user: &ServiceSpec, email: &str, name: &str, password: &str) -> Result<()> {
    let mut command = Command::new(&user.program);
    command.args(["create-admin", "--name", name, "--", email]).envs(user.env(&user.database.app)).kill_on_drop(true);
    // What it says is for people.
    command.env("RUST_BACKTRACE", "0").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("{} could not be started", user.program.display()))?;
    let mut stdin = child.stdin.take().context("it reads")?;
    stdin.write_all(format!("{password}\n").as_bytes()).await?;
    drop(stdin);
    let done = child.wait_with_output().await?;
    let told = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{}", told.trim().trim_start_matches("Error: "));
    Ok(())
}

/// The secret of the newest link to a mailbox.
async fn link(running: &Running, user: &ServiceSpec, email: &str) -> Result<String> {
    let topic = format!("{}mart.user_link.v1", user.topic_prefix);
    let (brokers, email) = (running.brokers.clone(), email.to_owned());
    let find = move || -> Result<String> {
        let reader = Reader::new(&brokers, &[topic], Offset::Beginning)?;
        let mut found = None;
        // To the end of what lies there, and until one has come.
        while let Some(seen) = reader.next(if found.is_none() { PATIENCE } else { Duration::from_millis(300) }) {
            if seen.payload["link"]["email"] == email.as_str() {
                found = seen.payload["link"]["token"].as_str().map(str::to_owned);
            }
        }
        found.context("no link came to prove the customer's mailbox")
    };
    tokio::task::spawn_blocking(find).await?
}

async fn post(running: &Running, path: &str, body: &Value) -> Result<Response> {
    let url = format!("{}{path}", running.gateway);
    crate::http::client().post(url).json(body).send().await.context("the gateway does not answer")
}

async fn done(answer: Response) -> Result<()> {
    if answer.status().is_success() {
        return Ok(());
    }
    let (path, status) = (answer.url().path().to_owned(), answer.status());
    bail!("{path} {status}: {}", answer.text().await?)
}
