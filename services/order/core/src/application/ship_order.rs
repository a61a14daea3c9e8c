//! Ships an order.

use mart_kernel::Version;

use super::{ChangeError, Order, OrderId, Store, UseCases, Viewer};
use crate::domain::Shipment;

impl<S: Store> UseCases<S> {
    /// Ships a confirmed order.
    pub async fn ship_order(
        &self,
        id: OrderId,
        shipment: Shipment,
        expected: Option<Version>,
    ) -> Result<Order, ChangeError> {
        self.change_as(&Viewer::Admin, id, expected, |order, now| order.ship(shipment.clone(), now)).await
    }
}
