//! Sends a link that resets a password.

use mart_kernel::{StoreError, Timestamp};

use super::UseCases;
use crate::domain::{AccountDecider, Email, throttle};
use crate::ports::{Hasher, Scope, Store};

/// The errors of requesting a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Too many mails; the next one is allowed at this time.
    #[error("too many mails were sent to the mailbox")]
    TooManyAttempts(Timestamp),
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Sends a reset link, if the address has a user who may log in. The result does not reveal whether it has.
    pub async fn request_password_reset(&self, email: Email) -> Result<(), MailError> {
        let mails = vec![throttle::of_mails(&email)];
        let scope = Scope { email: Some(email.clone()), throttle: mails.clone(), ..Scope::default() };
        let token = self.secrets.next();
        let step = move |accounts: &mut AccountDecider| {
            accounts.attempt(&mails)?;
            accounts.request_reset(&email, &token);
            Ok(())
        };
        self.decide(scope, step).await?.map_err(MailError::TooManyAttempts)
    }
}
