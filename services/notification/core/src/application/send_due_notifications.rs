//! Sends due notifications.

use futures::future::join_all;
use mart_kernel::{StoreError, Timestamp};

use super::UseCases;
use crate::domain::{Channel, Notification, StatusKind};
use crate::ports::{MessageSender, SendError, Store};

impl<S: Store> UseCases<S> {
    /// Sends up to `limit` due messages of a channel concurrently and returns their number. If the service is killed between the
    /// server's response and the update, the message is sent again, never lost.
    pub async fn send_due_notifications(&self, channel: Channel, limit: usize) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let lease = Timestamp::new(now.get() + self.policy.lease);
        let claimed = self.store.claim_due(channel, now, lease, limit).await?;
        let sender = match channel {
            Channel::Mail => &self.senders.mail,
            Channel::Sms => &self.senders.sms,
        };
        let count = claimed.len();
        let results = join_all(claimed.into_iter().map(|claimed| self.send(&**sender, claimed, now))).await;
        results.into_iter().collect::<Result<Vec<()>, StoreError>>()?;
        Ok(count)
    }

    async fn send(&self, sender: &dyn MessageSender, claimed: Notification, now: Timestamp) -> Result<(), StoreError> {
        let updated = if claimed.until <= now {
            claimed.expire(now)
        } else {
            let outcome = match &claimed.message {
                Some(message) => sender.send(claimed.id, &claimed.recipient, message).await,
                None => Err(SendError::Rejected("the message was deleted".to_owned())),
            };
            claimed.after_attempt(outcome, self.clock.now(), &self.policy)
        };
        // If the lease has expired and another replica has claimed it, that replica's result counts.
        self.store.update(StatusKind::Pending, &updated).await.map(|_| ())
    }
}
