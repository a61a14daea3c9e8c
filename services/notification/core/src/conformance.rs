//! The suite that every store passes.
//!
//! [`conformance!`](crate::conformance!) creates a test of each case.

use mart_kernel::testing::both;
use mart_kernel::{Cursor, Receipt, Timestamp, Version};
use uuid::Uuid;

use crate::domain::{
    Change, Channel, Contact, CustomerId, Kind, Locale, Notification, NotificationId, OrderId, Preferences,
    RenderedMessage, Status, StatusKind, Subject,
};
use crate::ports::{About, Filter, Known, Store};

/// Creates a test of every case; `$store` is an expression that awaits a new, empty store.
#[macro_export]
macro_rules! conformance {
    ($store:expr) => {
        $crate::conformance!($store; notifications_are_read_back_at_every_step a_kind_is_sent_once_per_subject_and_channel
            receipts_are_kept_once the_newest_contact_stays preferences_are_kept_and_known_to_decisions
            what_is_due_is_claimed_once a_change_is_of_what_was_seen lists_are_newest_first);
    };
    ($store:expr; $($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                $crate::conformance::$case(&$store.await).await;
            }
        )*
    };
}

/// Returns a second of the suite's own time.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_micros(1_800_000_000_000_000 + second * 1_000_000).expect("in range")
}

fn uuid(n: u64) -> Uuid {
    Uuid::from_u64_pair(0x0190_0000_0000_7000, 0x8000_0000_0000_0000 | n)
}

/// Returns the receipt of the `n`th event.
pub fn receipt(n: u64) -> Receipt {
    Receipt { scope: "test".to_owned(), key: n.to_string(), fingerprint: [0; 32], subject: String::new() }
}

/// Returns the contact of the first order at this version.
pub fn contact(version: u64) -> Contact {
    let version = (0..version).fold(Version::NONE, |version, _| version.next());
    Contact {
        order: OrderId(uuid(1)),
        version,
        customer: CustomerId("ayesha".to_owned()),
        name: "عائشہ".to_owned(),
        email: format!("ayesha-{}@mart.example", version.get()),
        phone: "+923001234567".to_owned(),
        locale: Locale::Urdu,
    }
}

/// Returns the `n`th notification: a mail that is due at that second.
pub fn notification(n: u64) -> Notification {
    let second = i64::try_from(n).expect("small");
    Notification {
        id: NotificationId(uuid(100 + n)),
        subject: Subject(format!("subject {n} ünïcode ' \\")),
        kind: Kind::Placed,
        channel: Channel::Mail,
        order: Some(OrderId(uuid(n))),
        recipient: format!("{n}@mart.example"),
        locale: Locale::English,
        status: Status::Pending { due: at(second), failure: String::new() },
        attempts: 0,
        letter: Some(RenderedMessage { title: "t".to_owned(), text: "اردو".to_owned(), html: "<p>".to_owned() }),
        until: at(86_400),
        created_at: at(second / 2),
        updated_at: at(second),
    }
}

async fn keep(store: &impl Store, nth: u64, notifications: Vec<Notification>) {
    let change = Change { contact: None, notifications };
    store.decide(About::default(), receipt(nth), move |_| change).await.expect("kept");
}

/// A notification is read back after each of its transitions.
pub async fn notifications_are_read_back_at_every_step(store: &impl Store) {
    let first = notification(1);
    assert_eq!(store.find(first.id).await, Ok(None));
    let link = Notification { order: None, kind: Kind::Reset, ..notification(2) };
    let phone = Notification { channel: Channel::Sms, status: Status::Suppressed, letter: None, ..notification(3) };
    let over = Notification { status: Status::Failed { why: "550".to_owned() }, ..notification(4) };
    let all = vec![first.clone(), link, phone, over];
    keep(store, 1, all.clone()).await;
    for kept in all {
        assert_eq!(store.find(kept.id).await, Ok(Some(kept)));
    }
    let steps = [
        Status::Pending { due: at(90), failure: "nobody answers".to_owned() },
        Status::Failed { why: "no such mailbox".to_owned() },
        Status::Sent { reference: "250 ok".to_owned() },
    ];
    let mut now = first;
    for step in steps {
        let seen = now.status.name();
        let letter = now.letter.filter(|_| !matches!(step, Status::Sent { .. }));
        now = Notification { status: step, letter, until: at(99), updated_at: at(98), ..now };
        assert_eq!(store.change(seen, &now).await, Ok(true));
        assert_eq!(store.find(now.id).await, Ok(Some(now.clone())));
    }
}

