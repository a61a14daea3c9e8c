//! Processes stored callbacks whose attempt was not known yet.

use mart_kernel::{StoreError, Timestamp};
use time::Duration;

use super::UseCases;
use crate::domain::Match;
use crate::ports::Store;

impl<S: Store> UseCases<S> {
    /// Processes up to `limit` pending callbacks and returns the number of matched ones. A callback is pending if it arrived before
    /// its attempt was known, or if a crash interrupted its processing.
    pub async fn process_callbacks(&self, limit: usize) -> Result<usize, StoreError> {
        let delay = self.policy.callback_retry_delay;
        let until = Timestamp::new(self.clock.now().get() - delay);
        let (mut matched, mut failed) = (0, None);
        for callback in self.store.due_callbacks(until, limit).await? {
            // Before processing, so that a callback that fails does not block the others. The pause is as long as the callback has
            // waited so far, which doubles it each time. After an error it is at most one hour.
            let (id, now) = (callback.id.clone(), self.clock.now().get());
            let waited = (now - callback.at.get()).max(delay);
            self.store.reschedule(&id, Timestamp::new(now + waited.min(Duration::HOUR))).await?;
            match self.apply_callback(callback).await {
                Ok(Match::Matched) => matched += 1,
                // No limit here: the event may not be ours, because other systems may use our account at the provider.
                Ok(Match::Unmatched) => self.store.reschedule(&id, Timestamp::new(now + waited)).await?,
                Err(StoreError::Unavailable) => return Err(StoreError::Unavailable),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if matched == 0 => Err(error),
            _ => Ok(matched),
        }
    }
}
