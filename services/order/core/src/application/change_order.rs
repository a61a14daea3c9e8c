//! Changes an order's address and contact.

use mart_kernel::Version;

use super::{ChangeError, Order, OrderId, Store, UseCases, Viewer};
use crate::domain::{Address, Contact};

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
}
