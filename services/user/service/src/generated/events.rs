// Rendered by `cargo martgen generate` from proto/mart/user/v1; changes are made there.

//! The events of the user service: those it publishes and those of others that it reacts to.

use std::sync::Arc;

use mart_chassis::Record;
use mart_chassis::consumer::{self, Subscription, DispatchError, Outcome};
use mart_chassis::run::Topic;
use mart_kernel::EventEnvelope;
use mart_proto::user::v1;
use user_core::domain::{Fact, fact};

/// The topics that this service owns.
pub const TOPICS: &[Topic] = &[
    Topic { name: "mart.user.v1", retention_minutes: 43200 },
    Topic { name: "mart.user_link.v1", retention_minutes: 60 },
];

/// Makes the contract's message of each fact of the core.
pub trait Messages {
    /// Somebody proved a mailbox and can log in from now on. An unproved registration tells nothing.
    fn user_registered(fact: &fact::UserRegistered) -> v1::UserRegistered;

    /// A user's mailbox was proved.
    fn email_verified(fact: &fact::EmailVerified) -> v1::EmailVerified;

    /// Name, locale, time zone or phone changed.
    fn profile_updated(fact: &fact::ProfileUpdated) -> v1::ProfileUpdated;

    /// The password was changed by its owner, or by a link that was sent to the mailbox. All sessions have ended.
    fn password_changed(fact: &fact::PasswordChanged) -> v1::PasswordChanged;

    /// An admin took the right to log in away. All sessions have ended.
    fn user_disabled(fact: &fact::UserDisabled) -> v1::UserDisabled;

    /// An admin gave it back.
    fn user_enabled(fact: &fact::UserEnabled) -> v1::UserEnabled;

    /// Nothing happened: the owner tells the current state again, under the current version, so that a read model can be
    /// rebuilt. Take it where its version is not older than the one you have.
    fn user_republished(fact: &fact::UserRepublished) -> v1::UserRepublished;

    /// A mailbox is to be proved: send the link. On a topic of its own that keeps it for an hour only.
    fn verification_requested(fact: &fact::VerificationRequested) -> v1::VerificationRequested;

    /// A password is to be reset: send the link. On a topic of its own that keeps it for an hour only.
    fn password_reset_requested(fact: &fact::PasswordResetRequested) -> v1::PasswordResetRequested;
}

/// Makes the record of an event: its topic, its encoded message, and as its key the id of what it happened to.
pub fn record<M: Messages>(event: &EventEnvelope<Fact>) -> Record {
    let key = event.payload.key().to_string();
    match &event.payload {
        Fact::UserRegistered(fact) => Record::of(event, "mart.user.v1", key, &M::user_registered(fact)),
        Fact::EmailVerified(fact) => Record::of(event, "mart.user.v1", key, &M::email_verified(fact)),
        Fact::ProfileUpdated(fact) => Record::of(event, "mart.user.v1", key, &M::profile_updated(fact)),
        Fact::PasswordChanged(fact) => Record::of(event, "mart.user.v1", key, &M::password_changed(fact)),
        Fact::UserDisabled(fact) => Record::of(event, "mart.user.v1", key, &M::user_disabled(fact)),
        Fact::UserEnabled(fact) => Record::of(event, "mart.user.v1", key, &M::user_enabled(fact)),
        Fact::UserRepublished(fact) => Record::of(event, "mart.user.v1", key, &M::user_republished(fact)),
        Fact::VerificationRequested(fact) => {
            Record::of(event, "mart.user_link.v1", key, &M::verification_requested(fact))
        }
        Fact::PasswordResetRequested(fact) => {
            Record::of(event, "mart.user_link.v1", key, &M::password_reset_requested(fact))
        }
    }
}

/// The events of others that this service reacts to.
pub const CONSUMED: &[Subscription] = &[];

/// The handlers to events of others.
pub trait EventHandlers: Send + Sync + 'static {}

/// Tells a record to the handler of this name.
#[expect(clippy::unused_async, reason = "this service consumes nothing")]
async fn dispatch<R: EventHandlers>(_reactions: &R, _handler: &str, _record: &Record) -> Result<Outcome, DispatchError> {
    Err(DispatchError::NoHandler)
}

/// These handlers, for the consumer.
pub fn handlers<R: EventHandlers>(handlers: R) -> consumer::EventHandlers {
    let handlers = Arc::new(handlers);
    consumer::EventHandlers::new(CONSUMED, move |handler, record| {
        let handlers = handlers.clone();
        async move { dispatch(&*handlers, &handler, &record).await }
    })
}
