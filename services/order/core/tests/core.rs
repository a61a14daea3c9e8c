//! The rules of an order's life, one by one and in random histories.

use std::convert::Infallible;
use std::sync::Arc;

use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use mart_kernel::money::Currency;
use mart_kernel::{Commit, CommitError, CommitOutcome, Money, Cursor, PageTokenSigner, Receipt, Timestamp, StoreError, Version};
use order_core::UseCases;
use order_core::application::PAYMENT_WINDOW;
use order_core::conformance::{at, draft};
use order_core::domain::table::{STAGES, Stage, Step, TRIGGERS, Trigger, drawn, step};
use order_core::domain::{
    Contact, Entry, Fact, KnownProduct, Order, OrderId, ProductId, Quote, QuoteError, Refusal, Shipment, Status,
    Stopped, Wanted, Why,
};
use order_core::memory::MemoryStore;
use order_core::ports::{Filter, Store, Write};
use proptest::prelude::*;
use uuid::Uuid;

order_core::conformance!(async { MemoryStore::default() });

fn kinds(facts: &[Fact]) -> Vec<&'static str> {
    let kind = |fact: &Fact| match fact {
        Fact::OrderPlaced(_) => "OrderPlaced",
        Fact::OrderChanged(_) => "OrderChanged",
        Fact::OrderAwaitingPayment(_) => "OrderAwaitingPayment",
        Fact::OrderConfirmed(_) => "OrderConfirmed",
        Fact::OrderCancelled(_) => "OrderCancelled",
        Fact::OrderReinstated(_) => "OrderReinstated",
        Fact::OrderShipped(_) => "OrderShipped",
        Fact::OrderDelivered(_) => "OrderDelivered",
        Fact::RefundRequested(_) => "RefundRequested",
        Fact::OrderRepublished(_) => "OrderRepublished",
    };
    facts.iter().map(kind).collect()
}

fn shipment() -> Shipment {
    Shipment { carrier: "TCS".to_owned(), tracking_number: "7".to_owned() }
}

/// An order in this stage, by the steps that lead there.
fn in_stage(stage: Stage) -> Order {
    let placed = || draft(1).place(at(1)).0;
    let awaiting = || placed().stock_reserved(0, at(100), at(2)).expect("allowed").0;
    let paid = |order: Order, second| order.payment_captured("pay-1".to_owned(), draft(1).total, at(second));
    let confirmed = || paid(awaiting(), 3).expect("in time").0;
    let timed_out = || awaiting().look_at_deadline(at(100)).expect("due").0;
    let order = match stage {
        Stage::Placed => placed(),
        Stage::Reinstated => paid(timed_out(), 101).expect("late").0,
        Stage::AwaitingPayment => awaiting(),
        Stage::Confirmed => confirmed(),
        Stage::Shipped => confirmed().ship(shipment(), at(4)).expect("allowed").0,
        Stage::Delivered => confirmed().ship(shipment(), at(4)).expect("allowed").0.deliver(at(5)).expect("allowed").0,
        Stage::TimedOut => timed_out(),
        Stage::Cancelled => placed().cancel(Why::Customer, at(2)).expect("allowed").0,
    };
    assert_eq!(order.stage(), stage);
    order
}

/// Pulls a trigger, of the order's current round.
fn pull(order: Order, trigger: Trigger, payment: &str, second: i64) -> Result<(Order, Vec<Fact>), Stopped> {
    let (round, total, now) = (order.round, order.total, at(second));
    match trigger {
        Trigger::StockReserved => order.stock_reserved(round, at(second + 50), now),
        Trigger::StockRejected => order.stock_rejected(round, now),
        Trigger::ReservationExpired => order.reservation_expired(round, now),
        Trigger::DeadlinePassed => order.look_at_deadline(now),
        Trigger::PaymentCaptured => order.payment_captured(payment.to_owned(), total, now),
        Trigger::Cancel => order.cancel(Why::Admin, now),
        Trigger::Change => {
            // Another one each time.
            let email = format!("a{}@b.example", order.version);
            let contact = Contact { email, phone: String::new(), locale: String::new() };
            order.change(None, Some(contact), now)
        }
        Trigger::Ship => order.ship(shipment(), now),
        Trigger::Deliver => order.deliver(now),
    }
}

