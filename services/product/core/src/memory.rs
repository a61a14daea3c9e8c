//! The in-memory store, for scenarios and tests.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mart_kernel::testing::Receipts;
use mart_kernel::{Commit, CommitError, CommitOutcome, EventEnvelope, Money, StoreError};

use crate::domain::{Product, ProductEvent, ProductId, search};
use crate::ports::{Cursor, Filter, Order, Store, Unique, Write};

/// Products, receipts and committed events. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    products: HashMap<ProductId, Product>,
    receipts: Receipts,
    events: Vec<EventEnvelope<ProductEvent>>,
}

impl MemoryStore {
    /// Returns the committed events in their order.
    pub fn events(&self) -> Vec<EventEnvelope<ProductEvent>> {
        self.state().events.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    async fn find(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        Ok(self.state().products.get(&id).cloned())
    }

    async fn find_by_slug(&self, slug_key: &str) -> Result<Option<Product>, StoreError> {
        Ok(self.state().products.values().find(|product| product.details.slug.key() == slug_key).cloned())
    }

    async fn list(
        &self,
        filter: &Filter,
        order: Order,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Vec<Product>, StoreError> {
        let mut found: Vec<Product> =
            self.state().products.values().filter(|product| matches(filter, product)).cloned().collect();
        found.sort_by(|a, b| compare(&Cursor::of(order, a), &Cursor::of(order, b)));
        let follows = |product: &Product| after.is_none_or(|after| compare(after, &Cursor::of(order, product)).is_lt());
        Ok(found.into_iter().filter(follows).take(limit).collect())
    }

    async fn commit(&self, commit: Commit<Write, ProductEvent>) -> Result<CommitOutcome, CommitError<Unique>> {
        let mut state = self.state();
        let Commit { write, events, receipt } = commit;
        if let Some(earlier) = receipt.as_ref().and_then(|receipt| state.receipts.find(receipt)) {
            return Ok(earlier);
        }
        match &write {
            Some(Write::Insert(product)) => state.check_unique(product)?,
            Some(Write::Update { product, expected }) => {
                if state.products.get(&product.id).is_none_or(|stored| stored.version != *expected) {
                    return Err(CommitError::Conflict);
                }
                state.check_unique(product)?;
            }
            None => {}
        }
        if let Some(Write::Insert(product) | Write::Update { product, expected: _ }) = write {
            state.products.insert(product.id, product);
        }
        if let Some(receipt) = receipt {
            state.receipts.insert(receipt);
        }
        state.events.extend(events);
        Ok(CommitOutcome::Committed)
    }
}

impl State {
    fn check_unique(&self, product: &Product) -> Result<(), CommitError<Unique>> {
        let others = || self.products.values().filter(|other| other.id != product.id);
        let sku = product.details.sku.as_ref().map(crate::domain::Sku::key);
        if sku.is_some() && others().any(|other| other.details.sku.as_ref().map(crate::domain::Sku::key) == sku) {
            return Err(CommitError::Duplicate(Unique::Sku));
        }
        if others().any(|other| other.details.slug.key() == product.details.slug.key()) {
            return Err(CommitError::Duplicate(Unique::Slug));
        }
        Ok(())
    }
}

fn matches(filter: &Filter, product: &Product) -> bool {
    let details = &product.details;
    let haystack = search::haystack(&details.name, details.sku.as_ref().map_or("", |sku| sku.as_str()));
    filter.status.is_none_or(|status| product.status == status)
        && filter.category.as_ref().is_none_or(|category| *category == details.category)
        && filter.price.is_none_or(|range| {
            details
                .prices
                .of(range.currency)
                .map(Money::minor)
                .is_some_and(|minor| (range.min..=range.max).contains(&minor))
        })
        && filter.words.iter().all(|word| haystack.contains(&search::needle(word)))
}

fn compare(a: &Cursor, b: &Cursor) -> Ordering {
    match (a, b) {
        (Cursor::Newest(at, id), Cursor::Newest(other_at, other_id)) => (other_at, other_id).cmp(&(at, id)),
        (Cursor::Name(name, id), Cursor::Name(other_name, other_id)) => (name, id).cmp(&(other_name, other_id)),
        (Cursor::Price(minor, id), Cursor::Price(other_minor, other_id)) => {
            (minor.is_none(), minor, id).cmp(&(other_minor.is_none(), other_minor, other_id))
        }
        _ => Ordering::Equal,
    }
}
