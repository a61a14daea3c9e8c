//! Places an order.

use mart_kernel::{Commit, CommitError, CommitOutcome, Money, Receipt, ReceiptBuilder, StoreError, Version};

use super::{CustomerId, OrderId, PlaceError, Store, UseCases, Write};
use crate::domain::{Address, Contact, Order, RequestedLine, Status};

/// The order that a customer requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceOrder {
    /// The customer.
    pub customer: CustomerId,
    /// The requested lines.
    pub requested_lines: Vec<RequestedLine>,
    /// The total that the customer confirmed. Its currency is the order's.
    pub total: Money,
    /// The delivery address.
    pub address: Address,
    /// The contact for notifications.
    pub contact: Contact,
    /// The payment provider that the customer chose; empty for the default.
    pub payment_method: String,
}

impl<S: Store> UseCases<S> {
    /// Places an order. If the receipt already exists, a repeated request places nothing and returns the order of the first one in
    /// its current state.
    pub async fn place_order(&self, request: PlaceOrder, receipt: Option<ReceiptBuilder>) -> Result<Order, PlaceError> {
        let PlaceOrder { customer, requested_lines, total, address, contact, payment_method } = request;
        let (id, now) = (OrderId(self.ids.next()), self.clock.now());
        let receipt = receipt.map(|receipt| receipt(id.0.to_string()));
        let quote = match self.quote_order(&requested_lines, total.currency()).await {
            Ok(quote) if !quote.rejected.is_empty() => Err(PlaceError::Rejected(quote.rejected)),
            Ok(quote) if quote.total != total => Err(PlaceError::TotalChanged(quote.total)),
            quote => quote,
        };
        let lines = match (quote, &receipt) {
            (Ok(quote), _) => quote.lines,
            // Prices may have changed since the first request; a repeated request is answered by its receipt.
            (Err(rejected), Some(receipt)) => return self.repeated(receipt, rejected).await,
            (Err(rejected), None) => return Err(rejected),
        };
        let order = Order {
            id,
            version: Version::NONE,
            customer,
            status: Status::Placed,
            lines,
            total,
            address,
            contact,
            payment_method,
            payment: None,
            reservation_round: 0,
            created_at: now,
            updated_at: now,
        };
        let (order, events) = order.place(now);
        let commit = Commit { write: Some(Write::Insert(order.clone())), events: self.envelopes(events, now), receipt };
        match self.store.commit(commit).await {
            Ok(CommitOutcome::Committed) => Ok(order),
            Ok(CommitOutcome::AlreadyProcessed { subject, same_request }) => self.first(&subject, same_request).await,
            // A new row has no version that could conflict.
            Err(CommitError::Conflict) => Err(StoreError::Internal.into()),
            Err(CommitError::Unavailable(error)) => Err(error.into()),
            Err(CommitError::Duplicate(never)) => match never {},
        }
    }

    /// Returns the result of an earlier request with this receipt, or the error of this one.
    async fn repeated(&self, receipt: &Receipt, rejected: PlaceError) -> Result<Order, PlaceError> {
        match self.store.find_receipt(receipt).await? {
            Some((subject, same_request)) => self.first(&subject, same_request).await,
            None => Err(rejected),
        }
    }

    /// Returns the order of the first request with the same receipt.
    async fn first(&self, subject: &str, same_request: bool) -> Result<Order, PlaceError> {
        if !same_request {
            return Err(PlaceError::KeyReused);
        }
        let id = subject.parse().map_err(|_| StoreError::Internal)?;
        Ok(self.store.find(OrderId(id)).await?.ok_or(StoreError::Internal)?)
    }
}
