//! The suite that every store passes.
//!
//! [`conformance!`](crate::conformance!) creates a test of each case.

use mart_kernel::testing::{at, both, receipt, uuid};
use mart_kernel::{Cursor, Receipt, Version};
use uuid::Uuid;

use crate::domain::{
    Change, Channel, Contact, CustomerId, Kind, Locale, Notification, NotificationId, OrderId, Preferences,
    RenderedMessage, Status, StatusKind, Subject,
};
use crate::ports::{DecisionData, DecisionKeys, Filter, Store};

/// Creates a test of every case; `$store` is an expression that awaits a new, empty store.
#[macro_export]
macro_rules! conformance {
    ($store:expr) => {
        mart_kernel::conformance_tests!($crate::conformance; $store;
            a_notification_is_read_back_in_every_status a_kind_is_sent_once_per_subject_and_channel
            an_existing_receipt_prevents_a_decision the_newest_contact_stays preferences_are_stored_and_passed_to_decisions
            a_due_notification_is_claimed_once a_stale_update_has_no_effect lists_are_newest_first);
    };
}

fn event_receipt(n: u64) -> Receipt {
    receipt(&n.to_string(), "event", "")
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
        message: Some(RenderedMessage { title: "t".to_owned(), text: "اردو".to_owned(), html: "<p>".to_owned() }),
        until: at(86_400),
        created_at: at(second / 2),
        updated_at: at(second),
    }
}

async fn insert(store: &impl Store, nth: u64, notifications: Vec<Notification>) {
    let change = Change { contact: None, notifications };
    store.decide(DecisionKeys::default(), event_receipt(nth), move |_| change).await.expect("stored");
}

/// A notification is read back in each status, with and without a message.
pub async fn a_notification_is_read_back_in_every_status(store: &impl Store) {
    let first = notification(1);
    assert_eq!(store.find(first.id).await, Ok(None));
    let link = Notification { order: None, kind: Kind::Reset, ..notification(2) };
    let phone = Notification { channel: Channel::Sms, status: Status::Suppressed, message: None, ..notification(3) };
    let failed = Notification { status: Status::Failed { reason: "550".to_owned() }, ..notification(4) };
    let all = vec![first.clone(), link, phone, failed];
    insert(store, 1, all.clone()).await;
    for stored in all {
        assert_eq!(store.find(stored.id).await, Ok(Some(stored)));
    }
    let statuses = [
        Status::Pending { due: at(90), failure: "connection refused".to_owned() },
        Status::Failed { reason: "no such mailbox".to_owned() },
        Status::Sent { reference: "250 ok".to_owned() },
    ];
    let mut current = first;
    for status in statuses {
        let expected = current.status.kind();
        let message = current.message.filter(|_| !matches!(status, Status::Sent { .. }));
        current = Notification { status, message, until: at(99), updated_at: at(98), ..current };
        assert_eq!(store.update(expected, &current).await, Ok(true));
        assert_eq!(store.find(current.id).await, Ok(Some(current.clone())));
    }
}

/// A kind is stored once for each subject and channel.
pub async fn a_kind_is_sent_once_per_subject_and_channel(store: &impl Store) {
    let first = notification(1);
    let duplicate = |n: u64| Notification { id: NotificationId(uuid(200 + n)), ..notification(1) };
    let change = |notification| Change { contact: None, notifications: vec![notification] };
    let (one, two) = both(
        store.decide(DecisionKeys::default(), event_receipt(1), move |_| change(first)),
        store.decide(DecisionKeys::default(), event_receipt(2), move |_| change(duplicate(1))),
    )
    .await;
    assert_eq!((one, two), (Ok(()), Ok(())));
    let more = vec![
        duplicate(2),
        Notification { kind: Kind::Paid, ..duplicate(3) },
        Notification { channel: Channel::Sms, ..duplicate(4) },
    ];
    insert(store, 3, more).await;
    let found = store.list(&Filter::default(), None, 10).await.expect("listed");
    let mut stored: Vec<_> = found.iter().map(|found| (found.kind, found.channel)).collect();
    stored.sort();
    assert_eq!(stored, [(Kind::Placed, Channel::Mail), (Kind::Placed, Channel::Sms), (Kind::Paid, Channel::Mail)]);
}

/// A decision with an existing receipt stores nothing.
pub async fn an_existing_receipt_prevents_a_decision(store: &impl Store) {
    insert(store, 1, vec![notification(1)]).await;
    insert(store, 1, vec![notification(2)]).await;
    assert_eq!(store.find(notification(2).id).await, Ok(None));
}

/// The contact of the newest version stays, regardless of the order of arrival.
pub async fn the_newest_contact_stays(store: &impl Store) {
    let order = contact(1).order;
    assert_eq!(store.find_contact(order).await, Ok(None));
    for (nth, version) in (1..).zip([2, 1, 3, 2]) {
        let change = Change { contact: Some(contact(version)), notifications: Vec::new() };
        store.decide(DecisionKeys::default(), event_receipt(nth), move |_| change).await.expect("stored");
        assert_eq!(store.find_contact(order).await, Ok(Some(contact(version.max(if nth < 3 { 2 } else { 3 })))));
    }
    let replacement = Contact { email: "again@mart.example".to_owned(), ..contact(3) };
    let change = Change { contact: Some(replacement.clone()), notifications: Vec::new() };
    store.decide(DecisionKeys::default(), event_receipt(9), move |_| change).await.expect("stored");
    assert_eq!(store.find_contact(order).await, Ok(Some(replacement)), "of the same version, the last one");
}

