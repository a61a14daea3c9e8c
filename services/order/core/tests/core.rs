//! The rules of an order's transitions, one by one and in random sequences.

use std::convert::Infallible;
use std::sync::Arc;

use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use mart_kernel::money::Currency;
use mart_kernel::testing::at;
use mart_kernel::{
    Commit, CommitError, CommitOutcome, Cursor, Money, PageTokenSigner, Receipt, StoreError, Timestamp, Version,
};
use order_core::UseCases;
use order_core::application::PAYMENT_WINDOW;
use order_core::conformance::draft;
use order_core::domain::state_machine::{Action, STATES, State, TRIGGERS, Trigger, to_markdown, transition};
use order_core::domain::{
    CancelReason, CatalogProduct, Contact, LineRejectionReason, Order, OrderEvent, OrderId, ProductId, Quote,
    QuoteError, RequestedLine, Shipment, Status, TimelineEntry, TransitionError,
};
use order_core::memory::MemoryStore;
use order_core::ports::{Filter, Store, Write};
use proptest::prelude::*;
use uuid::Uuid;

order_core::conformance!(async { MemoryStore::default() });

fn kinds(events: &[OrderEvent]) -> Vec<&'static str> {
    let kind = |event: &OrderEvent| match event {
        OrderEvent::OrderPlaced(_) => "OrderPlaced",
        OrderEvent::OrderChanged(_) => "OrderChanged",
        OrderEvent::OrderAwaitingPayment(_) => "OrderAwaitingPayment",
        OrderEvent::OrderConfirmed(_) => "OrderConfirmed",
        OrderEvent::OrderCancelled(_) => "OrderCancelled",
        OrderEvent::OrderReinstated(_) => "OrderReinstated",
        OrderEvent::OrderShipped(_) => "OrderShipped",
        OrderEvent::OrderDelivered(_) => "OrderDelivered",
        OrderEvent::RefundRequested(_) => "RefundRequested",
        OrderEvent::OrderRepublished(_) => "OrderRepublished",
    };
    events.iter().map(kind).collect()
}

fn shipment() -> Shipment {
    Shipment { carrier: "TCS".to_owned(), tracking_number: "7".to_owned() }
}

/// Returns an order in this state.
fn in_state(state: State) -> Order {
    let placed = || draft(1).place(at(1)).0;
    let awaiting = || placed().stock_reserved(0, at(100), at(2)).expect("allowed").0;
    let paid = |order: Order, second| order.payment_captured("pay-1".to_owned(), draft(1).total, at(second));
    let confirmed = || paid(awaiting(), 3).expect("in time").0;
    let timed_out = || awaiting().expire_if_overdue(at(100)).expect("due").0;
    let order = match state {
        State::Placed => placed(),
        State::Reinstated => paid(timed_out(), 101).expect("late").0,
        State::AwaitingPayment => awaiting(),
        State::Confirmed => confirmed(),
        State::Shipped => confirmed().ship(shipment(), at(4)).expect("allowed").0,
        State::Delivered => confirmed().ship(shipment(), at(4)).expect("allowed").0.deliver(at(5)).expect("allowed").0,
        State::TimedOut => timed_out(),
        State::Cancelled => placed().cancel(CancelReason::Customer, at(2)).expect("allowed").0,
    };
    assert_eq!(order.state(), state);
    order
}

/// Fires a trigger of the order's current round.
fn fire(
    order: Order,
    trigger: Trigger,
    payment: &str,
    second: i64,
) -> Result<(Order, Vec<OrderEvent>), TransitionError> {
    let (round, total, now) = (order.reservation_round, order.total, at(second));
    match trigger {
        Trigger::StockReserved => order.stock_reserved(round, at(second + 50), now),
        Trigger::StockRejected => order.stock_rejected(round, now),
        Trigger::ReservationExpired => order.reservation_expired(round, now),
        Trigger::DeadlinePassed => order.expire_if_overdue(now),
        Trigger::PaymentCaptured => order.payment_captured(payment.to_owned(), total, now),
        Trigger::Cancel => order.cancel(CancelReason::Admin, now),
        Trigger::Change => {
            // Another contact each time.
            let email = format!("a{}@b.example", order.version);
            let contact = Contact { email, phone: String::new(), locale: String::new() };
            order.change(None, Some(contact), now)
        }
        Trigger::Ship => order.ship(shipment(), now),
        Trigger::Deliver => order.deliver(now),
    }
}

