//! Registering, and proving the mailbox.

use mart_kernel::Timestamp;

use super::{NotNow, UseCases};
use crate::domain::fact::Token;
use crate::domain::{Accounts, Digest, Email, Profile, is_weak};
use crate::ports::{Hasher, Scope, Store};

/// Why nobody was registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterError {
    /// The password is easy to guess.
    Weak,
    /// The mailbox got too many mails: not before this.
    TryLater(Timestamp),
    /// Not now.
    NotNow(NotNow),
}

impl<E: Into<NotNow>> From<E> for RegisterError {
    fn from(error: E) -> Self {
        Self::NotNow(error.into())
    }
}

impl<S: Store, H: Hasher> UseCases<S, H> {
    /// Registers an address. Who asks is never told whether it has a user: the mailbox is.
    pub async fn register(&self, email: Email, password: String, profile: Profile) -> Result<(), RegisterError> {
        if is_weak(&password, &email) {
            return Err(RegisterError::Weak);
        }
        let mails = mails(&email);
        if let Some(until) = self.braked(&mails).await? {
            return Err(RegisterError::TryLater(until));
        }
        // Always, so that the time does not tell either.
        let password = self.hasher.hash(password).await?;
        let scope = Scope { email: Some(email.clone()), brakes: mails.clone(), ..Scope::default() };
        let token = self.secrets.next();
        let step = move |accounts: &mut Accounts| {
            accounts.count(&mails);
            accounts.register(email, password, profile, &token);
        };
        Ok(self.decide(scope, step).await?)
    }

    /// Proves the mailbox of a registration by the secret of its link; whether it does.
    pub async fn verify_email(&self, token: &Token) -> Result<bool, NotNow> {
        let scope = Scope { link: Some(Digest::of(&token.0)), ..Scope::default() };
        Ok(self.decide(scope, Accounts::verify).await?)
    }

    /// Makes an admin whose mailbox the operator vouches for; whether there was no user of that address yet.
    pub async fn create_admin(&self, email: Email, password: String, profile: Profile) -> Result<bool, RegisterError> {
        if is_weak(&password, &email) {
            return Err(RegisterError::Weak);
        }
        let password = self.hasher.hash(password).await?;
        let scope = Scope { email: Some(email.clone()), ..Scope::default() };
        let step = move |accounts: &mut Accounts| accounts.create_admin(email, password, profile);
        Ok(self.decide(scope, step).await?)
    }
}

/// What slows down mails to a mailbox: each one counts, whether it is sent or not.
pub(super) fn mails(email: &Email) -> Vec<String> {
    vec![format!("mail to {email}")]
}
