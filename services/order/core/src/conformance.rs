//! The suite that every store passes.
//!
//! [`conformance!`](crate::conformance!) creates a test of each case.

use mart_kernel::ids::SequentialIds;
use mart_kernel::money::Currency;
use mart_kernel::testing::{at, both, receipt, uuid};
use mart_kernel::{Commit, CommitError, CommitOutcome, EventEnvelope, IdGenerator, Money, Version};

use crate::domain::events::OrderRepublished;
use crate::domain::{
    Address, CancelReason, CatalogProduct, Contact, CustomerId, Line, Order, OrderEvent, OrderId, ProductId, Shipment,
    Status, StatusKind, TimelineEntry,
};
use crate::memory::MemoryStore;
use crate::ports::{Filter, Store, Write};

/// Creates a test of every case; `$store` is an expression that awaits a new, empty store.
#[macro_export]
macro_rules! conformance {
    ($store:expr) => {
        mart_kernel::conformance_tests!($crate::conformance; $store;
            orders_are_read_back_after_every_transition a_change_needs_the_current_version
            receipts_are_stored_once concurrent_changes_have_one_winner timelines_are_read_in_order
            entries_need_their_order older_products_are_not_stored overdue_orders_are_found
            lists_agree_with_memory events_alone_change_nothing);
    };
}

fn pkr(minor: i64) -> Money {
    Money::from_minor(minor, Currency::from_code("PKR").expect("a currency"))
}

/// Returns the `n`th order, with every member set, before it is placed.
pub fn draft(n: u64) -> Order {
    let line = |product: u64, quantity: i32| Line {
        product: ProductId(uuid(product)),
        name: format!("Product {product} ünïcode ' \\"),
        quantity,
        unit_price: pkr(1_500),
        sum: pkr(1_500 * i64::from(quantity)),
    };
    Order {
        id: OrderId(uuid(1_000 + n)),
        version: Version::NONE,
        customer: CustomerId(format!("customer-{}", n % 3)),
        status: Status::Placed,
        lines: vec![line(2, 1), line(1, 3)],
        total: pkr(6_000),
        address: Address {
            recipient: "Ayesha Khan".to_owned(),
            lines: vec!["House 7, Street 3".to_owned(), "F-8/1".to_owned()],
            city: "Islamabad".to_owned(),
            postal_code: "44000".to_owned(),
            country_code: "PK".to_owned(),
        },
        contact: Contact {
            email: "ayesha@example.com".to_owned(),
            phone: "+923001234567".to_owned(),
            locale: "ur".to_owned(),
        },
        payment_method: "payfast".to_owned(),
        payment: None,
        reservation_round: 0,
        created_at: at(i64::try_from(n / 2).expect("small")),
        updated_at: at(i64::try_from(n / 2).expect("small")),
    }
}

/// Adds ids to events, unique in all cases.
fn envelopes(events: Vec<OrderEvent>) -> Vec<EventEnvelope<OrderEvent>> {
    static NEXT: std::sync::LazyLock<SequentialIds> = std::sync::LazyLock::new(SequentialIds::default);
    let envelope = |event: OrderEvent| {
        let order = event.order();
        EventEnvelope { id: NEXT.next(), at: order.updated_at, version: order.version, payload: event }
    };
    events.into_iter().map(envelope).collect()
}

fn insert(n: u64) -> (Order, Commit<Write, OrderEvent>) {
    let draft = draft(n);
    let now = draft.created_at;
    let (order, events) = draft.place(now);
    (order.clone(), Commit { write: Some(Write::Insert(order)), events: envelopes(events), receipt: None })
}

fn update(before: &Order, stepped: (Order, Vec<OrderEvent>)) -> (Order, Commit<Write, OrderEvent>) {
    let (order, events) = stepped;
    let write = Some(Write::Update { order: order.clone(), expected: before.version });
    (order, Commit { write, events: envelopes(events), receipt: None })
}

async fn placed(store: &impl Store, n: u64) -> Order {
    let (order, commit) = insert(n);
    assert_eq!(store.commit(commit).await, Ok(CommitOutcome::Committed));
    order
}

