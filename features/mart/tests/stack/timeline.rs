//! One timeline over requests, commits, Kafka, handlers, retries and what comes next.

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

/// Whether these words stand in the timeline, in this order.
fn in_order(timeline: &Timeline, words: &[&str]) {
    let told = timeline.moments.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut moments = told.iter();
    for word in words {
        assert!(moments.any(|moment| moment.contains(word)), "{word} does not come, or too early: {told:#?}");
    }
}

#[tokio::test]
async fn an_orders_story_goes_from_the_request_to_what_comes_next() {
    let mut stack = Stack::start(5).await;
    let (order, orders) = (stack.place(2).await, stack.apps["order"].spec.database.owner.clone());
    until("it awaits payment", async || stack.status(&order).await == "AWAITING_PAYMENT").await;
    let next = mart_features::timeline::next(&orders, &order).await.expect("asked").expect("an order");
    assert!(next.contains("AWAITING_PAYMENT; next: a payment (PaymentCaptured) before 2"), "{next}");

    stack.pay(&order).await;
    until("it is confirmed and sold", async || {
        stack.status(&order).await == "CONFIRMED" && stack.mart().broken().await.expect("looked at").is_empty()
    })
    .await;
    let timeline = sources(&stack).timeline(&order).await.expect("told");
    in_order(
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
    in_order(&timeline, &["order         answers POST /v1/orders with 201 after"]);
    let next = mart_features::timeline::next(&orders, &order).await.expect("asked").expect("an order");
    assert!(next.ends_with("next: an admin ships it; no deadline"), "{next}");

    // The trace of the request and each of its events tell of the first half.
    let placed = stack.apps["order"].events().await;
    let placed = placed.iter().find(|seen| seen.name() == "OrderPlaced").expect("it was told");
    for id in [placed.trace_id(), placed.header("ce_id")] {
        let timeline = sources(&stack).timeline(id).await.expect("told");
        in_order(&timeline, &["commits OrderPlaced", "commits StockReserved", "commits OrderAwaitingPayment"]);
        assert!(timeline.keys.contains(&order), "{timeline:?}");
    }
    stack.holds().await;
}

#[tokio::test]
async fn what_waits_and_what_is_dead_stands_in_the_story() {
    let stack = Stack::start(5).await;
    let (early, wrong) = (Uuid::new_v4().to_string(), stack.place(1).await);
    let pay = async |order: &str, amount: &str| {
        let amount = Some(Money { amount: amount.to_owned(), currency_code: "PKR".to_owned() });
        let (order_id, payment_id) = (order.to_owned(), "pay".to_owned());
        let message = PaymentCaptured { order_id, payment_id, amount, provider: "sandbox".to_owned() };
        let told = TestEvent::new("mart.payment.v1", "mart.payment.v1.PaymentCaptured", message.encode_to_vec());
        stack.apps["order"].publish(&told.about(order, 1)).await;
    };
    pay(&early, "1.00").await;
    pay(&wrong, "1.00").await;
    let sources = sources(&stack);
    for (order, words) in [
        (&early, "order.payment-captured tries PaymentCaptured again after"),
        (&wrong, "order.payment-captured has given up on PaymentCaptured"),
    ] {
        until("it stands in the timeline", async || {
            let timeline = sources.timeline(order).await.expect("told");
            timeline.moments.iter().any(|moment| moment.what.contains(words))
        })
        .await;
    }
    let nobody = sources.timeline("nobody").await.expect_err("nothing is known").to_string();
    assert!(nobody.starts_with("nothing is known of nobody: give the id of an order"), "{nobody}");
}
