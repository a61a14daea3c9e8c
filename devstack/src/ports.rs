//! Ports 7400 to 7499 of this machine, remembered in `.mart/ports.json` and moved when somebody else has one.

use crate::outln;
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use uuid::Uuid;

use crate::state;

const RANGE: RangeInclusive<u16> = 7400..=7499;
/// Where tests find theirs.
const OF_TESTS: RangeInclusive<u16> = 10_000..=29_999;
/// How many of them are tried.
const TRIES: usize = 1_000;

/// The ports that this clone uses, by what uses them.
#[derive(Debug, Default)]
pub struct Ports(BTreeMap<String, u16>);

impl Ports {
    /// Those that were given before.
    pub fn remembered() -> Self {
        let text = std::fs::read_to_string(state().join("ports.json")).unwrap_or_default();
        Self(serde_json::from_str(&text).unwrap_or_default())
    }

    /// The port of something, if it has one.
    pub fn of(&self, name: &str) -> Option<u16> {
        self.0.get(name).copied()
    }

    /// A free port for something that is about to start: the one it had, or else the first that nobody has.
    pub fn free(&mut self, name: &str) -> Result<u16> {
        if let Some(port) = self.of(name)
            && is_free(port)
        {
            return Ok(port);
        }
        let given = |port: &u16| !self.0.values().any(|other| other == port);
        let port = RANGE.clone().filter(given).find(|port| is_free(*port));
        let port = port.context("all ports from 7400 to 7499 are taken: stop another clone's ./mart up")?;
        if let Some(before) = self.0.insert(name.to_owned(), port) {
            outln!("port {before} is taken: {name} moves to {port}");
        }
        std::fs::create_dir_all(state())?;
        std::fs::write(state().join("ports.json"), serde_json::to_string_pretty(&self.0)?)?;
        Ok(port)
    }
}

/// Any free port, for a test: one that this process has given to nobody else, and below those that the system gives to
/// connections, which could take it before its server does.
pub fn any() -> Result<u16> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..TRIES {
        let [high, low, ..] = *Uuid::new_v4().as_bytes();
        let port = OF_TESTS.start() + u16::from_be_bytes([high, low]) % (OF_TESTS.end() - OF_TESTS.start());
        if is_free(port) && given.insert(port) {
            return Ok(port);
        }
    }
    bail!("no port between {} and {} is free", OF_TESTS.start(), OF_TESTS.end())
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_of_a_test_is_given_once() {
        let all: BTreeSet<u16> = (0..500).map(|_| any().expect("a port")).collect();
        assert!(all.len() == 500 && all.iter().all(|port| OF_TESTS.contains(port)), "{all:?}");
    }
}
