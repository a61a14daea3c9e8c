//! A user.

use mart_kernel::{Cursor, Timestamp, Version};
use uuid::Uuid;

use super::{Email, PasswordHash};

/// The id of a user, which is the subject of his tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub Uuid);

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Orders, and sees what is his own.
    Customer,
    /// Operates the mart.
    Admin,
}

/// What a user says of himself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// How he wants to be called.
    pub name: String,
    /// The language and region of messages; empty for English.
    pub locale: String,
    /// The zone that times are told in; empty for UTC.
    pub time_zone: String,
    /// The phone number in E.164; empty where none is known.
    pub phone: String,
}

/// Somebody who registered. While the mailbox is not proved there may be many of one address, and none of them is anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// Counts the events; none while the mailbox is not proved.
    pub version: Version,
    /// The address.
    pub email: Email,
    /// What he may do.
    pub role: Role,
    /// What is kept of the password.
    pub password: PasswordHash,
    /// What he says of himself.
    pub profile: Profile,
    /// Whether the mailbox is proved.
    pub verified: bool,
    /// Whether an admin took the right to log in away.
    pub disabled: bool,
    /// When he registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl User {
    /// Whether he may have a session.
    pub fn may_log_in(&self) -> bool {
        self.verified && !self.disabled
    }

    /// Its place in a list.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.0 }
    }
}