async fn stepped(store: &impl Store, before: &Order, step: (Order, Vec<OrderEvent>)) -> Order {
    let (order, commit) = update(before, step);
    assert_eq!(store.commit(commit).await, Ok(CommitOutcome::Committed));
    assert_eq!(store.find(order.id).await, Ok(Some(order.clone())));
    order
}

/// An order is read back after each of its transitions.
pub async fn orders_are_read_back_after_every_transition(store: &impl Store) {
    let order = placed(store, 1).await;
    assert_eq!(store.find(order.id).await, Ok(Some(order.clone())));
    assert_eq!(store.find(OrderId(uuid(9))).await, Ok(None));
    let step = order.clone().stock_reserved(0, at(100), at(2)).expect("allowed");
    let order = stepped(store, &order, step).await;
    let step = order.clone().expire_if_overdue(at(100)).expect("due");
    let order = stepped(store, &order, step).await;
    let step = order.clone().payment_captured("pay-1".to_owned(), pkr(6_000), at(101)).expect("late");
    let order = stepped(store, &order, step).await;
    assert_eq!((order.reservation_round, order.payment.is_some()), (1, true));
    let step = order.clone().stock_reserved(1, at(200), at(102)).expect("allowed");
    let order = stepped(store, &order, step).await;
    let contact = Contact { email: "a@b.example".to_owned(), phone: String::new(), locale: String::new() };
    let step = order.clone().change(None, Some(contact), at(103)).expect("allowed");
    let order = stepped(store, &order, step).await;
    let shipment = Shipment { carrier: "TCS".to_owned(), tracking_number: "7'7".to_owned() };
    let step = order.clone().ship(shipment, at(104)).expect("allowed");
    let order = stepped(store, &order, step).await;
    let step = order.clone().deliver(at(105)).expect("allowed");
    stepped(store, &order, step).await;

    for (n, reason) in [(2, CancelReason::Customer), (3, CancelReason::Admin)] {
        let order = placed(store, n).await;
        let step = order.clone().cancel(reason, at(2)).expect("allowed");
        stepped(store, &order, step).await;
    }
    let order = placed(store, 4).await;
    let step = order.clone().stock_rejected(0, at(2)).expect("allowed");
    let order = stepped(store, &order, step).await;
    let step = order.clone().payment_captured("pay-1".to_owned(), pkr(6_000), at(3)).expect("refunded");
    let order = stepped(store, &order, step).await;
    assert!(order.payment.is_some_and(|payment| payment.refund_requested));
}

/// A change of an older version or of a missing order changes nothing and stores no receipt.
pub async fn a_change_needs_the_current_version(store: &impl Store) {
    let order = placed(store, 1).await;
    let step = order.clone().stock_reserved(0, at(100), at(2)).expect("allowed");
    let after = stepped(store, &order, step).await;
    let (_, stale) = update(&order, order.clone().cancel(CancelReason::Admin, at(3)).expect("allowed"));
    let stale = Commit { receipt: Some(receipt("a", "r", "subject")), ..stale };
    assert_eq!(store.commit(stale).await, Err(CommitError::Conflict));
    assert_eq!(store.find(order.id).await, Ok(Some(after.clone())));
    let missing = draft(7);
    let (_, commit) = update(&missing, missing.clone().place(at(1)));
    assert_eq!(store.commit(commit).await, Err(CommitError::Conflict));
    let (_, fresh) = update(&after, after.clone().cancel(CancelReason::Admin, at(3)).expect("allowed"));
    assert_eq!(
        store.commit(Commit { receipt: Some(receipt("a", "r", "subject")), ..fresh }).await,
        Ok(CommitOutcome::Committed)
    );
}

/// An existing receipt is reported with whether the request was the same, and nothing is written.
pub async fn receipts_are_stored_once(store: &impl Store) {
    let first = Commit { receipt: Some(receipt("a", "r", "subject")), ..insert(1).1 };
    assert_eq!(store.find_receipt(&receipt("a", "r", "subject")).await, Ok(None));
    assert_eq!(store.commit(first.clone()).await, Ok(CommitOutcome::Committed));
    let again = |same_request| Ok(CommitOutcome::AlreadyProcessed { subject: "subject".to_owned(), same_request });
    assert_eq!(store.commit(first).await, again(true));
    let (second, commit) = insert(2);
    let other = Commit { receipt: Some(receipt("a", "another", "subject")), ..commit };
    assert_eq!(store.commit(other).await, again(false));
    assert_eq!(store.find(second.id).await, Ok(None));
    assert_eq!(store.find_receipt(&receipt("a", "r", "subject")).await, Ok(Some(("subject".to_owned(), true))));
    assert_eq!(store.find_receipt(&receipt("a", "another", "subject")).await, Ok(Some(("subject".to_owned(), false))));
}

