//! The rows of the database, and their mappings to the values of the core.

use inventory_core::domain::{
    Cause, LedgerEntry, LedgerEntryId, Lines, OrderId, ProductId, Reservation, Status, StockItem,
};
use mart_chassis::db::read::{self, decode_error};
use mart_chassis::table_row;
use mart_kernel::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

table_row! {
    /// A row of `stock_item`.
    pub struct StockItemRow in stock_item (product_id) {
        product_id: Uuid,
        version: i64,
        product_version: i64,
        on_hand: i32,
        reserved: i32,
        low_stock_threshold: i32,
        archived: bool,
        created_at: OffsetDateTime,
        updated_at: OffsetDateTime,
    }
}

table_row! {
    /// A row of `reservation`.
    pub struct ReservationRow in reservation (order_id) {
        order_id: Uuid,
        version: i64,
        product_ids: Vec<Uuid>,
        quantities: Vec<i32>,
        status: String,
        expires_at: Option<OffsetDateTime>,
        reservation_round: i32,
        closed: bool,
        created_at: OffsetDateTime,
        updated_at: OffsetDateTime,
    }
}

table_row! {
    /// A row of `ledger_entry`.
    pub struct LedgerEntryRow in ledger_entry (ledger_entry_id) {
        ledger_entry_id: Uuid,
        product_id: Uuid,
        on_hand_delta: i32,
        reserved_delta: i32,
        kind: String,
        reason: String,
        order_id: Option<Uuid>,
        at: OffsetDateTime,
    }
}

impl From<StockItem> for StockItemRow {
    fn from(item: StockItem) -> Self {
        let StockItem {
            id,
            version,
            product_version,
            on_hand,
            reserved,
            low_stock_threshold,
            archived,
            created_at,
            updated_at,
        } = item;
        Self {
            product_id: id.0,
            version: version.get(),
            product_version: product_version.get(),
            on_hand,
            reserved,
            low_stock_threshold,
            archived,
            created_at: created_at.get(),
            updated_at: updated_at.get(),
        }
    }
}

impl TryFrom<StockItemRow> for StockItem {
    type Error = sqlx::Error;

    fn try_from(row: StockItemRow) -> Result<Self, sqlx::Error> {
        let StockItemRow {
            product_id,
            version,
            product_version,
            on_hand,
            reserved,
            low_stock_threshold,
            archived,
            created_at,
            updated_at,
        } = row;
        Ok(Self {
            id: ProductId(product_id),
            version: read::version(version)?,
            product_version: read::version(product_version)?,
            on_hand,
            reserved,
            low_stock_threshold,
            archived,
            created_at: Timestamp::new(created_at),
            updated_at: Timestamp::new(updated_at),
        })
    }
}

impl From<Reservation> for ReservationRow {
    fn from(reservation: Reservation) -> Self {
        let Reservation { order, version, lines, status, reservation_round, closed, created_at, updated_at } =
            reservation;
        let (product_ids, quantities) = lines.iter().map(|(product, quantity)| (product.0, quantity)).unzip();
        let (status, expires_at) = match status {
            Status::Reserved { expires_at } => ("reserved", Some(expires_at.get())),
            Status::Rejected => ("rejected", None),
            Status::Committed => ("committed", None),
            Status::Released => ("released", None),
            Status::Expired => ("expired", None),
            Status::Returned => ("returned", None),
        };
        Self {
            order_id: order.0,
            version: version.get(),
            product_ids,
            quantities,
            status: status.to_owned(),
            expires_at,
            reservation_round,
            closed,
            created_at: created_at.get(),
            updated_at: updated_at.get(),
        }
    }
}

impl TryFrom<ReservationRow> for Reservation {
    type Error = sqlx::Error;

    fn try_from(row: ReservationRow) -> Result<Self, sqlx::Error> {
        let ReservationRow {
            order_id,
            version,
            product_ids,
            quantities,
            status,
            expires_at,
            reservation_round,
            closed,
            created_at,
            updated_at,
        } = row;
        let status = match (status.as_str(), expires_at) {
            ("reserved", Some(at)) => Status::Reserved { expires_at: Timestamp::new(at) },
            ("rejected", None) => Status::Rejected,
            ("committed", None) => Status::Committed,
            ("released", None) => Status::Released,
            ("expired", None) => Status::Expired,
            ("returned", None) => Status::Returned,
            (other, _) => return Err(decode_error(format!("invalid reservation status: {other}"))),
        };
        Ok(Self {
            order: OrderId(order_id),
            version: read::version(version)?,
            lines: Lines::of(product_ids.into_iter().map(ProductId).zip(quantities)),
            status,
            reservation_round,
            closed,
            created_at: Timestamp::new(created_at),
            updated_at: Timestamp::new(updated_at),
        })
    }
}

impl From<LedgerEntry> for LedgerEntryRow {
    fn from(entry: LedgerEntry) -> Self {
        let LedgerEntry { id, product, on_hand, reserved, cause, at } = entry;
        let kind = match &cause {
            Cause::Received(_) => "received",
            Cause::Adjusted(_) => "adjusted",
            Cause::Reserved(_) => "reserved",
            Cause::Released(_) => "released",
            Cause::Expired(_) => "expired",
            Cause::Committed(_) => "committed",
            Cause::Returned(_) => "returned",
        };
        Self {
            ledger_entry_id: id.0,
            product_id: product.0,
            on_hand_delta: on_hand,
            reserved_delta: reserved,
            kind: kind.to_owned(),
            reason: cause.reason().to_owned(),
            order_id: cause.order().map(|order| order.0),
            at: at.get(),
        }
    }
}

impl TryFrom<LedgerEntryRow> for LedgerEntry {
    type Error = sqlx::Error;

    fn try_from(row: LedgerEntryRow) -> Result<Self, sqlx::Error> {
        let LedgerEntryRow { ledger_entry_id, product_id, on_hand_delta, reserved_delta, kind, reason, order_id, at } =
            row;
        let cause = match (kind.as_str(), order_id.map(OrderId)) {
            ("received", None) => Cause::Received(reason),
            ("adjusted", None) => Cause::Adjusted(reason),
            ("reserved", Some(order)) => Cause::Reserved(order),
            ("released", Some(order)) => Cause::Released(order),
            ("expired", Some(order)) => Cause::Expired(order),
            ("committed", Some(order)) => Cause::Committed(order),
            ("returned", Some(order)) => Cause::Returned(order),
            (other, _) => return Err(decode_error(format!("unknown ledger kind: {other}"))),
        };
        Ok(Self {
            id: LedgerEntryId(ledger_entry_id),
            product: ProductId(product_id),
            on_hand: on_hand_delta,
            reserved: reserved_delta,
            cause,
            at: Timestamp::new(at),
        })
    }
}
