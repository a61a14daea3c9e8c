//! The suite that every store passes.
//!
//! [`conformance!`](crate::conformance!) creates a test of each case.

use mart_kernel::testing::{at, both, uuid};
use mart_kernel::{Cursor, Timestamp, Version};
use time::Duration;

use crate::domain::{
    Address, AddressBook, Change, Digest, Email, Link, PasswordHash, Profile, Purpose, RefreshToken, Role, Rows,
    Session, SessionId, Throttle, ThrottlePolicy, User, UserId,
};
use crate::ports::{Scope, Store};

/// Creates a test of every case; `$store` is an expression that awaits a new, empty store.
#[macro_export]
macro_rules! conformance {
    ($store:expr) => {
        mart_kernel::conformance_tests!($crate::conformance; $store;
            users_are_read_back_after_each_change unverified_users_are_hidden a_verified_address_has_one_user
            lists_are_newest_first links_are_found_with_their_users_and_deleted_with_them
            ended_sessions_keep_their_tokens throttles_count_and_are_reset addresses_are_stored_per_user
            expired_data_is_purged decisions_about_one_address_are_sequential);
    };
}

fn id(n: u64) -> UserId {
    UserId(uuid(n))
}

/// Returns the `n`th user, with every member set.
fn user(n: u64, verified: bool) -> User {
    User {
        id: id(n),
        version: Version::NONE.next(),
        email: Email::of(&format!("user{n}@example.com")),
        role: if n.is_multiple_of(2) { Role::Admin } else { Role::Customer },
        password: PasswordHash(format!("hash {n} ünïcode ' \\")),
        profile: Profile {
            name: "Ayesha Khan".to_owned(),
            locale: "ur-PK".to_owned(),
            time_zone: "Asia/Karachi".to_owned(),
            phone: "+923001234567".to_owned(),
        },
        verified,
        disabled: false,
        created_at: at(i64::try_from(n / 2).expect("small")),
        updated_at: at(i64::try_from(n).expect("small")),
    }
}

async fn commit(store: &impl Store, change: Change) {
    store.decide(Scope::default(), move |_| (change, ())).await.expect("stored");
}

async fn commit_user(store: &impl Store, user: &User) {
    commit(store, Change { users: vec![user.clone()], ..Change::default() }).await;
}

async fn rows(store: &impl Store, scope: Scope) -> Rows {
    store.decide(scope, |rows| (Change::default(), rows)).await.expect("read")
}

/// A user is read back after each change.
pub async fn users_are_read_back_after_each_change(store: &impl Store) {
    let before = user(1, true);
    commit_user(store, &before).await;
    assert_eq!(store.find(before.id).await, Ok(Some(before.clone())));
    let profile = Profile { phone: String::new(), ..before.profile.clone() };
    let (password, version) = (PasswordHash("another".to_owned()), before.version.next());
    let after = User { password, profile, version, disabled: true, updated_at: at(9), ..before };
    commit_user(store, &after).await;
    assert_eq!(store.find(after.id).await, Ok(Some(after.clone())));
    assert_eq!(store.find_by_email(&after.email).await, Ok(Some(after.clone())));
    assert_eq!(rows(store, Scope { users: vec![after.id, id(7)], ..Scope::default() }).await.users, [after]);
}

/// An unverified registration is visible to decisions about its address only.
pub async fn unverified_users_are_hidden(store: &impl Store) {
    let unverified = user(1, false);
    commit_user(store, &unverified).await;
    assert_eq!(store.find(unverified.id).await, Ok(None));
    assert_eq!(store.find_by_email(&unverified.email).await, Ok(None));
    assert_eq!(store.list(None, 10).await, Ok(vec![]));
    let scope = Scope { email: Some(unverified.email.clone()), ..Scope::default() };
    assert_eq!(rows(store, scope).await.users, [unverified]);
}

/// An address may have several registrations; verifying one deletes the others.
pub async fn a_verified_address_has_one_user(store: &impl Store) {
    let email = Email::of("same@example.com");
    let of = |n: u64, verified: bool| User { email: email.clone(), ..user(n, verified) };
    for n in 1..=3 {
        commit_user(store, &of(n, false)).await;
    }
    let scope = Scope { email: Some(email.clone()), ..Scope::default() };
    assert_eq!(rows(store, scope.clone()).await.users.len(), 3);
    commit(store, Change { users: vec![of(2, true)], dropped: vec![id(1), id(3)], ..Change::default() }).await;
    assert_eq!(rows(store, scope).await.users, [of(2, true)]);
    assert_eq!(store.find_by_email(&email).await, Ok(Some(of(2, true))));
}

