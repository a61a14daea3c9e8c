//! The secrets of this clone: random, generated once and readable by their owner only.

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
    /// Returns the secrets of a file. The file is created with the first secret.
    pub fn in_file(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Returns the secret of a name, which is generated if it is missing: 32 random hexadecimal digits.
    pub fn get(&self, name: &str) -> Result<String> {
        let _lock = lock(&self.0)?;
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        let mut all: BTreeMap<String, String> = serde_json::from_str(&text).unwrap_or_default();
        if let Some(secret) = all.get(name) {
            return Ok(secret.clone());
        }
        let secret = random_hex::<16>()?;
        all.insert(name.to_owned(), secret.clone());
        write_private(&self.0, serde_json::to_string_pretty(&all)?.as_bytes())?;
        Ok(secret)
    }
}

/// Locks a path against other processes and threads that call this function, until the result is dropped.
pub(crate) fn lock(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let file = File::create(path.with_extension("lock"))?;
    flock(&file, FlockOperation::LockExclusive)?;
    Ok(file)
}

/// Returns `N` random bytes.
pub fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok().context("the system provides no random bytes")?;
    Ok(bytes)
}

/// Returns `N` random bytes as hexadecimal digits.
pub fn random_hex<const N: usize>() -> Result<String> {
    Ok(base16ct::lower::encode_string(&random_bytes::<N>()?))
}

/// Writes a file atomically. Only its owner may read it.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    Ok(std::fs::rename(fresh, path)?)
}
