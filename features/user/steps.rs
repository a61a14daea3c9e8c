//! The steps of the user service's scenarios.

#![allow(clippy::needless_pass_by_value, reason = "cucumber passes captures as owned strings")]

use cucumber::{given, then, when};
use features::words;
use serde_json::json;

use crate::world::World;

features::steps!(response invalid);

#[given(regex = r#"^(\w+) has registered with "(.+)" and verified the mailbox$"#)]
async fn registered(world: &mut World, name: String, password: String) {
    register(world, name.clone(), password).await;
    verify(world, name, String::new()).await;
    world.mart.answer().expect(200, "");
    world.mailbox.clear();
}

#[given(regex = r#"^a stranger has registered (\w+)'s address with "(.+)"$"#)]
#[when(regex = r#"^(\w+) registers with "(.+)"$"#)]
async fn register(world: &mut World, name: String, password: String) {
    let body = json!({ "email": world.email(&name), "password": &password, "name": name });
    world.post("/v1/users/register", body).await;
    if world.mart.answer().status == 200 {
        world.passwords.insert(name.clone(), password);
        // A verification or a reset link. It is consumed here, so that the next link found is a later one.
        let token = world.link(&name, "Requested").await;
        world.mailbox.push(token);
    }
}

#[when(regex = r#"^(\w+) verifies the mailbox with the link(?: and the password "(.+)")?$"#)]
async fn verify(world: &mut World, name: String, password: String) {
    let token = world.mailbox.last().cloned().unwrap_or_else(|| panic!("{name} has no link"));
    let password = if password.is_empty() { world.passwords[&name].clone() } else { password };
    world.post("/v1/users/verify-email", json!({ "token": token, "password": password })).await;
}

#[given(regex = r#"^(\w+) has logged in with "(.+)" on (\w+)$"#)]
#[when(regex = r#"^(\w+) logs in with "(.+)" on (\w+)$"#)]
async fn log_in(world: &mut World, name: String, password: String, tab: String) {
    world.log_in(&name, &password, &tab).await;
}

#[when(regex = r"^an attacker tries (\d+) wrong passwords for (\w+)$")]
async fn guess(world: &mut World, times: usize, name: String) {
    for _ in 0..times {
        world.log_in(&name, "a wrong password", "attacker").await;
        world.mart.answer().expect(401, "INVALID_CREDENTIALS");
    }
}

#[when(regex = r"^(\w+) refreshes(?: as (\w+))?$")]
async fn refresh(world: &mut World, tab: String, other: String) {
    let token = world.tabs[&tab].clone();
    let opened = world.post("/v1/sessions/refresh", json!({ "refreshToken": token })).await;
    let tab = if other.is_empty() { tab } else { other };
    world.store_tokens(&tab, &opened);
}

#[when(regex = r"^(\w+) logs out$")]
async fn log_out(world: &mut World, tab: String) {
    let token = world.tabs[&tab].clone();
    world.post("/v1/sessions/log-out", json!({ "refreshToken": token })).await;
}

#[when(regex = r"^the user logs out everywhere$")]
async fn log_out_everywhere(world: &mut World) {
    send(world, "POST", "/v1/me/log-out-everywhere", Some(json!({}))).await;
}

#[when(regex = r#"^the user changes the password from "(.+)" to "(.+)"$"#)]
async fn change_password(world: &mut World, from: String, to: String) {
    send(world, "POST", "/v1/me/change-password", Some(json!({ "currentPassword": from, "password": to }))).await;
}

#[when(regex = r"^(\w+) requests a password reset$")]
async fn request_reset(world: &mut World, name: String) {
    let body = json!({ "email": world.email(&name) });
    world.post("/v1/users/request-password-reset", body).await;
}

#[when(regex = r#"^(\w+) resets the password to "(.+)" with the link$"#)]
async fn reset(world: &mut World, name: String, password: String) {
    let token = match world.mailbox.pop() {
        Some(token) => token,
        None => world.link(&name, "PasswordResetRequested").await,
    };
    world.post("/v1/users/reset-password", json!({ "token": token, "password": password })).await;
}

