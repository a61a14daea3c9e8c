//! Sends due messages.

use futures::future::join_all;
use mart_kernel::{StoreError, Timestamp};

use super::UseCases;
use crate::domain::{Channel, Notification, StatusKind};
use crate::ports::{MessageSender, SendError, Store};

impl<S: Store> UseCases<S> {
    /// Sends up to `limit` due messages of a channel concurrently and returns their number. After a kill between the server's
    /// response and the update, a message is sent again, never lost.
    pub async fn send_due(&self, channel: Channel, limit: usize) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let lease = Timestamp::new(now.get() + self.policy.lease);
        let claimed = self.store.claim(channel, now, lease, limit).await?;
        let courier = match channel {
            Channel::Mail => &self.senders.mail,
            Channel::Sms => &self.senders.sms,
        };
        let count = claimed.len();
        let tried = join_all(claimed.into_iter().map(|claimed| self.send(&**courier, claimed, now))).await;
        tried.into_iter().collect::<Result<Vec<()>, StoreError>>()?;
        Ok(count)
    }

    async fn send(&self, courier: &dyn MessageSender, claimed: Notification, now: Timestamp) -> Result<(), StoreError> {
        let tried = if claimed.until <= now {
            claimed.overdue(now)
        } else {
            let outcome = match &claimed.letter {
                Some(letter) => courier.send(claimed.id, &claimed.recipient, letter).await,
                None => Err(SendError::Rejected("its letter is gone".to_owned())),
            };
            claimed.tried(outcome, self.clock.now(), &self.policy)
        };
        // If another replica has it by now, that replica's result counts.
        self.store.change(StatusKind::Pending, &tried).await.map(|_| ())
    }
}
