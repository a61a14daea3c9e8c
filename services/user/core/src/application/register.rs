//! Registers a user.

use mart_kernel::{StoreError, Timestamp};

use super::{RegisterError, UseCases};
use crate::domain::{AccountDecider, Email, Profile, is_weak, throttle};
use crate::ports::{Hasher, Scope, Store};

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Registers a user. The result does not reveal whether the address already has a user; the mail does.
    pub async fn register(&self, email: Email, password: String, profile: Profile) -> Result<(), RegisterError> {
        if is_weak(&password, &email) {
            return Err(RegisterError::Weak);
        }
        let mails = vec![throttle::of_mails(&email)];
        if let Some(until) = self.throttled_until(&mails).await? {
            return Err(RegisterError::TooManyAttempts(until));
        }
        // Hashed in both cases, so that the response time does not reveal it either.
        let password = self.hasher.hash(password).await?;
        let scope = Scope { email: Some(email.clone()), throttle: mails.clone(), ..Scope::default() };
        let token = self.secrets.next();
        let step = move |accounts: &mut AccountDecider| {
            accounts.attempt(&mails)?;
            accounts.register(email, password, profile, &token);
            Ok(())
        };
        self.decide(scope, step).await?.map_err(RegisterError::TooManyAttempts)
    }

    /// Returns the time until which these subjects are throttled, if they are.
    async fn throttled_until(&self, subjects: &[String]) -> Result<Option<Timestamp>, StoreError> {
        let now = self.clock.now();
        let throttles = self.store.find_throttles(subjects).await?;
        Ok(throttles.iter().filter_map(|throttle| throttle.until(now, &self.policy.throttle)).max())
    }
}
