//! The timeline has requests, commits, records on Kafka, handlers and retries, and the expected next step.

use devstack::testing::{TestEvent, until};
use devstack::timeline::{Sources, Timeline};
use mart_proto::payment::v1::PaymentCaptured;
use mart_proto::r#type::v1::Money;
use prost::Message;
use uuid::Uuid;

use crate::stack::Stack;

fn sources(stack: &Stack) -> Sources {
    let apps = stack.apps.iter();
    let order = &stack.apps["order"].spec;
    Sources {
        databases: apps.clone().map(|(name, app)| ((*name).to_owned(), app.spec.database.owner.clone())).collect(),
        logs: apps.map(|(name, app)| ((*name).to_owned(), app.spec.log.clone())).collect(),
        brokers: order.brokers.clone(),
        topic_prefix: order.topic_prefix.clone(),
    }
}

/// Asserts that the timeline has these texts in this order.
fn assert_in_order(timeline: &Timeline, texts: &[&str]) {
    let events = timeline.events.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut rest = events.iter();
    for text in texts {
        assert!(rest.any(|event| event.contains(text)), "{text} is missing or too early: {events:#?}");
    }
}

#[tokio::test]
async fn the_timeline_of_an_order_is_complete() {
    let mut stack = Stack::start(5).await;
    let (order, orders) = (stack.place(2).await, stack.apps["order"].spec.database.owner.clone());
    until("the order awaits its payment", async || stack.status(&order).await == "awaiting_payment").await;
    let next = mart_features::timeline::next(&orders, &order).await.expect("queried").expect("an order");
    assert!(next.contains("awaiting_payment; next: a payment (PaymentCaptured) before 2"), "{next}");

    stack.pay(&order).await;
    until("the order is confirmed and its stock committed", async || {
        stack.status(&order).await == "confirmed" && stack.mart().violations().await.expect("checked").is_empty()
    })
    .await;
    let timeline = sources(&stack).timeline(&order).await.expect("a timeline");
    assert_in_order(
        &timeline,
        &[
            "order         commits OrderPlaced, version 1",
            "kafka         has OrderPlaced",
            "inventory     inventory.order-placed has applied OrderPlaced",
            "kafka         has StockReserved",
            "order         commits OrderAwaitingPayment",
            "order         order.stock-reserved has applied StockReserved",
            "kafka         has PaymentCaptured",
            "order         order.payment-captured has applied PaymentCaptured",
            "inventory     inventory.order-confirmed has applied OrderConfirmed",
        ],
    );
    assert_in_order(&timeline, &["order         answers POST /v1/orders with 201 after"]);
    let next = mart_features::timeline::next(&orders, &order).await.expect("queried").expect("an order");
    assert!(next.ends_with("next: an admin ships it; no deadline"), "{next}");

    // The timelines of the request's trace and of its event have the steps until the payment.
    let placed = stack.apps["order"].events().await;
    let placed = placed.iter().find(|seen| seen.name() == "OrderPlaced").expect("OrderPlaced");
    for id in [placed.trace_id(), placed.header("ce_id")] {
        let timeline = sources(&stack).timeline(id).await.expect("a timeline");
        assert_in_order(&timeline, &["commits OrderPlaced", "commits StockReserved", "commits OrderAwaitingPayment"]);
        assert!(timeline.keys.contains(&order), "{timeline:?}");
    }
    stack.assert_invariants().await;
}

#[tokio::test]
async fn the_timeline_has_retries_and_dead_letters() {
    let stack = Stack::start(5).await;
    let (early, wrong) = (Uuid::new_v4().to_string(), stack.place(1).await);
    let pay = async |order: &str, amount: &str| {
        let amount = Some(Money { amount: amount.to_owned(), currency_code: "PKR".to_owned() });
        let (order_id, payment_id) = (order.to_owned(), "pay".to_owned());
        let message = PaymentCaptured { order_id, payment_id, amount, provider: "sandbox".to_owned() };
        let event = TestEvent::new("mart.payment.v1", "mart.payment.v1.PaymentCaptured", message.encode_to_vec());
        stack.apps["order"].publish(&event.about(order, 1)).await;
    };
    pay(&early, "1.00").await;
    pay(&wrong, "1.00").await;
    let sources = sources(&stack);
    for (order, text) in [
        (&early, "order.payment-captured retries PaymentCaptured after"),
        (&wrong, "order.payment-captured has given up on PaymentCaptured"),
    ] {
        until("the timeline has it", async || {
            let timeline = sources.timeline(order).await.expect("a timeline");
            timeline.events.iter().any(|event| event.text.contains(text))
        })
        .await;
    }
    let error = sources.timeline("unknown").await.expect_err("an unknown id").to_string();
    assert!(error.starts_with("no timeline of unknown: give the id of an order"), "{error}");
}
