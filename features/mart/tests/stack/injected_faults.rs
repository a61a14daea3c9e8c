//! Each invariant finds the fault that is injected for it.

use devstack::testing::{TestEvent, until};

use crate::stack::Stack;

/// Faults in a database: the service, the statement that injects the fault, the one that repairs it, and a part of the violation.
const FAULTS: [(&str, &str, &str, &str); 18] = [
    (
        "inventory",
        "update stock_item set reserved = reserved + 1",
        "update stock_item set reserved = reserved - 1",
        "reserved stock equals the active reservations",
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
        "no payment deadline is overdue",
    ),
    (
        "order",
        "update orders set version = version + 1 where status = 'awaiting_payment'",
        "update orders set version = version - 1 where status = 'awaiting_payment'",
        "committed events are published",
    ),
    (
        "inventory",
        "update reservation set expires_at = now() - interval '1 minute' where status = 'reserved'",
        "update reservation set expires_at = now() + interval '1 hour' where status = 'reserved'",
        "no reservation is overdue",
    ),
    (
        "order",
        "update orders set refund_requested = true where status = 'confirmed'",
        "update orders set refund_requested = false where status = 'confirmed'",
        "a confirmed order is paid",
    ),
    (
        "order",
        "update orders set status = 'cancelled', cancel_reason = 'admin' where status = 'confirmed'",
        "update orders set status = 'confirmed', cancel_reason = null where cancel_reason = 'admin'",
        "a cancelled order's payment is refunded",
    ),
    (
        "order",
        "update orders set status = 'placed', payment_deadline = null, updated_at = now() - interval '1 minute' \
         where status = 'awaiting_payment'",
        "update orders set status = 'awaiting_payment', payment_deadline = now() + interval '1 hour' \
         where status = 'placed'",
        "no order awaits stock for long",
    ),
    (
        "inventory",
        "update reservation set status = 'returned' where status = 'committed'",
        "update reservation set status = 'committed' where status = 'returned'",
        "order and stock agree",
    ),
    (
        "payment",
        "insert into transaction select gen_random_uuid(), order_id, nth + 1, 'refunded', amount * 2, provider, 'injected', attempt_id, at \
         from transaction",
        "delete from transaction where reference = 'injected'",
        "order and payment agree",
    ),
    (
        "payment",
        "update payment set customer_id = customer_id || '|' || order_id, order_id = '00000000-0000-0000-0000-000000000001' \
         where not exists (select from attempt where attempt.order_id = payment.order_id)",
        "update payment set order_id = split_part(customer_id, '|', 2)::uuid, customer_id = split_part(customer_id, '|', 1) \
         where order_id = '00000000-0000-0000-0000-000000000001'",
        "its payment is missing",
    ),
    (
        "notification",
        "update notification set channel = 'sms' where channel = 'mail'",
        "update notification set channel = 'mail' where channel = 'sms'",
        "one mail per event",
    ),
    (
        "notification",
        "update notification set status = 'pending', due_at = now() + interval '1 hour', created_at = now() - interval '1 minute' \
         where kind = 'paid'",
        "update notification set status = 'sent', due_at = null where kind = 'paid'",
        "no message is pending for long",
    ),
    (
        "user",
        "with injected as (insert into account values (gen_random_uuid(), 1, 'injected@mart.example', 'customer', '', '', '', '', '', true, \
         true, now(), now()) returning user_id) \
         insert into session select gen_random_uuid(), user_id, now() + interval '1 hour', null from injected",
        "delete from account where email = 'injected@mart.example'",
        "a disabled user has no session",
    ),
    (
        "user",
        "insert into account values (gen_random_uuid(), 1, 'injected@mart.example', 'customer', '', '', '', '', '', true, false, now(), \
         now())",
        "delete from account where email = 'injected@mart.example'",
        "committed events are published: user",
    ),
    (
        "product",
        "update product set version = version + 1",
        "update product set version = version - 1",
        "the read model of products is current",
    ),
    (
        "notification",
        "update notification set kind = 'shipped' where kind = 'paid'",
        "update notification set kind = 'paid' where kind = 'shipped'",
        "one mail per event",
    ),
    (
        "product",
        "insert into inbox (handler, key, event, raw, reason, next_at, deadline, dead_at) \
         values ('injected', 'key', 'event', '', 'injected', now(), now(), now())",
        "delete from inbox",
        "the inbox is empty",
    ),
];

async fn execute(stack: &Stack, service: &str, sql: &'static str) {
    let mut database = stack.apps[service].database().await;
    sqlx::query(sql).execute(&mut database).await.expect("executed");
}

#[tokio::test]
async fn every_injected_fault_is_found() {
    let mut stack = Stack::start(20).await;
    let (paid, waiting) = (stack.place(2).await, stack.place(3).await);
    stack.pay(&paid).await;
    until("one order is confirmed and one awaits its payment", async || {
        stack.status(&paid).await == "confirmed" && stack.status(&waiting).await == "awaiting_payment"
    })
    .await;
    stack.assert_invariants().await;

    for (service, inject, repair, violation) in FAULTS {
        execute(&stack, service, inject).await;
        assert_violation(&stack, violation).await;
        execute(&stack, service, repair).await;
    }
    stack.assert_invariants().await;

    // No relay is running that could publish it.
    stack.apps.get_mut("order").expect("a service").process.kill().await;
    let event = "insert into outbox (id, at, topic, key, event_type, version, traceparent, payload) \
                 values (gen_random_uuid(), now(), 'mart.order.v1', 'key', 'injected', 1, '', '')";
    execute(&stack, "order", event).await;
    assert_violation(&stack, "the outbox is empty").await;
    execute(&stack, "order", "delete from outbox").await;
    stack.kill_and_start("order").await;
    stack.assert_invariants().await;

    // Records on Kafka cannot be removed, so these faults are the last ones.
    let shipped = |key: &str, version| {
        TestEvent::new("mart.order.v1", "mart.order.v1.OrderShipped", Vec::new()).about(key, version)
    };
    stack.apps["order"].publish(&shipped("an order that was shipped without being placed", 1)).await;
    assert_violation(&stack, "every order follows the state machine").await;
    stack.apps["order"].publish(&shipped("an order whose first event is lost", 2)).await;
    assert_violation(&stack, "no event is lost").await;
    assert_violation(&stack, "published aggregates are stored: order").await;
}

/// Asserts that a violation contains this text.
async fn assert_violation(stack: &Stack, text: &str) {
    let violations = stack.mart().violations().await.expect("checked");
    assert!(violations.iter().any(|violation| violation.contains(text)), "{text}: {violations:#?}");
}
