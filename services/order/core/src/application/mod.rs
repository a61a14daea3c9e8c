//! The use cases. Each commits at most once.

mod cancel_order;
mod change_order;
mod deliver_order;
mod expire_orders;
mod get_order;
mod list_orders;
mod on_payment_captured;
mod on_payment_failed;
mod on_payment_refunded;
mod on_product;
mod on_reservation_expired;
mod on_stock_rejected;
mod on_stock_reserved;
mod place_order;
mod quote_order;
mod republish_orders;
mod ship_order;
mod track_order;

use std::sync::Arc;

use mart_kernel::{
    Clock, Commit, CommitError, CommitOutcome, EventEnvelope, EventOutcome, Fingerprint, IdGenerator, ListError, Money,
    Page, PageSize, PageTokenSigner, Receipt, StoreError, Timestamp, Version, change,
};
use uuid::Uuid;

use crate::domain::{
    CustomerId, Order, OrderEvent, OrderId, QuoteError, RejectedLine, Status, TimelineEntry, TransitionError,
};
use crate::ports::{Filter, Store, Write};

pub use list_orders::ListOrders;
pub use place_order::PlaceOrder;

/// Why an event is delivered again.
const NOT_READY: EventOutcome = EventOutcome::NotReady("the order is unknown or awaits an earlier event");

/// The default time that a customer has to pay.
pub const PAYMENT_WINDOW: time::Duration = time::Duration::minutes(45);

/// The use cases with their ports.
#[derive(Clone)]
pub struct UseCases<S> {
    store: S,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    page_tokens: PageTokenSigner,
    payment_window: time::Duration,
}

/// The caller's view: customers read only their own orders, and do not learn whether others exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// A customer.
    Customer(CustomerId),
    /// An admin, who reads all orders.
    Admin,
}

impl Viewer {
    fn sees(&self, order: &Order) -> bool {
        match self {
            Self::Customer(customer) => *customer == order.customer,
            Self::Admin => true,
        }
    }
}

/// The order's status does not allow the change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the status of the order does not allow the change")]
pub struct InvalidStatus(pub Status);

/// The errors of changing an order. An order that the caller may not read does not exist for them.
pub type ChangeError = mart_kernel::ChangeError<InvalidStatus>;