/// Of two concurrent changes of one version, one succeeds and the other conflicts.
pub async fn concurrent_changes_have_one_winner(store: &impl Store) {
    let order = placed(store, 1).await;
    let (_, cancel) = update(&order, order.clone().cancel(CancelReason::Customer, at(2)).expect("allowed"));
    let (_, reserve) = update(&order, order.clone().stock_reserved(0, at(9), at(2)).expect("allowed"));
    let (one, other) = both(store.commit(cancel), store.commit(reserve)).await;
    let done = [one, other];
    assert_eq!(done.iter().filter(|done| **done == Ok(CommitOutcome::Committed)).count(), 1, "{done:?}");
    assert_eq!(done.iter().filter(|done| **done == Err(CommitError::Conflict)).count(), 1, "{done:?}");
}

/// Every event has its entry, in order with appended ones.
pub async fn timelines_are_read_in_order(store: &impl Store) {
    let order = placed(store, 1).await;
    let step = order.clone().stock_reserved(0, at(100), at(2)).expect("allowed");
    let order = stepped(store, &order, step).await;
    let entry = TimelineEntry {
        at: at(3),
        text: "It failed.".to_owned(),
        status: StatusKind::AwaitingPayment,
        event: uuid(77),
    };
    let note = Commit {
        write: Some(Write::AppendTimeline { order: order.id, entry: entry.clone() }),
        events: Vec::new(),
        receipt: Some(receipt("n", "r", "subject")),
    };
    assert_eq!(store.commit(note.clone()).await, Ok(CommitOutcome::Committed));
    assert!(matches!(store.commit(note).await, Ok(CommitOutcome::AlreadyProcessed { .. })));
    let step = order.clone().payment_captured("pay-1".to_owned(), pkr(6_000), at(4)).expect("in time");
    let order = stepped(store, &order, step).await;
    let step = order.clone().cancel(CancelReason::Customer, at(5)).expect("allowed");
    let order = stepped(store, &order, step).await;
    let entries = store.find_timeline(order.id).await.expect("reachable");
    let seen: Vec<(i64, StatusKind)> = entries
        .iter()
        .map(|(entry, _)| ((entry.at.unix_micros() - at(0).unix_micros()) / 1_000_000, entry.status))
        .collect();
    let expected = [
        (0, StatusKind::Placed),
        (2, StatusKind::AwaitingPayment),
        (3, StatusKind::AwaitingPayment),
        (4, StatusKind::Confirmed),
        (5, StatusKind::Cancelled),
        (5, StatusKind::Cancelled),
    ];
    assert_eq!(seen, expected);
    assert_eq!(entries[2].0, entry);
    assert_eq!(store.find_timeline(OrderId(uuid(9))).await, Ok(vec![]));
}

/// An entry of a missing order is a conflict.
pub async fn entries_need_their_order(store: &impl Store) {
    let entry = TimelineEntry { at: at(3), text: String::new(), status: StatusKind::Placed, event: uuid(77) };
    let note = |entry| Commit {
        write: Some(Write::AppendTimeline { order: draft(1).id, entry }),
        events: Vec::new(),
        receipt: Some(receipt("n", "r", "subject")),
    };
    assert_eq!(store.commit(note(entry.clone())).await, Err(CommitError::Conflict));
    placed(store, 1).await;
    assert_eq!(store.commit(note(entry)).await, Ok(CommitOutcome::Committed), "the conflict stored no receipt");
}

