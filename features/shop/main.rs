//! The features of the shop: the whole journey, each scenario under several seeds of the bus.

mod steps;
mod world;

use std::time::Duration;

use features::{Hurry, Plan};
use mart_features::invariants::Mart;

/// A payment's window of 3 seconds, and a reservation's hold of 4. A provider that says nothing is asked when an order is
/// cancelled, and not before.
const HURRY: Hurry = Hurry {
    variables: &[
        ("PAYMENT_WINDOW", "3"),
        ("PAYMENT_SWEEP", "0.2"),
        ("RESERVATION_HOLD", "4"),
        ("RESERVATION_SWEEP", "0.2"),
        ("ATTEMPT_LOOK", "600"),
        ("ATTEMPT_SWEEP", "0.2"),
        ("REFUND_SWEEP", "0.2"),
        ("CALLBACK_SWEEP", "0.2"),
        ("FORGET_SWEEP", "0.2"),
        ("SEND_SWEEP", "0.2"),
        ("SEND_BACKOFF", "0.2"),
    ],
    a_second_is: Duration::from_mins(15),
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let at_the_end =
        |running: std::sync::Arc<features::Running>| -> futures::future::LocalBoxFuture<'static, Vec<String>> {
            Box::pin(async move {
                let (brokers, topic_prefix) = (running.brokers().to_owned(), running.topic_prefix().to_owned());
                let mart = Mart { databases: running.databases(), brokers, topic_prefix };
                mart.broken_after(Duration::from_secs(30)).await.unwrap_or_else(|error| vec![error.to_string()])
            })
        };
    let plan = Plan::new("shop", shop_features::mart);
    features::run::<world::World>(Plan { seeds: 10, hurry: Some(HURRY), at_the_end, ..plan }).await
}
