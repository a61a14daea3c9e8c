//! SIGKILL of each service at each fail point, in turn, while orders come: all of them end, and the invariants hold.

use std::collections::BTreeSet;
use std::time::Duration;

use devstack::kafka::Kafka;
use devstack::postgres::{Durability, Postgres};
use devstack::testing::{Servers, until};
use devstack::{mail, ports};
use uuid::Uuid;

use crate::deeds::Deed;
use crate::stack::Stack;

const ORDERS: usize = 12;

/// A service kills itself at one point after the other, with SIGKILL, and is started anew each time; meanwhile orders are placed
/// and paid, products are created, and customers join.
async fn killed_at(service: &'static str, points: &[&str]) {
    // Two orders for each point more than there are mugs for.
    let mugs = 20 * points.len();
    let mut stack = Stack::start(i32::try_from(mugs).expect("few")).await;
    let (mut orders, mut joined) = (Vec::new(), 0);
    for (nth, point) in points.iter().enumerate() {
        stack.arm(service, point).await;
        let mut deeds: Vec<Deed> = (0..ORDERS).map(|_| Deed::order()).collect();
        let more = nth * ORDERS..(nth + 1) * ORDERS;
        match service {
            "product" => deeds.extend(more.map(Deed::product)),
            "user" => deeds.extend(more.step_by(2).map(Deed::customer)),
            _ => {}
        }
        stack.all_done(&mut deeds).await;
        for deed in &deeds {
            match deed {
                Deed::Order { order, .. } => orders.push(order.clone()),
                // What was acknowledged is heard of by both that listen.
                Deed::Product { product, .. } => {
                    stack.sells(product).await;
                    stack.receive(product, 1).await;
                }
                Deed::Customer { .. } => joined += 1,
            }
        }
    }
    let told = stack.apps["user"].events().await;
    let told = told.iter().filter(|seen| seen.name() == "UserRegistered").map(|seen| seen.header("ce_id"));
    assert_eq!(told.collect::<BTreeSet<_>>().len(), joined, "who joined is told of once");
    all_end(&stack, &orders, mugs / 2).await;
}

/// What notification says it has sent, the mail server has. A mail whose sender was killed is tried again after two minutes.
async fn mails_arrived(stack: &Stack) {
    let mut database = stack.apps["notification"].database().await;
    let sent = "select count(*) from notification where status = 'sent' and recipient = 'a@example.com'";
    let sent: i64 = sqlx::query_scalar(sent).fetch_one(&mut database).await.expect("counted");
    let mails = mail::to(&stack.mail.access.url(), "a@example.com").await.expect("mails").len();
    // One whose sender was killed after the server had it comes twice.
    assert!(i64::try_from(mails).expect("few") >= sent && sent > 0, "{sent} were sent, the server has {mails}");
}

/// Every order ends, as many of them well as there are mugs for, and the invariants hold.
async fn all_end(stack: &Stack, orders: &[String], enough_for: usize) {
    for order in orders {
        until("the order has ended", async || {
            let status = stack.status(order).await;
            status == "CONFIRMED" || status == "CANCELLED"
        })
        .await;
    }
    stack.holds().await;
    mails_arrived(stack).await;
    let mut confirmed = 0;
    for order in orders {
        confirmed += usize::from(stack.status(order).await == "CONFIRMED");
    }
    assert_eq!(confirmed, enough_for, "of so many orders of 2 mugs");
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
    let mut stack = Stack::start_on(&servers, 20).await;
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
    let mut deeds: Vec<Deed> = orders.iter().map(|order| Deed::paying(order)).collect();
    stack.all_done(&mut deeds[..6]).await;
    tokio::join!(kafka.kill(), postgres.kill());
    let (again, also) = tokio::join!(kafka.run(), postgres.run());
    again.and(also).expect("both again");
    stack.all_done(&mut deeds[6..]).await;
    all_end(&stack, &orders, 10).await;
    drop(stack);
    kafka.kill().await;
    postgres.kill().await;
    std::fs::remove_dir_all(scratch).expect("removed");
}

const PRODUCES: [&str; 3] = ["commit.before", "commit.after", "relay.produced"];
const CONSUMES: [&str; 3] = ["commit.before", "commit.after", "consumer.handled"];
const DOES_BOTH: [&str; 4] = ["commit.before", "commit.after", "relay.produced", "consumer.handled"];

#[tokio::test]
async fn product_is_killed_at_every_point() {
    killed_at("product", &PRODUCES).await;
}

#[tokio::test]
async fn inventory_is_killed_at_every_point() {
    killed_at("inventory", &DOES_BOTH).await;
}

#[tokio::test]
async fn order_is_killed_at_every_point() {
    killed_at("order", &DOES_BOTH).await;
}

#[tokio::test]
async fn payment_is_killed_at_every_point() {
    killed_at("payment", &DOES_BOTH).await;
}

#[tokio::test]
async fn notification_is_killed_at_every_point() {
    killed_at("notification", &CONSUMES).await;
}

#[tokio::test]
async fn user_is_killed_at_every_point() {
    killed_at("user", &PRODUCES).await;
}