#[test]
fn the_order_follows_the_state_machine_in_every_state() {
    for state in STATES {
        for trigger in TRIGGERS {
            let before = in_state(state);
            let done = fire(before.clone(), trigger, "pay-2", 1_000);
            let paid = before.payment.is_some();
            let expected: Result<Vec<&str>, TransitionError> = match transition(state, trigger) {
                Action::Await => Ok(vec!["OrderAwaitingPayment"]),
                Action::Confirm => Ok(vec!["OrderConfirmed"]),
                Action::CancelNoStock | Action::CancelTimeout | Action::CancelRequested if paid => {
                    Ok(vec!["OrderCancelled", "RefundRequested"])
                }
                Action::CancelNoStock | Action::CancelTimeout | Action::CancelRequested => Ok(vec!["OrderCancelled"]),
                Action::Reinstate => Ok(vec!["OrderReinstated"]),
                Action::Refund => Ok(vec!["RefundRequested"]),
                Action::Change => Ok(vec!["OrderChanged"]),
                Action::Ship => Ok(vec!["OrderShipped"]),
                Action::Deliver => Ok(vec!["OrderDelivered"]),
                Action::Ignore => Err(TransitionError::NoEffect),
                Action::Wait => Err(TransitionError::TooEarly),
                Action::Reject => Err(TransitionError::NotAllowed),
            };
            assert_eq!(done.map(|(_, events)| kinds(&events)), expected, "{state:?} {trigger:?}");
        }
    }
}

#[test]
fn the_documented_state_machine_matches_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/order-life.md");
    let text = std::fs::read_to_string(path).expect("docs/order-life.md is there");
    let documented: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    let expected = to_markdown();
    let expected: Vec<&str> = expected.lines().collect();
    assert_eq!(documented, expected, "put these lines into docs/order-life.md:\n{}", expected.join("\n"));
}

#[test]
fn events_of_another_round_are_ignored_or_retried() {
    let order = in_state(State::Reinstated);
    assert_eq!(order.reservation_round, 1);
    assert_eq!(order.clone().stock_rejected(0, at(200)).err(), Some(TransitionError::NoEffect));
    assert_eq!(order.clone().reservation_expired(0, at(200)).err(), Some(TransitionError::NoEffect));
    assert_eq!(order.clone().stock_reserved(2, at(300), at(200)).err(), Some(TransitionError::TooEarly));
    assert!(order.stock_reserved(1, at(300), at(200)).is_ok());
}

#[test]
fn a_known_payment_has_no_effect_and_a_second_is_refunded() {
    let (order, events) = fire(in_state(State::Cancelled), Trigger::PaymentCaptured, "pay-1", 10).expect("refunded");
    assert_eq!(kinds(&events), ["RefundRequested"]);
    assert_eq!(fire(order.clone(), Trigger::PaymentCaptured, "pay-1", 11).err(), Some(TransitionError::NoEffect));
    let (_, events) = fire(order, Trigger::PaymentCaptured, "pay-2", 12).expect("refunded");
    assert_eq!(kinds(&events), ["RefundRequested"]);
}

#[test]
fn an_order_expires_exactly_at_its_deadline() {
    let order = in_state(State::AwaitingPayment);
    assert_eq!(order.clone().expire_if_overdue(at(99)).err(), Some(TransitionError::NoEffect));
    let (order, events) = order.expire_if_overdue(at(100)).expect("due");
    assert_eq!(
        (order.status, kinds(&events)),
        (Status::Cancelled(CancelReason::PaymentTimeout), vec!["OrderCancelled"])
    );
}

#[test]
fn an_equal_change_has_no_effect() {
    let order = in_state(State::Confirmed);
    let same = order.clone().change(Some(order.address.clone()), Some(order.contact.clone()), at(9));
    assert_eq!(same.err(), Some(TransitionError::NoEffect));
    assert_eq!(in_state(State::Shipped).change(None, None, at(9)).err(), Some(TransitionError::NotAllowed));
}

/// A store that rejects every change of one order, as for a row that violates a constraint.
struct RejectingStore(MemoryStore, OrderId);

