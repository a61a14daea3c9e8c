//! Accounts, sessions and throttling with the in-memory store.

use std::sync::Arc;

use futures::future::join_all;
use mart_kernel::PageTokenSigner;
use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use mart_kernel::{Clock, Timestamp};
use time::Duration;
use user_core::UseCases;
use user_core::application::{
    AddressError, ChangeError, DisableError, LogInError, LoggedIn, RefreshError, RegisterError, ResetError,
    TemporaryError, UserError, VerifyError,
};
use user_core::domain::events::Token;
use user_core::domain::{Address, Email, PasswordHash, Policy, Profile, ThrottlePolicy, User, UserEvent, UserId};
use user_core::memory::{CountingSecrets, MemoryStore, PlainHasher};
use user_core::ports::{Hasher, Overloaded};

user_core::conformance!(async { MemoryStore::default() });

const PASSWORD: &str = "correct horse battery";
const OTHER: &str = "purple monkey dishwasher";

struct World {
    users: UseCases<MemoryStore, PlainHasher>,
    store: MemoryStore,
    clock: Arc<ManualClock>,
}

fn email() -> Email {
    Email::of("ayesha@example.com")
}

impl World {
    fn new() -> Self {
        Self::with(Policy::default())
    }

    fn with(policy: Policy) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_micros(1_790_000_000_000_000).expect("in range")));
        let (store, secrets) = (MemoryStore::default(), Arc::new(CountingSecrets::default()));
        let (ids, page_tokens) = (Arc::new(SequentialIds::default()), PageTokenSigner::new(b"a test's secret"));
        let users = UseCases::new(store.clone(), PlainHasher, secrets, clock.clone(), ids, page_tokens, policy);
        Self { users, store, clock }
    }

    /// Creates a user whose mailbox is verified.
    async fn registered() -> Self {
        let world = Self::new();
        world.register(PASSWORD).await;
        assert_eq!(world.verify(&world.link(), PASSWORD).await, Ok(()));
        world
    }

    async fn register(&self, password: &str) {
        let profile = Profile { name: "Ayesha".to_owned(), ..Profile::default() };
        self.users.register(email(), password.to_owned(), profile).await.expect("stored");
    }

    async fn verify(&self, link: &Token, password: &str) -> Result<(), VerifyError> {
        self.users.verify_email(link, password.to_owned(), None).await
    }

    /// Returns the secret of the last link that was sent.
    fn link(&self) -> Token {
        let link = |event: &mart_kernel::EventEnvelope<UserEvent>| match &event.payload {
            UserEvent::VerificationRequested(sent) => Some(sent.link.token.clone()),
            UserEvent::PasswordResetRequested(sent) => Some(sent.link.token.clone()),
            _ => None,
        };
        self.store.events().iter().rev().find_map(link).expect("a link was sent")
    }

    async fn log_in(&self, password: &str) -> Result<LoggedIn, LogInError> {
        self.users.log_in(email(), password.to_owned(), None).await
    }

    async fn user(&self) -> User {
        self.log_in(PASSWORD).await.expect("logged in").user
    }

    fn kinds(&self) -> Vec<&'static str> {
        let kind = |event: &mart_kernel::EventEnvelope<UserEvent>| match event.payload {
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

#[tokio::test]
async fn a_verified_user_can_log_in() {
    let world = World::new();
    world.register(PASSWORD).await;
    assert_eq!(world.log_in(PASSWORD).await, Err(LogInError::Wrong), "not before the mailbox is verified");
    assert_eq!(world.verify(&world.link(), PASSWORD).await, Ok(()));
    assert_eq!(world.user().await.email, email());
    assert_eq!(world.kinds(), ["VerificationRequested", "UserRegistered", "EmailVerified"]);
}

#[tokio::test]
async fn a_link_is_valid_once_for_an_hour_and_one_purpose() {
    let world = World::new();
    world.register(PASSWORD).await;
    let link = world.link();
    assert_eq!(world.users.reset_password(&link, OTHER.to_owned()).await, Err(ResetError::Link));
    assert_eq!(world.verify(&link, PASSWORD).await, Ok(()));
    assert_eq!(world.verify(&link, PASSWORD).await, Err(VerifyError::Link), "once");
    assert_eq!(world.verify(&Token("nonsense".to_owned()), PASSWORD).await, Err(VerifyError::Link));

    let late = World::new();
    late.register(PASSWORD).await;
    late.clock.advance(Duration::hours(1));
    assert_eq!(late.verify(&late.link(), PASSWORD).await, Err(VerifyError::Link), "not after an hour");
}

#[tokio::test]
async fn verification_voids_other_registrations() {
    let world = World::new();
    world.register(OTHER).await;
    let other_link = world.link();
    world.register(PASSWORD).await;
    assert_eq!(world.verify(&world.link(), PASSWORD).await, Ok(()));
    assert_eq!(world.verify(&other_link, OTHER).await, Err(VerifyError::Link));
    assert_eq!(world.log_in(OTHER).await, Err(LogInError::Wrong));
    world.user().await;
}

#[tokio::test]
async fn a_link_needs_the_password_of_its_registration() {
    let world = World::new();
    world.register(OTHER).await;
    let link = world.link();
    for _ in 0..2 {
        let verified = world.verify(&link, PASSWORD).await;
        assert_eq!(verified, Err(VerifyError::Password(LogInError::Wrong)));
    }
    assert_eq!(world.verify(&link, OTHER).await, Ok(()), "a wrong password leaves the link valid");
}

#[tokio::test]
async fn guesses_of_a_links_password_are_throttled() {
    let world = World::new();
    world.register(PASSWORD).await;
    for _ in 0..5 {
        world.verify(&world.link(), OTHER).await.expect_err("a wrong password");
    }
    let verified = world.verify(&world.link(), PASSWORD).await;
    assert!(matches!(verified, Err(VerifyError::Password(LogInError::TooManyAttempts(_)))), "{verified:?}");
    world.clock.advance(Duration::seconds(2));
    assert_eq!(world.verify(&world.link(), PASSWORD).await, Ok(()));
}

#[tokio::test]
async fn guesses_from_one_network_are_throttled() {
    let world = World::registered().await;
    let (here, there) = ("203.0.113.7".parse().expect("an address"), "203.0.113.8".parse().expect("an address"));
    for nth in 0..30 {
        let email = Email::of(&format!("unknown{nth}@example.com"));
        let answer = world.users.log_in(email, OTHER.to_owned(), Some(here)).await;
        assert_eq!(answer, Err(LogInError::Wrong), "{nth}");
    }
    let answer = world.users.log_in(email(), PASSWORD.to_owned(), Some(here)).await;
    assert!(matches!(answer, Err(LogInError::TooManyAttempts(_))), "{answer:?}");
    world.users.log_in(email(), PASSWORD.to_owned(), Some(there)).await.expect("another network");
}

#[tokio::test]
async fn the_number_of_addresses_is_limited() {
    let world = World::registered().await;
    let id = world.user().await.id;
    let address = || Address {
        recipient: "A".to_owned(),
        lines: vec!["House 7".to_owned()],
        city: "Lahore".to_owned(),
        postal_code: String::new(),
        country_code: "PK".to_owned(),
    };
    for nth in 0..20 {
        world.users.set_address(id, format!("{nth}"), address()).await.expect("stored");
    }
    assert_eq!(world.users.set_address(id, "more".to_owned(), address()).await, Err(AddressError::TooMany));
    assert_eq!(world.users.remove_address(id, "more".to_owned()).await, Ok(()), "a missing address is no error");
    assert_eq!(world.users.remove_address(id, "7".to_owned()).await, Ok(()));
    assert_eq!(world.users.set_address(id, " more ".to_owned(), address()).await.as_deref(), Ok("more"));
    let stranger = UserId(uuid::Uuid::nil());
    assert_eq!(world.users.addresses(stranger).await, Ok(None));
    let stored = world.users.set_address(stranger, "a".to_owned(), address()).await;
    assert_eq!(stored, Err(AddressError::User(UserError::NotFound)));
}

#[tokio::test]
async fn registering_a_known_address_sends_its_owner_a_reset_link() {
    let world = World::registered().await;
    let before = world.user().await;
    world.register(OTHER).await;
    assert_eq!(world.log_in(OTHER).await, Err(LogInError::Wrong));
    assert_eq!(world.user().await, before);
    assert_eq!(world.kinds().last(), Some(&"PasswordResetRequested"));
}

#[tokio::test]
async fn a_weak_password_is_rejected_everywhere() {
    let world = World::registered().await;
    let weak = "ayesha-1990-!".to_owned();
    let registered = world.users.register(email(), weak.clone(), Profile::default()).await;
    assert_eq!(registered, Err(RegisterError::Weak));
    let id = world.user().await.id;
    assert_eq!(world.users.change_password(id, PASSWORD.to_owned(), weak.clone(), None).await, Err(ChangeError::Weak));
    world.users.request_password_reset(email()).await.expect("stored");
    assert_eq!(world.users.reset_password(&world.link(), weak).await, Err(ResetError::Weak));
    world.users.reset_password(&world.link(), OTHER.to_owned()).await.expect("a weak password does not use the link");
}

#[tokio::test]
async fn guesses_are_throttled_and_a_success_resets_them() {
    let world = World::registered().await;
    for _ in 0..5 {
        assert_eq!(world.log_in("wrong").await, Err(LogInError::Wrong));
    }
    let Err(LogInError::TooManyAttempts(until)) = world.log_in(PASSWORD).await else {
        panic!("the correct password has to wait too")
    };
    assert_eq!(until.get() - world.clock.now().get(), Duration::SECOND);
    world.clock.advance(Duration::SECOND);
    world.user().await;
    for _ in 0..5 {
        assert_eq!(world.log_in("wrong").await, Err(LogInError::Wrong), "a success resets the count");
    }
    let unknown = Email::of("unknown@example.com");
    for _ in 0..5 {
        let answer = world.users.log_in(unknown.clone(), "wrong".to_owned(), None).await;
        assert_eq!(answer, Err(LogInError::Wrong));
    }
    let answer = world.users.log_in(unknown, "wrong".to_owned(), None).await;
    assert!(matches!(answer, Err(LogInError::TooManyAttempts(_))), "an address without a user gets the same answer");
}

/// A hasher that yields before it checks a password, so that concurrent calls reach the same point.
struct YieldingHasher;

impl Hasher for YieldingHasher {
    async fn hash(&self, password: String) -> Result<PasswordHash, Overloaded> {
        PlainHasher.hash(password).await
    }

    async fn verify(&self, password: String, hash: Option<PasswordHash>) -> Result<bool, Overloaded> {
        tokio::task::yield_now().await;
        PlainHasher.verify(password, hash).await
    }
}

/// Returns use cases with the store of `world` and this hasher.
fn over<H: Hasher>(world: &World, hasher: H) -> UseCases<MemoryStore, H> {
    let (ids, page_tokens) = (Arc::new(SequentialIds::default()), PageTokenSigner::new(b"a test's secret"));
    let (secrets, clock) = (Arc::new(CountingSecrets::default()), world.clock.clone());
    UseCases::new(world.store.clone(), hasher, secrets, clock, ids, page_tokens, Policy::default())
}

#[tokio::test]
async fn concurrent_guesses_are_throttled_like_sequential_ones() {
    let world = World::registered().await;
    let users = over(&world, YieldingHasher);
    let guess = |nth: usize| if nth == 40 { PASSWORD.to_owned() } else { format!("guess number {nth}") };
    let answers = join_all((0..50).map(|nth| users.log_in(email(), guess(nth), None))).await;
    let wrong = answers.iter().filter(|answer| **answer == Err(LogInError::Wrong)).count();
    let later = answers.iter().filter(|answer| matches!(answer, Err(LogInError::TooManyAttempts(_)))).count();
    assert_eq!((wrong, later), (5, 45));
}

#[tokio::test]
async fn concurrent_mails_are_throttled_like_sequential_ones() {
    let world = World::registered().await;
    let requested = join_all((0..50).map(|_| world.users.request_password_reset(email()))).await;
    assert_eq!(requested.iter().filter(|requested| requested.is_ok()).count(), 4, "the registration sent one");
}

#[tokio::test]
async fn an_unchecked_password_is_not_counted() {
    struct OverloadedHasher;

    impl Hasher for OverloadedHasher {
        async fn hash(&self, _password: String) -> Result<PasswordHash, Overloaded> {
            Err(Overloaded)
        }

        async fn verify(&self, _password: String, _hash: Option<PasswordHash>) -> Result<bool, Overloaded> {
            Err(Overloaded)
        }
    }

    let world = World::registered().await;
    let users = over(&world, OverloadedHasher);
    for _ in 0..20 {
        assert_eq!(
            users.log_in(email(), OTHER.to_owned(), None).await,
            Err(LogInError::Temporary(TemporaryError::Overloaded))
        );
    }
    world.user().await;
}

#[tokio::test]
async fn successes_do_not_throttle_a_network() {
    let world = World::registered().await;
    let here = Some("203.0.113.7".parse().expect("an address"));
    for _ in 0..100 {
        world.users.log_in(email(), PASSWORD.to_owned(), here).await.expect("logged in");
    }
}

#[tokio::test]
async fn a_disabled_admin_cannot_enable_users() {
    let world = World::registered().await;
    let user = world.user().await;
    world.users.set_disabled(None, user.id, true).await.expect("stored");
    let enabled = world.users.set_disabled(Some(user.id), user.id, false).await;
    assert_eq!(enabled, Err(DisableError::CallerDisabled));
    assert_eq!(world.log_in(PASSWORD).await, Err(LogInError::Wrong));
}

#[tokio::test]
async fn a_replayed_refresh_token_ends_the_session() {
    let world = World::registered().await;
    let first = world.log_in(PASSWORD).await.expect("logged in").token;
    let second = world.users.refresh(&first).await.expect("refreshed").token;
    world.clock.advance(Duration::minutes(10));
    let third = world.users.refresh(&second).await.expect("refreshed").token;
    assert_eq!(world.users.refresh(&first).await, Err(RefreshError::Ended), "a replayed token");
    assert_eq!(world.users.refresh(&third).await, Err(RefreshError::Ended), "the session has ended for both");
    world.log_in(PASSWORD).await.expect("the owner logs in again");
}

#[tokio::test]
async fn two_tabs_can_refresh_at_once() {
    let world = World::registered().await;
    let shared = world.log_in(PASSWORD).await.expect("logged in").token;
    let one = world.users.refresh(&shared).await.expect("refreshed").token;
    world.clock.advance(Duration::seconds(5));
    let other = world.users.refresh(&shared).await.expect("refreshed again").token;
    world.clock.advance(Duration::minutes(10));
    let one = world.users.refresh(&one).await.expect("refreshed").token;
    let other = world.users.refresh(&other).await.expect("refreshed").token;
    assert!(world.users.log_out(&one).await.expect("stored"));
    assert_eq!(world.users.refresh(&other).await, Err(RefreshError::Ended), "both belong to one session");
}

#[tokio::test]
async fn a_session_ends_by_time_and_by_log_out() {
    let world = World::registered().await;
    let open = async || world.log_in(PASSWORD).await.expect("logged in");
    let (here, there) = (open().await, open().await);
    assert!(world.users.log_out(&here.token).await.expect("stored"));
    assert!(world.users.log_out(&here.token).await.expect("stored"), "an ended session stays ended");
    assert!(!world.users.log_out(&Token("nonsense".to_owned())).await.expect("answered"));
    assert_eq!(world.users.refresh(&here.token).await, Err(RefreshError::Ended));
    let there = world.users.refresh(&there.token).await.expect("the other session stays open").token;
    assert!(world.users.log_out_everywhere(here.user.id).await.expect("stored"));
    assert_eq!(world.users.refresh(&there).await, Err(RefreshError::Ended));
    let last = open().await.token;
    world.clock.advance(Duration::days(30));
    assert_eq!(world.users.refresh(&last).await, Err(RefreshError::Ended));
}

#[tokio::test]
async fn changed_passwords_and_disabling_end_sessions() {
    let world = World::registered().await;
    let LoggedIn { user, token, .. } = world.log_in(PASSWORD).await.expect("logged in");
    let wrong = world.users.change_password(user.id, "wrong".to_owned(), OTHER.to_owned(), None).await;
    assert_eq!(wrong, Err(ChangeError::Wrong));
    world.users.change_password(user.id, PASSWORD.to_owned(), OTHER.to_owned(), None).await.expect("changed");
    assert_eq!(world.users.refresh(&token).await, Err(RefreshError::Ended));
    assert_eq!(world.log_in(PASSWORD).await, Err(LogInError::Wrong));

    let token = world.log_in(OTHER).await.expect("logged in").token;
    world.users.request_password_reset(email()).await.expect("stored");
    let link = world.link();
    world.users.reset_password(&link, PASSWORD.to_owned()).await.expect("reset");
    assert_eq!(world.users.refresh(&token).await, Err(RefreshError::Ended));
    assert_eq!(world.users.reset_password(&link, OTHER.to_owned()).await, Err(ResetError::Link), "once");

    let token = world.log_in(PASSWORD).await.expect("logged in").token;
    world.users.request_password_reset(email()).await.expect("stored");
    let link = world.link();
    assert!(world.users.set_disabled(None, user.id, true).await.expect("stored").disabled);
    assert_eq!(world.users.refresh(&token).await, Err(RefreshError::Ended));
    assert_eq!(world.log_in(PASSWORD).await, Err(LogInError::Wrong));
    assert_eq!(world.users.reset_password(&link, OTHER.to_owned()).await, Err(ResetError::Link));
    world.users.set_disabled(None, user.id, true).await.expect("no change");
    world.users.set_disabled(None, user.id, false).await.expect("stored");
    world.user().await;
    let kinds = world.kinds();
    assert_eq!(kinds.iter().filter(|kind| **kind == "UserDisabled").count(), 1);
    assert_eq!(kinds.last(), Some(&"UserEnabled"));
}

#[tokio::test]
async fn a_disabled_user_gets_no_reset_link() {
    let world = World::new();
    world.users.request_password_reset(email()).await.expect("the same answer");
    world.register(PASSWORD).await;
    world.users.request_password_reset(email()).await.expect("the same answer");
    assert_eq!(world.kinds(), ["VerificationRequested"]);
}

#[tokio::test]
async fn mails_to_a_mailbox_are_throttled_with_or_without_a_user() {
    for world in [World::new(), World::registered().await] {
        world.clock.advance(Duration::hours(1));
        for _ in 0..5 {
            world.users.request_password_reset(email()).await.expect("the same answer");
        }
        let later = world.users.request_password_reset(email()).await;
        assert!(matches!(later, Err(user_core::application::MailError::TooManyAttempts(_))), "{later:?}");
        let registered = world.users.register(email(), PASSWORD.to_owned(), Profile::default()).await;
        assert!(matches!(registered, Err(RegisterError::TooManyAttempts(_))), "{registered:?}");
    }
}

#[tokio::test]
async fn unverified_users_are_purged() {
    let world = World::registered().await;
    world
        .users
        .register(Email::of("other@example.com"), PASSWORD.to_owned(), Profile::default())
        .await
        .expect("stored");
    let link = world.link();
    world.clock.advance(Duration::minutes(59));
    assert_eq!(world.users.purge_expired().await.expect("purged"), 0);
    world.clock.advance(Duration::minutes(1));
    assert_eq!(
        world.users.purge_expired().await.expect("purged"),
        4,
        "the registration, its link and the throttle of its mails"
    );
    assert_eq!(world.verify(&link, PASSWORD).await, Err(VerifyError::Link));
    world.user().await;
}

#[tokio::test]
async fn the_policy_sets_lifetimes_and_limits() {
    let throttle = ThrottlePolicy {
        free: 2,
        max_delay: Duration::seconds(3),
        reset_after: Duration::minutes(2),
        ..ThrottlePolicy::default()
    };
    let (session, grace) = (Duration::hours(2), Duration::seconds(1));
    let (verify_link, reset_link) = (Duration::minutes(2), Duration::minutes(1));
    let world = World::with(Policy { session, grace, verify_link, reset_link, throttle });
    world.register(PASSWORD).await;
    world.clock.advance(verify_link);
    assert_eq!(world.verify(&world.link(), PASSWORD).await, Err(VerifyError::Link), "the link has expired");
    assert_eq!(
        world.users.purge_expired().await.expect("purged"),
        3,
        "the registration, its link and the throttle of its mails"
    );
    world.register(PASSWORD).await;
    assert_eq!(world.verify(&world.link(), PASSWORD).await, Ok(()));
    world.users.request_password_reset(email()).await.expect("sent");
    world.clock.advance(reset_link);
    let reset = world.users.reset_password(&world.link(), OTHER.to_owned()).await;
    assert_eq!(reset, Err(ResetError::Link), "the link has expired");

    let logged_in = world.log_in(PASSWORD).await.expect("logged in");
    assert_eq!(logged_in.until, Timestamp::new(world.clock.now().get() + session));
    world.users.refresh(&logged_in.token).await.expect("refreshed");
    world.clock.advance(grace * 2);
    assert_eq!(world.users.refresh(&logged_in.token).await, Err(RefreshError::Ended), "the grace period is over");

    for _ in 0..2 {
        assert_eq!(world.log_in(OTHER).await, Err(LogInError::Wrong));
    }
    for waits in [1, 2, 3, 3] {
        let until = Timestamp::new(world.clock.now().get() + Duration::seconds(waits));
        assert_eq!(world.log_in(PASSWORD).await, Err(LogInError::TooManyAttempts(until)));
        world.clock.advance(Duration::seconds(waits));
        assert_eq!(world.log_in(OTHER).await, Err(LogInError::Wrong));
    }
    world.clock.advance(throttle.reset_after);
    assert_eq!(world.log_in(OTHER).await, Err(LogInError::Wrong), "the count is reset");
    assert_eq!(world.log_in(OTHER).await, Err(LogInError::Wrong), "the attempts are free again");
}

#[tokio::test]
async fn an_operator_creates_an_admin_once() {
    let world = World::new();
    world.register(OTHER).await;
    let admin = |password: &str| world.users.create_admin(email(), password.to_owned(), Profile::default());
    assert!(admin(PASSWORD).await.expect("created"));
    assert!(!admin(OTHER).await.expect("answered"), "the address has a user");
    assert_eq!(world.user().await.role, user_core::domain::Role::Admin);
    let verified = world.verify(&world.link(), OTHER).await;
    assert_eq!(verified, Err(VerifyError::Link), "a stranger's registration is void");
}

#[tokio::test]
async fn a_profile_changes_at_the_version_that_was_read() {
    let world = World::registered().await;
    let user = world.user().await;
    let rename = |name: &'static str| move |profile: &mut Profile| name.clone_into(&mut profile.name);
    let changed = world.users.update_profile(user.id, Some(user.version), rename("Bilal")).await.expect("changed");
    assert_eq!((changed.profile.name.as_str(), changed.version), ("Bilal", user.version.next()));
    let stale = world.users.update_profile(user.id, Some(user.version), rename("Chandni")).await;
    assert_eq!(stale, Err(user_core::application::UpdateError::Changed));
    let same = world.users.update_profile(user.id, None, rename("Bilal")).await.expect("no change");
    assert_eq!(same.version, changed.version);
    assert_eq!(world.kinds().iter().filter(|kind| **kind == "ProfileUpdated").count(), 1);
}