/// A kind is stored once for each subject and channel.
pub async fn a_kind_is_sent_once_per_subject_and_channel(store: &impl Store) {
    let once = notification(1);
    let other = |n: u64| Notification { id: NotificationId(uuid(200 + n)), ..notification(1) };
    let (one, two) = both(
        store.decide(About::default(), receipt(1), move |_| Change { contact: None, notifications: vec![once] }),
        store.decide(About::default(), receipt(2), move |_| Change { contact: None, notifications: vec![other(1)] }),
    )
    .await;
    assert_eq!((one, two), (Ok(()), Ok(())));
    let more = vec![
        other(2),
        Notification { kind: Kind::Paid, ..other(3) },
        Notification { channel: Channel::Sms, ..other(4) },
    ];
    keep(store, 3, more).await;
    let found = store.list(&Filter::default(), None, 10).await.expect("listed");
    let mut told: Vec<_> = found.iter().map(|found| (found.kind, found.channel)).collect();
    told.sort();
    assert_eq!(told, [(Kind::Placed, Channel::Mail), (Kind::Placed, Channel::Sms), (Kind::Paid, Channel::Mail)]);
}

/// An existing receipt prevents a decision.
pub async fn receipts_are_kept_once(store: &impl Store) {
    keep(store, 1, vec![notification(1)]).await;
    keep(store, 1, vec![notification(2)]).await;
    assert_eq!(store.find(notification(2).id).await, Ok(None));
}

/// The contact of the newest version stays, in any order.
pub async fn the_newest_contact_stays(store: &impl Store) {
    let order = contact(1).order;
    assert_eq!(store.contact(order).await, Ok(None));
    for (nth, version) in (1..).zip([2, 1, 3, 2]) {
        let change = Change { contact: Some(contact(version)), notifications: Vec::new() };
        store.decide(About::default(), receipt(nth), move |_| change).await.expect("kept");
        assert_eq!(store.contact(order).await, Ok(Some(contact(version.max(if nth < 3 { 2 } else { 3 })))));
    }
    let again = Contact { email: "again@mart.example".to_owned(), ..contact(3) };
    let change = Change { contact: Some(again.clone()), notifications: Vec::new() };
    store.decide(About::default(), receipt(9), move |_| change).await.expect("kept");
    assert_eq!(store.contact(order).await, Ok(Some(again)), "of one version what was told last");
}

/// Preferences are stored, and a decision about the customer's order receives them.
pub async fn preferences_are_kept_and_known_to_decisions(store: &impl Store) {
    let customer = contact(1).customer;
    assert_eq!(store.preferences(&customer).await, Ok(Preferences::default()));
    for (kind, enabled) in [(Kind::Shipped, true), (Kind::Shipped, false), (Kind::Delivered, true)] {
        store.prefer(&customer, kind, Channel::Mail, enabled).await.expect("kept");
    }
    let said = [((Kind::Shipped, Channel::Mail), false), ((Kind::Delivered, Channel::Mail), true)];
    let said = Preferences(said.into_iter().collect());
    assert_eq!(store.preferences(&customer).await, Ok(said.clone()));
    assert_eq!(store.preferences(&CustomerId("other".to_owned())).await, Ok(Preferences::default()));

    let knows = async |nth: u64, about: About, known: Known| {
        let decide = move |found: Known| {
            assert_eq!(found, known);
            Change { contact: Some(contact(1)), notifications: Vec::new() }
        };
        store.decide(about, receipt(nth), decide).await.expect("decided");
    };
    let order = Some(contact(1).order);
    let about = About { order, customer: Some(customer) };
    knows(1, about, Known { contact: None, preferences: said.clone() }).await;
    knows(2, About { order, customer: None }, Known { contact: Some(contact(1)), preferences: said }).await;
    knows(3, About::default(), Known::default()).await;
}

