//! The in-memory store, for scenarios and tests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mart_kernel::testing::Receipts;
use mart_kernel::{CommitOutcome, Cursor, EventEnvelope, Receipt, StoreError, Timestamp};

use crate::domain::{
    Change, InventoryEvent, LedgerEntry, LedgerEntryId, OrderId, ProductId, Reservation, Status, StockItem,
};
use crate::ports::{Decided, Rows, Scope, Store};

/// All committed data. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    items: BTreeMap<ProductId, StockItem>,
    ledger: Vec<LedgerEntry>,
    reservations: BTreeMap<OrderId, Reservation>,
    receipts: Receipts,
    events: Vec<EventEnvelope<InventoryEvent>>,
}

impl MemoryStore {
    /// Returns the committed events in their order.
    pub fn events(&self) -> Vec<EventEnvelope<InventoryEvent>> {
        self.state().events.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    async fn decide<E: Send + 'static>(
        &self,
        scope: Scope,
        receipt: Option<Receipt>,
        decide: impl FnOnce(Rows) -> Result<Change, E> + Send + 'static,
    ) -> Result<Decided<E>, StoreError> {
        let mut state = self.state();
        let earlier = receipt.as_ref().and_then(|receipt| state.receipts.find(receipt));
        if let Some(CommitOutcome::AlreadyProcessed { subject, same_request }) = earlier {
            return Ok(Decided::AlreadyProcessed { subject, same_request });
        }
        let reservation = scope.order.and_then(|order| state.reservations.get(&order).cloned());
        let reserved = reservation.iter().flat_map(|reservation| reservation.lines.products());
        let products: BTreeSet<ProductId> = scope.products.into_iter().chain(reserved).collect();
        let items = products.iter().filter_map(|id| state.items.get(id).cloned()).collect();
        let change = match decide(Rows { items, reservation }) {
            Ok(change) => change,
            Err(error) => return Ok(Decided::Rejected(error)),
        };
        let Change { items, reservation, ledger, events } = change.clone();
        state.items.extend(items.into_iter().map(|item| (item.id, item)));
        state.reservations.extend(reservation.into_iter().map(|reservation| (reservation.order, reservation)));
        state.ledger.extend(ledger);
        state.events.extend(events);
        if let Some(receipt) = receipt {
            state.receipts.insert(receipt);
        }
        Ok(Decided::Committed(change))
    }

    async fn find_stock_items(&self, ids: &[ProductId]) -> Result<Vec<StockItem>, StoreError> {
        let state = self.state();
        Ok(ids.iter().filter_map(|id| state.items.get(id).cloned()).collect())
    }

    async fn list_stock_items(
        &self,
        only_low: bool,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<StockItem>, StoreError> {
        let state = self.state();
        let items = state.items.values().filter(|item| !only_low || item.is_low()).cloned();
        Ok(page(items, StockItem::cursor, after, limit))
    }

    async fn find_ledger_entry(&self, id: LedgerEntryId) -> Result<Option<LedgerEntry>, StoreError> {
        Ok(self.state().ledger.iter().find(|entry| entry.id == id).cloned())
    }

    async fn list_ledger_entries(
        &self,
        product: ProductId,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        let state = self.state();
        let entries = state.ledger.iter().filter(|entry| entry.product == product).cloned();
        Ok(page(entries, LedgerEntry::cursor, after, limit))
    }

    async fn find_reservation(&self, order: OrderId) -> Result<Option<Reservation>, StoreError> {
        Ok(self.state().reservations.get(&order).cloned())
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<OrderId>, StoreError> {
        let state = self.state();
        let mut due: Vec<(Timestamp, OrderId)> = state
            .reservations
            .values()
            .filter_map(|reservation| match reservation.status {
                Status::Reserved { expires_at } if expires_at <= now => Some((expires_at, reservation.order)),
                _ => None,
            })
            .collect();
        due.sort();
        Ok(due.into_iter().map(|(_, order)| order).take(limit).collect())
    }
}

/// Returns the first `limit` items after the cursor, newest first.
fn page<T>(
    found: impl Iterator<Item = T>,
    cursor: impl Fn(&T) -> Cursor,
    after: Option<Cursor>,
    limit: usize,
) -> Vec<T> {
    let mut found: Vec<T> = found.filter(|item| after.is_none_or(|after| cursor(item) < after)).collect();
    found.sort_by_key(|item| std::cmp::Reverse(cursor(item)));
    found.truncate(limit);
    found
}
