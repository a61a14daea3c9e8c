//! Email addresses.

use std::fmt;

/// An email address in canonical form: trimmed and in lower case. Addresses that differ in case only are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

impl Email {
    /// Returns the canonical form of an address that the contract has validated.
    pub fn of(text: &str) -> Self {
        Self(text.trim().to_lowercase())
    }

    /// Returns the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the part before the `@`.
    pub fn mailbox(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form() {
        assert_eq!(Email::of(" Ayesha@Example.COM "), Email::of("ayesha@example.com"));
        assert_ne!(Email::of("ayesha@example.com"), Email::of("ayesha+mart@example.com"));
        assert_eq!(Email::of("Ayesha@Example.com").mailbox(), "ayesha");
    }
}
