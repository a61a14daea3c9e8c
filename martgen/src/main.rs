//! martgen: from contracts to services.
//!
//! Contracts are compiled in memory, one model of the whole mart is built of them, and from it a plan of all files is
//! rendered; checking, showing and writing all work on that plan. There is deliberately no service known by name here, no
//! network and no call of cargo or git.

mod change_set;
mod cli;
mod commands;
mod contract;
mod digest;
mod failure;
mod finding;
mod format;
mod journal;
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
            let (what, help) = (format!("{error:#}"), failure.map(|failure| failure.help.as_str()));
            if json {
                anstream::println!("{}", serde_json::json!({ "error": what, "help": help, "exitCode": code }));
            } else {
                let (red, bold, off) =
                    (anstyle::AnsiColor::Red.on_default().bold(), anstyle::Style::new().bold(), anstyle::Reset);
                anstream::eprintln!("{red}error{off}{bold}: {what}{off}");
                if let Some(help) = help {
                    anstream::eprintln!("  help: {help}");
                }
            }
            ExitCode::from(code)
        }
    }
}
