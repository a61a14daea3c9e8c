//! Stores stock items, the ledger and reservations in PostgreSQL.

use std::collections::BTreeSet;

use inventory_core::domain::{
    Cause, Change, InventoryEvent, LedgerEntry, LedgerEntryId, Lines, OrderId, ProductId, Reservation, Status,
    StockItem,
};
use inventory_core::ports::{Decided, Rows, Scope, Store};
use mart_chassis::db::append_outbox;
use mart_chassis::db::read::{decode_error, time, version};
use mart_chassis::{Database, Record};
use mart_kernel::{CommitOutcome, Cursor, EventEnvelope, Receipt, StoreError, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

/// Locks an order or a product by its id, because it may have no row yet.
const LOCK: &str = "select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))";

const RESERVATION: &str = "select * from reservation where order_id = $1";

/// Locks stock items in the order of their ids, which prevents deadlocks.
const LOCK_ITEMS: &str = "select * from stock_item where product_id = any($1) order by product_id for update";

const ITEMS: &str = "select * from stock_item where product_id = any($1)";

const LIST_ITEMS: &str = "select * from stock_item \
     where (not $1 or low_stock_threshold > 0 and on_hand - reserved <= low_stock_threshold) \
     and (created_at, product_id) < (coalesce($2, 'infinity'::timestamptz), \
     coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)) order by created_at desc, product_id desc limit $4";

const ENTRY: &str = "select * from ledger_entry where ledger_entry_id = $1";

const LIST_ENTRIES: &str = "select * from ledger_entry where product_id = $1 \
     and (at, ledger_entry_id) < (coalesce($2, 'infinity'::timestamptz), \
     coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)) order by at desc, ledger_entry_id desc limit $4";

const DUE: &str = "select order_id from reservation where status = 'reserved' and expires_at <= $1 \
     order by expires_at, order_id limit $2";

const UPSERT_ITEMS: &str = "insert into stock_item (product_id, version, product_version, on_hand, reserved, \
     low_stock_threshold, archived, created_at, updated_at) \
     select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::integer[], $5::integer[], $6::integer[], $7::boolean[], \
     $8::timestamptz[], $9::timestamptz[]) \
     on conflict (product_id) do update set version = excluded.version, product_version = excluded.product_version, \
     on_hand = excluded.on_hand, reserved = excluded.reserved, low_stock_threshold = excluded.low_stock_threshold, \
     archived = excluded.archived, updated_at = excluded.updated_at";

const UPSERT_RESERVATION: &str = "insert into reservation (order_id, version, product_ids, quantities, status, expires_at, \
     reservation_round, closed, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
     on conflict (order_id) do update set version = $2, product_ids = $3, quantities = $4, status = $5, expires_at = $6, \
     reservation_round = $7, closed = $8, updated_at = $10";

const INSERT_ENTRIES: &str = "insert into ledger_entry (ledger_entry_id, product_id, on_hand_delta, reserved_delta, kind, reason, \
     order_id, at) select * from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::integer[], $5::text[], $6::text[], \
     $7::uuid[], $8::timestamptz[])";

/// Stores inventory in PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    database: Database,
    record: fn(&EventEnvelope<InventoryEvent>) -> Record,
}

impl PostgresStore {
    /// Creates the store. `record` maps an event to its record.
    pub fn new(database: Database, record: fn(&EventEnvelope<InventoryEvent>) -> Record) -> Self {
        Self { database, record }
    }
}

/// The result of a decision's transaction. `None` in its place rolls back.
enum Decision<E> {
    Committed(Change),
    Rejected(E),
}

