//! SIGKILL of each service at each step of the saga, in turn, while orders come: all of them end, and the invariants hold.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use devstack::kafka::Kafka;
use devstack::postgres::{Durability, Postgres};
use devstack::testing::Servers;
use devstack::{mail, outln, ports};
use uuid::Uuid;

use crate::stack::{SERVICES, Stack};
use crate::workloads::{GOODS, MONEY, Pays, Workload};

/// In so many waves of orders a service has passed every place.
const WAVES: usize = 12;

/// What a service does for an order from the basket to the door, its ways out among them.
struct Steps {
    /// Operations, by their routes.
    requests: &'static [&'static str],
    /// Handlers of events.
    handlers: &'static [&'static str],
    /// What it does by itself when time has passed.
    jobs: &'static [&'static str],
    /// Events that it tells.
    events: &'static [&'static str],
}

impl Steps {
    /// Where the service is killed: before and after the commit of each step, after each event was handled and before that is
    /// noted, after each kind of event was handed to Kafka and before it leaves the outbox.
    fn places(&self) -> Vec<String> {
        let at = |points: &[&str], steps: &[&str]| -> Vec<String> {
            steps.iter().flat_map(|step| points.iter().map(move |point| format!("{point}@{step}"))).collect()
        };
        let commits = ["commit.before", "commit.after"];
        [
            at(&commits, self.requests),
            at(&["commit.before", "commit.after", "consumer.handled"], self.handlers),
            at(&commits, self.jobs),
            at(&["relay.produced"], self.events),
        ]
        .concat()
    }
}

/// A service kills itself at each of its steps, with SIGKILL, and is started anew each time; meanwhile products are created, customers
/// join, and orders come. Some are paid, cancelled, sent; some wait in vain for goods or for money, and one's money comes late.
async fn killed_at(service: &'static str, steps: &Steps) {
    let hurry = [
        ("ORDER_EXPIRY_INTERVAL", "200ms"),
        ("RESERVATION_EXPIRY_INTERVAL", "200ms"),
        // Whoever is killed over an attempt is not asked about it again before.
        ("ATTEMPT_POLL_DELAY", "5s"),
        // Nor does the next one wait for a minute.
        ("INBOX_LEASE", "3s"),
        ("REFUND_RETRY_DELAY", "1s"),
        ("KAFKA_SESSION_TIMEOUT", "2s"),
    ];
    let mut stack = Stack::start_on(&Servers::of_this_run(), 1_000, &hurry).await;
    let (places, mug) = (steps.places(), stack.mug.clone());
    stack.arm(service, &places).await;
    let (mut orders, mut well, mut wave) = (Vec::new(), 0, 0);
    while !stack.left().is_empty() {
        assert!(wave < WAVES, "{service} never came by these: {:?}", stack.left());
        let mut product = Workload::product(wave);
        stack.all_done(std::slice::from_mut(&mut product)).await;
        let Workload::Product { product: cup, .. } = product else { unreachable!("it is a product") };
        stack.receive(&cup, 4).await;
        stack.sells(&cup).await;

        let wanted = [(&mug, Pays::Yes, 6), (&cup, Pays::Yes, 4), (&mug, Pays::No, 6), (&mug, Pays::Unheard, 2)];
        let wanted = wanted.iter().flat_map(|(product, pays, count)| std::iter::repeat_n((product, pays), *count));
        let mut workloads: Vec<Workload> = wanted.map(|(product, pays)| Workload::order(product, *pays)).collect();
        workloads.extend((2 * wave..2 * wave + 2).map(Workload::customer));
        stack.all_done(&mut workloads).await;
        let placed: Vec<String> = workloads.iter().filter_map(Workload::placed).collect();
        let (paid, rest) = placed.split_at(6);
        let (cups, rest) = rest.split_at(4);
        let (unpaid, late) = rest.split_at(6);
        assert_eq!(stack.confirmed(paid).await.len(), 6);
        assert_eq!(stack.confirmed(cups).await.len(), 2, "there are cups for so many");

        let cancelled = [&paid[..2], &unpaid[..2]].concat();
        let mut later: Vec<Workload> = cancelled.iter().map(|order| Workload::cancel(order)).collect();
        later.extend(paid[2..4].iter().map(|order| Workload::send(order)));
        later.extend(unpaid[2..4].iter().chain(late).map(|order| Workload::expire(order, MONEY)));
        later.extend(unpaid[4..].iter().map(|order| Workload::expire(order, GOODS)));
        stack.all_done(&mut later).await;
        for order in cancelled.iter().chain(&unpaid[2..]) {
            stack.becomes(order, "cancelled").await;
            stack.returned(order).await;
        }
        // Its order was cancelled, and is reinstated when payment finds its money.
        for order in late {
            stack.becomes(order, "confirmed").await;
        }
        (well, wave) = (well + 4 + 2 + late.len(), wave + 1);
        orders.extend(placed);
    }
    outln!("{service} was killed at {} places while {} orders came", places.len(), orders.len());
    let told = stack.apps["user"].events().await;
    let told = told.iter().filter(|seen| seen.name() == "UserRegistered").map(|seen| seen.header("ce_id"));
    assert_eq!(told.collect::<BTreeSet<_>>().len(), 2 * wave, "who joined is told of once");
    all_end(&mut stack, &orders, well).await;
}

