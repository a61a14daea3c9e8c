//! `./mart psql`.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use devstack::secrets::Secrets;
use devstack::stack::Running;
use devstack::state;

/// Open psql on a service's database, as its owner.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The service.
    service: String,
    /// Further arguments of psql, such as -c 'select 1'.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    more: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let running = Running::read()?;
    let name = &arguments.service;
    let known: Vec<&str> = running.services.iter().map(|service| service.name.as_str()).collect();
    ensure!(known.contains(&name.as_str()), "there is no service {name:?}: there are {}", known.join(", "));
    let server = running.postgres.split_once('@').and_then(|(_, rest)| rest.split('/').next());
    let server = server.context("running.json is damaged: restart ./mart up")?;
    let owner = format!("{name}_owner");
    let (host, port) = server.split_once(':').unwrap_or((server, "5432"));
    // In the environment, where other users' ps does not show it.
    let password = Secrets::in_file(&state().join("secrets.json")).get(&owner)?;
    let failed = Command::new(running.postgres_bin.join("psql"))
        .args(["-h", host, "-p", port, "-U", &owner, "-d", name])
        .args(&arguments.more)
        .env("PGPASSWORD", password)
        .exec();
    Err(failed).context("psql could not be started")
}
