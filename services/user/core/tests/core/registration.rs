//! Registration, verification and links.

use time::Duration;
use user_core::application::{ChangePasswordError, LogInError, RegisterError, ResetError, VerifyError};
use user_core::domain::events::Token;
use user_core::domain::{Email, Profile, Role};

use crate::world::{OTHER, PASSWORD, World, email};

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
    assert_eq!(
        world.users.change_password(id, PASSWORD.to_owned(), weak.clone(), None).await,
        Err(ChangePasswordError::Weak)
    );
    world.users.request_password_reset(email()).await.expect("stored");
    assert_eq!(world.users.reset_password(&world.link(), weak).await, Err(ResetError::Weak));
    world.users.reset_password(&world.link(), OTHER.to_owned()).await.expect("a weak password does not use the link");
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
async fn an_operator_creates_an_admin_once() {
    let world = World::new();
    world.register(OTHER).await;
    let admin = |password: &str| world.users.create_admin(email(), password.to_owned(), Profile::default());
    assert!(admin(PASSWORD).await.expect("created"));
    assert!(!admin(OTHER).await.expect("answered"), "the address has a user");
    assert_eq!(world.user().await.role, Role::Admin);
    let verified = world.verify(&world.link(), OTHER).await;
    assert_eq!(verified, Err(VerifyError::Link), "a stranger's registration is void");
}
