//! `./mart psql`.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use devstack::running::RunningStack;
use devstack::secrets::Secrets;
use devstack::state;

/// Open psql on a service's database, as its owner.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The service.
    service: String,
    /// Arguments for psql, such as -c 'select 1'.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "PSQL_ARGUMENTS")]
    more: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let running = RunningStack::read()?;
    let name = &arguments.service;
    let known: Vec<&str> = running.services.iter().map(|service| service.name.as_str()).collect();
    ensure!(known.contains(&name.as_str()), "unknown service {name:?}: use one of {}", known.join(", "));
    let server = running.postgres.split_once('@').and_then(|(_, rest)| rest.split('/').next());
    let server = server.context(".mart/running.json is damaged: restart ./mart up")?;
    let owner = format!("{name}_owner");
    let (host, port) = server.split_once(':').unwrap_or((server, "5432"));
    // Passed in the environment, because other users can read a command line.
    let password = Secrets::in_file(&state().join("secrets.json")).get(&owner)?;
    let error = Command::new(running.postgres_bin.join("psql"))
        .args(["-h", host, "-p", port, "-U", &owner, "-d", name])
        .args(&arguments.more)
        .env("PGPASSWORD", password)
        .exec();
    Err(error).context("cannot start psql")
}