/// An older version of a product changes nothing; the same version is stored.
pub async fn older_products_are_not_stored(store: &impl Store) {
    let known = |version: i64, name: &str| CatalogProduct {
        id: ProductId(uuid(1)),
        version: Version::from_stored(version).expect("not negative"),
        name: name.to_owned(),
        on_sale: version % 2 == 0,
        prices: vec![pkr(version), Money::from_minor(5, Currency::from_code("USD").expect("a currency"))],
    };
    assert_eq!(store.find_products(&[ProductId(uuid(1))]).await, Ok(vec![]));
    let steps =
        [(2, "two", "two"), (1, "one", "two"), (4, "four", "four"), (4, "again", "again"), (3, "three", "again")];
    for (nth, (version, name, expected)) in steps.into_iter().enumerate() {
        let write = Some(Write::Product(known(version, name)));
        let commit = Commit { write, events: Vec::new(), receipt: Some(receipt(&nth.to_string(), "r", "subject")) };
        store.commit(commit.clone()).await.expect("stored or ignored");
        assert!(matches!(store.commit(commit).await, Ok(CommitOutcome::AlreadyProcessed { .. })));
        let found = store.find_products(&[ProductId(uuid(2)), ProductId(uuid(1))]).await.expect("reachable");
        assert_eq!(found.iter().map(|product| product.name.as_str()).collect::<Vec<_>>(), [expected]);
        assert_eq!(found[0].prices.len(), 2);
    }
    assert_eq!(store.find_products(&[ProductId(uuid(1))]).await, Ok(vec![known(4, "again")]));
}

/// Overdue orders are returned, oldest first.
pub async fn overdue_orders_are_found(store: &impl Store) {
    for (n, deadline) in [(1, 30), (2, 20), (3, 10)] {
        let order = placed(store, n).await;
        let step = order.clone().stock_reserved(0, at(deadline), at(2)).expect("allowed");
        stepped(store, &order, step).await;
    }
    placed(store, 4).await;
    let ids = |ns: &[u64]| ns.iter().map(|n| draft(*n).id).collect::<Vec<_>>();
    assert_eq!(store.due(at(9), 10).await, Ok(vec![]));
    assert_eq!(store.due(at(20), 10).await, Ok(ids(&[3, 2])));
    assert_eq!(store.due(at(99), 2).await, Ok(ids(&[3, 2])));
}

/// Every filter and every page returns the same as the in-memory store.
pub async fn lists_agree_with_memory(store: &impl Store) {
    let memory = MemoryStore::default();
    for n in 0..12 {
        let (order, commit) = insert(n);
        store.commit(commit.clone()).await.expect("committed");
        memory.commit(commit).await.expect("committed");
        if n % 4 == 0 {
            let (_, commit) = update(&order, order.clone().cancel(CancelReason::Admin, at(50)).expect("allowed"));
            store.commit(commit.clone()).await.expect("committed");
            memory.commit(commit).await.expect("committed");
        }
    }
    let filters = [
        Filter::default(),
        Filter { customer: Some(CustomerId("customer-1".to_owned())), ..Filter::default() },
        Filter { status: Some(StatusKind::Cancelled), ..Filter::default() },
        Filter { from: Some(at(1)), before: Some(at(4)), ..Filter::default() },
        Filter { customer: Some(CustomerId("unknown".to_owned())), ..Filter::default() },
    ];
    for filter in filters {
        let all = memory.list(&filter, None, 100).await.expect("reachable");
        assert_eq!(store.list(&filter, None, 100).await, Ok(all.clone()), "{filter:?}");
        for after in &all {
            let cursor = Some(after.cursor());
            let expected = memory.list(&filter, cursor, 4).await;
            assert_eq!(store.list(&filter, cursor, 4).await, expected, "{filter:?} {cursor:?}");
        }
    }
}

/// A republished state has no entry and changes no row.
pub async fn events_alone_change_nothing(store: &impl Store) {
    let order = placed(store, 1).await;
    let events = vec![OrderEvent::OrderRepublished(OrderRepublished { order: order.clone() })];
    let commit = Commit { write: None, events: envelopes(events), receipt: None };
    assert_eq!(store.commit(commit).await, Ok(CommitOutcome::Committed));
    assert_eq!(store.find(order.id).await, Ok(Some(order.clone())));
    assert_eq!(store.find_timeline(order.id).await.map(|entries| entries.len()), Ok(1));
}
