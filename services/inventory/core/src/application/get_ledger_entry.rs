//! Returns a ledger entry.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{LedgerEntry, LedgerEntryId};
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Returns the ledger entry with this id.
    pub async fn get_ledger_entry(&self, id: LedgerEntryId) -> Result<Option<LedgerEntry>, StoreError> {
        self.store.find_ledger_entry(id).await
    }
}
