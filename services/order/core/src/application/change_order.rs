//! Changes to an existing order: change, cancel, ship, deliver.

use mart_kernel::{StoreError, Timestamp, Version};

use super::{Order, OrderEvent, OrderId, Store, TransitionError, Unchanged, UseCases, Viewer};
use crate::domain::{Address, CancelReason, Contact, Shipment, Status};

/// The errors of changing an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeError {
    /// The order does not exist or the caller may not read it.
    NotFound,
    /// The caller has read an older version.
    PreconditionFailed,
    /// Concurrent changes prevented every attempt.
    Contention,
    /// The order's status does not allow the change.
    InvalidStatus(Status),
    /// The store failed.
    Unavailable(StoreError),
}

impl<S: Store> UseCases<S> {
    /// Changes an order's address and contact.
    pub async fn change_order(
        &self,
        viewer: &Viewer,
        id: OrderId,
        address: Option<Address>,
        contact: Option<Contact>,
        expected: Option<Version>,
    ) -> Result<Order, ChangeError> {
        self.change_as(viewer, id, expected, |order, now| order.change(address.clone(), contact.clone(), now)).await
    }

    /// Cancels an order that is not shipped yet.
    pub async fn cancel_order(
        &self,
        viewer: &Viewer,
        id: OrderId,
        expected: Option<Version>,
    ) -> Result<Order, ChangeError> {
        let reason = match viewer {
            Viewer::Customer(_) => CancelReason::Customer,
            Viewer::Admin => CancelReason::Admin,
        };
        self.change_as(viewer, id, expected, |order, now| order.cancel(reason, now)).await
    }

    /// Ships a confirmed order.
    pub async fn ship_order(
        &self,
        id: OrderId,
        shipment: Shipment,
        expected: Option<Version>,
    ) -> Result<Order, ChangeError> {
        self.change_as(&Viewer::Admin, id, expected, |order, now| order.ship(shipment.clone(), now)).await
    }

    /// Reports a shipped order as delivered.
    pub async fn deliver_order(&self, id: OrderId, expected: Option<Version>) -> Result<Order, ChangeError> {
        self.change_as(&Viewer::Admin, id, expected, Order::deliver).await
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
        let found = self.store.find(id).await.map_err(ChangeError::Unavailable)?;
        found.filter(|order| viewer.sees(order)).ok_or(ChangeError::NotFound)?;
        match self.change(id, expected, None, step).await {
            Ok(order) => Ok(order),
            Err(Unchanged::Transition(TransitionError::NoEffect, order)) => Ok(*order),
            Err(Unchanged::Transition(TransitionError::TooEarly | TransitionError::NotAllowed, order)) => {
                Err(ChangeError::InvalidStatus(order.status))
            }
            Err(Unchanged::NotFound) => Err(ChangeError::NotFound),
            Err(Unchanged::PreconditionFailed) => Err(ChangeError::PreconditionFailed),
            Err(Unchanged::Contention) => Err(ChangeError::Contention),
            Err(Unchanged::Unavailable(error)) => Err(ChangeError::Unavailable(error)),
        }
    }
}