/// Users are listed newest first, then by id, and pages continue after the cursor.
pub async fn lists_are_newest_first(store: &impl Store) {
    for n in 1..=5 {
        commit_user(store, &user(n, true)).await;
    }
    let ids = |users: Vec<User>| users.iter().map(|user| user.id).collect::<Vec<_>>();
    let first = store.list(None, 3).await.expect("listed");
    let last: Cursor = first.last().expect("three").cursor();
    assert_eq!(ids(first), [id(5), id(4), id(3)]);
    assert_eq!(ids(store.list(Some(last), 3).await.expect("listed")), [id(2), id(1)]);
}

/// A link is found by its digest, with all users of its address, until it is used or its user is deleted.
pub async fn links_are_found_with_their_users_and_deleted_with_them(store: &impl Store) {
    let (one, other) = (user(1, false), User { email: user(1, false).email, ..user(2, false) });
    let link = |secret: &str, user: &User, purpose| Link {
        digest: Digest::of(secret),
        purpose,
        user: user.id,
        expires_at: at(3_600),
    };
    let links = [link("a", &one, Purpose::Verify), link("b", &other, Purpose::Verify), link("c", &one, Purpose::Reset)];
    commit(store, Change { users: vec![one.clone(), other.clone()], links: links.to_vec(), ..Change::default() }).await;
    let by = |secret: &str| Scope { link: Some(Digest::of(secret)), ..Scope::default() };
    let found = rows(store, by("a")).await;
    assert_eq!((found.link, found.users), (Some(links[0].clone()), vec![one.clone(), other.clone()]));

    commit(store, Change { spent: vec![(one.id, Purpose::Verify)], ..Change::default() }).await;
    assert_eq!(rows(store, by("a")).await, Rows::default(), "it was used");
    assert_eq!(rows(store, by("c")).await.link, Some(links[2].clone()), "it has another purpose");
    commit(store, Change { dropped: vec![other.id], ..Change::default() }).await;
    assert_eq!(rows(store, by("b")).await, Rows::default(), "its user was deleted");
}

/// A refresh token is found with its session and user, also after the session has ended.
pub async fn ended_sessions_keep_their_tokens(store: &impl Store) {
    let user = user(1, true);
    let session = |n: u64| Session { id: SessionId(uuid(100 + n)), user: user.id, expires_at: at(900), ended_at: None };
    let token = |n: u64| RefreshToken {
        digest: Digest::of(&format!("token {n}")),
        session: SessionId(uuid(100 + n)),
        exchanged_at: None,
    };
    let (sessions, tokens) = (vec![session(1), session(2)], vec![token(1), token(2)]);
    commit(store, Change { users: vec![user.clone()], sessions, tokens, ..Change::default() }).await;
    let by = |n: u64| Scope { token: Some(token(n).digest), ..Scope::default() };
    let found = rows(store, by(1)).await;
    assert_eq!((found.token, found.users), (Some((token(1), session(1))), vec![user.clone()]));

    let (exchanged, ended) = (RefreshToken { exchanged_at: Some(at(5)), ..token(1) }, Some(at(5)));
    let ended = Session { ended_at: ended, ..session(1) };
    let change = Change { tokens: vec![exchanged.clone()], sessions: vec![ended.clone()], ..Change::default() };
    commit(store, change).await;
    assert_eq!(rows(store, by(1)).await.token, Some((exchanged, ended.clone())));
    commit(store, Change { ended: vec![(user.id, at(7))], ..Change::default() }).await;
    let ends = [rows(store, by(1)).await, rows(store, by(2)).await].map(|rows| rows.token.expect("known").1.ended_at);
    assert_eq!(ends, [Some(at(5)), Some(at(7))], "an ended session does not change");
}

/// Throttles are stored by subject; one with a count of zero is deleted.
pub async fn throttles_count_and_are_reset(store: &impl Store) {
    let counter =
        |subject: &str, count: i32| Throttle { subject: subject.to_owned(), count, last_at: at(i64::from(count)) };
    commit(store, Change { throttle: vec![counter("a", 1), counter("b", 2)], ..Change::default() }).await;
    commit(store, Change { throttle: vec![counter("a", 3)], ..Change::default() }).await;
    let subjects = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
    let mut found = store.find_throttles(&subjects).await.expect("read");
    found.sort_by(|one, other| one.subject.cmp(&other.subject));
    assert_eq!(found, [counter("a", 3), counter("b", 2)]);
    commit(store, Change { throttle: vec![counter("a", 0)], ..Change::default() }).await;
    assert_eq!(store.find_throttles(&subjects).await, Ok(vec![counter("b", 2)]));
    assert_eq!(
        rows(store, Scope { throttle: subjects.to_vec(), ..Scope::default() }).await.throttle,
        [counter("b", 2)]
    );
}

