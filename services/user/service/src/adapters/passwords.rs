//! Passwords by Argon2id, a bounded number of them at a time.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc};
use tokio::sync::Semaphore;
use user_core::domain::PasswordHash;
use user_core::ports::{Hasher, Overloaded};

/// Hashes with the costs that OWASP names first for Argon2id: 19 MiB, two passes, one lane. Each hash that runs holds its
/// 19 MiB, so that is bounded, and so is the wait for a turn.
#[derive(Debug, Clone)]
pub struct Argon2id {
    turns: Arc<Semaphore>,
    /// The longest that a password waits for its turn.
    patience: Duration,
    /// Of a password that nobody has: verifying against it takes as long as against a real one.
    nobodys: Arc<str>,
}

impl Argon2id {
    /// Hashes so many at a time; a password waits for its turn so long at most.
    pub fn new(at_a_time: usize, patience: Duration) -> anyhow::Result<Self> {
        let nobodys = hashed("a password that nobody has").map_err(|error| anyhow::anyhow!("Argon2id: {error}"))?;
        Ok(Self { turns: Arc::new(Semaphore::new(at_a_time)), patience, nobodys: nobodys.into() })
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Overloaded> {
        let turn = tokio::time::timeout(self.patience, self.turns.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| Overloaded)?.map_err(|_| Overloaded)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
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
        self.in_turn(move || hashed(&password)).await?.map(PasswordHash).map_err(|error| {
            tracing::error!(%error, "a password could not be hashed");
            Overloaded
        })
    }

    async fn verify(&self, password: String, hash: Option<PasswordHash>) -> Result<bool, Overloaded> {
        let nobodys = self.nobodys.clone();
        self.in_turn(move || {
            let text = hash.as_ref().map_or(&*nobodys, |hash| &hash.0);
            let right = phc::PasswordHash::new(text)
                .is_ok_and(|known| Argon2::default().verify_password(password.as_bytes(), &known).is_ok());
            right && hash.is_some()
        })
        .await
    }
}
