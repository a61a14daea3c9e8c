//! Stock: it sums to its ledger and reservations, and reservations agree with orders.

use std::collections::BTreeMap;

use anyhow::Result;

use super::databases::{Databases, pairs};

/// Invariants of inventory's database: the rule and a query of its violations.
pub(super) const CHECKS: [(&str, &str); 3] = [
    (
        "reserved stock equals the active reservations",
        "select format('product %s: %s reserved, active reservations have %s', s.product_id, s.reserved, coalesce(sum(r.quantity), 0)) \
         from stock_item s left join (select unnest(product_ids) as product_id, unnest(quantities) as quantity \
         from reservation where status = 'reserved') r using (product_id) \
         group by s.product_id, s.reserved having s.reserved <> coalesce(sum(r.quantity), 0)",
    ),
    (
        "the ledger sums to the stock",
        "select format('product %s: %s on hand and %s reserved, the ledger has %s and %s', s.product_id, s.on_hand, s.reserved, \
         coalesce(sum(on_hand_delta), 0), coalesce(sum(reserved_delta), 0)) \
         from stock_item s left join ledger_entry using (product_id) group by s.product_id, s.on_hand, s.reserved \
         having (s.on_hand, s.reserved) <> (coalesce(sum(on_hand_delta), 0), coalesce(sum(reserved_delta), 0))",
    ),
    (
        "no reservation is overdue",
        "select format('order %s: reserved until %s', order_id, expires_at) from reservation \
         where status = 'reserved' and expires_at < now() - interval '10 seconds'",
    ),
];

/// Returns the orders whose reservation does not agree with their status.
pub(super) async fn disagreements(databases: &Databases) -> Result<Vec<String>> {
    let (Some(orders), Some(inventory)) = (databases.get("order"), databases.get("inventory")) else {
        return Ok(Vec::new());
    };
    let reservations: BTreeMap<String, String> =
        pairs(inventory, "select order_id::text, status from reservation").await?.into_iter().collect();
    let mut violations = Vec::new();
    for (id, status) in pairs(orders, "select order_id::text, status from orders").await? {
        let reservation = reservations.get(&id).map(String::as_str);
        if !reservation_agrees(&status, reservation) {
            let reservation = reservation.unwrap_or("missing");
            violations.push(format!("order and stock agree: order {id} is {status}, its reservation is {reservation}"));
        }
    }
    Ok(violations)
}

/// Returns whether the status of an order allows the status of its reservation.
fn reservation_agrees(order: &str, reservation: Option<&str>) -> bool {
    match order {
        "awaiting_payment" => reservation == Some("reserved"),
        "confirmed" | "shipped" | "delivered" => reservation == Some("committed"),
        "cancelled" => !matches!(reservation, Some("reserved" | "committed")),
        // The order awaits stock, so inventory's event may be in flight.
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reservation_must_agree_with_the_order() {
        assert!(
            reservation_agrees("confirmed", Some("committed"))
                && reservation_agrees("cancelled", None)
                && reservation_agrees("placed", None)
        );
        assert!(
            !reservation_agrees("confirmed", Some("expired")) && !reservation_agrees("cancelled", Some("reserved"))
        );
        assert!(!reservation_agrees("awaiting_payment", None));
    }
}
