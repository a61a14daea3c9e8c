//! martgen generates and maintains the services of the mart from their contracts.
//!
//! It compiles the contracts in memory, builds one model of the mart from them, and renders a plan of all files from the model.
//! Checking, previewing and writing work on this plan. martgen knows no service by name, uses no network and never runs cargo.
//! Only `check --against` runs git and buf.

mod change_set;
mod cli;
mod commands;
mod contract;
mod digest;
mod failure;
mod finding;
mod format;
mod journal;
mod kind;
mod lock;
mod manifest;
mod naming;
mod plan;
mod purity;
mod render;
mod scaffold;
mod tree;
mod unchanged;
mod waivers;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;
use failure::Failure;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.json;
    match commands::run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let failure = error.downcast_ref::<Failure>();
            let code = failure.map_or(failure::EXIT_FAILURE, |failure| failure.code);
            let (message, help) = (format!("{error:#}"), failure.map(|failure| failure.help.as_str()));
            if json {
                anstream::println!("{}", serde_json::json!({ "error": message, "help": help, "exitCode": code }));
            } else {
                let (red, bold, off) =
                    (anstyle::AnsiColor::Red.on_default().bold(), anstyle::Style::new().bold(), anstyle::Reset);
                anstream::eprintln!("{red}error{off}{bold}: {message}{off}");
                if let Some(help) = help {
                    anstream::eprintln!("  help: {help}");
                }
            }
            ExitCode::from(code)
        }
    }
}