impl Store for RejectingStore {
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        self.0.find(id).await
    }

    async fn list(&self, filter: &Filter, after: Option<Cursor>, limit: usize) -> Result<Vec<Order>, StoreError> {
        self.0.list(filter, after, limit).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<OrderId>, StoreError> {
        self.0.due(now, limit).await
    }

    async fn find_timeline(&self, id: OrderId) -> Result<Vec<(TimelineEntry, String)>, StoreError> {
        self.0.find_timeline(id).await
    }

    async fn find_products(&self, ids: &[ProductId]) -> Result<Vec<CatalogProduct>, StoreError> {
        self.0.find_products(ids).await
    }

    async fn find_receipt(&self, receipt: &Receipt) -> Result<Option<(String, bool)>, StoreError> {
        self.0.find_receipt(receipt).await
    }

    async fn commit(&self, commit: Commit<Write, OrderEvent>) -> Result<CommitOutcome, CommitError<Infallible>> {
        match &commit.write {
            Some(Write::Update { order, .. }) if order.id == self.1 => Err(StoreError::Internal.into()),
            _ => self.0.commit(commit).await,
        }
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_cancelled_blocks_no_others() {
    let memory = MemoryStore::default();
    for n in 1..=2 {
        let (order, _) = draft(n)
            .place(at(1))
            .0
            .stock_reserved(0, at(50 + i64::try_from(n).expect("small")), at(2))
            .expect("allowed");
        let commit = Commit { write: Some(Write::Insert(order)), events: Vec::new(), receipt: None };
        memory.commit(commit).await.expect("committed");
    }
    let (clock, ids) = (Arc::new(ManualClock::new(at(60))), Arc::new(SequentialIds::default()));
    let store = RejectingStore(memory.clone(), draft(1).id);
    let use_cases = UseCases::new(store, clock, ids, PageTokenSigner::new(b"secret"), PAYMENT_WINDOW);
    assert_eq!(use_cases.expire_orders(10).await, Ok(1));
    assert_eq!(memory.due(at(60), 10).await, Ok(vec![draft(1).id]));
    assert_eq!(use_cases.expire_orders(10).await, Err(StoreError::Internal), "the only due order failed");
}

fn pkr() -> Currency {
    Currency::from_code("PKR").expect("a currency")
}

fn catalog_product(n: u128, minor: i64) -> CatalogProduct {
    let (id, version, name) = (ProductId(Uuid::from_u128(n)), Version::NONE.next(), format!("Product {n}"));
    CatalogProduct { id, version, name, on_sale: true, prices: vec![Money::from_minor(minor, pkr())] }
}

fn requested(n: u128, quantity: i32) -> RequestedLine {
    RequestedLine { product: ProductId(Uuid::from_u128(n)), quantity }
}

#[test]
fn a_quote_merges_lines_and_rejects_them_one_by_one() {
    let usd = Currency::from_code("USD").expect("a currency");
    let products = [
        catalog_product(1, 150_000),
        CatalogProduct { on_sale: false, ..catalog_product(2, 1) },
        CatalogProduct { prices: vec![Money::from_minor(5, usd)], ..catalog_product(3, 1) },
        catalog_product(4, 1),
    ];
    let lines = [
        requested(1, 2),
        requested(2, 1),
        requested(1, 1),
        requested(3, 1),
        requested(4, 9_999),
        requested(4, 2),
        requested(9, 1),
    ];
    let quote = Quote::calculate(&lines, pkr(), &products).expect("small");
    assert_eq!(quote.lines.iter().map(|line| (line.quantity, line.sum.minor())).collect::<Vec<_>>(), [(3, 450_000)]);
    assert_eq!(quote.total.amount(), "4500.00");
    let rejected: Vec<(u128, LineRejectionReason)> =
        quote.rejected.iter().map(|line| (line.product.0.as_u128(), line.reason)).collect();
    assert_eq!(
        rejected,
        [
            (2, LineRejectionReason::NotOnSale),
            (3, LineRejectionReason::NotPriced),
            (4, LineRejectionReason::TooMany),
            (9, LineRejectionReason::NotOnSale)
        ]
    );
}

#[test]
fn a_total_that_overflows_is_rejected() {
    let one = Quote::calculate(&[requested(1, 3)], pkr(), &[catalog_product(1, i64::MAX / 2)]);
    assert_eq!(one.err(), Some(QuoteError::TooLarge));
    let many = Quote::calculate(
        &[requested(1, 1), requested(2, 2)],
        pkr(),
        &[catalog_product(1, i64::MAX / 2), catalog_product(2, i64::MAX / 3)],
    );
    assert_eq!(many.err(), Some(QuoteError::TooLarge));
    let repeated = Quote::calculate(&[requested(1, i32::MAX), requested(1, i32::MAX)], pkr(), &[catalog_product(1, 1)])
        .expect("rejected");
    assert_eq!(repeated.rejected[0].reason, LineRejectionReason::TooMany);
}

proptest! {
    #[test]
    fn any_sequence_follows_the_state_machine(
        triggers in prop::collection::vec((0..TRIGGERS.len(), 0..3_u8, 0..40_i64), 0..40)
    ) {
        let mut order = draft(1).place(at(1)).0;
        let mut second = 1;
        for (trigger, payment, pass) in triggers {
            second += pass;
            let (trigger, before) = (TRIGGERS[trigger], order.clone());
            let allowed = transition(before.state(), trigger);
            match fire(order.clone(), trigger, &format!("pay-{payment}"), second) {
                Ok((after, events)) => {
                    prop_assert!(!matches!(allowed, Action::Ignore | Action::Wait | Action::Reject));
                    let versions: Vec<i64> = events.iter().map(|event| event.order().version.get()).collect();
                    let first = before.version.get() + 1;
                    let count = i64::try_from(events.len()).expect("small");
                    prop_assert_eq!(versions, (first..first + count).collect::<Vec<_>>());
                    prop_assert_eq!(events.last().map(OrderEvent::order), Some(&after));
                    order = after;
                }
                Err(error) => {
                    // A payment may be a duplicate, and a deadline may not have passed yet.
                    let conditional = trigger == Trigger::PaymentCaptured || trigger == Trigger::DeadlinePassed;
                    let rejected = matches!(allowed, Action::Ignore | Action::Wait | Action::Reject);
                    prop_assert!(conditional || rejected, "{:?}", error);
                }
            }
            if matches!(order.status, Status::Cancelled(_)) {
                prop_assert!(order.payment.as_ref().is_none_or(|payment| payment.refund_requested));
            }
            if matches!(order.status, Status::Confirmed | Status::Shipped(_) | Status::Delivered(_)) {
                prop_assert!(order.payment.as_ref().is_some_and(|payment| !payment.refund_requested));
            }
        }
    }
}
