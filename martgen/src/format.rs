//! Formats rendered Rust code with the toolchain's rustfmt.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::failure::Failure;

/// Formats Rust code with the tree's settings.
pub(crate) fn rust(root: &Path, texts: &[&str]) -> Result<Vec<String>> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let folder = Folder::new()?;
    let mut paths = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let path = folder.0.join(index.to_string());
        std::fs::create_dir(&path)?;
        std::fs::write(path.join("mod.rs"), text)?;
        // rustfmt follows `mod` declarations, so their files must exist. They are empty.
        for module in modules(text) {
            std::fs::write(path.join(format!("{module}.rs")), "")?;
        }
        paths.push(path.join("mod.rs"));
    }
    // One rustfmt per processor core: otherwise a new service takes a tenth of a second.
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let part = paths.len().div_ceil(cores).max(8);
    let start = |part: &[PathBuf]| {
        let mut command = Command::new("rustfmt");
        command.args(["--edition", "2024", "--config-path"]).arg(root).args(part);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    };
    let started: Vec<_> = paths.chunks(part).map(start).collect();
    for child in started {
        let output = child.and_then(std::process::Child::wait_with_output).map_err(|error| {
            let help = "install it: rustup component add rustfmt";
            Failure::refused(format!("rustfmt could not be run ({error})"), help)
        })?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Failure::refused(
                format!("rustfmt rejected the rendered code:\n{stderr}"),
                "this is a bug in a template: please report it",
            ));
        }
    }
    paths.iter().map(|path| std::fs::read_to_string(path).context("a formatted file can't be read")).collect()
}

/// Returns the names of the modules that a text declares without a body.
fn modules(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let rest = line.trim().strip_suffix(';')?;
        let rest =
            ["pub ", "pub(crate) ", "pub(super) "].iter().find_map(|word| rest.strip_prefix(word)).unwrap_or(rest);
        let name = rest.strip_prefix("mod ")?.trim();
        Some(name.strip_prefix("r#").unwrap_or(name))
    })
}

/// A temporary folder that is removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let mut random = [0; 8];
        rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())?;
        let path = std::env::temp_dir().join(format!("martgen-{:016x}", u64::from_ne_bytes(random)));
        std::fs::create_dir(&path).with_context(|| format!("{} can't be created", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // An error is ignored: a leftover in the system's temporary folder does no harm.
        std::fs::remove_dir_all(&self.0).ok();
    }
}
