//! Processes stored callbacks whose attempt was not known yet.

use mart_kernel::{StoreError, Timestamp, process_each};
use time::Duration;

use super::UseCases;
use crate::domain::{Callback, Match};
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Processes up to `limit` pending callbacks and returns the number of matched ones. A callback is pending if it arrived before
    /// its attempt was known, or if a crash interrupted its processing.
    pub async fn process_callbacks(&self, limit: usize) -> Result<usize, StoreError> {
        let delay = self.policy.callback_retry_delay;
        let until = Timestamp::new(self.clock.now().get() - delay);
        let due = self.store.due_callbacks(until, limit).await?;
        let process = |callback: Callback| async move {
            // Before processing, so that a callback that fails does not block the others. The pause is as long as the callback has
            // waited so far, which doubles it each time. After an error it is at most one hour.
            let (id, now) = (callback.id.clone(), self.clock.now().get());
            let waited = (now - callback.at.get()).max(delay);
            self.store.reschedule(&id, Timestamp::new(now + waited.min(Duration::HOUR))).await?;
            let found = self.apply_callback(callback).await?;
            if found == Match::Unmatched {
                // No limit here: the event may not be ours, because other systems may use our account at the provider.
                self.store.reschedule(&id, Timestamp::new(now + waited)).await?;
            }
            Ok(found == Match::Matched)
        };
        process_each(due, process).await
    }
}
