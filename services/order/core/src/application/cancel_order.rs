//! Cancels an order.

use mart_kernel::Version;

use super::{ChangeError, Order, OrderId, Store, UseCases, Viewer};
use crate::domain::CancelReason;

impl<S: Store> UseCases<S> {
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
}
