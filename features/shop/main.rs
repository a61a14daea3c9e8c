//! Runs the scenarios of the customer journey, each with several seeds of the bus.

mod steps;
mod world;

use std::time::Duration;

use features::Plan;
use mart_features::invariants::Mart;

/// Short intervals of jobs and short retry delays.
const VARIABLES: &[(&str, &str)] = &[
    ("ORDER_EXPIRY_INTERVAL", "200ms"),
    ("RESERVATION_EXPIRY_INTERVAL", "200ms"),
    ("ATTEMPT_POLL_INTERVAL", "200ms"),
    ("REFUND_INTERVAL", "200ms"),
    ("CALLBACK_INTERVAL", "200ms"),
    ("PURGE_INTERVAL", "200ms"),
    ("SEND_INTERVAL", "200ms"),
    ("SEND_BACKOFF", "200ms"),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let final_check =
        |running: std::sync::Arc<features::Running>| -> futures::future::LocalBoxFuture<'static, Vec<String>> {
            Box::pin(async move {
                let (brokers, topic_prefix) = (running.brokers().to_owned(), running.topic_prefix().to_owned());
                let mart = Mart { databases: running.databases(), brokers, topic_prefix };
                mart.violations_after(Duration::from_mins(5)).await.unwrap_or_else(|error| vec![error.to_string()])
            })
        };
    let plan = Plan::new("shop", shop_features::mart);
    features::run::<world::World>(Plan { seeds: 10, variables: VARIABLES, final_check, ..plan }).await
}
