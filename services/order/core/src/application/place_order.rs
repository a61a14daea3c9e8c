//! Quoting and placing an order.

use mart_kernel::money::Currency;
use mart_kernel::{Commit, CommitError, CommitOutcome, Money, Receipt, ReceiptBuilder, StoreError, Version};

use super::{CustomerId, OrderId, Store, UseCases, Write};
use crate::domain::{Address, Contact, Order, ProductId, Quote, QuoteError, RejectedLine, RequestedLine, Status};

/// What a customer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceOrder {
    /// Who asks.
    pub customer: CustomerId,
    /// What is wanted.
    pub wanted: Vec<RequestedLine>,
    /// The total that the customer saw; its currency is the order's.
    pub total: Money,
    /// Where it goes.
    pub address: Address,
    /// Whom to tell.
    pub contact: Contact,
    /// How the customer wants to pay; empty for the mart's choice.
    pub payment_method: String,
}

/// Why an order was not placed, or not quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceError {
    /// These lines can't be ordered.
    Refused(Vec<RejectedLine>),
    /// It costs this now.
    TotalChanged(Money),
    /// The sum is larger than can be kept.
    TooLarge,
    /// The Idempotency-Key was used with another request.
    KeyReused,
    /// The store can't be reached.
    Unavailable(StoreError),
}

impl From<StoreError> for PlaceError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl From<QuoteError> for PlaceError {
    fn from(error: QuoteError) -> Self {
        match error {
            QuoteError::TooLarge => Self::TooLarge,
        }
    }
}

impl<S: Store> UseCases<S> {
    /// What these lines would cost now.
    pub async fn quote_order(&self, wanted: &[RequestedLine], currency: Currency) -> Result<Quote, PlaceError> {
        let ids: Vec<ProductId> = wanted.iter().map(|line| line.product).collect();
        let known = self.store.products(&ids).await?;
        Ok(Quote::calculate(wanted, currency, &known)?)
    }

    /// Places an order, or says why not. With a receipt, a repeat of the same request places nothing and answers with the
    /// order that the first one placed, as it is now.
    pub async fn place_order(&self, request: PlaceOrder, receipt: Option<ReceiptBuilder>) -> Result<Order, PlaceError> {
        let PlaceOrder { customer, wanted, total, address, contact, payment_method } = request;
        let (id, now) = (OrderId(self.ids.next()), self.clock.now());
        let receipt = receipt.map(|receipt| receipt(id.0.to_string()));
        let quote = match self.quote_order(&wanted, total.currency()).await {
            Ok(quote) if !quote.rejected.is_empty() => Err(PlaceError::Refused(quote.rejected)),
            Ok(quote) if quote.total != total => Err(PlaceError::TotalChanged(quote.total)),
            quote => quote,
        };
        let lines = match (quote, &receipt) {
            (Ok(quote), _) => quote.lines,
            // Prices may have changed since the first request: its repeat is still answered by its receipt.
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
            // A new row is at no version that somebody else could have changed.
            Err(CommitError::Conflict) => Err(StoreError::Internal.into()),
            Err(CommitError::Unavailable(error)) => Err(error.into()),
            Err(CommitError::Duplicate(never)) => match never {},
        }
    }

    /// What a request that would be rejected now was answered with before.
    async fn repeated(&self, receipt: &Receipt, rejected: PlaceError) -> Result<Order, PlaceError> {
        match self.store.receipt(receipt).await? {
            Some((subject, same_request)) => self.first(&subject, same_request).await,
            None => Err(rejected),
        }
    }

    async fn first(&self, subject: &str, same_request: bool) -> Result<Order, PlaceError> {
        if !same_request {
            return Err(PlaceError::KeyReused);
        }
        let id = subject.parse().map_err(|_| StoreError::Internal)?;
        Ok(self.store.find(OrderId(id)).await?.ok_or(StoreError::Internal)?)
    }
}
