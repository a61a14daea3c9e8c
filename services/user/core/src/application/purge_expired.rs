//! Deletes expired data.

use mart_kernel::StoreError;

use super::UseCases;
use crate::ports::{Hasher, Store};

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Deletes expired data, including registrations that were never verified. Returns the number of rows.
    pub async fn purge_expired(&self) -> Result<usize, StoreError> {
        self.store.purge_expired(self.clock.now(), &self.policy.throttle).await
    }
}
