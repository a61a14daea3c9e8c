//! Returns the preferences of a customer.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{CustomerId, Preference};
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Returns the preferences of all kinds and channels.
    pub async fn get_preferences(&self, customer: &CustomerId) -> Result<Vec<Preference>, StoreError> {
        Ok(self.store.find_preferences(customer).await?.all())
    }
}
