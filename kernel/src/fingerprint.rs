//! A digest over several parts whose boundaries are part of the digest.

use sha2::{Digest, Sha256};

/// Computes the SHA-256 of a list of parts. Each is prefixed with its length, so `("ab", "c")` and `("a", "bc")` differ.
#[derive(Debug, Clone)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Starts with a scope. Equal parts have different fingerprints in different scopes.
    pub fn new(scope: &str) -> Self {
        Self(Sha256::new()).part(scope.as_bytes())
    }

    /// Adds one part.
    #[must_use]
    pub fn part(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds an optional part. Absent and empty parts differ.
    #[must_use]
    pub fn optional(self, bytes: Option<&[u8]>) -> Self {
        match bytes {
            Some(bytes) => self.part(&[1]).part(bytes),
            None => self.part(&[0]),
        }
    }

    /// Returns the digest.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_of_parts_and_scopes_change_the_digest() {
        let of = |scope: &str, parts: &[&[u8]]| {
            parts.iter().fold(Fingerprint::new(scope), |all, part| all.part(part)).finish()
        };
        assert_eq!(of("s", &[b"ab", b"c"]), of("s", &[b"ab", b"c"]));
        assert_ne!(of("s", &[b"ab", b"c"]), of("s", &[b"a", b"bc"]));
        assert_ne!(of("s", &[b"a"]), of("sa", &[]));
        let optional = |bytes| Fingerprint::new("s").optional(bytes).finish();
        assert_ne!(optional(None), optional(Some(b"")));
    }
}
