//! Profiles, addresses and disabled admins.

use user_core::application::{AddressError, DisableError, LogInError, UpdateError, UserError};
use user_core::domain::{Address, Profile, UserId};
use uuid::Uuid;

use crate::world::{PASSWORD, World};

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
    let stranger = UserId(Uuid::nil());
    assert_eq!(world.users.list_addresses(stranger).await, Ok(None));
    let stored = world.users.set_address(stranger, "a".to_owned(), address()).await;
    assert_eq!(stored, Err(AddressError::User(UserError::NotFound)));
}

#[tokio::test]
async fn a_disabled_admin_cannot_enable_users() {
    let world = World::registered().await;
    let user = world.user().await;
    world.users.disable_user(None, user.id).await.expect("stored");
    let enabled = world.users.enable_user(Some(user.id), user.id).await;
    assert_eq!(enabled, Err(DisableError::CallerDisabled));
    assert_eq!(world.log_in(PASSWORD).await, Err(LogInError::Wrong));
}

#[tokio::test]
async fn a_profile_changes_at_the_version_that_was_read() {
    let world = World::registered().await;
    let user = world.user().await;
    let rename = |name: &'static str| move |profile: &mut Profile| name.clone_into(&mut profile.name);
    let changed = world.users.update_me(user.id, Some(user.version), rename("Bilal")).await.expect("changed");
    assert_eq!((changed.profile.name.as_str(), changed.version), ("Bilal", user.version.next()));
    let stale = world.users.update_me(user.id, Some(user.version), rename("Chandni")).await;
    assert_eq!(stale, Err(UpdateError::Changed));
    let same = world.users.update_me(user.id, None, rename("Bilal")).await.expect("no change");
    assert_eq!(same.version, changed.version);
    assert_eq!(world.kinds().iter().filter(|kind| **kind == "ProfileUpdated").count(), 1);
}