impl Store for PostgresStore {
    async fn decide<E: Send + 'static>(
        &self,
        scope: Scope,
        receipt: Option<Receipt>,
        decide: impl FnOnce(Rows) -> Result<Change, E> + Send + 'static,
    ) -> Result<Decided<E>, StoreError> {
        let (record, new_receipt) = (self.record, receipt.clone());
        let decision = self.database.transact(move |connection| {
            Box::pin(async move {
                let rows = lock(connection, scope).await?;
                let change = match decide(rows) {
                    Ok(change) => change,
                    Err(error) => return Ok(Some(Decision::Rejected(error))),
                };
                let records = change.events.iter().map(record).collect();
                if !append_outbox(connection, new_receipt.as_ref(), records).await? {
                    return Ok(None);
                }
                execute(connection, &change).await?;
                Ok(Some(Decision::Committed(change)))
            })
        });
        match (decision.await?, receipt) {
            (Some(Decision::Committed(change)), _) => Ok(Decided::Committed(change)),
            (Some(Decision::Rejected(error)), _) => Ok(Decided::Rejected(error)),
            (None, Some(receipt)) => match self.database.find_receipt(&receipt).await? {
                Some(CommitOutcome::AlreadyProcessed { subject, same_request }) => {
                    Ok(Decided::AlreadyProcessed { subject, same_request })
                }
                // The receipt was the reason for the rollback, so it exists.
                Some(CommitOutcome::Committed) | None => Err(StoreError::Internal),
            },
            (None, None) => Err(StoreError::Internal),
        }
    }

    async fn items(&self, ids: &[ProductId]) -> Result<Vec<StockItem>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        self.database.fetch_all(sqlx::query(ITEMS).bind(ids), item).await
    }

    async fn list_items(
        &self,
        only_low: bool,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<StockItem>, StoreError> {
        let query = |limit: i64| {
            sqlx::query(LIST_ITEMS)
                .bind(only_low)
                .bind(after.map(|after| after.at.get()))
                .bind(after.map(|after| after.id))
                .bind(limit)
        };
        self.database.list(limit, query, item).await
    }

    async fn entry(&self, id: LedgerEntryId) -> Result<Option<LedgerEntry>, StoreError> {
        Ok(self.database.fetch_all(sqlx::query(ENTRY).bind(id.0), entry).await?.pop())
    }

    async fn list_entries(
        &self,
        product: ProductId,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        let query = |limit: i64| {
            sqlx::query(LIST_ENTRIES)
                .bind(product.0)
                .bind(after.map(|after| after.at.get()))
                .bind(after.map(|after| after.id))
                .bind(limit)
        };
        self.database.list(limit, query, entry).await
    }

    async fn reservation(&self, order: OrderId) -> Result<Option<Reservation>, StoreError> {
        Ok(self.database.fetch_all(sqlx::query(RESERVATION).bind(order.0), reservation).await?.pop())
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<OrderId>, StoreError> {
        let query = sqlx::query(DUE).bind(now.get()).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        self.database.fetch_all(query, |row| row.try_get("order_id").map(OrderId)).await
    }
}

/// Locks the rows of a scope and returns them.
async fn lock(connection: &mut PgConnection, scope: Scope) -> Result<Rows, sqlx::Error> {
    let mut found = None;
    if let Some(order) = scope.order {
        sqlx::query(LOCK).bind(order.0).execute(&mut *connection).await?;
        let row = sqlx::query(RESERVATION).bind(order.0).fetch_optional(&mut *connection).await?;
        found = row.as_ref().map(reservation).transpose()?;
    } else {
        for product in &scope.products {
            sqlx::query(LOCK).bind(product.0).execute(&mut *connection).await?;
        }
    }
    let reserved = found.iter().flat_map(|reservation: &Reservation| reservation.lines.products());
    let products: BTreeSet<ProductId> = scope.products.into_iter().chain(reserved).collect();
    let products: Vec<Uuid> = products.into_iter().map(|id| id.0).collect();
    let rows = sqlx::query(LOCK_ITEMS).bind(products).fetch_all(connection).await?;
    Ok(Rows { items: rows.iter().map(item).collect::<Result<_, _>>()?, reservation: found })
}

/// Writes a change.
async fn execute(connection: &mut PgConnection, change: &Change) -> Result<(), sqlx::Error> {
    let Change { items, reservation, ledger, events: _ } = change;
    if !items.is_empty() {
        fn column<T>(items: &[StockItem], value: impl Fn(&StockItem) -> T) -> Vec<T> {
            items.iter().map(value).collect()
        }
        sqlx::query(UPSERT_ITEMS)
            .bind(column(items, |item| item.id.0))
            .bind(column(items, |item| item.version.get()))
            .bind(column(items, |item| item.product_version.get()))
            .bind(column(items, |item| item.on_hand))
            .bind(column(items, |item| item.reserved))
            .bind(column(items, |item| item.low_stock_threshold))
            .bind(column(items, |item| item.archived))
            .bind(column(items, |item| item.created_at.get()))
            .bind(column(items, |item| item.updated_at.get()))
            .execute(&mut *connection)
            .await?;
    }
    if let Some(reservation) = reservation {
        let Reservation { order, version, lines, status, reservation_round, closed, created_at, updated_at } =
            reservation;
        let (products, quantities): (Vec<Uuid>, Vec<i32>) =
            lines.iter().map(|(product, quantity)| (product.0, quantity)).unzip();
        let (status, expires_at) = status_columns(*status);
        sqlx::query(UPSERT_RESERVATION)
            .bind(order.0)
            .bind(version.get())
            .bind(products)
            .bind(quantities)
            .bind(status)
            .bind(expires_at.map(Timestamp::get))
            .bind(reservation_round)
            .bind(closed)
            .bind(created_at.get())
            .bind(updated_at.get())
            .execute(&mut *connection)
            .await?;
    }
    if !ledger.is_empty() {
        fn column<T>(ledger: &[LedgerEntry], value: impl Fn(&LedgerEntry) -> T) -> Vec<T> {
            ledger.iter().map(value).collect()
        }
        sqlx::query(INSERT_ENTRIES)
            .bind(column(ledger, |entry| entry.id.0))
            .bind(column(ledger, |entry| entry.product.0))
            .bind(column(ledger, |entry| entry.on_hand))
            .bind(column(ledger, |entry| entry.reserved))
            .bind(column(ledger, |entry| kind(&entry.cause)))
            .bind(column(ledger, |entry| entry.cause.reason().to_owned()))
            .bind(column(ledger, |entry| entry.cause.order().map(|order| order.0)))
            .bind(column(ledger, |entry| entry.at.get()))
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Returns the columns of a status.
fn status_columns(status: Status) -> (&'static str, Option<Timestamp>) {
    match status {
        Status::Reserved { expires_at } => ("reserved", Some(expires_at)),
        Status::Rejected => ("rejected", None),
        Status::Committed => ("committed", None),
        Status::Released => ("released", None),
        Status::Expired => ("expired", None),
        Status::Returned => ("returned", None),
    }
}

fn kind(cause: &Cause) -> &'static str {
    match cause {
        Cause::Received(_) => "received",
        Cause::Adjusted(_) => "adjusted",
        Cause::Reserved(_) => "reserved",
        Cause::Released(_) => "released",
        Cause::Expired(_) => "expired",
        Cause::Committed(_) => "committed",
        Cause::Returned(_) => "returned",
    }
}

fn item(row: &PgRow) -> Result<StockItem, sqlx::Error> {
    Ok(StockItem {
        id: ProductId(row.try_get("product_id")?),
        version: version(row, "version")?,
        product_version: version(row, "product_version")?,
        on_hand: row.try_get("on_hand")?,
        reserved: row.try_get("reserved")?,
        low_stock_threshold: row.try_get("low_stock_threshold")?,
        archived: row.try_get("archived")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

fn entry(row: &PgRow) -> Result<LedgerEntry, sqlx::Error> {
    let reason: String = row.try_get("reason")?;
    let order: Option<Uuid> = row.try_get("order_id")?;
    let cause = match (row.try_get("kind")?, order.map(OrderId)) {
        ("received", None) => Cause::Received(reason),
        ("adjusted", None) => Cause::Adjusted(reason),
        ("reserved", Some(order)) => Cause::Reserved(order),
        ("released", Some(order)) => Cause::Released(order),
        ("expired", Some(order)) => Cause::Expired(order),
        ("committed", Some(order)) => Cause::Committed(order),
        ("returned", Some(order)) => Cause::Returned(order),
        (other, _) => return Err(decode_error(format!("unknown ledger kind: {other}"))),
    };
    Ok(LedgerEntry {
        id: LedgerEntryId(row.try_get("ledger_entry_id")?),
        product: ProductId(row.try_get("product_id")?),
        on_hand: row.try_get("on_hand_delta")?,
        reserved: row.try_get("reserved_delta")?,
        cause,
        at: time(row, "at")?,
    })
}

fn reservation(row: &PgRow) -> Result<Reservation, sqlx::Error> {
    let products: Vec<Uuid> = row.try_get("product_ids")?;
    let quantities: Vec<i32> = row.try_get("quantities")?;
    let expires_at: Option<OffsetDateTime> = row.try_get("expires_at")?;
    let status = match (row.try_get("status")?, expires_at) {
        ("reserved", Some(at)) => Status::Reserved { expires_at: Timestamp::new(at) },
        ("rejected", None) => Status::Rejected,
        ("committed", None) => Status::Committed,
        ("released", None) => Status::Released,
        ("expired", None) => Status::Expired,
        ("returned", None) => Status::Returned,
        (other, _) => return Err(decode_error(format!("invalid reservation status: {other}"))),
    };
    Ok(Reservation {
        order: OrderId(row.try_get("order_id")?),
        version: version(row, "version")?,
        lines: Lines::of(products.into_iter().map(ProductId).zip(quantities)),
        status,
        reservation_round: row.try_get("reservation_round")?,
        closed: row.try_get("closed")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}
