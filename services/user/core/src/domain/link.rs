//! Links that are sent to a mailbox.

use mart_kernel::Timestamp;

use super::{Digest, UserId};

/// The purpose of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Verifies the mailbox of a registration.
    Verify,
    /// Sets a new password.
    Reset,
}

/// A link that is valid once. Only the owner of the mailbox knows its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The digest of its secret.
    pub digest: Digest,
    /// The purpose.
    pub purpose: Purpose,
    /// The user.
    pub user: UserId,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl Link {
    /// Returns whether the link is valid now for this purpose.
    pub fn is_valid(&self, purpose: Purpose, now: Timestamp) -> bool {
        self.purpose == purpose && now < self.expires_at
    }
}
