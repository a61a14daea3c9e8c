//! `./mart up`.

use devstack::outln;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use devstack::stack::{Member, Running, Stack};
use devstack::state;
use futures::future::join_all;
use serde_json::Value;

use super::ShutdownSignals;
use super::watch::Watch;

/// Between two looks at logs, processes and requests to restart.
const TICK: Duration = Duration::from_millis(200);

/// Start everything and follow the logs.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Build and serve again what a saved file reaches; a changed contract is generated first. While a build fails, the one before
    /// serves on.
    #[arg(long)]
    watch: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut signals = ShutdownSignals::new()?;
    let lock = devstack::stack::lock()?;
    let _lock = lock.context("this clone's mart is running already: ./mart status shows it, ./mart down signals it")?;
    Running::forget();
    let mut stack = Stack::default();
    let started = tokio::select! {
        started = Box::pin(stack.start()) => Some(started),
        () = signals.next() => None,
    };
    let end = match started {
        Some(Ok(running)) => {
            welcome(&running);
            // In a task of its own: a rotation does not wait for a service that is restarted.
            if let Some(gateway) = &mut stack.gateway {
                tokio::spawn(gateway.refresher().clone().keep());
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
    Running::forget();
    let polite = tokio::select! {
        () = stack.stop() => true,
        () = signals.next() => false,
    };
    // What is dropped here is killed.
    drop(stack);
    devstack::process::all_ended().await;
    super::down::wait_for_leftovers().await;
    outln!("{}; the data is kept in .mart/", if polite { "stopped" } else { "killed" });
    Ok(if end.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn welcome(running: &Running) {
    outln!("\nThe mart is ready:");
    outln!("  {:<12} {}   send requests here; for this machine only, elsewhere it is Kong", "gateway", running.gateway);
    for service in &running.services {
        outln!("  {:<12} {}   health, metrics and dead letters: {}", service.name, service.url, service.internal_url);
    }
    outln!("  {:<12} {}   the payment provider that takes no money", "sandbox", running.sandbox);
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
    outln!("\nCtrl-C signals it and keeps the data. The services' logs follow.\n");
}

/// Follows logs, restarts what was asked for and what has ended by itself; ends only when a server has ended.
async fn follow(stack: &mut Stack, mut watch: Option<Watch>) -> Result<()> {
    let mut logs: HashMap<String, Log> = HashMap::new();
    let mut falls: HashMap<String, u32> = HashMap::new();
    loop {
        for member in &mut stack.members {
            let name = member.setting.name.clone();
            logs.entry(name.clone()).or_insert_with(|| Log::new(&member.setting.log)).print(&name);
            if asked_to_restart(&name) {
                restart(member, true).await;
                logs.remove(&name);
                std::fs::remove_file(request(&name)).context("the request to restart could not be taken away")?;
            }
            let ended = member.process.as_mut().and_then(devstack::process::Process::ended);
            if let Some(status) = ended {
                let fall = falls.entry(name.clone()).or_default();
                *fall += 1;
                outln!("{name} ended ({status}) and is started again");
                tokio::time::sleep(Duration::from_secs(u64::from((*fall).min(10)))).await;
                member.process = Some(member.setting.start()?);
                logs.remove(&name);
            }
        }
        if let Some(gateway) = &mut stack.gateway {
            logs.entry("gateway".to_owned()).or_insert_with(|| Log::new(gateway.log())).print("gateway");
            if let Some(status) = gateway.process.ended() {
                outln!("gateway ended ({status}) and is started again");
                gateway.again().await?;
                logs.remove("gateway");
            }
        }
        if let Some(sandbox) = &mut stack.sandbox {
            logs.entry("sandbox".to_owned()).or_insert_with(|| Log::new(sandbox.log())).print("sandbox");
            if let Some(status) = sandbox.process.ended() {
                outln!("sandbox ended ({status}) and is started again");
                sandbox.again().await?;
                logs.remove("sandbox");
            }
        }
        if let Some(mail) = &mut stack.mail
            && let Some(status) = mail.process.ended()
        {
            outln!("mail ended ({status}) and is started again");
            mail.again().await?;
        }
        if let Some(watch) = &mut watch
            && let Ok(rebuilt) = watch.rebuilt.try_recv()
        {
            let reached = stack.members.iter_mut().filter(|member| rebuilt.services.contains(&member.setting.name));
            let again = join_all(reached.map(|member| restart(member, rebuilt.migrations))).await;
            rebuilt.services.iter().for_each(|name| drop(logs.remove(name)));
            let took = rebuilt.saved.elapsed().unwrap_or_default().as_secs_f64();
            if again.into_iter().all(|good| good) {
                outln!("{} served again {took:.1} s after the file was saved", rebuilt.services.join(", "));
            }
        }
        for kid in stack.withdraw_keys()? {
            outln!("the key {kid} is withdrawn: its last token has run out");
        }
        for server in stack.servers() {
            if let Some(status) = server.ended() {
                bail!("{} has ended ({status}). Its last lines:\n{}", server.name(), server.last_lines());
            }
        }
        tokio::time::sleep(TICK).await;
    }
}

/// The file by which `./mart restart` asks for a restart.
pub(crate) fn request(name: &str) -> PathBuf {
    state().join(format!("restart-{name}"))
}

fn asked_to_restart(name: &str) -> bool {
    request(name).exists()
}

/// ShutdownSignals a service and starts its newest program, after its migrations unless nobody has changed them; whether it is ready.
async fn restart(member: &mut Member, migrate: bool) -> bool {
    outln!("restarting {}", member.setting.name);
    if let Some(process) = member.process.take() {
        process.stop(Duration::from_secs(25)).await;
    }
    let started = async {
        if migrate {
            member.setting.migrate().await?;
        }
        member.setting.start_ready().await
    };
    match started.await {
        Ok(process) => {
            member.process = Some(process);
            true
        }
        // The next build may be better: the rest of the mart stays up.
        Err(error) => {
            eprintln!("{error:#}");
            false
        }
    }
}

/// A log that is followed.
struct Log {
    path: PathBuf,
    at: u64,
}

impl Log {
    fn new(path: &std::path::Path) -> Self {
        Self { path: path.to_owned(), at: 0 }
    }

    /// Prints the lines that have come since the last time.
    fn print(&mut self, name: &str) {
        let Ok(mut file) = File::open(&self.path) else { return };
        if file.seek(SeekFrom::Start(self.at)).is_err() {
            return;
        }
        let mut reader = BufReader::new(file);
        let mut line = String::new();
        while let Ok(length) = reader.read_line(&mut line) {
            if length == 0 || !line.ends_with('\n') {
                break;
            }
            self.at += length as u64;
            // Those are for `./mart logs` and `./mart timeline`.
            if !line.contains(r#""level":"DEBUG""#) {
                outln!("{name:<12} {}", readable(line.trim_end()));
            }
            line.clear();
        }
    }
}

/// A log line for people: time, level, message, then the other members.
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
    fn a_log_line_is_told_in_the_order_that_people_read() {
        let line = r#"{"timestamp":"2026-11-25T10:00:00.123456Z","level":"WARN","message":"busy","target":"x","n":1,"span":{"name":"request","trace_id":"ab"}}"#;
        assert_eq!(readable(line), "10:00:00.123 WARN  busy n=1 trace_id=ab");
        assert_eq!(readable("plain"), "plain");
    }
}
