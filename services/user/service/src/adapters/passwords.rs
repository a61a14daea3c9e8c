//! Hashes passwords with Argon2id, a bounded number concurrently.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc};
use tokio::sync::Semaphore;
use user_core::domain::PasswordHash;
use user_core::ports::{Hasher, Overloaded};

/// Hashes with the costs that OWASP recommends first for Argon2id: 19 MiB, two passes, one lane. Each running hash holds its
/// 19 MiB, so their number is bounded, and so is the wait for one to begin.
#[derive(Debug, Clone)]
pub struct Argon2id {
    permits: Arc<Semaphore>,
    /// The longest wait for a permit.
    timeout: Duration,
    /// The hash of an unused password. Verifying against it takes as long as against a user's hash.
    dummy: Arc<str>,
}

impl Argon2id {
    /// Creates a hasher with this concurrency. `timeout` limits the wait for a permit.
    pub fn new(concurrency: usize, timeout: Duration) -> anyhow::Result<Self> {
        let dummy = hashed("an unused password").map_err(|error| anyhow::anyhow!("Argon2id: {error}"))?;
        Ok(Self { permits: Arc::new(Semaphore::new(concurrency)), timeout, dummy: dummy.into() })
    }

    async fn with_permit<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Overloaded> {
        let permit = tokio::time::timeout(self.timeout, self.permits.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| Overloaded)?.map_err(|_| Overloaded)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        done.await.map_err(|_| Overloaded)
    }
}

fn hashed(password: &str) -> Result<String, argon2::password_hash::Error> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
}

impl Hasher for Argon2id {
    async fn hash(&self, password: String) -> Result<PasswordHash, Overloaded> {
        self.with_permit(move || hashed(&password)).await?.map(PasswordHash).map_err(|error| {
            tracing::error!(%error, "a password could not be hashed");
            Overloaded
        })
    }

    async fn verify(&self, password: String, hash: Option<PasswordHash>) -> Result<bool, Overloaded> {
        let dummy = self.dummy.clone();
        self.with_permit(move || {
            let text = hash.as_ref().map_or(&*dummy, |hash| &hash.0);
            let matches = phc::PasswordHash::new(text)
                .is_ok_and(|known| Argon2::default().verify_password(password.as_bytes(), &known).is_ok());
            matches && hash.is_some()
        })
        .await
    }
}
