// Rendered by `cargo martgen generate` from proto/mart/user/v1; changes are made there.

//! The events of the user service: those that it publishes and those that it subscribes to.

use std::sync::Arc;

use mart_chassis::Record;
use mart_chassis::consumer::{self, DispatchError, Outcome, Subscription};
use mart_chassis::record::Topic;
use mart_kernel::EventEnvelope;
use mart_proto::user::v1;
use user_core::domain::{UserEvent, events};

/// The topics that this service owns.
pub const TOPICS: &[Topic] = &[
    Topic { name: "mart.user.v1", retention_minutes: 43200 },
    Topic { name: "mart.user_link.v1", retention_minutes: 60 },
];

/// Converts each event of the core to the contract's message.
pub trait Messages {
    /// A user verified their email address and can log in from now on. An unverified registration publishes no event.
    fn user_registered(event: &events::UserRegistered) -> v1::UserRegistered;

    /// A user verified their email address.
    fn email_verified(event: &events::EmailVerified) -> v1::EmailVerified;

    /// The name, locale, time zone or phone changed.
    fn profile_updated(event: &events::ProfileUpdated) -> v1::ProfileUpdated;

    /// The user changed the password, directly or by a mailed link. All sessions have ended.
    fn password_changed(event: &events::PasswordChanged) -> v1::PasswordChanged;

    /// An admin disabled the account. All sessions have ended.
    fn user_disabled(event: &events::UserDisabled) -> v1::UserDisabled;

    /// An admin enabled the account again.
    fn user_enabled(event: &events::UserEnabled) -> v1::UserEnabled;

    /// Repeats the current state under its current version, so that consumers can rebuild a read model; nothing has
    /// changed. Apply it unless you hold a newer version.
    fn user_republished(event: &events::UserRepublished) -> v1::UserRepublished;

    /// An email address is to be verified: send the link. Published on a topic of its own with a retention of one hour,
    /// because it holds a secret.
    fn verification_requested(event: &events::VerificationRequested) -> v1::VerificationRequested;

    /// A password reset was requested: send the link. Published on a topic of its own with a retention of one hour,
    /// because it holds a secret.
    fn password_reset_requested(event: &events::PasswordResetRequested) -> v1::PasswordResetRequested;
}

/// Returns the record of an event: its topic, its encoded message and, as its key, the id of its aggregate.
pub fn record<M: Messages>(event: &EventEnvelope<UserEvent>) -> Record {
    let key = event.payload.key().to_string();
    match &event.payload {
        UserEvent::UserRegistered(payload) => Record::of(event, "mart.user.v1", key, &M::user_registered(payload)),
        UserEvent::EmailVerified(payload) => Record::of(event, "mart.user.v1", key, &M::email_verified(payload)),
        UserEvent::ProfileUpdated(payload) => Record::of(event, "mart.user.v1", key, &M::profile_updated(payload)),
        UserEvent::PasswordChanged(payload) => Record::of(event, "mart.user.v1", key, &M::password_changed(payload)),
        UserEvent::UserDisabled(payload) => Record::of(event, "mart.user.v1", key, &M::user_disabled(payload)),
        UserEvent::UserEnabled(payload) => Record::of(event, "mart.user.v1", key, &M::user_enabled(payload)),
        UserEvent::UserRepublished(payload) => Record::of(event, "mart.user.v1", key, &M::user_republished(payload)),
        UserEvent::VerificationRequested(payload) => {
            Record::of(event, "mart.user_link.v1", key, &M::verification_requested(payload))
        }
        UserEvent::PasswordResetRequested(payload) => {
            Record::of(event, "mart.user_link.v1", key, &M::password_reset_requested(payload))
        }
    }
}

/// The subscriptions to events of other services.
pub const SUBSCRIPTIONS: &[Subscription] = &[];

/// The handlers of events of other services.
pub trait EventHandlers: Send + Sync + 'static {}

/// Calls the handler with this name.
#[expect(clippy::unused_async, reason = "this service consumes nothing")]
async fn dispatch<R: EventHandlers>(_handlers: &R, _handler: &str, _record: &Record) -> Result<Outcome, DispatchError> {
    Err(DispatchError::NoHandler)
}

/// Returns the handlers for the consumer.
pub fn handlers<R: EventHandlers>(handlers: R) -> consumer::EventHandlers {
    let handlers = Arc::new(handlers);
    consumer::EventHandlers::new(SUBSCRIPTIONS, move |handler, record| {
        let handlers = handlers.clone();
        async move { dispatch(&*handlers, &handler, &record).await }
    })
}
