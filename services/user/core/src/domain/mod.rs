//! Users, their links, sessions, throttles and addresses.
//!
//! [`AccountDecider`] decides their changes: it begins with the locked rows, applies one step and returns what has to be stored and
//! published.

mod address;
mod decider;
mod email;
pub mod events;
mod link;
mod password;
mod policy;
mod session;
pub mod throttle;
mod user;

pub use address::{Address, AddressBook, MAX_ADDRESSES};
pub use decider::{AccountDecider, Change, Rows};
pub use email::Email;
pub use events::UserEvent;
pub use link::{Link, Purpose};
pub use password::{PasswordHash, is_weak};
pub use policy::{Policy, ThrottlePolicy};
pub use session::{RefreshToken, RefreshTokenUse, Session, SessionId};
pub use throttle::Throttle;
pub use user::{Profile, Role, User, UserId};

use mart_kernel::Fingerprint;

/// The digest of a secret: enough to recognize it, not enough to use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Returns the digest of a secret with 256 random bits, which needs no slow hash.
    pub fn of(secret: &str) -> Self {
        Self(Fingerprint::new("secret").part(secret.as_bytes()).finish())
    }
}
