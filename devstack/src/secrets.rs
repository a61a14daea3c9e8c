//! Secrets of this clone's stack: random, made once, readable by their owner only.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};

/// A file of secrets by name.
#[derive(Debug, Clone)]
pub struct Secrets(PathBuf);

impl Secrets {
    /// The secrets in a file, which is made with the first of them.
    pub fn in_file(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The secret of a name: 32 hexadecimal digits from the machine's own randomness.
    pub fn get(&self, name: &str) -> Result<String> {
        let _alone = alone(&self.0)?;
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        let mut all: BTreeMap<String, String> = serde_json::from_str(&text).unwrap_or_default();
        if let Some(secret) = all.get(name) {
            return Ok(secret.clone());
        }
        let secret = word::<16>()?;
        all.insert(name.to_owned(), secret.clone());
        write_private(&self.0, serde_json::to_string_pretty(&all)?.as_bytes())?;
        Ok(secret)
    }
}

/// Keeps other processes and threads away from a path until the answer is dropped.
pub(crate) fn alone(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let lock = File::create(path.with_extension("lock"))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    Ok(lock)
}

/// So many random bytes.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok().context("the machine gives no randomness")?;
    Ok(bytes)
}

/// The hexadecimal digits of so many random bytes.
pub fn word<const N: usize>() -> Result<String> {
    Ok(base16ct::lower::encode_string(&random::<N>()?))
}

/// Writes a file that only its owner may read; whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    Ok(std::fs::rename(fresh, path)?)
}
