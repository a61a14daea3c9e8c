//! The use cases. Each commits at most once.

mod change_order;
mod expire_orders;
mod list_orders;
mod on_payment_events;
mod on_product_events;
mod on_stock_events;
mod place_order;
mod read_order;
mod republish_orders;

use std::sync::Arc;

use mart_kernel::{
    Clock, Commit, CommitError, CommitOutcome, EventEnvelope, IdGenerator, PageTokenSigner, Receipt, StoreError,
    Timestamp, Version,
};

use crate::domain::{CustomerId, Order, OrderEvent, OrderId, TransitionError};
use crate::ports::{Store, Write};

pub use change_order::ChangeError;
pub use list_orders::{ListError, ListOrders};
pub use place_order::{PlaceError, PlaceOrder};
pub use republish_orders::Republished;

/// The number of attempts to apply a change despite concurrent changes.
const ATTEMPTS: usize = 3;

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

/// The result of applying an event of another service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOutcome {
    /// The effect is committed, by this attempt or an earlier one.
    Applied,
    /// The event has no effect.
    Ignored,
    /// The event cannot be applied yet.
    NotReady,
    /// The event can never be applied: it contradicts the order.
    Rejected,
}

/// The errors of a change.
enum Unchanged {
    NotFound,
    PreconditionFailed,
    Contention,
    Transition(TransitionError, Box<Order>),
    Unavailable(StoreError),
}

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

    /// Adds ids and the time to events. Each has the version of its order.
    fn envelopes(&self, events: Vec<OrderEvent>, at: Timestamp) -> Vec<EventEnvelope<OrderEvent>> {
        let envelope = |event: OrderEvent| EventEnvelope {
            id: self.ids.next(),
            at,
            version: event.order().version,
            payload: event,
        };
        events.into_iter().map(envelope).collect()
    }

    /// Loads an order, changes it by `step` and commits. Without an expected version, a concurrent change is retried.
    async fn change(
        &self,
        id: OrderId,
        expected: Option<Version>,
        receipt: Option<Receipt>,
        step: impl Fn(Order, Timestamp) -> Result<(Order, Vec<OrderEvent>), TransitionError> + Send,
    ) -> Result<Order, Unchanged> {
        for _ in 0..ATTEMPTS {
            let before = self.store.find(id).await.map_err(Unchanged::Unavailable)?.ok_or(Unchanged::NotFound)?;
            if expected.is_some_and(|version| version != before.version) {
                return Err(Unchanged::PreconditionFailed);
            }
            let (now, read) = (self.clock.now(), before.version);
            let (order, events) =
                step(before.clone(), now).map_err(|error| Unchanged::Transition(error, Box::new(before)))?;
            let write = Some(Write::Update { order: order.clone(), expected: read });
            match self
                .store
                .commit(Commit { write, events: self.envelopes(events, now), receipt: receipt.clone() })
                .await
            {
                Ok(_) => return Ok(order),
                Err(CommitError::Conflict) if expected.is_some() => return Err(Unchanged::PreconditionFailed),
                Err(CommitError::Conflict) => {}
                Err(CommitError::Unavailable(error)) => return Err(Unchanged::Unavailable(error)),
                Err(CommitError::Duplicate(never)) => match never {},
            }
        }
        Err(Unchanged::Contention)
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
            Err(Unchanged::Transition(TransitionError::NoEffect | TransitionError::NotAllowed, _)) => {
                Ok(EventOutcome::Ignored)
            }
            // A concurrent change, a missing order or a missing earlier event: retry later.
            Err(
                Unchanged::Transition(TransitionError::TooEarly, _)
                | Unchanged::NotFound
                | Unchanged::PreconditionFailed
                | Unchanged::Contention,
            ) => Ok(EventOutcome::NotReady),
            Err(Unchanged::Unavailable(error)) => Err(error),
        }
    }

    /// Commits a write that depends on no version.
    async fn commit_write(&self, write: Write, receipt: Receipt) -> Result<EventOutcome, StoreError> {
        match self.store.commit(Commit { write: Some(write), events: Vec::new(), receipt: Some(receipt) }).await {
            Ok(CommitOutcome::Committed | CommitOutcome::AlreadyProcessed { .. }) => Ok(EventOutcome::Applied),
            Err(CommitError::Conflict) => Ok(EventOutcome::NotReady),
            Err(CommitError::Unavailable(error)) => Err(error),
            Err(CommitError::Duplicate(never)) => match never {},
        }
    }
}

impl<S> std::fmt::Debug for UseCases<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UseCases")
    }
}