#[when(regex = r#"^the user sets the (\w+) to "(.*)"$"#)]
async fn set_member(world: &mut World, member: String, value: String) {
    send(world, "PATCH", "/v1/me", Some(json!({ member: value }))).await;
}

#[when(regex = r#"^the user saves an address in (\w+) as "(.*)"$"#)]
async fn save_address(world: &mut World, city: String, label: String) {
    let body = json!({ "recipient": "A", "lines": ["House 7"], "city": city, "countryCode": "PK" });
    send(world, "PUT", &format!("/v1/me/addresses/{}", label.replace(' ', "%20")), Some(body)).await;
}

#[given(regex = r"^the user has (\d+) addresses$")]
async fn save_addresses(world: &mut World, count: usize) {
    for nth in 0..count {
        save_address(world, "Lahore".to_owned(), format!("place {nth}")).await;
        world.mart.answer().expect(200, "");
    }
}

#[when(regex = r#"^the user deletes the address "(.*)"$"#)]
async fn delete_address(world: &mut World, label: String) {
    send(world, "DELETE", &format!("/v1/me/addresses/{}", label.replace(' ', "%20")), None).await;
}

#[then(regex = r"^the user's addresses are (.+)$")]
async fn addresses_are(world: &mut World, expected: String) {
    send(world, "GET", "/v1/me/addresses", None).await;
    let saved = world.mart.answer().body["addresses"].as_array().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let saved = saved.iter().map(|saved| format!("{} in {}", text(&saved["label"]), text(&saved["address"]["city"])));
    assert_eq!(saved.collect::<Vec<_>>(), expected.split(", ").filter(|part| *part != "none").collect::<Vec<_>>());
}

#[then("the published keys verify the user's access token")]
async fn published_keys_verify_the_token(world: &mut World) {
    let token = world.access_token();
    let header = jsonwebtoken::decode_header(&token).expect("a token");
    world.mart.call(None, "GET", "/.well-known/jwks.json", None, &[]).await;
    let keys: jsonwebtoken::jwk::JwkSet =
        serde_json::from_value(world.mart.answer().body.clone()).expect("a JWK set of RFC 7517");
    let key = keys.find(header.kid.as_deref().unwrap_or_default()).expect("the key of the token");
    let key = jsonwebtoken::DecodingKey::from_jwk(key).expect("a key");
    let mut validation = jsonwebtoken::Validation::new(header.alg);
    validation.set_audience(&[devstack::keys::AUDIENCE]);
    jsonwebtoken::decode::<serde_json::Value>(&token, &key, &validation).expect("it verifies the token");
}

#[when(regex = r"^an admin (disables|enables) the user$")]
async fn set_disabled(world: &mut World, action: String) {
    let path = format!("/v1/admin/users/{}/{}", world.user, action.trim_end_matches('s'));
    world.mart.call(Some(("admin", "admin")), "POST", &path, None, &[]).await;
}

#[when("the user, who was an admin, enables their own account")]
async fn enable_own_account(world: &mut World) {
    let path = format!("/v1/admin/users/{}/enable", world.user);
    let subject = world.user.clone();
    world.mart.call(Some(("admin", &subject)), "POST", &path, None, &[]).await;
}

#[when(regex = r"^(\d+) seconds pass$")]
async fn pass(world: &mut World, seconds: i64) {
    world.mart.pass(time::Duration::seconds(seconds)).await;
}

/// Sends a request with the access token of the user who logged in last.
async fn send(world: &mut World, method: &str, path: &str, body: Option<serde_json::Value>) {
    let token = world.access_token();
    let bearer = format!("Bearer {token}");
    world.mart.call(None, method, path, body, &[("authorization", &bearer)]).await;
}

#[then(regex = r#"^the (\w+) is "(.*)"$"#)]
fn member_is(world: &mut World, member: String, value: String) {
    assert_eq!(world.mart.answer().body["user"][&member], value.as_str(), "{:?}", world.mart.answer());
}

#[then(regex = r"^the user's events are (.+)$")]
async fn events_are(world: &mut World, kinds: String) {
    let published = words::published(&world.mart.history().await, "mart.user.v1", &world.user);
    assert_eq!(published, kinds.split(", ").collect::<Vec<_>>());
}
