//! Payments: they agree with the status of their orders.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::databases::{Databases, pairs};

/// The state of each order's payment.
const PAYMENTS: &str = "select p.order_id::text, case \
     when not exists (select from transaction t where t.order_id = p.order_id and t.kind = 'captured') then 'not captured' \
     when exists (select from refund r where r.order_id = p.order_id and r.status in ('pending', 'manual')) \
     then 'being refunded' \
     when coalesce(sum(case kind when 'captured' then t.amount else -t.amount end), 0) = 0 then 'refunded' \
     when coalesce(sum(case kind when 'captured' then t.amount else -t.amount end), 0) < 0 then 'negative' \
     else 'captured' end from payment p left join transaction t using (order_id) group by p.order_id";

/// Returns the orders whose payment does not agree with their status.
pub(super) async fn disagreements(databases: &Databases) -> Result<Vec<String>> {
    let (Some(orders), Some(payments)) = (databases.get("order"), databases.get("payment")) else {
        return Ok(Vec::new());
    };
    let statuses: BTreeMap<String, String> =
        pairs(orders, "select order_id::text, status from orders").await?.into_iter().collect();
    let payments: BTreeMap<String, String> = pairs(payments, PAYMENTS).await?.into_iter().collect();
    let mut violations = Vec::new();
    for id in statuses.keys().chain(payments.keys()).collect::<BTreeSet<_>>() {
        let of = |all: &BTreeMap<String, String>| all.get(id).map_or("missing".to_owned(), Clone::clone);
        let (status, payment) = (of(&statuses), of(&payments));
        if !payment_agrees(&status, &payment) {
            violations.push(format!("order and payment agree: order {id} is {status}, its payment is {payment}"));
        }
    }
    Ok(violations)
}

/// Returns whether the status of an order allows the state of its payment. A confirmed order is paid, and the payment of a
/// cancelled order is refunded. An admin may refund in every status.
fn payment_agrees(order: &str, payment: &str) -> bool {
    match payment {
        "not captured" => !matches!(order, "confirmed" | "shipped" | "delivered" | "missing"),
        "captured" => !matches!(order, "cancelled" | "awaiting_payment" | "missing"),
        "refunded" | "being refunded" => order != "missing",
        "missing" => matches!(order, "placed" | "cancelled"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payment_must_agree_with_the_order() {
        for (order, payment) in [
            ("confirmed", "captured"),
            ("confirmed", "refunded"),
            ("cancelled", "not captured"),
            ("cancelled", "refunded"),
            ("cancelled", "being refunded"),
            ("awaiting_payment", "not captured"),
        ] {
            assert!(payment_agrees(order, payment), "{order}, {payment}");
        }
        for (order, payment) in [
            ("confirmed", "not captured"),
            ("delivered", "not captured"),
            ("cancelled", "captured"),
            ("awaiting_payment", "captured"),
            ("missing", "captured"),
            ("confirmed", "missing"),
            ("awaiting_payment", "missing"),
            ("confirmed", "negative"),
        ] {
            assert!(!payment_agrees(order, payment), "{order}, {payment}");
        }
    }
}
