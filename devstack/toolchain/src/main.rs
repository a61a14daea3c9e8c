//! Fetches what `./mart up` needs, each tool in a thread of its own. `./mart` starts it beside cargo's first build.

#![allow(clippy::print_stderr, reason = "a tool of the command line")]

use std::process::ExitCode;
use std::thread;

use toolchain::SERVERS;

fn main() -> ExitCode {
    let fetches: Vec<_> = SERVERS.into_iter().map(|tool| thread::spawn(move || tool.get())).collect();
    let mut good = true;
    for fetch in fetches {
        match fetch.join() {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                eprintln!("{error:#}");
                good = false;
            }
            Err(_) => good = false,
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
