//! Orders: they don't wait too long, they are paid, and their events follow the state machine.

use std::collections::BTreeMap;

use devstack::call::KafkaEvent;
use order_core::domain::state_machine::{Action, STATES, State, TRIGGERS, transition};

/// Invariants of order's database: the rule and a query of its violations.
pub(super) const CHECKS: [(&str, &str); 4] = [
    (
        "no payment deadline is overdue",
        "select format('order %s: awaits payment until %s', order_id, payment_deadline) from orders \
         where payment_deadline < now() - interval '10 seconds'",
    ),
    (
        "no order awaits stock for long",
        "select format('order %s: placed at %s', order_id, updated_at) from orders \
         where status = 'placed' and updated_at < now() - interval '10 seconds'",
    ),
    (
        "a cancelled order's payment is refunded",
        "select format('order %s: cancelled, the refund of its payment %s is not requested', order_id, payment_id) from orders \
         where status = 'cancelled' and payment_id is not null and not refund_requested",
    ),
    (
        "a confirmed order is paid",
        "select format('order %s: %s without payment', order_id, status) from orders \
         where status in ('confirmed', 'shipped', 'delivered') and (payment_id is null or refund_requested)",
    ),
];

/// The email address of each order, or `old` if Kafka's retention may have deleted its first events.
pub(super) const ORDERS: &str =
    "select order_id::text, case when created_at < now() - interval '29 days' then 'old' else email end from orders";

/// Returns a violation for each order whose events do not have the versions 1, 2, 3 …, or do not follow the state machine.
pub(super) fn histories(orders: &BTreeMap<String, String>, history: &[KafkaEvent]) -> Vec<String> {
    let mut published: BTreeMap<&str, BTreeMap<i64, &str>> = BTreeMap::new();
    let of_orders = |event: &&KafkaEvent| event.topic.ends_with("mart.order.v1") && event.name() != "OrderRepublished";
    for event in history.iter().filter(of_orders) {
        let version = event.header("ce_version").parse().unwrap_or_default();
        // Kafka may have duplicates of an event, with the same version.
        published.entry(&event.key).or_default().insert(version, event.name());
    }
    let mut violations = Vec::new();
    for (id, events) in published.into_iter().filter(|(id, _)| orders.get(*id).is_none_or(|email| email != "old")) {
        let kinds: Vec<&str> = events.values().copied().collect();
        let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
        if !events.keys().copied().eq(1..=count) {
            violations.push(format!("no event is lost: order {id} published the versions {:?}", events.keys()));
        } else if !follows(&kinds) {
            violations
                .push(format!("every order follows the state machine: order {id} published {}", kinds.join(", ")));
        }
    }
    violations
}

/// Returns whether the events, in this order, are a path through the state machine.
fn follows(kinds: &[&str]) -> bool {
    let Some(("OrderPlaced", rest)) = kinds.split_first().map(|(first, rest)| (*first, rest)) else { return false };
    let mut states = vec![State::Placed];
    let mut rest = rest.iter().peekable();
    while let Some(kind) = rest.next() {
        let refunds = rest.peek() == Some(&&"RefundRequested");
        let mut next = Vec::new();
        for state in &states {
            for trigger in TRIGGERS {
                let to = match (transition(*state, trigger), *kind) {
                    (Action::Await, "OrderAwaitingPayment") => Some(State::AwaitingPayment),
                    (Action::Confirm, "OrderConfirmed") => Some(State::Confirmed),
                    (Action::CancelTimeout, "OrderCancelled") if !refunds => Some(State::TimedOut),
                    (Action::CancelTimeout | Action::CancelRequested | Action::CancelNoStock, "OrderCancelled") => {
                        Some(State::Cancelled)
                    }
                    (Action::Reinstate, "OrderReinstated") => Some(State::Reinstated),
                    (Action::Refund, "RefundRequested") => Some(State::Cancelled),
                    (Action::Change, "OrderChanged") => Some(*state),
                    (Action::Ship, "OrderShipped") => Some(State::Shipped),
                    (Action::Deliver, "OrderDelivered") => Some(State::Delivered),
                    _ => None,
                };
                next.extend(to);
            }
        }
        if next.is_empty() {
            return false;
        }
        states = STATES.into_iter().filter(|state| next.contains(state)).collect();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_must_follow_the_state_machine() {
        for good in [
            "OrderPlaced",
            "OrderPlaced OrderChanged OrderAwaitingPayment OrderConfirmed OrderShipped OrderDelivered",
            "OrderPlaced OrderAwaitingPayment OrderCancelled OrderReinstated OrderConfirmed",
            "OrderPlaced OrderAwaitingPayment OrderCancelled OrderReinstated OrderCancelled RefundRequested RefundRequested",
            "OrderPlaced OrderCancelled RefundRequested",
        ] {
            assert!(follows(&good.split(' ').collect::<Vec<_>>()), "{good}");
        }
        for bad in [
            "OrderAwaitingPayment",
            "OrderPlaced OrderConfirmed",
            "OrderPlaced OrderAwaitingPayment OrderShipped",
            "OrderPlaced OrderAwaitingPayment OrderConfirmed OrderShipped OrderCancelled",
            "OrderPlaced OrderCancelled RefundRequested OrderReinstated",
            "OrderPlaced OrderAwaitingPayment OrderConfirmed RefundRequested",
        ] {
            assert!(!follows(&bad.split(' ').collect::<Vec<_>>()), "{bad}");
        }
    }
}
