//! Stores a preference of a customer.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{Channel, CustomerId, Kind, Preference};
use crate::ports::Store;

/// The errors of storing a preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PreferenceError {
    /// The preference is fixed.
    #[error("the preference is fixed")]
    Fixed,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl<S: Store> UseCases<S> {
    /// Stores a preference. It applies to later notifications.
    pub async fn set_preference(
        &self,
        customer: &CustomerId,
        kind: Kind,
        channel: Channel,
        enabled: bool,
    ) -> Result<Preference, PreferenceError> {
        let preferences = self.store.find_preferences(customer).await?;
        let preference = preferences.changed(kind, channel, enabled).map_err(|_| PreferenceError::Fixed)?;
        if !preference.fixed {
            self.store.set_preference(customer, kind, channel, enabled).await?;
        }
        Ok(preference)
    }
}
