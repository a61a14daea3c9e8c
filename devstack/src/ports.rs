//! The ports of a clone, from 7400 to 7499. They are stored in `.mart/ports.json`; one that is in use is replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use uuid::Uuid;

use crate::{outln, state};

const RANGE: RangeInclusive<u16> = 7400..=7499;
/// The ports of tests.
const TEST_RANGE: RangeInclusive<u16> = 10_000..=29_999;
/// The number of random ports that are tried for a test.
const TRIES: usize = 1_000;

/// The ports of this clone, by the name of what listens on them.
#[derive(Debug, Default)]
pub struct Ports(BTreeMap<String, u16>);

impl Ports {
    /// Reads the ports that were assigned before.
    pub fn stored() -> Self {
        let text = std::fs::read_to_string(state().join("ports.json")).unwrap_or_default();
        Self(serde_json::from_str(&text).unwrap_or_default())
    }

    /// Returns the port that is assigned to a name, if any.
    pub fn get(&self, name: &str) -> Option<u16> {
        self.0.get(name).copied()
    }

    /// Returns a free port for a name: the assigned one, or, if that is in use, the first free one, which it assigns and stores.
    pub fn free(&mut self, name: &str) -> Result<u16> {
        if let Some(port) = self.get(name)
            && is_free(port)
        {
            return Ok(port);
        }
        let unassigned = |port: &u16| !self.0.values().any(|other| other == port);
        let port = RANGE.clone().filter(unassigned).find(|port| is_free(*port));
        let port = port.context("all ports from 7400 to 7499 are in use: stop the mart of another clone")?;
        if let Some(before) = self.0.insert(name.to_owned(), port) {
            outln!("port {before} is in use: {name} moves to {port}");
        }
        std::fs::create_dir_all(state())?;
        std::fs::write(state().join("ports.json"), serde_json::to_string_pretty(&self.0)?)?;
        Ok(port)
    }
}

/// Returns a random free port for a test. This process returns a port only once. The range is below the system's ephemeral ports,
/// so that no outgoing connection can take the port before the server does.
pub fn any() -> Result<u16> {
    static USED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..TRIES {
        let [high, low, ..] = *Uuid::new_v4().as_bytes();
        let port = TEST_RANGE.start() + u16::from_be_bytes([high, low]) % (TEST_RANGE.end() - TEST_RANGE.start());
        if is_free(port) && used.insert(port) {
            return Ok(port);
        }
    }
    bail!("no port between {} and {} is free", TEST_RANGE.start(), TEST_RANGE.end())
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_port_is_returned_once() {
        let all: BTreeSet<u16> = (0..500).map(|_| any().expect("a port")).collect();
        assert!(all.len() == 500 && all.iter().all(|port| TEST_RANGE.contains(port)), "{all:?}");
    }
}