/// A due notification is claimed once, counts an attempt, and is due again after its lease.
pub async fn what_is_due_is_claimed_once(store: &impl Store) {
    let phone = Notification { channel: Channel::Sms, ..notification(4) };
    let sent = Notification { status: Status::Sent { reference: String::new() }, letter: None, ..notification(5) };
    keep(store, 1, vec![notification(3), notification(1), notification(2), phone.clone(), sent]).await;
    let claimed = |n: u64, lease: i64, attempts| {
        let status = Status::Pending { due: at(lease), failure: String::new() };
        Notification { status, attempts, ..notification(n) }
    };
    assert_eq!(store.claim(Channel::Mail, at(0), at(60), 9).await, Ok(vec![]));
    assert_eq!(store.claim(Channel::Mail, at(9), at(60), 2).await, Ok(vec![claimed(1, 60, 1), claimed(2, 60, 1)]));
    assert_eq!(store.claim(Channel::Mail, at(9), at(70), 9).await, Ok(vec![claimed(3, 70, 1)]));
    assert_eq!(store.claim(Channel::Mail, at(9), at(70), 9).await, Ok(vec![]));
    assert_eq!(store.claim(Channel::Sms, at(9), at(70), 9).await.map(|found| found.len()), Ok(1));
    let (one, other) =
        both(store.claim(Channel::Mail, at(61), at(90), 9), store.claim(Channel::Mail, at(61), at(90), 9)).await;
    let mut all = [one.expect("claimed"), other.expect("claimed")].concat();
    all.sort_by_key(|claimed| claimed.id);
    assert_eq!(all, [claimed(1, 90, 2), claimed(2, 90, 2)]);
}

/// A change of another status or attempt changes nothing.
pub async fn a_change_is_of_what_was_seen(store: &impl Store) {
    keep(store, 1, vec![notification(1)]).await;
    let seen = store.claim(Channel::Mail, at(9), at(60), 1).await.expect("claimed").remove(0);
    let later = store.claim(Channel::Mail, at(61), at(120), 1).await.expect("claimed").remove(0);
    let sent = |seen: &Notification, reference: &str| {
        let status = Status::Sent { reference: reference.to_owned() };
        Notification { status, letter: None, ..seen.clone() }
    };
    assert_eq!(store.change(StatusKind::Pending, &sent(&seen, "late")).await, Ok(false), "its lease was over");
    assert_eq!(store.change(StatusKind::Failed, &sent(&later, "wrong")).await, Ok(false));
    assert_eq!(store.change(StatusKind::Pending, &sent(&later, "right")).await, Ok(true));
    assert_eq!(store.change(StatusKind::Pending, &sent(&later, "twice")).await, Ok(false));
    assert_eq!(store.find(later.id).await, Ok(Some(sent(&later, "right"))));
    assert_eq!(store.change(StatusKind::Pending, &notification(2)).await, Ok(false), "there is none");
}

/// Notifications are listed newest first, then by id; filters apply.
pub async fn lists_are_newest_first(store: &impl Store) {
    let mut all: Vec<Notification> = (1..=5).map(notification).collect();
    all[1].status = Status::Suppressed;
    all[3].order = all[0].order;
    keep(store, 1, all).await;
    let ids = async |filter: Filter, after: Option<Cursor>, limit: usize| {
        let found = store.list(&filter, after, limit).await.expect("listed");
        found.iter().map(|found| found.id.0).collect::<Vec<_>>()
    };
    let first = ids(Filter::default(), None, 3).await;
    assert_eq!(first, [105, 104, 103].map(uuid));
    let after = Cursor { at: at(1), id: uuid(103) };
    assert_eq!(ids(Filter::default(), Some(after), 3).await, [102, 101].map(uuid));
    let of = |status| Filter { status: Some(status), ..Filter::default() };
    assert_eq!(ids(of(StatusKind::Suppressed), None, 9).await, [uuid(102)]);
    assert_eq!(ids(of(StatusKind::Sent), None, 9).await, [] as [Uuid; 0]);
    assert_eq!(ids(Filter { order: notification(1).order, ..Filter::default() }, None, 9).await, [104, 101].map(uuid));
    let to = Filter { recipient: Some("3@mart.example".to_owned()), ..Filter::default() };
    assert_eq!(ids(to, None, 9).await, [uuid(103)]);
    let both = Filter { order: notification(1).order, status: Some(StatusKind::Suppressed), ..Filter::default() };
    assert_eq!(ids(both, None, 9).await, [] as [Uuid; 0]);
}
