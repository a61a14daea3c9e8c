//! Users, the links that prove a mailbox, and the sessions that they log in to.
//!
//! [`AccountDecider`] is where it is decided: the rows that a decision is about are opened, changed by one step and closed, which
//! gives all that has to be kept.

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

pub use address::{Address, AddressBook, MOST_ADDRESSES};
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

/// What is kept of a secret that somebody else has: enough to know it again, too little to use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Of a secret as it was given out. It has 256 random bits, so nothing slow is needed.
    pub fn of(secret: &str) -> Self {
        Self(Fingerprint::new("secret").part(secret.as_bytes()).finish())
    }
}
