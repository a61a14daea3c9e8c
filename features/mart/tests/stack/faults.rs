//! SIGKILL of each service at each fail point, in turn, while orders come: all of them end, and the invariants hold.

use std::time::{Duration, Instant};

use devstack::kafka::Kafka;
use devstack::ports;
use devstack::postgres::{Durability, Postgres};
use devstack::testing::{Servers, until};
use uuid::Uuid;

use crate::stack::Stack;

const ORDERS: usize = 12;

/// A service kills itself at a point, with SIGKILL, and is started anew; meanwhile orders are placed and paid.
async fn killed_at(service: &'static str, point: &str) {
    // Two orders more than there are mugs for.
    let mut stack = Stack::start(20).await;
    stack.arm(service, point).await;
    let (mut orders, mut killed) = (Vec::new(), false);
    let begun = Instant::now();
    for _ in 0..ORDERS {
        // A customer tries again, under the same key, until he is told that he has his order.
        let key = Uuid::new_v4().to_string();
        let order = loop {
            killed |= stack.ended_and_started(service).await;
            if let Some(order) = stack.try_to_place(&key, 2).await {
                break order;
            }
            again(begun).await;
        };
        stack.pay(&order, 2).await;
        orders.push(order);
    }
    while !killed {
        killed = stack.ended_and_started(service).await;
        assert!(begun.elapsed() < Duration::from_mins(2), "{service} never came to {point}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    all_end(&stack, &orders).await;
}

/// A moment before something is tried again, for two minutes at most.
async fn again(begun: Instant) {
    assert!(begun.elapsed() < Duration::from_mins(2), "a service that was started anew does not answer");
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// Every order ends, as many of them well as there are mugs for, and the invariants hold.
async fn all_end(stack: &Stack, orders: &[String]) {
    for order in orders {
        until("the order has ended", async || {
            let status = stack.status(order).await;
            status == "CONFIRMED" || status == "CANCELLED"
        })
        .await;
    }
    stack.holds().await;
    let mut confirmed = 0;
    for order in orders {
        confirmed += usize::from(stack.status(order).await == "CONFIRMED");
    }
    assert_eq!(confirmed, 10, "20 mugs are enough for 10 orders of 2");
}

/// Product kills itself at a point, with SIGKILL, and is started anew; meanwhile products are created, and mugs are ordered.
async fn product_is_killed_at(point: &str) {
    let mut stack = Stack::start(20).await;
    stack.arm("product", point).await;
    let (mut products, mut orders, mut killed) = (Vec::new(), Vec::new(), false);
    let begun = Instant::now();
    for nth in 0..ORDERS {
        let name = format!("product-{nth}");
        // An admin tries again, under the same key, until he is told that there is his product.
        let product = loop {
            killed |= stack.ended_and_started("product").await;
            if let Some(product) = stack.try_to_create(&name).await {
                break product;
            }
            again(begun).await;
        };
        let order = stack.place(2).await;
        stack.pay(&order, 2).await;
        products.push(product);
        orders.push(order);
    }
    while !killed {
        killed = stack.ended_and_started("product").await;
        assert!(begun.elapsed() < Duration::from_mins(2), "product never came to {point}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What was acknowledged is heard of by both that listen.
    for product in &products {
        stack.sells(product).await;
        stack.receive(product, 1).await;
    }
    all_end(&stack, &orders).await;
}

#[tokio::test]
async fn the_broker_is_killed_and_the_database_restarted_while_orders_come() {
    let own = Servers::of_this_run();
    let scratch = own.scratch.join(format!("own-{}", Uuid::new_v4()));
    let port = || ports::any().expect("a port");
    let mut postgres =
        Postgres::start(&scratch.join("postgres"), port(), "test", Durability::ProcessCrash).await.expect("PostgreSQL");
    let mut kafka = Kafka::start(&scratch.join("kafka"), port(), port()).await.expect("Kafka");
    let servers = Servers { postgres: postgres.url("postgres"), kafka: kafka.brokers(), scratch: scratch.clone() };
    let stack = Stack::start_on(&servers, 20).await;
    let mut orders = Vec::new();
    for nth in 0..ORDERS {
        match nth {
            // Orders are taken without it.
            3 => kafka.kill().await,
            6 => kafka.run().await.expect("Kafka again"),
            8 => postgres.kill().await,
            _ => {}
        }
        let (key, mut tried) = (Uuid::new_v4().to_string(), 0);
        let order = loop {
            if let Some(order) = stack.try_to_place(&key, 2).await {
                break order;
            }
            tried += 1;
            assert!(tried < 300, "the order {nth} is not taken");
            if nth == 8 && tried == 2 {
                postgres.run().await.expect("PostgreSQL again");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        orders.push(order);
    }
    // Once more with records on their way, and both at once.
    for order in &orders[..6] {
        stack.pay(order, 2).await;
    }
    tokio::join!(kafka.kill(), postgres.kill());
    let (again, also) = tokio::join!(kafka.run(), postgres.run());
    again.and(also).expect("both again");
    for order in &orders[6..] {
        stack.pay(order, 2).await;
    }
    all_end(&stack, &orders).await;
    drop(stack);
    kafka.kill().await;
    postgres.kill().await;
    std::fs::remove_dir_all(scratch).expect("removed");
}

#[tokio::test]
async fn product_is_killed_before_a_commit() {
    product_is_killed_at("commit.before").await;
}

#[tokio::test]
async fn product_is_killed_after_a_commit() {
    product_is_killed_at("commit.after").await;
}

#[tokio::test]
async fn product_is_killed_after_it_produced() {
    product_is_killed_at("relay.produced").await;
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