/// The errors of placing and quoting an order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// These lines cannot be ordered.
    #[error("some lines cannot be ordered")]
    Rejected(Vec<RejectedLine>),
    /// The total is now this amount.
    #[error("the total is now {0}")]
    TotalChanged(Money),
    /// The total exceeds the largest amount.
    #[error(transparent)]
    TooLarge(#[from] QuoteError),
    /// The Idempotency-Key was used with another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// The errors of a change, with the order that does not allow it.
type Unchanged = mart_kernel::ChangeError<(TransitionError, Box<Order>)>;

impl<S: Store> UseCases<S> {
    /// Creates the use cases. `page_tokens` signs page tokens; `payment_window` is the time that a customer has to pay.
    pub fn new(
        store: S,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
        page_tokens: PageTokenSigner,
        payment_window: time::Duration,
    ) -> Self {
        Self { store, clock, ids, page_tokens, payment_window }
    }

    /// Returns the page of a list after a token, or the first page.
    async fn page(&self, filter: &Filter, size: PageSize, token: &str) -> Result<Page<Order>, ListError> {
        let find = |after, limit| self.store.list(filter, after, limit);
        self.page_tokens.page(fingerprint(filter), size, token, find, Order::cursor).await
    }

    /// Adds ids and the time to events. Each has the version of its order.
    fn envelopes(&self, events: Vec<OrderEvent>, at: Timestamp) -> Vec<EventEnvelope<OrderEvent>> {
        EventEnvelope::all(events, at, &*self.ids, |event| event.order().version)
    }

    /// Loads an order, changes it by `step` and commits. Without an expected version, a concurrent change is retried.
    async fn change(
        &self,
        id: OrderId,
        expected: Option<Version>,
        receipt: Option<Receipt>,
        step: impl Fn(Order, Timestamp) -> Result<(Order, Vec<OrderEvent>), TransitionError> + Send,
    ) -> Result<Order, Unchanged> {
        let decide = |before: Order| {
            let (now, read) = (self.clock.now(), before.version);
            let (order, events) = step(before.clone(), now).map_err(|error| (error, Box::new(before)))?;
            let write = Some(Write::Update { order: order.clone(), expected: read });
            let commit = Commit { write, events: self.envelopes(events, now), receipt: receipt.clone() };
            Ok((order, Some(commit)))
        };
        let (find, commit) = (|| self.store.find(id), |commit| self.store.commit(commit));
        change(expected, find, |order| order.version, decide, commit).await
    }

    /// Applies a caller's change. A change without effect returns the order unchanged.
    async fn change_as(
        &self,
        viewer: &Viewer,
        id: OrderId,
        expected: Option<Version>,
        step: impl Fn(Order, Timestamp) -> Result<(Order, Vec<OrderEvent>), TransitionError> + Send,
    ) -> Result<Order, ChangeError> {
        // A caller who may not read the order does not learn of concurrent changes either.
        let found = self.store.find(id).await?;
        found.filter(|order| viewer.sees(order)).ok_or(ChangeError::NotFound)?;
        match self.change(id, expected, None, step).await {
            Ok(order) => Ok(order),
            Err(Unchanged::Rejected((TransitionError::NoEffect, order))) => Ok(*order),
            Err(Unchanged::Rejected((TransitionError::TooEarly | TransitionError::NotAllowed, order))) => {
                Err(ChangeError::Rejected(InvalidStatus(order.status)))
            }
            Err(Unchanged::NotFound) => Err(ChangeError::NotFound),
            Err(Unchanged::PreconditionFailed) => Err(ChangeError::PreconditionFailed),
            Err(Unchanged::Contention) => Err(ChangeError::Contention),
            Err(Unchanged::Unavailable(error)) => Err(error.into()),
        }
    }

    /// Applies an event of another service to an order, once.
    async fn apply_event(
        &self,
        id: OrderId,
        receipt: Receipt,
        step: impl Fn(Order, Timestamp) -> Result<(Order, Vec<OrderEvent>), TransitionError> + Send,
    ) -> Result<EventOutcome, StoreError> {
        match self.change(id, None, Some(receipt), step).await {
            Ok(_) => Ok(EventOutcome::Applied),
            Err(Unchanged::Rejected((TransitionError::NoEffect | TransitionError::NotAllowed, _))) => {
                Ok(EventOutcome::Ignored)
            }
            // A concurrent change, a missing order or a missing earlier event: retry later.
            Err(
                Unchanged::Rejected((TransitionError::TooEarly, _))
                | Unchanged::NotFound
                | Unchanged::PreconditionFailed
                | Unchanged::Contention,
            ) => Ok(NOT_READY),
            Err(Unchanged::Unavailable(error)) => Err(error),
        }
    }

    /// Adds an entry to an order's timeline and changes nothing else.
    async fn note(
        &self,
        id: OrderId,
        text: impl FnOnce(&Order) -> String + Send,
        event: Uuid,
        at: Timestamp,
        receipt: Receipt,
    ) -> Result<EventOutcome, StoreError> {
        let Some(order) = self.store.find(id).await? else { return Ok(NOT_READY) };
        let entry = TimelineEntry { at, text: text(&order), status: order.status.kind(), event };
        self.commit_write(Write::AppendTimeline { order: id, entry }, receipt).await
    }

    /// Commits a write that depends on no version.
    async fn commit_write(&self, write: Write, receipt: Receipt) -> Result<EventOutcome, StoreError> {
        match self.store.commit(Commit { write: Some(write), events: Vec::new(), receipt: Some(receipt) }).await {
            Ok(CommitOutcome::Committed | CommitOutcome::AlreadyProcessed { .. }) => Ok(EventOutcome::Applied),
            Err(CommitError::Conflict) => Ok(NOT_READY),
            Err(CommitError::Unavailable(error)) => Err(error),
            Err(CommitError::Duplicate(never)) => match never {},
        }
    }
}

/// Returns a fingerprint of the filter, so that a token is valid for its own list only.
fn fingerprint(filter: &Filter) -> [u8; 32] {
    let Filter { customer, status, from, before } = filter;
    let time = |at: &Option<Timestamp>| at.map(|at| at.unix_micros().to_be_bytes());
    let (from, before, status) = (time(from), time(before), status.map(|status| format!("{status:?}")));
    Fingerprint::new("orders")
        .optional(customer.as_ref().map(|customer| customer.0.as_bytes()))
        .optional(status.as_deref().map(str::as_bytes))
        .optional(from.as_ref().map(<[u8; 8]>::as_slice))
        .optional(before.as_ref().map(<[u8; 8]>::as_slice))
        .finish()
}

impl<S> std::fmt::Debug for UseCases<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UseCases")
    }
}
