//! Starts attempts to pay, and opens, polls and closes them.

use mart_kernel::Timestamp;

use super::PaymentDecider;
use crate::domain::{Attempt, AttemptId, AttemptStatus, Checkout, CustomerId, Provider};

/// The errors of starting an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StartRejection {
    /// The payment does not exist or belongs to another customer.
    #[error("the payment does not exist or belongs to another customer")]
    NotFound,
    /// The payment is paid, closed or past its deadline.
    #[error("the payment is paid, closed or past its deadline")]
    NotPayable,
    /// The order has too many attempts.
    #[error("the order has too many attempts")]
    TooMany,
}

impl PaymentDecider {
    /// Returns a new attempt, or the open one at this provider if it has not expired.
    pub fn start(&mut self, customer: &CustomerId, provider: Provider) -> Result<Attempt, StartRejection> {
        let now = self.now;
        let id = AttemptId(self.ids.next());
        let account = self.account.as_mut().filter(|account| account.customer == *customer);
        let account = account.ok_or(StartRejection::NotFound)?;
        if account.closed || account.captured().minor() > 0 || now >= account.deadline {
            return Err(StartRejection::NotPayable);
        }
        let usable = |attempt: &&Attempt| attempt.provider == provider && attempt.is_open() && now < attempt.expires_at;
        if let Some(open) = account.attempts.iter().find(usable) {
            return Ok(open.clone());
        }
        if account.attempts.len() >= self.policy.max_attempts {
            return Err(StartRejection::TooMany);
        }
        let attempt = Attempt {
            id,
            provider,
            status: AttemptStatus::Opening,
            reference: String::new(),
            checkout: None,
            expires_at: Timestamp::new(now.get() + self.policy.checkout_ttl),
            next_poll_at: Timestamp::new(now.get() + self.policy.poll_delay),
            created_at: now,
        };
        account.attempts.push(attempt.clone());
        Ok(attempt)
    }

    /// Stores the checkout of an attempt. An existing checkout stays.
    pub fn opened(
        &mut self,
        id: AttemptId,
        reference: String,
        checkout: Checkout,
        expires_at: Timestamp,
    ) -> Option<Attempt> {
        let attempt = self.attempt(id)?;
        if attempt.status == AttemptStatus::Opening {
            attempt.status = AttemptStatus::Open;
            attempt.reference = reference;
            attempt.checkout = Some(checkout);
            attempt.expires_at = expires_at;
        }
        Some(attempt.clone())
    }

    /// Closes an attempt whose checkout the provider rejected.
    pub fn checkout_rejected(&mut self, id: AttemptId) {
        if let Some(attempt) = self.attempt(id).filter(|attempt| attempt.status == AttemptStatus::Opening) {
            attempt.status = AttemptStatus::Closed;
        }
    }

    /// Schedules the next poll of an attempt. An attempt without a checkout is closed once it has expired, because no customer saw
    /// its page.
    pub fn polled(&mut self, id: AttemptId) {
        let (now, next) = (self.now, Timestamp::new(self.now.get() + self.policy.poll_delay));
        if let Some(attempt) = self.attempt(id) {
            attempt.next_poll_at = next;
            if attempt.status == AttemptStatus::Opening && attempt.expires_at <= now {
                attempt.status = AttemptStatus::Closed;
            }
        }
    }

    pub(super) fn set(&mut self, id: AttemptId, status: AttemptStatus) {
        if let Some(attempt) = self.attempt(id) {
            attempt.status = status;
        }
    }
}
