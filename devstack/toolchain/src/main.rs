//! Fetches the servers of `./mart up`, each in its own thread. `./mart` runs it concurrently with cargo's first build.

#![allow(clippy::print_stderr, reason = "a command-line tool")]

use std::process::ExitCode;
use std::thread;

use toolchain::SERVERS;

fn main() -> ExitCode {
    let fetches: Vec<_> = SERVERS.into_iter().map(|tool| thread::spawn(move || tool.get())).collect();
    let mut success = true;
    for fetch in fetches {
        match fetch.join() {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                eprintln!("{error:#}");
                success = false;
            }
            Err(_) => success = false,
        }
    }
    if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
