//! The events of users and links.

use std::fmt;

use mart_kernel::{Timestamp, Version};
use uuid::Uuid;

use super::{Email, User};

/// An event of a user or a link. It has the state after the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserEvent {
    /// A user can log in from now on.
    UserRegistered(UserRegistered),
    /// The mailbox was verified.
    EmailVerified(EmailVerified),
    /// The profile was changed.
    ProfileUpdated(ProfileUpdated),
    /// The password was changed.
    PasswordChanged(PasswordChanged),
    /// An admin disabled the user.
    UserDisabled(UserDisabled),
    /// An admin enabled the user.
    UserEnabled(UserEnabled),
    /// The current state is published again.
    UserRepublished(UserRepublished),
    /// A mailbox has to be verified.
    VerificationRequested(VerificationRequested),
    /// A password has to be reset.
    PasswordResetRequested(PasswordResetRequested),
}

/// Defines events that contain a user.
macro_rules! of_user {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct $name {
                /// The user after the event.
                pub user: User,
            }
        )*
    };
}

of_user! {
    /// A mailbox was verified, or an operator created the user.
    UserRegistered
    /// The mailbox was verified.
    EmailVerified
    /// Name, locale, time zone or phone number was changed.
    ProfileUpdated
    /// The user can no longer log in.
    UserDisabled
    /// The user can log in again.
    UserEnabled
    /// The current state is published again, so that read models can be rebuilt.
    UserRepublished
}

/// The password was changed, and all sessions ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordChanged {
    /// The user after the event.
    pub user: User,
    /// Whether a reset link was used.
    pub reset: bool,
}

/// A verification link has to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationRequested {
    /// The link.
    pub link: SentLink,
}

/// A reset link has to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordResetRequested {
    /// The link.
    pub link: SentLink,
}

/// A link to be sent: the only place that contains its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentLink {
    /// The link's id.
    pub id: Uuid,
    /// The recipient's address.
    pub email: Email,
    /// The user's name.
    pub name: String,
    /// The locale of the message.
    pub locale: String,
    /// The secret.
    pub token: Token,
    /// When the link expires.
    pub expires_at: Timestamp,
}

/// A secret that is sent to a user. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl UserEvent {
    /// Returns the id of the user or of the link, the key of the event.
    pub fn key(&self) -> Uuid {
        self.aggregate().0
    }

    /// Returns the aggregate's version after the event. A link has one event.
    pub fn version(&self) -> Version {
        self.aggregate().1
    }

    fn aggregate(&self) -> (Uuid, Version) {
        match self {
            Self::UserRegistered(UserRegistered { user })
            | Self::EmailVerified(EmailVerified { user })
            | Self::ProfileUpdated(ProfileUpdated { user })
            | Self::PasswordChanged(PasswordChanged { user, .. })
            | Self::UserDisabled(UserDisabled { user })
            | Self::UserEnabled(UserEnabled { user })
            | Self::UserRepublished(UserRepublished { user }) => (user.id.0, user.version),
            Self::VerificationRequested(VerificationRequested { link })
            | Self::PasswordResetRequested(PasswordResetRequested { link }) => (link.id, Version::NONE.next()),
        }
    }
}