/// A user's addresses are replaced as a whole and belong to that user only.
pub async fn addresses_are_stored_per_user(store: &impl Store) {
    let address = |city: &str| Address {
        recipient: "Ayesha Khan".to_owned(),
        lines: vec!["House 7, Street 3".to_owned(), "F-8/1".to_owned()],
        city: city.to_owned(),
        postal_code: "44000".to_owned(),
        country_code: "PK".to_owned(),
    };
    let book =
        |labels: &[&str]| AddressBook(labels.iter().map(|label| ((*label).to_owned(), address(label))).collect());
    let (one, other) = (user(1, true), user(2, true));
    commit(store, Change { users: vec![one.clone(), other.clone()], ..Change::default() }).await;
    for labels in [&["home", "work"][..], &["home", "گھر"]] {
        commit(store, Change { addresses: Some((one.id, book(labels))), ..Change::default() }).await;
        assert_eq!(store.find_addresses(one.id).await, Ok(book(labels)));
    }
    let found = rows(store, Scope { addresses_of: Some(one.id), ..Scope::default() }).await;
    assert_eq!((found.users, found.addresses), (vec![one], book(&["home", "گھر"])));
    assert_eq!(store.find_addresses(other.id).await, Ok(AddressBook::default()));
}

/// Expired data is deleted, and nothing else.
pub async fn expired_data_is_purged(store: &impl Store) {
    let policy = ThrottlePolicy::default();
    let (unverified, verified_user, waiting) = (user(1, false), user(2, true), user(3, false));
    let link = |n: u64, user: &User, expires_at| Link {
        digest: Digest::of(&n.to_string()),
        purpose: if user.verified { Purpose::Reset } else { Purpose::Verify },
        user: user.id,
        expires_at,
    };
    let now = Timestamp::new(unverified.created_at.get() + Duration::HOUR);
    let later = Timestamp::new(now.get() + Duration::SECOND);
    let links = vec![
        link(1, &verified_user, now),
        link(2, &verified_user, later),
        link(3, &unverified, now),
        link(4, &waiting, later),
    ];
    let session = |n: u64, expires_at| Session {
        id: SessionId(uuid(100 + n)),
        user: verified_user.id,
        expires_at,
        ended_at: None,
    };
    let sessions = vec![session(1, now), session(2, later)];
    let counter = |subject: &str, last_at| Throttle { subject: subject.to_owned(), count: 1, last_at };
    let throttle = vec![counter("a", Timestamp::new(now.get() - policy.reset_after)), counter("b", now)];
    let users = vec![unverified.clone(), verified_user.clone(), waiting.clone()];
    commit(store, Change { users, links, sessions, throttle, ..Change::default() }).await;
    let before = Timestamp::new(now.get() - Duration::SECOND);
    assert_eq!(store.purge_expired(before, &policy).await, Ok(0));
    assert_eq!(
        store.purge_expired(now, &policy).await,
        Ok(5),
        "a registration with its link, another link, a session and a throttle"
    );
    assert_eq!(store.find_throttles(&["a".to_owned(), "b".to_owned()]).await, Ok(vec![counter("b", now)]));
    let scope = Scope { email: Some(unverified.email), ..Scope::default() };
    assert_eq!(rows(store, scope).await.users, []);
    let scope = Scope { link: Some(Digest::of("4")), ..Scope::default() };
    assert_eq!(rows(store, scope).await.users, [waiting], "its link is still valid");
    assert!(rows(store, Scope { link: Some(Digest::of("2")), ..Scope::default() }).await.link.is_some());
    assert_eq!(store.find(verified_user.id).await, Ok(Some(verified_user)));
}

/// Two concurrent decisions about an address without a row are sequential.
pub async fn decisions_about_one_address_are_sequential(store: &impl Store) {
    let email = Email::of("new@example.com");
    let decide = |n: u64| {
        let (email, scope) = (email.clone(), Scope { email: Some(email.clone()), ..Scope::default() });
        store.decide(scope, move |rows| {
            let first = rows.users.is_empty();
            let users = first.then(|| User { email, ..user(n, true) }).into_iter().collect();
            (Change { users, ..Change::default() }, first)
        })
    };
    let (one, other) = both(decide(1), decide(2)).await;
    assert_eq!([one.expect("decided"), other.expect("decided")].into_iter().filter(|first| *first).count(), 1);
}
