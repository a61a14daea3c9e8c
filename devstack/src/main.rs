//! The commands behind `./mart`.

#![allow(clippy::print_stderr, reason = "a tool of the command line")]

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The mart on this machine: real PostgreSQL, real Kafka and all services, without containers.
#[derive(Parser)]
#[command(name = "mart", bin_name = "./mart", version, propagate_version = true)]
struct Arguments {
    /// Do not ask: neither before the machine is changed nor before data is removed. CI=true says the same of the machine.
    #[arg(long, global = true)]
    yes: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything and follow the logs; Ctrl-C signals it and keeps the data.
    Up(commands::up::Arguments),
    /// Run the checks and tests that CI runs, or some of them.
    Test(commands::test::Arguments),
    /// Send a request and show the answer, the events that it caused and the equal curl line.
    Call(commands::call::Arguments),
    /// Follow events as they come, decoded.
    Events(commands::events::Arguments),
    /// Shop once: register, browse, order, pay on the sandbox's page and get it, with the events as they come.
    Demo,
    /// Put an event onto Kafka as its owner would, for development.
    Publish(commands::publish::Arguments),
    /// Look at dead letters, hand them out again, or throw them away.
    Dlq(commands::dlq::Arguments),
    /// Say whether money, stock and orders agree, over all databases and topics.
    Invariants(commands::invariants::Arguments),
    /// Tell what happened about an order, in a trace or around an event, and what comes next.
    Timeline(commands::timeline::Arguments),
    /// Make admins.
    User(commands::user::Arguments),
    /// Rotate the keys that sign access tokens, while the mart runs.
    Keys(commands::keys::Arguments),
    /// Serve Kong's declarative file, as ./mart up does for its own.
    Gateway(commands::gateway::Arguments),
    /// Serve the payment provider that takes no money, as ./mart up does.
    Sandbox(commands::sandbox::Arguments),
    /// Serve a mail server that keeps what it gets, as ./mart up does.
    Mail(commands::mail::Arguments),
    /// Show what runs and whether it is ready.
    Status,
    /// Show the last lines of a service's log, or of postgres or kafka.
    Logs(commands::logs::Arguments),
    /// Build services anew and restart them within a running mart.
    Restart(commands::restart::Arguments),
    /// Stop a running mart from another terminal.
    Down(commands::down::Arguments),
    /// Open psql on a service's database as its owner.
    Psql(commands::psql::Arguments),
    /// Measure with release builds and print the ratios; see bench/README.md.
    Bench(commands::bench::Arguments),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // One thread: a child's parent-death signal comes when the thread that started it ends.
    let Arguments { yes, command } = Arguments::parse();
    let done = match command {
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
    done.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    })
}
