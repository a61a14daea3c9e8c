//! Creates an admin.

use super::{RegisterError, UseCases};
use crate::domain::{AccountDecider, Email, Profile, is_weak};
use crate::ports::{Hasher, Scope, Store};

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Creates a verified admin without a link. Returns `false` if the address already has a verified user.
    pub async fn create_admin(&self, email: Email, password: String, profile: Profile) -> Result<bool, RegisterError> {
        if is_weak(&password, &email) {
            return Err(RegisterError::Weak);
        }
        let password = self.hasher.hash(password).await?;
        let scope = Scope { email: Some(email.clone()), ..Scope::default() };
        let step = move |accounts: &mut AccountDecider| accounts.create_admin(email, password, profile);
        Ok(self.decide(scope, step).await?)
    }
}