#[test]
fn the_order_does_what_the_table_says_in_every_stage() {
    for stage in STAGES {
        for trigger in TRIGGERS {
            let before = in_stage(stage);
            let done = pull(before.clone(), trigger, "pay-2", 1_000);
            let paid = before.payment.is_some();
            let expected: Result<Vec<&str>, Stopped> = match step(stage, trigger) {
                Step::Await => Ok(vec!["OrderAwaitingPayment"]),
                Step::Confirm => Ok(vec!["OrderConfirmed"]),
                Step::CancelNoStock | Step::CancelTimeout | Step::CancelAsked if paid => {
                    Ok(vec!["OrderCancelled", "RefundRequested"])
                }
                Step::CancelNoStock | Step::CancelTimeout | Step::CancelAsked => Ok(vec!["OrderCancelled"]),
                Step::Reinstate => Ok(vec!["OrderReinstated"]),
                Step::Refund => Ok(vec!["RefundRequested"]),
                Step::Change => Ok(vec!["OrderChanged"]),
                Step::Ship => Ok(vec!["OrderShipped"]),
                Step::Deliver => Ok(vec!["OrderDelivered"]),
                Step::Ignore => Err(Stopped::Ignored),
                Step::Wait => Err(Stopped::Early),
                Step::Forbid => Err(Stopped::Forbidden),
            };
            assert_eq!(done.map(|(_, facts)| kinds(&facts)), expected, "{stage:?} {trigger:?}");
        }
    }
}

#[test]
fn the_table_in_the_docs_is_the_one_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/order-life.md");
    let text = std::fs::read_to_string(path).expect("docs/order-life.md is there");
    let kept: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    let drawn = drawn();
    let drawn: Vec<&str> = drawn.lines().collect();
    assert_eq!(kept, drawn, "put these lines into docs/order-life.md:\n{}", drawn.join("\n"));
}

#[test]
fn what_inventory_says_of_another_round_is_old_or_early() {
    let order = in_stage(Stage::Reinstated);
    assert_eq!(order.round, 1);
    assert_eq!(order.clone().stock_rejected(0, at(200)).err(), Some(Stopped::Ignored));
    assert_eq!(order.clone().reservation_expired(0, at(200)).err(), Some(Stopped::Ignored));
    assert_eq!(order.clone().stock_reserved(2, at(300), at(200)).err(), Some(Stopped::Early));
    assert!(order.stock_reserved(1, at(300), at(200)).is_ok());
}

#[test]
fn a_payment_that_is_known_is_no_news_and_another_one_of_a_cancelled_order_goes_back() {
    let (order, facts) = pull(in_stage(Stage::Cancelled), Trigger::PaymentCaptured, "pay-1", 10).expect("goes back");
    assert_eq!(kinds(&facts), ["RefundRequested"]);
    assert_eq!(pull(order.clone(), Trigger::PaymentCaptured, "pay-1", 11).err(), Some(Stopped::Ignored));
    let (_, facts) = pull(order, Trigger::PaymentCaptured, "pay-2", 12).expect("goes back");
    assert_eq!(kinds(&facts), ["RefundRequested"]);
}

#[test]
fn the_deadline_is_the_first_moment_that_is_too_late() {
    let order = in_stage(Stage::AwaitingPayment);
    assert_eq!(order.clone().look_at_deadline(at(99)).err(), Some(Stopped::Ignored));
    let (order, facts) = order.look_at_deadline(at(100)).expect("due");
    assert_eq!((order.status, kinds(&facts)), (Status::Cancelled(Why::PaymentTimeout), vec!["OrderCancelled"]));
}

#[test]
fn only_a_change_is_told() {
    let order = in_stage(Stage::Confirmed);
    let same = order.clone().change(Some(order.address.clone()), Some(order.contact.clone()), at(9));
    assert_eq!(same.err(), Some(Stopped::Ignored));
    assert_eq!(in_stage(Stage::Shipped).change(None, None, at(9)).err(), Some(Stopped::Forbidden));
}

/// A store that refuses every change of one order, as a row that breaks a rule of the database would.
struct Stubborn(MemoryStore, OrderId);

impl Store for Stubborn {
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        self.0.find(id).await
    }

    async fn list(&self, filter: &Filter, after: Option<Cursor>, limit: usize) -> Result<Vec<Order>, StoreError> {
        self.0.list(filter, after, limit).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<OrderId>, StoreError> {
        self.0.due(now, limit).await
    }

    async fn timeline(&self, id: OrderId) -> Result<Vec<(Entry, String)>, StoreError> {
        self.0.timeline(id).await
    }

    async fn products(&self, ids: &[ProductId]) -> Result<Vec<KnownProduct>, StoreError> {
        self.0.products(ids).await
    }

    async fn receipt(&self, receipt: &Receipt) -> Result<Option<(String, bool)>, StoreError> {
        self.0.receipt(receipt).await
    }

    async fn commit(&self, commit: Commit<Write, Fact>) -> Result<CommitOutcome, CommitError<Infallible>> {
        match &commit.write {
            Some(Write::Update { order, .. }) if order.id == self.1 => Err(StoreError::Internal.into()),
            _ => self.0.commit(commit).await,
        }
    }
}

