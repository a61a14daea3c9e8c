//! Reports an order as delivered.

use mart_kernel::Version;

use super::{ChangeError, Order, OrderId, Store, UseCases, Viewer};

impl<S: Store> UseCases<S> {
    /// Reports a shipped order as delivered.
    pub async fn deliver_order(&self, id: OrderId, expected: Option<Version>) -> Result<Order, ChangeError> {
        self.change_as(&Viewer::Admin, id, expected, Order::deliver).await
    }
}
