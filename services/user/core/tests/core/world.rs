//! The use cases with the in-memory store and a clock that a test moves.

use std::sync::Arc;

use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use mart_kernel::{EventEnvelope, PageTokenSigner, Timestamp};
use user_core::UseCases;
use user_core::application::{LogInError, LoggedIn, VerifyError};
use user_core::domain::events::Token;
use user_core::domain::{Email, Policy, Profile, User, UserEvent};
use user_core::memory::{CountingSecrets, MemoryStore, PlainHasher};

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const OTHER: &str = "purple monkey dishwasher";

pub(crate) struct World {
    pub(crate) users: UseCases<MemoryStore, PlainHasher>,
    pub(crate) store: MemoryStore,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) fn email() -> Email {
    Email::of("ayesha@example.com")
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Policy::default())
    }

    pub(crate) fn with(policy: Policy) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_micros(1_790_000_000_000_000).expect("in range")));
        let (store, secrets) = (MemoryStore::default(), Arc::new(CountingSecrets::default()));
        let (ids, page_tokens) = (Arc::new(SequentialIds::default()), PageTokenSigner::new(b"a test's secret"));
        let users = UseCases::new(store.clone(), PlainHasher, secrets, clock.clone(), ids, page_tokens, policy);
        Self { users, store, clock }
    }

    /// Creates a user whose mailbox is verified.
    pub(crate) async fn registered() -> Self {
        let world = Self::new();
        world.register(PASSWORD).await;
        assert_eq!(world.verify(&world.link(), PASSWORD).await, Ok(()));
        world
    }

    pub(crate) async fn register(&self, password: &str) {
        let profile = Profile { name: "Ayesha".to_owned(), ..Profile::default() };
        self.users.register(email(), password.to_owned(), profile).await.expect("stored");
    }

    pub(crate) async fn verify(&self, link: &Token, password: &str) -> Result<(), VerifyError> {
        self.users.verify_email(link, password.to_owned(), None).await
    }

    /// Returns the secret of the last link that was sent.
    pub(crate) fn link(&self) -> Token {
        let link = |event: &EventEnvelope<UserEvent>| match &event.payload {
            UserEvent::VerificationRequested(sent) => Some(sent.link.token.clone()),
            UserEvent::PasswordResetRequested(sent) => Some(sent.link.token.clone()),
            _ => None,
        };
        self.store.events().iter().rev().find_map(link).expect("a link was sent")
    }

    pub(crate) async fn log_in(&self, password: &str) -> Result<LoggedIn, LogInError> {
        self.users.log_in(email(), password.to_owned(), None).await
    }

    pub(crate) async fn user(&self) -> User {
        self.log_in(PASSWORD).await.expect("logged in").user
    }

    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        let kind = |event: &EventEnvelope<UserEvent>| match event.payload {
            UserEvent::UserRegistered(_) => "UserRegistered",
            UserEvent::EmailVerified(_) => "EmailVerified",
            UserEvent::ProfileUpdated(_) => "ProfileUpdated",
            UserEvent::PasswordChanged(_) => "PasswordChanged",
            UserEvent::UserDisabled(_) => "UserDisabled",
            UserEvent::UserEnabled(_) => "UserEnabled",
            UserEvent::UserRepublished(_) => "UserRepublished",
            UserEvent::VerificationRequested(_) => "VerificationRequested",
            UserEvent::PasswordResetRequested(_) => "PasswordResetRequested",
        };
        self.store.events().iter().map(kind).collect()
    }
}
