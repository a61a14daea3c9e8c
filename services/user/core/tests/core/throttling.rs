//! Throttling of guesses and of mails.

use std::sync::Arc;

use futures::future::join_all;
use mart_kernel::ids::SequentialIds;
use mart_kernel::{Clock, PageTokenSigner, Timestamp};
use time::Duration;
use user_core::UseCases;
use user_core::application::{LogInError, MailError, RefreshError, RegisterError, ResetError, VerifyError};
use user_core::domain::{Email, PasswordHash, Policy, Profile, ThrottlePolicy};
use user_core::memory::{CountingSecrets, MemoryStore, PlainHasher};
use user_core::ports::{Hasher, Overloaded};

use crate::world::{OTHER, PASSWORD, World, email};

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
        assert_eq!(users.log_in(email(), OTHER.to_owned(), None).await, Err(LogInError::Overloaded(Overloaded)));
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
async fn mails_to_a_mailbox_are_throttled_with_or_without_a_user() {
    for world in [World::new(), World::registered().await] {
        world.clock.advance(Duration::hours(1));
        for _ in 0..5 {
            world.users.request_password_reset(email()).await.expect("the same answer");
        }
        let later = world.users.request_password_reset(email()).await;
        assert!(matches!(later, Err(MailError::TooManyAttempts(_))), "{later:?}");
        let registered = world.users.register(email(), PASSWORD.to_owned(), Profile::default()).await;
        assert!(matches!(registered, Err(RegisterError::TooManyAttempts(_))), "{registered:?}");
    }
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
    world.users.refresh_session(&logged_in.token).await.expect("refreshed");
    world.clock.advance(grace * 2);
    assert_eq!(
        world.users.refresh_session(&logged_in.token).await,
        Err(RefreshError::Ended),
        "the grace period is over"
    );

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
