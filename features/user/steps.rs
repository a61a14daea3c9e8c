//! The steps of user.

#![allow(clippy::needless_pass_by_value, reason = "cucumber gives a step its words as strings")]

use cucumber::{given, then, when};
use features::words;
use serde_json::json;

use crate::world::World;

#[given(regex = r#"^(\w+) has registered with "(.+)" and proved the mailbox$"#)]
async fn registered(world: &mut World, name: String, password: String) {
    register(world, name.clone(), password).await;
    prove(world, name).await;
    world.answer().expect(200, "");
}

#[given(regex = r#"^a stranger has registered (\w+)'s address with "(.+)"$"#)]
#[when(regex = r#"^(\w+) registers with "(.+)"$"#)]
async fn register(world: &mut World, name: String, password: String) {
    let body = json!({ "email": world.email(&name), "password": password, "name": name });
    world.post("/v1/users/register", body).await;
    if world.answer().status == 200 {
        // Whichever it is: the next one that comes is another.
        let token = world.link(&name, "Requested").await;
        world.mailbox.push(token);
    }
}

#[when(regex = r"^(\w+) proves the mailbox by the link in it$")]
async fn prove(world: &mut World, name: String) {
    let token = world.mailbox.pop().unwrap_or_else(|| panic!("{name} has no link"));
    world.post("/v1/users/verify-email", json!({ "token": token })).await;
}

#[when(regex = r"^(\w+) proves the mailbox by that link twice$")]
async fn prove_twice(world: &mut World, name: String) {
    let token = world.mailbox.pop().unwrap_or_else(|| panic!("{name} has no link"));
    for _ in 0..2 {
        world.post("/v1/users/verify-email", json!({ "token": token })).await;
    }
}

#[given(regex = r#"^(\w+) has logged in with "(.+)" as (\w+)$"#)]
#[when(regex = r#"^(\w+) logs in with "(.+)" as (\w+)$"#)]
async fn log_in(world: &mut World, name: String, password: String, tab: String) {
    world.log_in(&name, &password, &tab).await;
}

#[when(regex = r"^somebody tries (\d+) wrong passwords for (\w+)$")]
async fn guess(world: &mut World, times: usize, name: String) {
    for _ in 0..times {
        world.log_in(&name, "a wrong password", "nobody").await;
        world.answer().expect(401, "CREDENTIALS_WRONG");
    }
}

#[when(regex = r"^(\w+) refreshes(?: as (\w+))?$")]
async fn refresh(world: &mut World, tab: String, other: String) {
    let token = world.tabs[&tab].clone();
    let told = world.post("/v1/sessions/refresh", json!({ "refreshToken": token })).await;
    let tab = if other.is_empty() { tab } else { other };
    world.keep(&tab, &told);
}

#[when(regex = r"^(\w+) logs out$")]
async fn log_out(world: &mut World, tab: String) {
    let token = world.tabs[&tab].clone();
    world.post("/v1/sessions/log-out", json!({ "refreshToken": token })).await;
}

#[when(regex = r"^the user logs out everywhere$")]
async fn log_out_everywhere(world: &mut World) {
    ask(world, "POST", "/v1/me/log-out-everywhere", Some(json!({}))).await;
}

#[when(regex = r#"^the user changes the password from "(.+)" to "(.+)"$"#)]
async fn change_password(world: &mut World, from: String, to: String) {
    ask(world, "POST", "/v1/me/change-password", Some(json!({ "currentPassword": from, "password": to }))).await;
}

#[when(regex = r"^(\w+) asks for a new password$")]
async fn ask_reset(world: &mut World, name: String) {
    let body = json!({ "email": world.email(&name) });
    world.post("/v1/users/request-password-reset", body).await;
}

#[when(regex = r#"^(\w+) sets "(.+)" by the link in the mailbox$"#)]
async fn reset(world: &mut World, name: String, password: String) {
    let token = match world.mailbox.pop() {
        Some(token) => token,
        None => world.link(&name, "PasswordResetRequested").await,
    };
    world.post("/v1/users/reset-password", json!({ "token": token, "password": password })).await;
}

#[when(regex = r#"^the user says that the (\w+) is "(.*)"$"#)]
async fn say(world: &mut World, member: String, value: String) {
    ask(world, "PATCH", "/v1/me", Some(json!({ member: value }))).await;
}

#[when(regex = r"^an admin (disables|enables) the user$")]
async fn set_disabled(world: &mut World, what: String) {
    let path = format!("/v1/admin/users/{}/{}", world.user, what.trim_end_matches('s'));
    world.answer = Some(world.mart.send(Some(("admin", "admin")), "POST", &path, None, &[]).await);
}

#[when(regex = r"^(\d+) seconds pass$")]
async fn pass(world: &mut World, seconds: i64) {
    world.mart.pass(time::Duration::seconds(seconds)).await;
}

/// Asks as the user who logged in last, with a token that the mart itself gave out.
async fn ask(world: &mut World, method: &str, path: &str, body: Option<serde_json::Value>) {
    let token = world.answer_token();
    let bearer = format!("Bearer {token}");
    world.answer = Some(world.mart.send(None, method, path, body, &[("authorization", &bearer)]).await);
}

#[then(regex = r"^the answer is (\d+)(?: (\w+))?$")]
fn answered(world: &mut World, status: u16, code: String) {
    world.answer().expect(status, &code);
}

#[then(regex = r"^it is refused for its (\w+)$")]
fn refused_for(world: &mut World, place: String) {
    world.answer().expect_violations(&[&place]);
}

#[then(regex = r#"^the (\w+) is "(.*)"$"#)]
fn member_is(world: &mut World, member: String, value: String) {
    assert_eq!(world.answer().body["user"][&member], value.as_str(), "{:?}", world.answer);
}

#[then(regex = r"^of the user is told (.+)$")]
async fn told(world: &mut World, kinds: String) {
    let told = words::told(&world.mart.history().await, "mart.user.v1", &world.user);
    assert_eq!(told, kinds.split(", ").collect::<Vec<_>>());
}
