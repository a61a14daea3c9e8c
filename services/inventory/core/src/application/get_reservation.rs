//! Returns a reservation.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{OrderId, Reservation};
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Returns the reservation of an order.
    pub async fn get_reservation(&self, order: OrderId) -> Result<Option<Reservation>, StoreError> {
        self.store.find_reservation(order).await
    }
}
