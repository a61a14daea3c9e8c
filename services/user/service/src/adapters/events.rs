//! Maps the core's events to the contract's messages. This service subscribes to no events.

use mart_proto::user::v1;
use user_core::domain::events;

use super::proto::{link, user};
use crate::generated::events::{EventHandlers, Messages};

/// Builds the contract's messages.
#[derive(Debug, Clone, Copy)]
pub struct UserMessages;

impl Messages for UserMessages {
    fn user_registered(event: &events::UserRegistered) -> v1::UserRegistered {
        v1::UserRegistered { user: Some(user(&event.user)) }
    }

    fn email_verified(event: &events::EmailVerified) -> v1::EmailVerified {
        v1::EmailVerified { user: Some(user(&event.user)) }
    }

    fn profile_updated(event: &events::ProfileUpdated) -> v1::ProfileUpdated {
        v1::ProfileUpdated { user: Some(user(&event.user)) }
    }

    fn password_changed(event: &events::PasswordChanged) -> v1::PasswordChanged {
        v1::PasswordChanged { user: Some(user(&event.user)), reset: event.reset }
    }

    fn user_disabled(event: &events::UserDisabled) -> v1::UserDisabled {
        v1::UserDisabled { user: Some(user(&event.user)) }
    }

    fn user_enabled(event: &events::UserEnabled) -> v1::UserEnabled {
        v1::UserEnabled { user: Some(user(&event.user)) }
    }

    fn user_republished(event: &events::UserRepublished) -> v1::UserRepublished {
        v1::UserRepublished { user: Some(user(&event.user)) }
    }

    fn verification_requested(event: &events::VerificationRequested) -> v1::VerificationRequested {
        v1::VerificationRequested { link: Some(link(&event.link)) }
    }

    fn password_reset_requested(event: &events::PasswordResetRequested) -> v1::PasswordResetRequested {
        v1::PasswordResetRequested { link: Some(link(&event.link)) }
    }
}

/// Handles no events.
#[derive(Debug, Clone, Copy)]
pub struct UserEventHandlers;

impl EventHandlers for UserEventHandlers {}
