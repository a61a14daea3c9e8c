//! Digests of files, to detect changes.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Returns the digest of some bytes: the first half of their SHA-256, in hexadecimal digits.
pub(crate) fn bytes(bytes: &[u8]) -> String {
    half(&Sha256::digest(bytes))
}

/// Returns the digest of the names and contents of all files below a folder.
pub(crate) fn folder(folder: &Path) -> std::io::Result<String> {
    let mut paths = Vec::new();
    collect(folder, &mut paths)?;
    paths.sort();
    let mut all = Sha256::new();
    for path in paths {
        let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
        all.update(format!("{name} {}\n", bytes(&std::fs::read(&path)?)));
    }
    Ok(half(&all.finalize()))
}

fn half(digest: &[u8]) -> String {
    base16ct::lower::encode_string(&digest[..16])
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}
