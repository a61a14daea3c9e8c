//! SIGKILL of each service at each fail point, in turn, while orders come: all of them end, and the invariants hold.

use std::time::{Duration, Instant};

use devstack::testing::until;
use uuid::Uuid;

use crate::stack::Stack;

const ORDERS: usize = 12;

/// A service kills itself at a point, with SIGKILL, and is started anew; meanwhile orders are placed and paid.
async fn killed_at(service: &'static str, point: &str) {
    // Two orders more than there are mugs for.
    let mut stack = Stack::start(20).await;
    stack.arm(service, point).await;
    let (mut orders, mut killed) = (Vec::new(), false);
    for _ in 0..ORDERS {
        // A customer tries again, under the same key, until he is told that he has his order.
        let key = Uuid::new_v4().to_string();
        let order = loop {
            killed |= stack.ended_and_started(service).await;
            if let Some(order) = stack.try_to_place(&key, 2).await {
                break order;
            }
        };
        stack.pay(&order, 2).await;
        orders.push(order);
    }
    let begun = Instant::now();
    while !killed {
        killed = stack.ended_and_started(service).await;
        assert!(begun.elapsed() < Duration::from_mins(1), "{service} never came to {point}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for order in &orders {
        until("the order has ended", async || {
            let status = stack.status(order).await;
            status == "CONFIRMED" || status == "CANCELLED"
        })
        .await;
    }
    stack.holds().await;
    let mut confirmed = 0;
    for order in &orders {
        confirmed += usize::from(stack.status(order).await == "CONFIRMED");
    }
    assert_eq!(confirmed, 10, "20 mugs are enough for 10 orders of 2");
}

#[tokio::test]
async fn order_is_killed_before_a_commit() {
    killed_at("order", "commit.before").await;
}

#[tokio::test]
async fn order_is_killed_after_a_commit() {
    killed_at("order", "commit.after").await;
}

#[tokio::test]
async fn order_is_killed_after_it_produced() {
    killed_at("order", "relay.produced").await;
}

#[tokio::test]
async fn order_is_killed_after_it_handled() {
    killed_at("order", "consumer.handled").await;
}

#[tokio::test]
async fn inventory_is_killed_before_a_commit() {
    killed_at("inventory", "commit.before").await;
}

#[tokio::test]
async fn inventory_is_killed_after_a_commit() {
    killed_at("inventory", "commit.after").await;
}

#[tokio::test]
async fn inventory_is_killed_after_it_produced() {
    killed_at("inventory", "relay.produced").await;
}

#[tokio::test]
async fn inventory_is_killed_after_it_handled() {
    killed_at("inventory", "consumer.handled").await;
}
