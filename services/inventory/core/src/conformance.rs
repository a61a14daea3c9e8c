//! The suite that every store passes.
//!
//! [`conformance!`](crate::conformance!) creates a test of each case.

use std::convert::Infallible;

use mart_kernel::ids::SequentialIds;
use mart_kernel::testing::{at, both, receipt, uuid};
use mart_kernel::{IdGenerator, Receipt, Version};

use crate::domain::{Cause, LedgerEntryId, Lines, OrderId, ProductId, Status, StockDecider, StockItem};
use crate::ports::{Decided, Rows, Scope, Store};

/// Creates a test of every case; `$store` is an expression that awaits a new, empty store.
#[macro_export]
macro_rules! conformance {
    ($store:expr) => {
        mart_kernel::conformance_tests!($crate::conformance; $store;
            decisions_are_read_back rejected_decisions_change_nothing receipts_are_stored_once
            reservations_are_read_back_and_found_when_due decisions_about_the_same_rows_are_sequential
            decisions_about_a_new_order_are_sequential lists_are_newest_first);
    };
}

static IDS: std::sync::LazyLock<SequentialIds> = std::sync::LazyLock::new(SequentialIds::default);

fn product(n: u64) -> ProductId {
    ProductId(uuid(n))
}

fn order(n: u64) -> OrderId {
    OrderId(uuid(1_000 + n))
}

fn scope(order: Option<OrderId>, products: &[ProductId]) -> Scope {
    Scope { order, products: products.iter().copied().collect() }
}

async fn decide(
    store: &impl Store,
    scope: Scope,
    receipt: Option<Receipt>,
    second: i64,
    step: impl FnOnce(&mut StockDecider<'_>) + Send + 'static,
) -> Decided<Infallible> {
    let decide = move |rows: Rows| {
        let mut decider = StockDecider::open(rows.items, rows.reservation, at(second), &*IDS);
        step(&mut decider);
        Ok(decider.close())
    };
    store.decide(scope, receipt, decide).await.expect("reachable")
}

/// Creates a product with units at a second.
async fn stocked(store: &impl Store, n: u64, second: i64, units: i32) {
    let step = move |decider: &mut StockDecider<'_>| {
        decider.upsert_product(product(n), Version::NONE.next(), false);
        decider
            .count(LedgerEntryId(IDS.next()), product(n), units, Cause::Received("note 7".to_owned()))
            .expect("allowed");
    };
    decide(store, scope(None, &[product(n)]), None, second, step).await;
}

async fn found(store: &impl Store, n: u64) -> StockItem {
    store.find_stock_items(&[product(n)]).await.expect("reachable").pop().expect("it exists")
}

fn expire(decider: &mut StockDecider<'_>) {
    decider.expire();
}

/// Places an order and returns whether its units are reserved.
async fn place(store: &impl Store, n: u64, products: &[(u64, i32)]) -> bool {
    let lines = Lines::of(products.iter().map(|(n, quantity)| (product(*n), *quantity)));
    let scope = scope(Some(order(n)), &lines.products().collect::<Vec<_>>());
    let expires = at(100 + i64::try_from(n).expect("small"));
    let step = move |decider: &mut StockDecider<'_>| decider.order_placed(order(n), lines, expires);
    decide(store, scope, None, 10, step).await;
    let stored = store.find_reservation(order(n)).await.expect("reachable").expect("it exists");
    matches!(stored.status, Status::Reserved { .. })
}

/// A committed change is read back completely; missing rows are not found.
pub async fn decisions_are_read_back(store: &impl Store) {
    stocked(store, 1, 1, 7).await;
    let item = found(store, 1).await;
    assert_eq!((item.on_hand, item.reserved, item.archived), (7, 0, false));
    assert_eq!((item.created_at, item.version.get(), item.product_version.get()), (at(1), 2, 1));
    assert_eq!(store.find_stock_items(&[product(2), product(1)]).await, Ok(vec![item]));
    let entries = store.list_ledger_entries(product(1), None, 10).await.expect("reachable");
    assert_eq!(entries.iter().map(|entry| (entry.on_hand, entry.reserved)).collect::<Vec<_>>(), [(7, 0)]);
    assert_eq!(entries[0].cause, Cause::Received("note 7".to_owned()));
    assert_eq!(store.find_ledger_entry(entries[0].id).await, Ok(Some(entries[0].clone())));
    assert_eq!(store.find_ledger_entry(LedgerEntryId(uuid(9))).await, Ok(None));
    assert_eq!(store.find_reservation(order(1)).await, Ok(None));
    let step = |decider: &mut StockDecider<'_>| {
        decider.upsert_product(product(1), Version::NONE.next().next(), true);
        decider.set_threshold(product(1), 7).expect("it exists");
    };
    decide(store, scope(None, &[product(1)]), None, 5, step).await;
    let item = found(store, 1).await;
    assert_eq!((item.archived, item.low_stock_threshold, item.updated_at), (true, 7, at(5)));
    assert_eq!((item.product_version.get(), item.created_at), (2, at(1)));
}

/// A rejected decision stores nothing, not even its receipt.
pub async fn rejected_decisions_change_nothing(store: &impl Store) {
    stocked(store, 1, 1, 7).await;
    let before = found(store, 1).await;
    let reject = |_: Rows| Err("no");
    let rejected = store.decide(scope(None, &[product(1)]), Some(receipt("a", "r", "subject")), reject).await;
    assert_eq!(rejected, Ok(Decided::Rejected("no")));
    assert_eq!(found(store, 1).await, before);
    let again = decide(store, scope(None, &[product(1)]), Some(receipt("a", "r", "subject")), 2, |_| {}).await;
    assert!(matches!(again, Decided::Committed(_)), "{again:?}");
}

