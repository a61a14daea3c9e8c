//! Maps the core's values to the contract's messages.

use inventory_core::domain::{Cause, LedgerEntry, Lines, Reservation, Shortage, Status, StockItem};
use mart_chassis::convert::time;
use mart_proto::inventory::v1;

pub(super) fn stock_item(item: &StockItem) -> v1::StockItem {
    v1::StockItem {
        product_id: item.id.0.to_string(),
        on_hand: item.on_hand,
        reserved: item.reserved,
        available: item.available(),
        low_stock_threshold: item.low_stock_threshold,
        archived: item.archived,
        create_time: Some(time(item.created_at)),
        update_time: Some(time(item.updated_at)),
    }
}

pub(super) fn ledger_entry(entry: &LedgerEntry) -> v1::LedgerEntry {
    let kind = match entry.cause {
        Cause::Received(_) => v1::LedgerKind::Received,
        Cause::Adjusted(_) => v1::LedgerKind::Adjusted,
        Cause::Reserved(_) => v1::LedgerKind::Reserved,
        Cause::Released(_) => v1::LedgerKind::Released,
        Cause::Expired(_) => v1::LedgerKind::Expired,
        Cause::Committed(_) => v1::LedgerKind::Committed,
        Cause::Returned(_) => v1::LedgerKind::Returned,
    };
    v1::LedgerEntry {
        ledger_entry_id: entry.id.0.to_string(),
        product_id: entry.product.0.to_string(),
        on_hand_delta: entry.on_hand,
        reserved_delta: entry.reserved,
        kind: kind.into(),
        reason: entry.cause.reason().to_owned(),
        order_id: entry.cause.order().map(|order| order.0.to_string()).unwrap_or_default(),
        create_time: Some(time(entry.at)),
    }
}

pub(super) fn reservation(reservation: &Reservation) -> v1::Reservation {
    let (status, expires_at) = match reservation.status {
        Status::Reserved { expires_at } => (v1::ReservationStatus::Reserved, Some(expires_at)),
        Status::Rejected => (v1::ReservationStatus::Rejected, None),
        Status::Committed => (v1::ReservationStatus::Committed, None),
        Status::Released => (v1::ReservationStatus::Released, None),
        Status::Expired => (v1::ReservationStatus::Expired, None),
        Status::Returned => (v1::ReservationStatus::Returned, None),
    };
    v1::Reservation {
        order_id: reservation.order.0.to_string(),
        lines: lines(&reservation.lines),
        status: status.into(),
        expire_time: expires_at.map(time),
        reinstate_count: reservation.reservation_round,
        create_time: Some(time(reservation.created_at)),
        update_time: Some(time(reservation.updated_at)),
    }
}

fn lines(lines: &Lines) -> Vec<v1::ReservedLine> {
    let line = |(product, quantity): (inventory_core::domain::ProductId, i32)| v1::ReservedLine {
        product_id: product.0.to_string(),
        quantity,
    };
    lines.iter().map(line).collect()
}

pub(super) fn shortage(shortage: &Shortage) -> v1::Shortage {
    v1::Shortage {
        product_id: shortage.product.0.to_string(),
        requested: shortage.requested,
        available: shortage.available,
    }
}
