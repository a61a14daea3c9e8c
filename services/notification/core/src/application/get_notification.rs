//! Returns a notification.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{Notification, NotificationId};
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Returns a notification.
    pub async fn get_notification(&self, id: NotificationId) -> Result<Option<Notification>, StoreError> {
        self.store.find(id).await
    }
}
