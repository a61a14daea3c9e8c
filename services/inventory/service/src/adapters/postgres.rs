//! Stores stock items, the ledger and reservations in PostgreSQL.

use std::collections::BTreeSet;

use inventory_core::domain::{
    Change, InventoryEvent, LedgerEntry, LedgerEntryId, OrderId, ProductId, Reservation, StockItem,
};
use inventory_core::ports::{Decided, Rows, Scope, Store};
use mart_chassis::db::read::decode;
use mart_chassis::db::{EventDatabase, append_outbox, write};
use mart_chassis::{newest_first, sql};
use mart_kernel::{CommitOutcome, Cursor, Receipt, StoreError, Timestamp};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::rows::{LedgerEntryRow, ReservationRow, StockItemRow};

/// Locks an order or a product by its id, because it may have no row yet.
const LOCK: &str = "select pg_advisory_xact_lock(hashtextextended($id::uuid::text, 0))";

const RESERVATION: &str = "select * from reservation where order_id = $order_id";

/// Locks stock items in the order of their ids, which prevents deadlocks.
const LOCK_ITEMS: &str = "select * from stock_item where product_id = any($ids) order by product_id for update";

const ITEMS: &str = "select * from stock_item where product_id = any($ids)";

const LIST_ITEMS: &str = concat!(
    "select * from stock_item \
     where (not $only_low or low_stock_threshold > 0 and on_hand - reserved <= low_stock_threshold) and ",
    newest_first!("created_at", "product_id")
);

const ENTRY: &str = "select * from ledger_entry where ledger_entry_id = $ledger_entry_id";

const LIST_ENTRIES: &str =
    concat!("select * from ledger_entry where product_id = $product_id and ", newest_first!("at", "ledger_entry_id"));

const DUE: &str = "select order_id from reservation where status = 'reserved' and expires_at <= $now \
     order by expires_at, order_id limit $limit";

/// Stores inventory in PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresStore(pub EventDatabase<InventoryEvent>);

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
        let (record, new_receipt) = (self.0.record(), receipt.clone());
        let decision = self.0.transact(move |connection| {
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
                execute(connection, change.clone()).await?;
                Ok(Some(Decision::Committed(change)))
            })
        });
        match (decision.await?, receipt) {
            (Some(Decision::Committed(change)), _) => Ok(Decided::Committed(change)),
            (Some(Decision::Rejected(error)), _) => Ok(Decided::Rejected(error)),
            (None, Some(receipt)) => match self.0.find_receipt(&receipt).await? {
                Some(CommitOutcome::AlreadyProcessed { subject, same_request }) => {
                    Ok(Decided::AlreadyProcessed { subject, same_request })
                }
                // The receipt was the reason for the rollback, so it exists.
                Some(CommitOutcome::Committed) | None => Err(StoreError::Internal),
            },
            (None, None) => Err(StoreError::Internal),
        }
    }

    async fn find_stock_items(&self, ids: &[ProductId]) -> Result<Vec<StockItem>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        self.0.fetch::<StockItemRow, _>(sql!(ITEMS, ids = ids)).await
    }

    async fn list_stock_items(
        &self,
        only_low: bool,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<StockItem>, StoreError> {
        let query = |limit: i64| sql!(LIST_ITEMS, page(after, limit), only_low = only_low);
        self.0.list(limit, query, decode::<StockItemRow, _>).await
    }

    async fn find_ledger_entry(&self, id: LedgerEntryId) -> Result<Option<LedgerEntry>, StoreError> {
        Ok(self.0.fetch::<LedgerEntryRow, _>(sql!(ENTRY, ledger_entry_id = id.0)).await?.pop())
    }

    async fn list_ledger_entries(
        &self,
        product: ProductId,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        let query = |limit: i64| sql!(LIST_ENTRIES, page(after, limit), product_id = product.0);
        self.0.list(limit, query, decode::<LedgerEntryRow, _>).await
    }

    async fn find_reservation(&self, order: OrderId) -> Result<Option<Reservation>, StoreError> {
        Ok(self.0.fetch::<ReservationRow, _>(sql!(RESERVATION, order_id = order.0)).await?.pop())
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<OrderId>, StoreError> {
        let query = sql!(DUE, now = now.get(), limit = i64::try_from(limit).unwrap_or(i64::MAX));
        self.0.fetch_all(query, |row| row.try_get("order_id").map(OrderId)).await
    }
}

/// Locks the rows of a scope and returns them.
async fn lock(connection: &mut PgConnection, scope: Scope) -> Result<Rows, sqlx::Error> {
    let mut found = None;
    if let Some(order) = scope.order {
        sql!(LOCK, id = order.0).execute(&mut *connection).await?;
        let row = sql!(RESERVATION, order_id = order.0).fetch_optional(&mut *connection).await?;
        found = row.as_ref().map(decode::<ReservationRow, Reservation>).transpose()?;
    } else {
        for product in &scope.products {
            sql!(LOCK, id = product.0).execute(&mut *connection).await?;
        }
    }
    let reserved = found.iter().flat_map(|reservation: &Reservation| reservation.lines.products());
    let products: BTreeSet<ProductId> = scope.products.into_iter().chain(reserved).collect();
    let products: Vec<Uuid> = products.into_iter().map(|id| id.0).collect();
    let rows = sql!(LOCK_ITEMS, ids = products).fetch_all(connection).await?;
    let items = rows.iter().map(decode::<StockItemRow, _>).collect::<Result<_, _>>()?;
    Ok(Rows { items, reservation: found })
}

/// Writes a change.
async fn execute(connection: &mut PgConnection, change: Change) -> Result<(), sqlx::Error> {
    let Change { items, reservation, ledger, events: _ } = change;
    write::upsert(items.into_iter().map(StockItemRow::from)).execute(&mut *connection).await?;
    write::upsert(reservation.map(ReservationRow::from)).execute(&mut *connection).await?;
    write::insert(ledger.into_iter().map(LedgerEntryRow::from)).execute(connection).await?;
    Ok(())
}
