//! `./mart user`.

use std::io::{IsTerminal, stdin};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use devstack::demo_users;
use devstack::outln;
use devstack::running::RunningStack;
use devstack::service;
use devstack::stack::Stack;

/// Create admins.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Create an admin. Prompts for the password, or reads it from standard input if that is not a terminal.
    CreateAdmin {
        /// The admin's email address. It is not verified: make sure that it is theirs.
        email: String,
        /// The admin's name.
        #[arg(long, default_value = "Admin")]
        name: String,
    },
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Command::CreateAdmin { email, name } = arguments.command;
    let user = Stack::service_spec(&RunningStack::read()?, service::USER).await?;
    let password = password()?;
    demo_users::create_admin(&user, &email, &name, &password).await?;
    outln!("created the admin {email}");
    outln!("log in: ./mart call POST /v1/sessions/log-in '{{\"email\":\"{email}\",\"password\":\"…\"}}'");
    Ok(ExitCode::SUCCESS)
}

/// Prompts for the password twice without echo; without a terminal, reads the first line of standard input.
fn password() -> Result<String> {
    if !stdin().is_terminal() {
        let mut line = String::new();
        stdin().read_line(&mut line).context("cannot read the password")?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let password = rpassword::prompt_password("Password, 10 to 200 characters: ")?;
    let repeated = rpassword::prompt_password("Repeat the password: ")?;
    ensure!(repeated == password, "the passwords differ; no admin was created");
    Ok(password)
}
