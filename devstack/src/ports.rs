//! Ports 7400 to 7499 of this machine, remembered in `.mart/ports.json` and moved when somebody else has one.

use crate::say;
use std::collections::BTreeMap;
use std::net::TcpListener;

use anyhow::{Context, Result};

use crate::state;

const RANGE: std::ops::RangeInclusive<u16> = 7400..=7499;

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
            say!("port {before} is taken: {name} moves to {port}");
        }
        std::fs::create_dir_all(state())?;
        std::fs::write(state().join("ports.json"), serde_json::to_string_pretty(&self.0)?)?;
        Ok(port)
    }
}

/// Any free port, for a test.
pub fn any() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
