//! Ends all sessions of a user.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::{AccountDecider, UserId};
use crate::ports::{Hasher, Scope, Store};

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Ends all sessions of a user. Returns whether the user exists.
    pub async fn log_out_everywhere(&self, id: UserId) -> Result<bool, StoreError> {
        let scope = Scope { users: vec![id], ..Scope::default() };
        let step = move |accounts: &mut AccountDecider| {
            let known = accounts.user(id).is_some();
            accounts.log_out_everywhere(id);
            known
        };
        self.decide(scope, step).await
    }
}
