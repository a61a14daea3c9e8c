//! Ends a session.

use mart_kernel::StoreError;

use super::UseCases;
use crate::domain::events::Token;
use crate::domain::{AccountDecider, Digest};
use crate::ports::{Hasher, Scope, Store};

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Ends the session of a refresh token. Returns whether there is one.
    pub async fn log_out(&self, presented: &Token) -> Result<bool, StoreError> {
        let scope = Scope { token: Some(Digest::of(&presented.0)), ..Scope::default() };
        self.decide(scope, AccountDecider::log_out).await
    }
}
