//! The mart on one machine without containers: real PostgreSQL, real Kafka and the services, for `./mart` and for tests.
//!
//! Servers are private parts below `.mart/` of the clone, fetched from package registries. Nothing here is for production.

#![allow(clippy::print_stderr, reason = "a tool of the command line")]

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
pub mod sandbox;
pub mod secrets;
pub mod service;
pub mod stack;
pub mod testing;
pub mod timeline;
pub mod toolchain;

use std::io::Write;
use std::path::{Path, PathBuf};

/// Prints a line. Who reads it may have gone away, as `head` does: then there is nobody left to tell anything.
#[macro_export]
macro_rules! outln {
    ($($words:tt)*) => {
        $crate::print_line(&format!($($words)*))
    };
}

/// See [`say!`].
#[doc(hidden)]
pub fn print_line(line: &str) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(141);
    }
}

/// The clone that this works on: the one whose `./mart` was called, or else the one that this was built in. Clones that
/// share a build folder share programs too.
pub fn root() -> PathBuf {
    if let Some(root) = std::env::var_os("MART_ROOT") {
        return root.into();
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// Where everything is kept that is not in the repository.
pub fn state() -> PathBuf {
    root().join(".mart")
}

/// A text within HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}
