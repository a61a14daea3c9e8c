//! Opens a session.

use std::net::IpAddr;

use super::{LogInError, LoggedIn, UseCases, throttle_subjects};
use crate::domain::{AccountDecider, Email};
use crate::ports::{Hasher, Scope, Store};

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Opens a session. `from` is the client's network address, if it is known.
    pub async fn log_in(&self, email: Email, password: String, from: Option<IpAddr>) -> Result<LoggedIn, LogInError> {
        let throttle = throttle_subjects(&email, from);
        let (user, hash) = self.authenticate(&email, password, &throttle).await?;
        let token = self.secrets.next();
        let scope = Scope { users: vec![user], throttle, ..Scope::default() };
        let issued = token.clone();
        let step = move |accounts: &mut AccountDecider| accounts.log_in(user, &hash, &issued).ok_or(LogInError::Wrong);
        let (user, until) = self.decide(scope, step).await??;
        Ok(LoggedIn { user, token, until })
    }
}