/// What notification says it has sent, the mail server has, and nothing else. A letter whose sender was killed after the server had it
/// is sent again when its lease has ended, and only then noted.
async fn mails_arrive(stack: &Stack) {
    let begun = Instant::now();
    loop {
        let wrong = mailboxes_that_differ(stack).await;
        if wrong.is_empty() {
            return;
        }
        assert!(begun.elapsed() < Duration::from_mins(5), "{wrong:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn mailboxes_that_differ(stack: &Stack) -> Vec<String> {
    let mut database = stack.apps["notification"].database().await;
    let sent = "select recipient, count(*) from notification where status = 'sent' and order_id is not null group by recipient";
    let sent: Vec<(String, i64)> = sqlx::query_as(sent).fetch_all(&mut database).await.expect("counted");
    assert!(!sent.is_empty());
    let mut wrong = Vec::new();
    for (mailbox, sent) in sent {
        let mails = mail::to(&stack.mail.access.url(), &mailbox).await.expect("mails");
        // One that was sent twice comes under one id.
        let ids: BTreeSet<String> = mails.iter().map(|mail| mail["messageId"].to_string()).collect();
        if i64::try_from(ids.len()) != Ok(sent) {
            wrong.push(format!("{sent} were sent to {mailbox}, which has {ids:?}"));
        }
    }
    wrong
}

/// Every order ends, so many of them well, and the invariants hold.
async fn all_end(stack: &mut Stack, orders: &[String], well: usize) {
    let confirmed = stack.confirmed(orders).await;
    stack.holds().await;
    mails_arrive(stack).await;
    assert_eq!(confirmed.len(), well, "so many orders end well");
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
    let mut stack = Stack::start_on(&servers, 20, &[]).await;
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
            if let Some(order) = stack.try_to_place(&stack.mug, &key, 2).await {
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
    let mut workloads: Vec<Workload> = orders.iter().map(|order| Workload::paying(order)).collect();
    stack.all_done(&mut workloads[..6]).await;
    tokio::join!(kafka.kill(), postgres.kill());
    let (again, also) = tokio::join!(kafka.run(), postgres.run());
    again.and(also).expect("both again");
    stack.all_done(&mut workloads[6..]).await;
    all_end(&mut stack, &orders, 10).await;
    drop(stack);
    kafka.kill().await;
    postgres.kill().await;
    std::fs::remove_dir_all(scratch).expect("removed");
}

const PRODUCT: Steps =
    Steps { requests: &["/v1/products"], events: &["mart.product.v1.ProductCreated"], handlers: &[], jobs: &[] };

const INVENTORY: Steps = Steps {
    requests: &["/v1/admin/stock-items/{product_id}/receive"],
    handlers: &[
        "inventory.product-created",
        "inventory.order-placed",
        "inventory.order-confirmed",
        "inventory.order-cancelled",
        "inventory.order-reinstated",
    ],
    jobs: &["reservations"],
    events: &[
        "mart.inventory.v1.StockItemCreated",
        "mart.inventory.v1.StockAdjusted",
        "mart.inventory.v1.StockReserved",
        "mart.inventory.v1.StockRejected",
        "mart.inventory.v1.ReservationExpired",
        "mart.inventory.v1.ReservationReleased",
        "mart.inventory.v1.ReservationCommitted",
        "mart.inventory.v1.ReservationReturned",
    ],
};

const ORDER: Steps = Steps {
    requests: &[
        "/v1/orders",
        "/v1/orders/{order_id}/cancel",
        "/v1/orders/{order_id}/ship",
        "/v1/orders/{order_id}/deliver",
    ],
    handlers: &[
        "order.product-created",
        "order.stock-reserved",
        "order.stock-rejected",
        "order.reservation-expired",
        "order.payment-captured",
        "order.payment-refunded",
    ],
    jobs: &["payment deadlines"],
    events: &[
        "mart.order.v1.OrderPlaced",
        "mart.order.v1.OrderAwaitingPayment",
        "mart.order.v1.OrderConfirmed",
        "mart.order.v1.OrderCancelled",
        "mart.order.v1.OrderReinstated",
        "mart.order.v1.OrderShipped",
        "mart.order.v1.OrderDelivered",
        "mart.order.v1.RefundRequested",
    ],
};

const PAYMENT: Steps = Steps {
    requests: &["/v1/payments/{order_id}/attempts", "/v1/payment-webhooks/stripe"],
    handlers: &["payment.order-awaiting-payment", "payment.order-cancelled", "payment.refund-requested"],
    jobs: &["attempts", "refunds", "callbacks"],
    events: &["mart.payment.v1.PaymentCaptured", "mart.payment.v1.PaymentRefunded"],
};

const NOTIFICATION: Steps = Steps {
    requests: &[],
    handlers: &[
        "notification.verification-requested",
        "notification.order-placed",
        "notification.order-confirmed",
        "notification.order-shipped",
        "notification.order-delivered",
        "notification.order-cancelled",
        "notification.payment-refunded",
    ],
    jobs: &["mail"],
    events: &[],
};

const USER: Steps = Steps {
    requests: &["/v1/users/register", "/v1/users/verify-email", "/v1/sessions/log-in"],
    handlers: &[],
    jobs: &[],
    events: &["mart.user.v1.VerificationRequested", "mart.user.v1.UserRegistered", "mart.user.v1.EmailVerified"],
};

/// Handlers that are no step of an order's way here: of products that change and of what is told again, of what a customer changes,
/// and of failures, which Stripe tells of no card. Their commits are like those of the steps.
const NO_STEPS: [&str; 12] = [
    "inventory.product-archived",
    "inventory.product-republished",
    "order.product-updated",
    "order.product-price-changed",
    "order.product-activated",
    "order.product-archived",
    "order.product-republished",
    "order.payment-failed",
    "notification.password-reset-requested",
    "notification.order-changed",
    "notification.order-republished",
    "notification.payment-failed",
];

#[test]
fn every_handler_is_a_step_or_is_named_as_none() {
    let steps = [&PRODUCT, &INVENTORY, &ORDER, &PAYMENT, &NOTIFICATION, &USER];
    let steps: Vec<&str> = steps.iter().flat_map(|steps| steps.handlers).copied().collect();
    let handlers: BTreeSet<String> = SERVICES.iter().flat_map(|service| handlers(service)).collect();
    let known: BTreeSet<String> = steps.iter().chain(&NO_STEPS).map(|handler| (*handler).to_owned()).collect();
    assert_eq!(handlers, known);
}

/// What a service reacts to, by the names that its rendered code gives.
fn handlers(service: &str) -> Vec<String> {
    let path = devstack::root().join(format!("services/{service}/service/src/generated/events.rs"));
    let text = std::fs::read_to_string(path).expect("it is rendered");
    let names = text.split("handler: \"").skip(1).filter_map(|rest| rest.split('"').next());
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn product_is_killed_at_every_step() {
    killed_at("product", &PRODUCT).await;
}

#[tokio::test]
async fn inventory_is_killed_at_every_step() {
    killed_at("inventory", &INVENTORY).await;
}

#[tokio::test]
async fn order_is_killed_at_every_step() {
    killed_at("order", &ORDER).await;
}

#[tokio::test]
async fn payment_is_killed_at_every_step() {
    killed_at("payment", &PAYMENT).await;
}

#[tokio::test]
async fn notification_is_killed_at_every_step() {
    killed_at("notification", &NOTIFICATION).await;
}

#[tokio::test]
async fn user_is_killed_at_every_step() {
    killed_at("user", &USER).await;
}
