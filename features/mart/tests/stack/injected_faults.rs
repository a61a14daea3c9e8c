//! Each invariant finds the fault that is planted for it.

use devstack::testing::{TestEvent, until};

use crate::stack::Stack;

/// Faults in a database, how each is mended, and the invariant that finds it.
const FAULTS: [(&str, &str, &str, &str); 18] = [
    (
        "inventory",
        "update stock_item set reserved = reserved + 1",
        "update stock_item set reserved = reserved - 1",
        "live reservations",
    ),
    (
        "inventory",
        "update stock_item set on_hand = on_hand + 1",
        "update stock_item set on_hand = on_hand - 1",
        "the ledger sums",
    ),
    (
        "order",
        "update orders set payment_deadline = now() - interval '1 minute' where status = 'awaiting_payment'",
        "update orders set payment_deadline = now() + interval '1 hour' where status = 'awaiting_payment'",
        "no order waits beyond its time",
    ),
    (
        "order",
        "update orders set version = version + 1 where status = 'awaiting_payment'",
        "update orders set version = version - 1 where status = 'awaiting_payment'",
        "acknowledged is visible",
    ),
    (
        "inventory",
        "update reservation set expires_at = now() - interval '1 minute' where status = 'reserved'",
        "update reservation set expires_at = now() + interval '1 hour' where status = 'reserved'",
        "no reservation is held beyond its time",
    ),
    (
        "order",
        "update orders set refund_requested = true where status = 'confirmed'",
        "update orders set refund_requested = false where status = 'confirmed'",
        "an order that goes on is paid",
    ),
    (
        "order",
        "update orders set status = 'cancelled', cancel_reason = 'admin' where status = 'confirmed'",
        "update orders set status = 'confirmed', cancel_reason = null where cancel_reason = 'admin'",
        "no order rests as cancelled and captured",
    ),
    (
        "order",
        "update orders set status = 'placed', payment_deadline = null, updated_at = now() - interval '1 minute' \
         where status = 'awaiting_payment'",
        "update orders set status = 'awaiting_payment', payment_deadline = now() + interval '1 hour' \
         where status = 'placed'",
        "no order waits for stock for long",
    ),
    (
        "inventory",
        "update reservation set status = 'returned' where status = 'committed'",
        "update reservation set status = 'committed' where status = 'returned'",
        "order and stock agree",
    ),
    (
        "payment",
        "insert into transaction select gen_random_uuid(), order_id, nth + 1, 'refunded', amount * 2, provider, 'planted', attempt_id, at \
         from transaction",
        "delete from transaction where reference = 'planted'",
        "order and money agree",
    ),
    (
        "payment",
        "update payment set customer_id = customer_id || '|' || order_id, order_id = '00000000-0000-0000-0000-000000000001' \
         where not exists (select from attempt where attempt.order_id = payment.order_id)",
        "update payment set order_id = split_part(customer_id, '|', 2)::uuid, customer_id = split_part(customer_id, '|', 1) \
         where order_id = '00000000-0000-0000-0000-000000000001'",
        "its money has no account",
    ),
    (
        "notification",
        "update notification set channel = 'sms' where channel = 'mail'",
        "update notification set channel = 'mail' where channel = 'sms'",
        "one mail per step",
    ),
    (
        "notification",
        "update notification set status = 'pending', due_at = now() + interval '1 hour', created_at = now() - interval '1 minute' \
         where kind = 'paid'",
        "update notification set status = 'sent', due_at = null where kind = 'paid'",
        "no letter waits for long",
    ),
    (
        "user",
        "with who as (insert into account values (gen_random_uuid(), 1, 'planted@mart.example', 'customer', '', '', '', '', '', true, \
         true, now(), now()) returning user_id) \
         insert into session select gen_random_uuid(), user_id, now() + interval '1 hour', null from who",
        "delete from account where email = 'planted@mart.example'",
        "who is disabled has no session",
    ),
    (
        "user",
        "insert into account values (gen_random_uuid(), 1, 'planted@mart.example', 'customer', '', '', '', '', '', true, false, now(), \
         now())",
        "delete from account where email = 'planted@mart.example'",
        "acknowledged is visible: user",
    ),
    (
        "product",
        "update product set version = version + 1",
        "update product set version = version - 1",
        "products are known as they are",
    ),
    (
        "notification",
        "update notification set kind = 'shipped' where kind = 'paid'",
        "update notification set kind = 'paid' where kind = 'shipped'",
        "one mail per step",
    ),
    (
        "product",
        "insert into inbox (handler, key, event, raw, reason, next_at, deadline, dead_at) \
         values ('planted', 'key', 'event', '', 'planted', now(), now(), now())",
        "delete from inbox",
        "without somebody knowing why",
    ),
];

async fn run(stack: &Stack, service: &str, sql: &'static str) {
    let mut database = stack.apps[service].database().await;
    sqlx::query(sql).execute(&mut database).await.expect("planted");
}

#[tokio::test]
async fn every_planted_fault_is_found() {
    let mut stack = Stack::start(20).await;
    let (paid, waiting) = (stack.place(2).await, stack.place(3).await);
    stack.pay(&paid).await;
    until("one is confirmed and one waits", async || {
        stack.status(&paid).await == "confirmed" && stack.status(&waiting).await == "awaiting_payment"
    })
    .await;
    stack.holds().await;

    for (service, plant, mend, rule) in FAULTS {
        run(&stack, service, plant).await;
        finds(&stack, rule).await;
        run(&stack, service, mend).await;
    }
    stack.holds().await;

    // Nobody is there to send it.
    stack.apps.get_mut("order").expect("it is there").process.kill().await;
    let event = "insert into outbox (id, at, topic, key, event_type, version, traceparent, payload) \
                 values (gen_random_uuid(), now(), 'mart.order.v1', 'key', 'planted', 1, '', '')";
    run(&stack, "order", event).await;
    finds(&stack, "the outbox is empty").await;
    run(&stack, "order", "delete from outbox").await;
    stack.kill_and_start("order").await;
    stack.holds().await;

    // What lies on Kafka stays there, so these come last.
    let shipped = |key: &str, version| {
        TestEvent::new("mart.order.v1", "mart.order.v1.OrderShipped", Vec::new()).about(key, version)
    };
    stack.apps["order"].publish(&shipped("an order that was shipped at once", 1)).await;
    finds(&stack, "every order follows the table").await;
    stack.apps["order"].publish(&shipped("an order whose beginning is lost", 2)).await;
    finds(&stack, "no event is lost").await;
    finds(&stack, "what was told is kept: order").await;
}

async fn finds(stack: &Stack, rule: &str) {
    let broken = stack.mart().broken().await.expect("looked at");
    assert!(broken.iter().any(|broken| broken.contains(rule)), "{rule}: {broken:#?}");
}
