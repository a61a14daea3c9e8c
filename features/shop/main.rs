//! The features of the shop: the whole journey, each scenario under several seeds of the bus.

mod steps;
mod world;

use std::time::Duration;

use features::Plan;
use mart_features::invariants::Mart;

/// Sweeps look often, and what could not be sent is tried again soon.
const VARIABLES: &[(&str, &str)] = &[
    ("ORDER_EXPIRY_INTERVAL", "0.2"),
    ("RESERVATION_EXPIRY_INTERVAL", "0.2"),
    ("ATTEMPT_POLL_INTERVAL", "0.2"),
    ("REFUND_INTERVAL", "0.2"),
    ("CALLBACK_INTERVAL", "0.2"),
    ("PURGE_INTERVAL", "0.2"),
    ("SEND_INTERVAL", "0.2"),
    ("SEND_BACKOFF", "0.2"),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let at_the_end =
        |running: std::sync::Arc<features::Running>| -> futures::future::LocalBoxFuture<'static, Vec<String>> {
            Box::pin(async move {
                let (brokers, topic_prefix) = (running.brokers().to_owned(), running.topic_prefix().to_owned());
                let mart = Mart { databases: running.databases(), brokers, topic_prefix };
                mart.broken_after(Duration::from_mins(5)).await.unwrap_or_else(|error| vec![error.to_string()])
            })
        };
    let plan = Plan::new("shop", shop_features::mart);
    features::run::<world::World>(Plan { seeds: 10, variables: VARIABLES, at_the_end, ..plan }).await
}
