//! SIGKILL of each service at each fail point, in turn, while orders come: all of them end, and the invariants hold.

use std::collections::BTreeSet;
use std::time::Duration;

use devstack::kafka::Kafka;
use devstack::postgres::{Durability, Postgres};
use devstack::testing::Servers;
use devstack::{mail, ports, say};
use uuid::Uuid;

use crate::deeds::Deed;
use crate::stack::Stack;

/// How many orders come while a service is killed.
const ORDERS: usize = 8;

/// A service kills itself at one point after the other, with SIGKILL, and is started anew each time; meanwhile orders are placed
/// and paid, some are cancelled then and some are sent, products are created, and customers join.
async fn killed_at(service: &'static str, points: &[&str]) {
    // In pairs, which is what an order is of. The last orders find too few.
    let (mut stock, mut joined) = (6 * points.len(), 0);
    let mut stack = Stack::start(i32::try_from(2 * stock).expect("few")).await;
    let (mut orders, mut kept) = (Vec::new(), 0);
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
        let placed: Vec<String> = deeds.iter().filter_map(Deed::placed).collect();
        let paid = stack.confirmed(&placed).await;
        assert_eq!(paid.len(), ORDERS.min(stock), "there are mugs for so many at {point}");
        let (cancelled, sent) = (&paid[..paid.len() / 4], &paid[paid.len() / 4..paid.len() / 2]);
        let mut later: Vec<Deed> = cancelled.iter().map(|order| Deed::cancel(order)).collect();
        later.extend(sent.iter().map(|order| Deed::send(order)));
        stack.all_done(&mut later).await;
        say!("{service} was killed {} times at {point}", stack.disarm().await);
        for order in cancelled {
            stack.returned(order).await;
        }
        for deed in &deeds {
            match deed {
                // What was acknowledged is heard of by both that listen.
                Deed::Product { product, .. } => {
                    stack.sells(product).await;
                    stack.receive(product, 1).await;
                }
                Deed::Customer { .. } => joined += 1,
                Deed::Order { .. } | Deed::Cancel { .. } | Deed::Send { .. } => {}
            }
        }
        stock -= paid.len() - cancelled.len();
        kept += paid.len() - cancelled.len();
        orders.extend(placed);
    }
    let told = stack.apps["user"].events().await;
    let told = told.iter().filter(|seen| seen.name() == "UserRegistered").map(|seen| seen.header("ce_id"));
    assert_eq!(told.collect::<BTreeSet<_>>().len(), joined, "who joined is told of once");
    all_end(&mut stack, &orders, kept).await;
}

/// What notification says it has sent, the mail server has, and nothing else.
async fn mails_arrived(stack: &Stack) {
    let mut database = stack.apps["notification"].database().await;
    let sent = "select recipient, count(*) from notification where status = 'sent' and order_id is not null group by recipient";
    let sent: Vec<(String, i64)> = sqlx::query_as(sent).fetch_all(&mut database).await.expect("counted");
    assert!(!sent.is_empty());
    for (mailbox, sent) in sent {
        let mails = mail::to(&stack.mail.access.url(), &mailbox).await.expect("mails");
        // One whose sender was killed after the server had it comes twice, under its id.
        let ids: BTreeSet<String> = mails.iter().map(|mail| mail["MessageID"].to_string()).collect();
        assert_eq!(i64::try_from(ids.len()).ok(), Some(sent), "to {mailbox}: {ids:?}");
    }
}

/// Every order ends, as many of them well as there are mugs for, and the invariants hold.
async fn all_end(stack: &mut Stack, orders: &[String], well: usize) {
    let confirmed = stack.confirmed(orders).await;
    stack.holds().await;
    mails_arrived(stack).await;
    assert_eq!(confirmed.len(), well, "of so many orders of 2 mugs");
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
    for nth in 0..12 {
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
    all_end(&mut stack, &orders, 10).await;
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
