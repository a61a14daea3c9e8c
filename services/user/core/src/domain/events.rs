//! What can have happened to users.

use std::fmt;

use mart_kernel::{Timestamp, Version};
use uuid::Uuid;

use super::{Email, User};

/// Something that happened; each event carries its aggregate as it is after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserEvent {
    /// Somebody can log in from now on.
    UserRegistered(UserRegistered),
    /// His mailbox was proved.
    EmailVerified(EmailVerified),
    /// What he says of himself changed.
    ProfileUpdated(ProfileUpdated),
    /// His password changed.
    PasswordChanged(PasswordChanged),
    /// An admin took the right to log in away.
    UserDisabled(UserDisabled),
    /// An admin gave it back.
    UserEnabled(UserEnabled),
    /// His state is told again.
    UserRepublished(UserRepublished),
    /// A mailbox is to be proved.
    VerificationRequested(VerificationRequested),
    /// A password is to be reset.
    PasswordResetRequested(PasswordResetRequested),
}

/// Facts that carry a user.
macro_rules! of_user {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct $name {
                /// The user after it.
                pub user: User,
            }
        )*
    };
}

of_user! {
    /// Somebody proved a mailbox, or was made by an operator, and can log in.
    UserRegistered
    /// A mailbox was proved.
    EmailVerified
    /// Name, locale, time zone or phone changed.
    ProfileUpdated
    /// Nobody can log in as this user any more.
    UserDisabled
    /// He can again.
    UserEnabled
    /// Nothing happened: the state is told again, so that read models can be rebuilt.
    UserRepublished
}

/// The password changed, and all sessions ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordChanged {
    /// The user after it.
    pub user: User,
    /// Whether a link was used.
    pub reset: bool,
}

/// A link is to be sent, to prove a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationRequested {
    /// The link.
    pub link: SentLink,
}

/// A link is to be sent, to set a new password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordResetRequested {
    /// The link.
    pub link: SentLink,
}

/// A link on its way to a mailbox: the only place that has its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentLink {
    /// The id.
    pub id: Uuid,
    /// The mailbox.
    pub email: Email,
    /// How the user wants to be called.
    pub name: String,
    /// The language of the message.
    pub locale: String,
    /// The secret.
    pub token: Token,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// A secret that is given out. Nothing shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl UserEvent {
    /// The id of its user or of its link: events of one id keep their order.
    pub fn key(&self) -> Uuid {
        self.aggregate().0
    }

    /// The version of its aggregate after it. A link is told of once.
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
