//! The preferences of a customer.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{Channel, CustomerId, Kind, Preference};
use crate::ports::Store;

/// Why a preference was not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreferError {
    /// It cannot be changed.
    Fixed,
    /// The store failed.
    Unavailable(StoreError),
}

impl From<StoreError> for PreferError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl<S: Store> UseCases<S> {
    /// Returns the preferences of all kinds and channels.
    pub async fn preferences(&self, customer: &CustomerId) -> Result<Vec<Preference>, StoreError> {
        Ok(self.store.preferences(customer).await?.all())
    }

    /// Stores a preference. It applies to later notifications.
    pub async fn prefer(
        &self,
        customer: &CustomerId,
        kind: Kind,
        channel: Channel,
        enabled: bool,
    ) -> Result<Preference, PreferError> {
        let said = self.store.preferences(customer).await?;
        let chosen = said.choose(kind, channel, enabled).map_err(|_| PreferError::Fixed)?;
        if !chosen.fixed {
            self.store.prefer(customer, kind, channel, enabled).await?;
        }
        Ok(chosen)
    }
}
