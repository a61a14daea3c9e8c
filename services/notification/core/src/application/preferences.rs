//! The preferences of a customer.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{Channel, CustomerId, Kind, Preference};
use crate::ports::Store;

/// The errors of storing a preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreferenceError {
    /// The preference is fixed.
    Fixed,
    /// The store failed.
    Unavailable(StoreError),
}

impl From<StoreError> for PreferenceError {
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
    pub async fn set_preference(
        &self,
        customer: &CustomerId,
        kind: Kind,
        channel: Channel,
        enabled: bool,
    ) -> Result<Preference, PreferenceError> {
        let preferences = self.store.preferences(customer).await?;
        let preference = preferences.changed(kind, channel, enabled).map_err(|_| PreferenceError::Fixed)?;
        if !preference.fixed {
            self.store.set_preference(customer, kind, channel, enabled).await?;
        }
        Ok(preference)
    }
}
