//! Resends a failed notification.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{Notification, NotificationId, StatusKind};
use crate::ports::Store;

/// The errors of resending a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResendError {
    /// The notification does not exist.
    #[error("the notification does not exist")]
    NotFound,
    /// The notification has not failed, or it contained a link.
    #[error("the notification has not failed, or it contained a link")]
    NotFailed,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl<S: Store> UseCases<S> {
    /// Makes a failed notification pending again, due now.
    pub async fn resend_notification(&self, id: NotificationId) -> Result<Notification, ResendError> {
        let found = self.store.find(id).await?.ok_or(ResendError::NotFound)?;
        let resent = found.resend(self.clock.now(), &self.policy).map_err(|_| ResendError::NotFailed)?;
        // Another operator may have resent it in the meantime.
        if self.store.update(StatusKind::Failed, &resent).await? { Ok(resent) } else { Err(ResendError::NotFailed) }
    }
}
