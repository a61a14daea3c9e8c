//! Exchanges a refresh token.

use mart_kernel::StoreError;

use super::{LoggedIn, UseCases};
use crate::domain::Digest;
use crate::domain::events::Token;
use crate::ports::{Hasher, Scope, Store};

/// The errors of refreshing a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// The session has ended or never existed.
    #[error("the session has ended or never existed")]
    Ended,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Exchanges a refresh token.
    pub async fn refresh_session(&self, presented: &Token) -> Result<LoggedIn, RefreshError> {
        let scope = Scope { token: Some(Digest::of(&presented.0)), ..Scope::default() };
        let token = self.secrets.next();
        let issued = token.clone();
        let refreshed = self.decide(scope, move |accounts| accounts.refresh(&issued)).await?;
        let (user, until) = refreshed.ok_or(RefreshError::Ended)?;
        Ok(LoggedIn { user, token, until })
    }
}
