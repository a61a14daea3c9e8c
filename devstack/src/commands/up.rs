//! `./mart up`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use devstack::running::RunningStack;
use devstack::stack::{Member, Stack};
use devstack::{outln, state};
use futures::future::join_all;
use serde_json::Value;

use super::ShutdownSignals;
use super::watch::{Rebuilt, Watch};

/// The interval of checks for log lines, exited processes and restart requests.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Start the mart and follow its logs; Ctrl-C stops it and keeps the data.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Rebuild and restart the services that a saved file affects. A changed contract or template is generated first. If the build
    /// fails, the previous build keeps serving.
    #[arg(long)]
    watch: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut signals = ShutdownSignals::new()?;
    let lock = devstack::running::lock()?;
    let _lock =
        lock.context("the mart of this clone is already running: ./mart status shows it, ./mart down stops it")?;
    RunningStack::forget();
    let mut stack = Stack::default();
    let started = tokio::select! {
        started = Box::pin(stack.start()) => Some(started),
        () = signals.next() => None,
    };
    let end = match started {
        Some(Ok(running)) => {
            welcome(&running);
            // A separate task, so that a key rotation does not wait for a service that is restarting.
            if let Some(gateway) = &mut stack.gateway {
                tokio::spawn(gateway.refresher().clone().run());
            }
            let watch = if arguments.watch { Watch::start().map(Some) } else { Ok(None) };
            match watch {
                Ok(watch) => tokio::select! {
                    end = follow(&mut stack, watch) => end,
                    () = signals.next() => Ok(()),
                },
                Err(error) => Err(error),
            }
        }
        Some(Err(error)) => Err(error),
        None => Ok(()),
    };
    if let Err(error) = &end {
        eprintln!("{error:#}");
    }
    outln!("stopping (Ctrl-C again to kill)");
    RunningStack::forget();
    let stopped = tokio::select! {
        () = stack.stop() => true,
        () = signals.next() => false,
    };
    // Kills the processes that are still running.
    drop(stack);
    devstack::process::wait_for_children().await;
    super::down::wait_for_leftovers().await;
    outln!("{}; the data is kept in .mart/", if stopped { "stopped" } else { "killed" });
    Ok(if end.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn welcome(running: &RunningStack) {
    outln!("\nThe mart is ready:");
    outln!(
        "  {:<12} {}   send requests here; for development only, Kong replaces it elsewhere",
        "gateway",
        running.gateway
    );
    for service in &running.services {
        outln!("  {:<12} {}   health, metrics and dead letters: {}", service.name, service.url, service.internal_url);
    }
    outln!("  {:<12} {}   the payment provider; it takes no money", "sandbox", running.sandbox);
    outln!("  {:<12} {}   the mails and messages that were sent", "mail", running.mail);
    outln!("  {:<12} {}", "kafka", running.brokers);
    let first = running.services.first().map_or("SERVICE", |service| service.name.as_str());
    outln!("  {:<12} ./mart psql {first}", "postgres");
    outln!("\nTry next, in another terminal:");
    if running.services.iter().any(|service| service.name == "product") {
        outln!("  ./mart call GET '/v1/products?query=mug'");
        outln!(
            "  ./mart call POST /v1/products '{{\"slug\":\"kite\",\"name\":\"Kite\",\"prices\":[{{\"amount\":\"900.00\",\"currencyCode\":\"PKR\"}}]}}' --as admin"
        );
    }
    outln!("  ./mart demo");
    outln!("  ./mart events");
    outln!("\nCtrl-C stops the mart and keeps the data. The services' logs follow.\n");
}

/// Prints logs and restarts services that were requested or have exited. Returns an error if PostgreSQL or Kafka has exited.
async fn follow(stack: &mut Stack, mut watch: Option<Watch>) -> Result<()> {
    let mut logs: HashMap<String, Log> = HashMap::new();
    let mut exits: HashMap<String, u32> = HashMap::new();
    loop {
        for member in &mut stack.members {
            let name = member.spec.name.clone();
            logs.entry(name.clone()).or_insert_with(|| Log::new(&member.spec.log)).print(&name);
            if restart_request(&name).exists() {
                restart(member, true).await;
                logs.remove(&name);
                std::fs::remove_file(restart_request(&name)).context("cannot remove the restart request")?;
            }
            let ended = member.process.as_mut().and_then(devstack::process::Process::ended);
            if let Some(status) = ended {
                let exits = exits.entry(name.clone()).or_default();
                *exits += 1;
                outln!("{name} exited ({status}): starting it again");
                // A service that keeps exiting is started less often.
                tokio::time::sleep(Duration::from_secs(u64::from((*exits).min(10)))).await;
                member.process = Some(member.spec.start()?);
                logs.remove(&name);
            }
        }
        restart_helpers(stack, &mut logs).await?;
        if let Some(rebuilt) = watch.as_mut().and_then(|watch| watch.rebuilt.try_recv().ok()) {
            restart_rebuilt(stack, &rebuilt, &mut logs).await;
        }
        for kid in stack.withdraw_keys()? {
            outln!("withdrew the key {kid}: its last token has expired");
        }
        for server in stack.servers() {
            if let Some(status) = server.ended() {
                bail!("{} exited ({status}). The last lines of its log:\n{}", server.name(), server.last_lines());
            }
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Prints the logs of the gateway and the sandbox, and restarts them and the mail server if they have exited.
async fn restart_helpers(stack: &mut Stack, logs: &mut HashMap<String, Log>) -> Result<()> {
    if let Some(gateway) = &mut stack.gateway {
        logs.entry("gateway".to_owned()).or_insert_with(|| Log::new(gateway.log())).print("gateway");
        if let Some(status) = gateway.process.ended() {
            outln!("gateway exited ({status}): starting it again");
            gateway.restart().await?;
            logs.remove("gateway");
        }
    }
    if let Some(sandbox) = &mut stack.sandbox {
        logs.entry("sandbox".to_owned()).or_insert_with(|| Log::new(sandbox.log())).print("sandbox");
        if let Some(status) = sandbox.process.ended() {
            outln!("sandbox exited ({status}): starting it again");
            sandbox.restart().await?;
            logs.remove("sandbox");
        }
    }
    if let Some(mail) = &mut stack.mail
        && let Some(status) = mail.process.ended()
    {
        outln!("mail exited ({status}): starting it again");
        mail.restart().await?;
    }
    Ok(())
}

/// Restarts the services of a new build, and prints the time since the file was saved.
async fn restart_rebuilt(stack: &mut Stack, rebuilt: &Rebuilt, logs: &mut HashMap<String, Log>) {
    let affected = stack.members.iter_mut().filter(|member| rebuilt.services.contains(&member.spec.name));
    let ready = join_all(affected.map(|member| restart(member, rebuilt.migrations))).await;
    rebuilt.services.iter().for_each(|name| drop(logs.remove(name)));
    let took = rebuilt.saved.elapsed().unwrap_or_default().as_secs_f64();
    if ready.into_iter().all(|ready| ready) {
        outln!("{} restarted with the new build {took:.1} s after the save", rebuilt.services.join(", "));
    }
}

/// Returns the path of the file that requests a restart of a service; `./mart restart` creates it, `./mart up` removes it.
pub(crate) fn restart_request(name: &str) -> PathBuf {
    state().join(format!("restart-{name}"))
}

/// Stops a service and starts its newest program, after its migrations if `migrate` is true. Returns whether it became ready.
async fn restart(member: &mut Member, migrate: bool) -> bool {
    outln!("restarting {}", member.spec.name);
    if let Some(process) = member.process.take() {
        process.stop(Duration::from_secs(25)).await;
    }
    let started = async {
        if migrate {
            member.spec.migrate().await?;
        }
        member.spec.start_ready().await
    };
    match started.await {
        Ok(process) => {
            member.process = Some(process);
            true
        }
        // The other services keep running; the next build may fix this one.
        Err(error) => {
            eprintln!("{error:#}");
            false
        }
    }
}

/// A log file that is followed.
struct Log {
    path: PathBuf,
    /// The position of the first byte that is not printed yet.
    position: u64,
}

impl Log {
    fn new(path: &std::path::Path) -> Self {
        Self { path: path.to_owned(), position: 0 }
    }

    /// Prints the lines since the last call.
    fn print(&mut self, name: &str) {
        let Ok(mut file) = File::open(&self.path) else { return };
        if file.seek(SeekFrom::Start(self.position)).is_err() {
            return;
        }
        let mut reader = BufReader::new(file);
        let mut line = String::new();
        while let Ok(length) = reader.read_line(&mut line) {
            if length == 0 || !line.ends_with('\n') {
                break;
            }
            self.position += length as u64;
            // Debug lines are for `./mart logs` and `./mart timeline`.
            if !line.contains(r#""level":"DEBUG""#) {
                outln!("{name:<12} {}", readable(line.trim_end()));
            }
            line.clear();
        }
    }
}

/// Formats a JSON log line for people: time, level and message, then the other members. Returns any other line unchanged.
pub(crate) fn readable(line: &str) -> String {
    let Ok(Value::Object(mut members)) = serde_json::from_str(line) else { return line.to_owned() };
    let mut take = |name: &str| members.remove(name).map(|value| text(&value)).unwrap_or_default();
    let (time, level, message) = (take("timestamp"), take("level"), take("message"));
    let clock = time.split('T').nth(1).and_then(|clock| clock.get(..12)).unwrap_or(&time).to_owned();
    members.remove("target");
    let span = members.remove("span");
    let span = span.iter().filter_map(Value::as_object).flatten().filter(|(name, _)| *name != "name");
    let rest: String = members.iter().chain(span).map(|(name, value)| format!(" {name}={}", text(value))).collect();
    format!("{clock} {level:<5} {message}{rest}")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn a_log_line_shows_time_level_and_message_first() {
        let line = r#"{"timestamp":"2026-11-25T10:00:00.123456Z","level":"WARN","message":"busy","target":"x","n":1,"span":{"name":"request","trace_id":"ab"}}"#;
        assert_eq!(readable(line), "10:00:00.123 WARN  busy n=1 trace_id=ab");
        assert_eq!(readable("plain"), "plain");
    }
}
