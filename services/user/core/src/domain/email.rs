//! Mail addresses.

use std::fmt;

/// A mail address in its one canonical form: without surrounding space, in lower case. Two spellings of one mailbox that
/// differ in case only are one address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

impl Email {
    /// Takes an address that the contract's rules let in.
    pub fn of(text: &str) -> Self {
        Self(text.trim().to_lowercase())
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
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