/// Preferences are stored, and a decision receives those of the customer or of the order's customer.
pub async fn preferences_are_stored_and_passed_to_decisions(store: &impl Store) {
    let customer = contact(1).customer;
    assert_eq!(store.find_preferences(&customer).await, Ok(Preferences::default()));
    for (kind, enabled) in [(Kind::Shipped, true), (Kind::Shipped, false), (Kind::Delivered, true)] {
        store.set_preference(&customer, kind, Channel::Mail, enabled).await.expect("stored");
    }
    let set = [((Kind::Shipped, Channel::Mail), false), ((Kind::Delivered, Channel::Mail), true)];
    let set = Preferences(set.into_iter().collect());
    assert_eq!(store.find_preferences(&customer).await, Ok(set.clone()));
    assert_eq!(store.find_preferences(&CustomerId("other".to_owned())).await, Ok(Preferences::default()));

    let receives = async |nth: u64, keys: DecisionKeys, expected: DecisionData| {
        let decide = move |data: DecisionData| {
            assert_eq!(data, expected);
            Change { contact: Some(contact(1)), notifications: Vec::new() }
        };
        store.decide(keys, event_receipt(nth), decide).await.expect("decided");
    };
    let order = Some(contact(1).order);
    let keys = DecisionKeys { order, customer: Some(customer) };
    receives(1, keys, DecisionData { contact: None, preferences: set.clone() }).await;
    receives(2, DecisionKeys { order, customer: None }, DecisionData { contact: Some(contact(1)), preferences: set })
        .await;
    receives(3, DecisionKeys::default(), DecisionData::default()).await;
}

/// A due notification is claimed once, counts an attempt, and is due again after its lease.
pub async fn a_due_notification_is_claimed_once(store: &impl Store) {
    let phone = Notification { channel: Channel::Sms, ..notification(4) };
    let sent = Notification { status: Status::Sent { reference: String::new() }, message: None, ..notification(5) };
    insert(store, 1, vec![notification(3), notification(1), notification(2), phone.clone(), sent]).await;
    let claimed = |n: u64, lease: i64, attempts| {
        let status = Status::Pending { due: at(lease), failure: String::new() };
        Notification { status, attempts, ..notification(n) }
    };
    assert_eq!(store.claim_due(Channel::Mail, at(0), at(60), 9).await, Ok(vec![]));
    assert_eq!(store.claim_due(Channel::Mail, at(9), at(60), 2).await, Ok(vec![claimed(1, 60, 1), claimed(2, 60, 1)]));
    assert_eq!(store.claim_due(Channel::Mail, at(9), at(70), 9).await, Ok(vec![claimed(3, 70, 1)]));
    assert_eq!(store.claim_due(Channel::Mail, at(9), at(70), 9).await, Ok(vec![]));
    assert_eq!(store.claim_due(Channel::Sms, at(9), at(70), 9).await.map(|found| found.len()), Ok(1));
    let (one, other) =
        both(store.claim_due(Channel::Mail, at(61), at(90), 9), store.claim_due(Channel::Mail, at(61), at(90), 9))
            .await;
    let mut all = [one.expect("claimed"), other.expect("claimed")].concat();
    all.sort_by_key(|claimed| claimed.id);
    assert_eq!(all, [claimed(1, 90, 2), claimed(2, 90, 2)]);
}

/// An update has no effect if the status or the attempt is not the expected one.
pub async fn a_stale_update_has_no_effect(store: &impl Store) {
    insert(store, 1, vec![notification(1)]).await;
    let first = store.claim_due(Channel::Mail, at(9), at(60), 1).await.expect("claimed").remove(0);
    let second = store.claim_due(Channel::Mail, at(61), at(120), 1).await.expect("claimed").remove(0);
    let sent = |claimed: &Notification, reference: &str| {
        let status = Status::Sent { reference: reference.to_owned() };
        Notification { status, message: None, ..claimed.clone() }
    };
    assert_eq!(store.update(StatusKind::Pending, &sent(&first, "late")).await, Ok(false), "the lease has expired");
    assert_eq!(store.update(StatusKind::Failed, &sent(&second, "wrong")).await, Ok(false));
    assert_eq!(store.update(StatusKind::Pending, &sent(&second, "right")).await, Ok(true));
    assert_eq!(store.update(StatusKind::Pending, &sent(&second, "twice")).await, Ok(false));
    assert_eq!(store.find(second.id).await, Ok(Some(sent(&second, "right"))));
    assert_eq!(store.update(StatusKind::Pending, &notification(2)).await, Ok(false), "the notification does not exist");
}

/// Notifications are listed newest first, then by id; filters apply.
pub async fn lists_are_newest_first(store: &impl Store) {
    let mut all: Vec<Notification> = (1..=5).map(notification).collect();
    all[1].status = Status::Suppressed;
    all[3].order = all[0].order;
    insert(store, 1, all).await;
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