/// An existing receipt is reported with whether the request was the same, and nothing is changed.
pub async fn receipts_are_stored_once(store: &impl Store) {
    stocked(store, 1, 1, 7).await;
    let step = |decider: &mut StockDecider<'_>| {
        decider.count(LedgerEntryId(IDS.next()), product(1), 1, Cause::Adjusted("count".to_owned())).expect("allowed");
    };
    for (request, expected) in [("r", None), ("r", Some(true)), ("another", Some(false))] {
        let done = decide(store, scope(None, &[product(1)]), Some(receipt("a", request, "subject")), 2, step).await;
        let seen = match done {
            Decided::AlreadyProcessed { same_request, subject } => {
                assert_eq!(subject, "subject");
                Some(same_request)
            }
            Decided::Committed(_) => None,
            Decided::Rejected(never) => match never {},
        };
        assert_eq!(seen, expected);
        assert_eq!(found(store, 1).await.on_hand, 8);
    }
}

/// A reservation is read back with its lines and its expiry, after each of its transitions.
pub async fn reservations_are_read_back_and_found_when_due(store: &impl Store) {
    stocked(store, 1, 1, 7).await;
    stocked(store, 2, 2, 7).await;
    assert!(place(store, 2, &[(1, 2), (2, 3)]).await);
    assert!(place(store, 1, &[(1, 1)]).await);
    assert!(!place(store, 3, &[(1, 5)]).await);
    let stored = store.find_reservation(order(2)).await.expect("reachable").expect("it exists");
    assert_eq!(stored.lines, Lines::of([(product(1), 2), (product(2), 3)]));
    assert_eq!(
        (stored.status, stored.reservation_round, stored.closed),
        (Status::Reserved { expires_at: at(102) }, 0, false)
    );
    assert_eq!(store.due(at(100), 10).await, Ok(vec![]));
    assert_eq!(store.due(at(102), 10).await, Ok(vec![order(1), order(2)]));
    assert_eq!(store.due(at(102), 1).await, Ok(vec![order(1)]));
    // The scope has only the order: the store adds the products of its reservation.
    decide(store, scope(Some(order(2)), &[]), None, 103, expire).await;
    assert_eq!(
        store.find_reservation(order(2)).await.expect("reachable").map(|stored| stored.status),
        Some(Status::Expired)
    );
    assert_eq!((found(store, 1).await.reserved, found(store, 2).await.reserved), (1, 0));
    assert_eq!(store.due(at(103), 10).await, Ok(vec![order(1)]));
    let cancel = |decider: &mut StockDecider<'_>| decider.order_cancelled(order(2), 0);
    decide(store, scope(Some(order(2)), &[]), None, 104, cancel).await;
    assert!(store.find_reservation(order(2)).await.expect("reachable").expect("it exists").closed);
}

/// Of two concurrent orders for the last units, one gets them.
pub async fn decisions_about_the_same_rows_are_sequential(store: &impl Store) {
    stocked(store, 1, 1, 5).await;
    stocked(store, 2, 1, 5).await;
    let (one, other) = both(place(store, 1, &[(1, 3), (2, 3)]), place(store, 2, &[(2, 3), (1, 3)])).await;
    assert!(one != other, "{one} {other}");
    assert_eq!((found(store, 1).await.reserved, found(store, 2).await.reserved), (3, 3));
}

/// After an order and its concurrent cancellation nothing is reserved, in either order.
pub async fn decisions_about_a_new_order_are_sequential(store: &impl Store) {
    stocked(store, 1, 1, 5).await;
    let cancel = |decider: &mut StockDecider<'_>| decider.order_cancelled(order(1), 0);
    let cancel = decide(store, scope(Some(order(1)), &[]), None, 10, cancel);
    both(place(store, 1, &[(1, 3)]), cancel).await;
    let stored = store.find_reservation(order(1)).await.expect("reachable").expect("it exists");
    assert_eq!((stored.status, found(store, 1).await.reserved), (Status::Released, 0));
}

/// Lists continue after their cursor and have only the requested items.
pub async fn lists_are_newest_first(store: &impl Store) {
    for n in 0..6 {
        stocked(store, n, i64::try_from(n / 2).expect("small"), 5).await;
    }
    let low = |decider: &mut StockDecider<'_>| decider.set_threshold(product(3), 9).expect("it exists");
    decide(store, scope(None, &[product(3)]), None, 20, low).await;
    let all = store.list_stock_items(false, None, 10).await.expect("reachable");
    assert_eq!(all.iter().map(|item| item.id).collect::<Vec<_>>(), [5, 4, 3, 2, 1, 0].map(product));
    for (n, item) in all.iter().enumerate() {
        let expected = all[n + 1..].iter().take(2).cloned().collect::<Vec<_>>();
        assert_eq!(store.list_stock_items(false, Some(item.cursor()), 2).await, Ok(expected));
    }
    let low = store.list_stock_items(true, None, 10).await.expect("reachable");
    assert_eq!(low.iter().map(|item| item.id).collect::<Vec<_>>(), [product(3)]);
    assert!(place(store, 1, &[(0, 1)]).await);
    let entries = store.list_ledger_entries(product(0), None, 10).await.expect("reachable");
    assert_eq!(entries.iter().map(|entry| (entry.on_hand, entry.reserved)).collect::<Vec<_>>(), [(0, 1), (5, 0)]);
    assert_eq!(
        store.list_ledger_entries(product(0), Some(entries[0].cursor()), 10).await,
        Ok(vec![entries[1].clone()])
    );
}
