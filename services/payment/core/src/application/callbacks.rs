//! What providers say: kept first, and heard when the attempt is known.

use mart_kernel::{Timestamp, StoreError};
use time::Duration;

use super::UseCases;
use crate::domain::{Callback, Heard, Provider};
use crate::ports::{NotHeard, Spoken, Store, Word};

/// Why a word was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HearError {
    /// The provider is off.
    Off,
    /// It is not genuine, or none of the provider's messages.
    Not(NotHeard),
    /// The store can't be reached: the provider has to say it again.
    Unavailable(StoreError),
}

impl<S: Store> UseCases<S> {
    /// Takes a word of a provider's. Once it is kept it is never lost, and whatever comes of it the provider need not say it again.
    pub async fn hear(&self, provider: Provider, word: &Word<'_>) -> Result<(), HearError> {
        let now = self.clock.now();
        let Spoken { id, news } =
            self.providers.get(provider).ok_or(HearError::Off)?.hear(word, now).map_err(HearError::Not)?;
        let Some(news) = news else { return Ok(()) };
        let callback = Callback { id, news, at: now };
        // What a known one said first counts, and is heard or waits for the sweep.
        if self.store.keep(&callback).await.map_err(HearError::Unavailable)? {
            // It is kept: what goes wrong from here on is mended by the sweep.
            let _heard = self.apply(callback).await;
        }
        Ok(())
    }

    /// Hears up to `limit` callbacks that came before their attempt was known, or that a crash cut off; how many were heard.
    pub async fn hear_again(&self, limit: usize) -> Result<usize, StoreError> {
        let again = self.policy.callback_again;
        let until = Timestamp::new(self.clock.now().get() - again);
        let (mut heard, mut refused) = (0, None);
        for callback in self.store.unheard(until, limit).await? {
            // First, and for as long as it has waited already: one that can't be heard stands in nobody's way.
            let (id, now) = (callback.id.clone(), self.clock.now().get());
            let waited = (now - callback.at.get()).max(again);
            self.store.put_off(&id, Timestamp::new(now + waited.min(Duration::HOUR))).await?;
            match self.apply(callback).await {
                Ok(Heard::Yes) => heard += 1,
                // What it is about may never be ours: an account at a provider may have more than a mart.
                Ok(Heard::NotYet) => self.store.put_off(&id, Timestamp::new(now + waited)).await?,
                Err(StoreError::Unavailable) => return Err(StoreError::Unavailable),
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if heard == 0 => Err(error),
            _ => Ok(heard),
        }
    }

    async fn apply(&self, callback: Callback) -> Result<Heard, StoreError> {
        let Callback { id, news, .. } = callback;
        let found = self.store.attempt_of(news.provider, &news.about).await?;
        let Some((order, attempt)) = found else { return Ok(Heard::NotYet) };
        self.settle(order, move |books| books.hear(attempt, &news.what, Some(&id))).await
    }
}