#[tokio::test]
async fn an_order_that_can_not_be_cancelled_does_not_hold_up_the_others() {
    let memory = MemoryStore::default();
    for n in 1..=2 {
        let (order, _) = draft(n)
            .place(at(1))
            .0
            .stock_reserved(0, at(50 + i64::try_from(n).expect("small")), at(2))
            .expect("allowed");
        let commit = Commit { write: Some(Write::Insert(order)), events: Vec::new(), receipt: None };
        memory.commit(commit).await.expect("kept");
    }
    let (clock, ids) = (Arc::new(ManualClock::new(at(60))), Arc::new(SequentialIds::default()));
    let store = Stubborn(memory.clone(), draft(1).id);
    let use_cases = UseCases::new(store, clock, ids, PageTokenSigner::new(b"secret"), PAYMENT_WINDOW);
    assert_eq!(use_cases.expire_orders(10).await, Ok(1));
    assert_eq!(memory.due(at(60), 10).await, Ok(vec![draft(1).id]));
    assert_eq!(use_cases.expire_orders(10).await, Err(StoreError::Internal), "no reason to look again at once");
}

fn pkr() -> Currency {
    Currency::from_code("PKR").expect("a currency")
}

fn known(n: u128, minor: i64) -> KnownProduct {
    let (id, version, name) = (ProductId(Uuid::from_u128(n)), Version::NONE.next(), format!("Product {n}"));
    KnownProduct { id, version, name, on_sale: true, prices: vec![Money::from_minor(minor, pkr())] }
}

fn wanted(n: u128, quantity: i32) -> Wanted {
    Wanted { product: ProductId(Uuid::from_u128(n)), quantity }
}

#[test]
fn a_quote_sums_the_lines_of_a_product_and_refuses_by_line() {
    let usd = Currency::from_code("USD").expect("a currency");
    let products = [
        known(1, 150_000),
        KnownProduct { on_sale: false, ..known(2, 1) },
        KnownProduct { prices: vec![Money::from_minor(5, usd)], ..known(3, 1) },
        known(4, 1),
    ];
    let lines = [wanted(1, 2), wanted(2, 1), wanted(1, 1), wanted(3, 1), wanted(4, 9_999), wanted(4, 2), wanted(9, 1)];
    let quote = Quote::of(&lines, pkr(), &products).expect("small");
    assert_eq!(quote.lines.iter().map(|line| (line.quantity, line.sum.minor())).collect::<Vec<_>>(), [(3, 450_000)]);
    assert_eq!(quote.total.amount(), "4500.00");
    let refused: Vec<(u128, Refusal)> = quote.refused.iter().map(|line| (line.product.0.as_u128(), line.why)).collect();
    assert_eq!(
        refused,
        [(2, Refusal::NotOnSale), (3, Refusal::NotPriced), (4, Refusal::TooMany), (9, Refusal::NotOnSale)]
    );
}

#[test]
fn a_sum_that_is_too_large_is_refused_and_does_not_wrap_around() {
    let one = Quote::of(&[wanted(1, 3)], pkr(), &[known(1, i64::MAX / 2)]);
    assert_eq!(one.err(), Some(QuoteError::TooLarge));
    let many = Quote::of(&[wanted(1, 1), wanted(2, 2)], pkr(), &[known(1, i64::MAX / 2), known(2, i64::MAX / 3)]);
    assert_eq!(many.err(), Some(QuoteError::TooLarge));
    let repeated = Quote::of(&[wanted(1, i32::MAX), wanted(1, i32::MAX)], pkr(), &[known(1, 1)]).expect("refused");
    assert_eq!(repeated.refused[0].why, Refusal::TooMany);
}

proptest! {
    #[test]
    fn any_history_follows_the_table_and_never_rests_cancelled_and_captured(
        pulls in prop::collection::vec((0..TRIGGERS.len(), 0..3_u8, 0..40_i64), 0..40)
    ) {
        let mut order = draft(1).place(at(1)).0;
        let mut second = 1;
        for (trigger, payment, pass) in pulls {
            second += pass;
            let (trigger, before) = (TRIGGERS[trigger], order.clone());
            let allowed = step(before.stage(), trigger);
            match pull(order.clone(), trigger, &format!("pay-{payment}"), second) {
                Ok((after, facts)) => {
                    prop_assert!(!matches!(allowed, Step::Ignore | Step::Wait | Step::Forbid));
                    let versions: Vec<i64> = facts.iter().map(|fact| fact.order().version.get()).collect();
                    let first = before.version.get() + 1;
                    let count = i64::try_from(facts.len()).expect("small");
                    prop_assert_eq!(versions, (first..first + count).collect::<Vec<_>>());
                    prop_assert_eq!(facts.last().map(Fact::order), Some(&after));
                    order = after;
                }
                Err(stopped) => {
                    let known = trigger == Trigger::PaymentCaptured || trigger == Trigger::DeadlinePassed;
                    prop_assert!(known || matches!(allowed, Step::Ignore | Step::Wait | Step::Forbid), "{:?}", stopped);
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
