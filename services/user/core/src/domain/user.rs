//! A user.

use mart_kernel::{Cursor, Timestamp, Version};
use uuid::Uuid;

use super::{Email, PasswordHash};

/// The id of a user, the subject of their tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub Uuid);

/// The role of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Orders products and reads their own data.
    Customer,
    /// Operates the mart.
    Admin,
}

/// The data that a user can edit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// The name that messages address.
    pub name: String,
    /// The language and region of messages; empty for English.
    pub locale: String,
    /// The IANA time zone of the times in messages; empty for UTC.
    pub time_zone: String,
    /// The phone number in E.164; empty if there is none.
    pub phone: String,
}

/// A registered user. Until the mailbox is verified, several may have the same address, and none of them can log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The number of events; zero until the mailbox is verified.
    pub version: Version,
    /// The email address.
    pub email: Email,
    /// The role.
    pub role: Role,
    /// The hash of the password.
    pub password: PasswordHash,
    /// The profile.
    pub profile: Profile,
    /// Whether the mailbox is verified.
    pub verified: bool,
    /// Whether an admin has disabled the user.
    pub disabled: bool,
    /// When the user was created.
    pub created_at: Timestamp,
    /// When the user was last changed.
    pub updated_at: Timestamp,
}

impl User {
    /// Returns whether the user may open a session.
    pub fn may_log_in(&self) -> bool {
        self.verified && !self.disabled
    }

    /// Returns the position in a list.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.0 }
    }
}
