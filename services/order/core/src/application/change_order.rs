//! What customers and admins do with an order that exists: change, cancel, ship, deliver.

use mart_kernel::{StoreError, Timestamp, Version};

use super::{Order, OrderEvent, OrderId, Store, TransitionError, Unchanged, UseCases, Viewer};
use crate::domain::{Address, CancelReason, Contact, Shipment, Status};

/// CancelReason an order was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeError {
    /// There is no such order, or the caller may not see it.
    NotFound,
    /// The caller has seen another version than the current one.
    PreconditionFailed,
    /// Somebody else changed it each time.
    Contention,
    /// It is in a status that does not allow the step.
    Forbidden(Status),
    /// The store can't be reached.
    Unavailable(StoreError),
}

impl<S: Store> UseCases<S> {
    /// Changes where an order goes and whom to tell.
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

    /// Cancels an order that is not shipped.
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

    /// Says that a confirmed order is on its way.
    pub async fn ship_order(
        &self,
        id: OrderId,
        shipment: Shipment,
        expected: Option<Version>,
    ) -> Result<Order, ChangeError> {
        self.change_as(&Viewer::Admin, id, expected, |order, now| order.ship(shipment.clone(), now)).await
    }

    /// Says that a shipped order has arrived.
    pub async fn deliver_order(&self, id: OrderId, expected: Option<Version>) -> Result<Order, ChangeError> {
        self.change_as(&Viewer::Admin, id, expected, Order::deliver).await
    }

    /// Takes a step that somebody asked for. One that changes nothing answers with the order as it is.
    async fn change_as(
        &self,
        viewer: &Viewer,
        id: OrderId,
        expected: Option<Version>,
        step: impl Fn(Order, Timestamp) -> Result<(Order, Vec<OrderEvent>), TransitionError> + Send,
    ) -> Result<Order, ChangeError> {
        // Who may not see an order does not even learn that somebody else changed it.
        let found = self.store.find(id).await.map_err(ChangeError::Unavailable)?;
        found.filter(|order| viewer.sees(order)).ok_or(ChangeError::NotFound)?;
        match self.change(id, expected, None, step).await {
            Ok(order) => Ok(order),
            Err(Unchanged::TransitionError(TransitionError::NoEffect, order)) => Ok(*order),
            Err(Unchanged::TransitionError(TransitionError::TooEarly | TransitionError::NotAllowed, order)) => {
                Err(ChangeError::Forbidden(order.status))
            }
            Err(Unchanged::NotFound) => Err(ChangeError::NotFound),
            Err(Unchanged::PreconditionFailed) => Err(ChangeError::PreconditionFailed),
            Err(Unchanged::Contention) => Err(ChangeError::Contention),
            Err(Unchanged::Unavailable(error)) => Err(ChangeError::Unavailable(error)),
        }
    }
}
