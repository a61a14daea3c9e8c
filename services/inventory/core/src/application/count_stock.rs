//! Receives units and corrects the count, once per Idempotency-Key.

use mart_kernel::{ReceiptBuilder, StoreError};

use super::{Decided, ProductId, Scope, Store, UseCases};
use crate::domain::{Cause, LedgerEntry, LedgerEntryId, StockChangeError, StockItem};

/// The ledger entry and the current stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The ledger entry.
    pub ledger_entry: LedgerEntry,
    /// The stock item.
    pub stock_item: StockItem,
}

/// The errors of a change of stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CountError {
    /// The stock does not allow it.
    Rejected(StockChangeError),
    /// The Idempotency-Key was used with another request.
    KeyReused,
    /// The store failed.
    Unavailable(StoreError),
}

impl From<StoreError> for CountError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl<S: Store> UseCases<S> {
    /// Receives units. A repeated request changes nothing and returns the first result.
    pub async fn receive_stock(
        &self,
        product: ProductId,
        quantity: i32,
        reason: String,
        receipt: Option<ReceiptBuilder>,
    ) -> Result<Counted, CountError> {
        self.count(product, quantity, Cause::Received(reason), receipt).await
    }

    /// Corrects the count by a delta, for a reason. A repeated request changes nothing.
    pub async fn adjust_stock(
        &self,
        product: ProductId,
        delta: i32,
        reason: String,
        receipt: Option<ReceiptBuilder>,
    ) -> Result<Counted, CountError> {
        self.count(product, delta, Cause::Adjusted(reason), receipt).await
    }

    /// Changes the count once and returns the ledger entry and the stock item.
    async fn count(
        &self,
        product: ProductId,
        delta: i32,
        cause: Cause,
        receipt: Option<ReceiptBuilder>,
    ) -> Result<Counted, CountError> {
        let id = LedgerEntryId(self.ids.next());
        let receipt = receipt.map(|receipt| receipt(id.0.to_string()));
        let step = move |decider: &mut crate::domain::StockDecider<'_>| decider.count(id, product, delta, cause);
        match self.decide(Scope::product(product), receipt, step).await? {
            Decided::Committed(change) => match (change.ledger.into_iter().next(), change.items.into_iter().next()) {
                (Some(ledger_entry), Some(stock_item)) => Ok(Counted { ledger_entry, stock_item }),
                _ => Err(StoreError::Internal.into()),
            },
            Decided::Rejected(error) => Err(CountError::Rejected(error)),
            Decided::AlreadyProcessed { subject, same_request: true } => {
                let id = subject.parse().map_err(|_| StoreError::Internal)?;
                let ledger_entry = self.store.entry(LedgerEntryId(id)).await?.ok_or(StoreError::Internal)?;
                let stock_item = self.store.items(&[product]).await?.pop().ok_or(StoreError::Internal)?;
                Ok(Counted { ledger_entry, stock_item })
            }
            Decided::AlreadyProcessed { same_request: false, .. } => Err(CountError::KeyReused),
        }
    }
}
