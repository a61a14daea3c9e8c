//! What a customer wants to be told.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{Channel, CustomerId, Kind, Preference};
use crate::ports::Store;

/// Why a preference is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreferError {
    /// It can't be chosen.
    Fixed,
    /// The store can't be reached.
    Unavailable(StoreError),
}

impl From<StoreError> for PreferError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error)
    }
}

impl<S: Store> UseCases<S> {
    /// What a customer wants, for every kind and channel.
    pub async fn preferences(&self, customer: &CustomerId) -> Result<Vec<Preference>, StoreError> {
        Ok(self.store.preferences(customer).await?.all())
    }

    /// Keeps what a customer wants. It counts for what is told from now on.
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
