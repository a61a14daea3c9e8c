//! Sessions and their refresh tokens.

use time::Duration;
use user_core::application::{ChangePasswordError, LogInError, LoggedIn, RefreshError, ResetError};
use user_core::domain::events::Token;

use crate::world::{OTHER, PASSWORD, World, email};

#[tokio::test]
async fn a_replayed_refresh_token_ends_the_session() {
    let world = World::registered().await;
    let first = world.log_in(PASSWORD).await.expect("logged in").token;
    let second = world.users.refresh_session(&first).await.expect("refreshed").token;
    world.clock.advance(Duration::minutes(10));
    let third = world.users.refresh_session(&second).await.expect("refreshed").token;
    assert_eq!(world.users.refresh_session(&first).await, Err(RefreshError::Ended), "a replayed token");
    assert_eq!(world.users.refresh_session(&third).await, Err(RefreshError::Ended), "the session has ended for both");
    world.log_in(PASSWORD).await.expect("the owner logs in again");
}

#[tokio::test]
async fn two_tabs_can_refresh_at_once() {
    let world = World::registered().await;
    let shared = world.log_in(PASSWORD).await.expect("logged in").token;
    let one = world.users.refresh_session(&shared).await.expect("refreshed").token;
    world.clock.advance(Duration::seconds(5));
    let other = world.users.refresh_session(&shared).await.expect("refreshed again").token;
    world.clock.advance(Duration::minutes(10));
    let one = world.users.refresh_session(&one).await.expect("refreshed").token;
    let other = world.users.refresh_session(&other).await.expect("refreshed").token;
    assert!(world.users.log_out(&one).await.expect("stored"));
    assert_eq!(world.users.refresh_session(&other).await, Err(RefreshError::Ended), "both belong to one session");
}

#[tokio::test]
async fn a_session_ends_by_time_and_by_log_out() {
    let world = World::registered().await;
    let open = async || world.log_in(PASSWORD).await.expect("logged in");
    let (here, there) = (open().await, open().await);
    assert!(world.users.log_out(&here.token).await.expect("stored"));
    assert!(world.users.log_out(&here.token).await.expect("stored"), "an ended session stays ended");
    assert!(!world.users.log_out(&Token("nonsense".to_owned())).await.expect("answered"));
    assert_eq!(world.users.refresh_session(&here.token).await, Err(RefreshError::Ended));
    let there = world.users.refresh_session(&there.token).await.expect("the other session stays open").token;
    assert!(world.users.log_out_everywhere(here.user.id).await.expect("stored"));
    assert_eq!(world.users.refresh_session(&there).await, Err(RefreshError::Ended));
    let last = open().await.token;
    world.clock.advance(Duration::days(30));
    assert_eq!(world.users.refresh_session(&last).await, Err(RefreshError::Ended));
}

#[tokio::test]
async fn changed_passwords_and_disabling_end_sessions() {
    let world = World::registered().await;
    let LoggedIn { user, token, .. } = world.log_in(PASSWORD).await.expect("logged in");
    let wrong = world.users.change_password(user.id, "wrong".to_owned(), OTHER.to_owned(), None).await;
    assert_eq!(wrong, Err(ChangePasswordError::Wrong));
    world.users.change_password(user.id, PASSWORD.to_owned(), OTHER.to_owned(), None).await.expect("changed");
    assert_eq!(world.users.refresh_session(&token).await, Err(RefreshError::Ended));
    assert_eq!(world.log_in(PASSWORD).await, Err(LogInError::Wrong));

    let token = world.log_in(OTHER).await.expect("logged in").token;
    world.users.request_password_reset(email()).await.expect("stored");
    let link = world.link();
    world.users.reset_password(&link, PASSWORD.to_owned()).await.expect("reset");
    assert_eq!(world.users.refresh_session(&token).await, Err(RefreshError::Ended));
    assert_eq!(world.users.reset_password(&link, OTHER.to_owned()).await, Err(ResetError::Link), "once");

    let token = world.log_in(PASSWORD).await.expect("logged in").token;
    world.users.request_password_reset(email()).await.expect("stored");
    let link = world.link();
    assert!(world.users.disable_user(None, user.id).await.expect("stored").disabled);
    assert_eq!(world.users.refresh_session(&token).await, Err(RefreshError::Ended));
    assert_eq!(world.log_in(PASSWORD).await, Err(LogInError::Wrong));
    assert_eq!(world.users.reset_password(&link, OTHER.to_owned()).await, Err(ResetError::Link));
    world.users.disable_user(None, user.id).await.expect("no change");
    world.users.enable_user(None, user.id).await.expect("stored");
    world.user().await;
    let kinds = world.kinds();
    assert_eq!(kinds.iter().filter(|kind| **kind == "UserDisabled").count(), 1);
    assert_eq!(kinds.last(), Some(&"UserEnabled"));
}
