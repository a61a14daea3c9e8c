//! The commands behind `./mart`.

#![allow(clippy::print_stderr, reason = "a command-line tool")]

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Run and test the mart on this machine: all services, PostgreSQL and Kafka, without containers.
#[derive(Parser)]
#[command(name = "mart", bin_name = "./mart", version, propagate_version = true)]
struct Arguments {
    /// Do not ask for confirmation before system packages are installed or data is deleted; CI=true does so for packages only.
    #[arg(long, global = true)]
    yes: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the mart and follow its logs; Ctrl-C stops it and keeps the data.
    Up(commands::up::Arguments),
    /// Run the checks and tests of CI, or some of them.
    Test(commands::test::Arguments),
    /// Send a request; print the response, the events that it caused, and the same request for curl.
    Call(commands::call::Arguments),
    /// Follow the events on Kafka, decoded.
    Events(commands::events::Arguments),
    /// Run a whole purchase, from the registration to the delivery, and print its events as they arrive.
    Demo,
    /// Publish an event in place of the service that owns it, for development.
    Publish(commands::publish::Arguments),
    /// List, show, replay or discard dead letters.
    Dlq(commands::dlq::Arguments),
    /// Check that money, stock and orders agree in all databases and topics.
    Invariants(commands::invariants::Arguments),
    /// Print the timeline of an order, a trace or an event, and the expected next step.
    Timeline(commands::timeline::Arguments),
    /// Create admins.
    User(commands::user::Arguments),
    /// Rotate, list or create the keys that sign access tokens.
    Keys(commands::keys::Arguments),
    /// Serve a declarative file of Kong, as ./mart up does.
    Gateway(commands::gateway::Arguments),
    /// Serve the payment sandbox, as ./mart up does; it takes no money.
    Sandbox(commands::sandbox::Arguments),
    /// Serve a mail server that stores mails and forwards none, as ./mart up does.
    Mail(commands::mail::Arguments),
    /// Show what is running and whether it is ready.
    Status,
    /// Print the last lines of the log of a service, of postgres or of kafka.
    Logs(commands::logs::Arguments),
    /// Rebuild services and restart them in the running mart.
    Restart(commands::restart::Arguments),
    /// Stop the running mart from another terminal.
    Down(commands::down::Arguments),
    /// Open psql on a service's database, as its owner.
    Psql(commands::psql::Arguments),
    /// Run the benchmarks with release builds and print the ratios; see bench/README.md.
    Bench(commands::bench::Arguments),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // One thread only: a child gets its parent-death signal as soon as the thread that started it ends.
    let Arguments { yes, command } = Arguments::parse();
    let result = match command {
        Command::Up(arguments) => commands::up::run(&arguments).await,
        Command::Test(arguments) => commands::test::run(arguments).await,
        Command::Call(arguments) => commands::call::run(arguments).await,
        Command::Events(arguments) => commands::events::run(&arguments),
        Command::Demo => commands::demo::run().await,
        Command::Publish(arguments) => commands::publish::run(arguments).await,
        Command::Dlq(arguments) => commands::dlq::run(arguments).await,
        Command::Invariants(arguments) => commands::invariants::run(&arguments).await,
        Command::Timeline(arguments) => commands::timeline::run(&arguments).await,
        Command::User(arguments) => commands::user::run(arguments).await,
        Command::Keys(arguments) => commands::keys::run(&arguments).await,
        Command::Gateway(arguments) => commands::gateway::run(&arguments).await,
        Command::Sandbox(arguments) => commands::sandbox::run(arguments).await,
        Command::Mail(arguments) => commands::mail::run(arguments).await,
        Command::Status => commands::status::run().await,
        Command::Logs(arguments) => commands::logs::run(&arguments),
        Command::Restart(arguments) => commands::restart::run(arguments).await,
        Command::Down(arguments) => commands::down::run(&arguments, yes).await,
        Command::Psql(arguments) => commands::psql::run(&arguments),
        Command::Bench(arguments) => commands::bench::run(&arguments).await,
    };
    result.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    })
}
