//! The core's facts as the contract's messages, and what events of others do here.

use mart_proto::user::v1;
use user_core::domain::fact;

use super::messages::{link, user};
use crate::generated::events::{Messages, EventHandlers};

/// Makes the contract's messages.
#[derive(Debug, Clone, Copy)]
pub struct UserMessages;

impl Messages for UserMessages {
    fn user_registered(fact: &fact::UserRegistered) -> v1::UserRegistered {
        v1::UserRegistered { user: Some(user(&fact.user)) }
    }

    fn email_verified(fact: &fact::EmailVerified) -> v1::EmailVerified {
        v1::EmailVerified { user: Some(user(&fact.user)) }
    }

    fn profile_updated(fact: &fact::ProfileUpdated) -> v1::ProfileUpdated {
        v1::ProfileUpdated { user: Some(user(&fact.user)) }
    }

    fn password_changed(fact: &fact::PasswordChanged) -> v1::PasswordChanged {
        v1::PasswordChanged { user: Some(user(&fact.user)), reset: fact.reset }
    }

    fn user_disabled(fact: &fact::UserDisabled) -> v1::UserDisabled {
        v1::UserDisabled { user: Some(user(&fact.user)) }
    }

    fn user_enabled(fact: &fact::UserEnabled) -> v1::UserEnabled {
        v1::UserEnabled { user: Some(user(&fact.user)) }
    }

    fn user_republished(fact: &fact::UserRepublished) -> v1::UserRepublished {
        v1::UserRepublished { user: Some(user(&fact.user)) }
    }

    fn verification_requested(fact: &fact::VerificationRequested) -> v1::VerificationRequested {
        v1::VerificationRequested { link: Some(link(&fact.link)) }
    }

    fn password_reset_requested(fact: &fact::PasswordResetRequested) -> v1::PasswordResetRequested {
        v1::PasswordResetRequested { link: Some(link(&fact.link)) }
    }
}

/// Reacts to nothing.
#[derive(Debug, Clone, Copy)]
pub struct UserEventHandlers;

impl EventHandlers for UserEventHandlers {}
