//! The features of the mart as a whole, each scenario under several seeds of the bus.

mod steps;
mod world;

use std::time::Duration;

use features::Plan;
use mart_features::invariants::Mart;

/// Sweeps look often.
const VARIABLES: &[(&str, &str)] = &[("ORDER_EXPIRY_INTERVAL", "200ms"), ("RESERVATION_EXPIRY_INTERVAL", "200ms")];

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
    let plan = Plan::new("mart", mart_features::mart);
    features::run::<world::World>(Plan { seeds: 20, variables: VARIABLES, at_the_end, ..plan }).await
}
