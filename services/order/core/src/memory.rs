//! The in-memory store, for scenarios and tests.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mart_kernel::testing::Receipts;
use mart_kernel::{Commit, CommitError, CommitOutcome, Cursor, EventEnvelope, Receipt, StoreError, Timestamp};

use crate::domain::{CatalogProduct, Order, OrderEvent, OrderId, ProductId, Status, TimelineEntry};
use crate::ports::{Filter, Store, Write};

/// All committed data. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    orders: BTreeMap<OrderId, Order>,
    /// The entries, each with its trace id.
    timelines: BTreeMap<OrderId, Vec<(TimelineEntry, String)>>,
    products: BTreeMap<ProductId, CatalogProduct>,
    receipts: Receipts,
    events: Vec<EventEnvelope<OrderEvent>>,
    trace: Option<fn() -> String>,
}

impl MemoryStore {
    /// Creates a store that records the trace id that this function returns.
    pub fn traced(trace: fn() -> String) -> Self {
        Self(Arc::new(Mutex::new(State { trace: Some(trace), ..State::default() })))
    }

    /// Returns the committed events in their order.
    pub fn events(&self) -> Vec<EventEnvelope<OrderEvent>> {
        self.state().events.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.state().orders.get(&id).cloned())
    }

    async fn list(&self, filter: &Filter, after: Option<Cursor>, limit: usize) -> Result<Vec<Order>, StoreError> {
        let state = self.state();
        let is_after = |order: &&Order| after.is_none_or(|after| order.cursor() < after);
        let mut found: Vec<Order> =
            state.orders.values().filter(|order| matches(filter, order)).filter(is_after).cloned().collect();
        found.sort_by_key(|order| std::cmp::Reverse(order.cursor()));
        found.truncate(limit);
        Ok(found)
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<OrderId>, StoreError> {
        let state = self.state();
        let mut due: Vec<(Timestamp, OrderId)> = state
            .orders
            .values()
            .filter_map(|order| match order.status {
                Status::AwaitingPayment { deadline } if deadline <= now => Some((deadline, order.id)),
                _ => None,
            })
            .collect();
        due.sort();
        Ok(due.into_iter().map(|(_, id)| id).take(limit).collect())
    }

    async fn find_timeline(&self, id: OrderId) -> Result<Vec<(TimelineEntry, String)>, StoreError> {
        Ok(self.state().timelines.get(&id).cloned().unwrap_or_default())
    }

    async fn find_products(&self, ids: &[ProductId]) -> Result<Vec<CatalogProduct>, StoreError> {
        let state = self.state();
        Ok(ids.iter().filter_map(|id| state.products.get(id).cloned()).collect())
    }

    async fn find_receipt(&self, receipt: &Receipt) -> Result<Option<(String, bool)>, StoreError> {
        match self.state().receipts.find(receipt) {
            Some(CommitOutcome::AlreadyProcessed { subject, same_request }) => Ok(Some((subject, same_request))),
            Some(CommitOutcome::Committed) | None => Ok(None),
        }
    }

    async fn commit(&self, commit: Commit<Write, OrderEvent>) -> Result<CommitOutcome, CommitError<Infallible>> {
        let mut state = self.state();
        let Commit { write, events, receipt } = commit;
        let trace = state.trace.map_or_else(String::new, |trace| trace());
        if let Some(outcome) = receipt.as_ref().and_then(|receipt| state.receipts.find(receipt)) {
            return Ok(outcome);
        }
        match write {
            Some(Write::Insert(order)) => {
                state.orders.insert(order.id, order);
            }
            Some(Write::Update { order, expected }) => {
                if state.orders.get(&order.id).is_none_or(|stored| stored.version != expected) {
                    return Err(CommitError::Conflict);
                }
                state.orders.insert(order.id, order);
            }
            Some(Write::AppendTimeline { order, entry }) => {
                if !state.orders.contains_key(&order) {
                    return Err(CommitError::Conflict);
                }
                state.timelines.entry(order).or_default().push((entry, trace.clone()));
            }
            Some(Write::Product(product)) => {
                let known = state.products.entry(product.id).or_insert_with(|| product.clone());
                if known.version <= product.version {
                    *known = product;
                }
            }
            None => {}
        }
        for event in &events {
            if let Some(entry) = TimelineEntry::from_event(event) {
                state.timelines.entry(event.payload.order().id).or_default().push((entry, trace.clone()));
            }
        }
        if let Some(receipt) = receipt {
            state.receipts.insert(receipt);
        }
        state.events.extend(events);
        Ok(CommitOutcome::Committed)
    }
}

fn matches(filter: &Filter, order: &Order) -> bool {
    let Filter { customer, status, from, before } = filter;
    customer.as_ref().is_none_or(|customer| *customer == order.customer)
        && status.is_none_or(|status| status == order.status.kind())
        && from.is_none_or(|from| order.created_at >= from)
        && before.is_none_or(|before| order.created_at < before)
}
