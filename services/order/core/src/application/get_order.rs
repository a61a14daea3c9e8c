//! Returns an order.

use mart_kernel::StoreError;

use super::{Order, OrderId, Store, UseCases, Viewer};

impl<S: Store> UseCases<S> {
    /// Returns an order that the viewer may read.
    pub async fn get_order(&self, viewer: &Viewer, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.store.find(id).await?.filter(|order| viewer.sees(order)))
    }
}
