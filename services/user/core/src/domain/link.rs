//! Links that are sent to a mailbox.

use mart_kernel::Timestamp;

use super::{Digest, UserId};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To prove the mailbox of a registration.
    Verify,
    /// To set a new password.
    Reset,
}

/// A link that is good once. Its secret is known to whoever reads the mailbox, and to nobody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The digest of its secret.
    pub digest: Digest,
    /// What it is for.
    pub purpose: Purpose,
    /// Whose it is.
    pub user: UserId,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

impl Link {
    /// Whether it is good for this, now.
    pub fn is_good(&self, purpose: Purpose, now: Timestamp) -> bool {
        self.purpose == purpose && now < self.expires_at
    }
}
