//! `./mart user`.

use std::io::{IsTerminal, stdin};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use devstack::demo_users;
use devstack::outln;
use devstack::stack::{Running, Stack};

/// What an operator does to users.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make a user who is an admin. The password is asked for, or read from the standard input where that is no terminal.
    CreateAdmin {
        /// The mail address, whose owner you vouch for.
        email: String,
        /// How the admin wants to be called.
        #[arg(long, default_value = "Admin")]
        name: String,
    },
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Command::CreateAdmin { email, name } = arguments.command;
    let user = Stack::setting_of(&Running::read()?, demo_users::USER).await?;
    let password = password()?;
    demo_users::create_admin(&user, &email, &name, &password).await?;
    outln!("{email} is an admin and can log in: ./mart call POST /v1/sessions/log-in '{{\"email\":…,\"password\":…}}'");
    Ok(ExitCode::SUCCESS)
}

/// Asks twice at a terminal, where nobody sees it; otherwise the first line of what comes.
fn password() -> Result<String> {
    if !stdin().is_terminal() {
        let mut line = String::new();
        stdin().read_line(&mut line).context("the password could not be read")?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let password = rpassword::prompt_password("password, 10 to 200 characters: ")?;
    ensure!(rpassword::prompt_password("the same again: ")? == password, "the two are not the same; nothing was done");
    Ok(password)
}
