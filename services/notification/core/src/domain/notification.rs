//! A notification and its delivery.

use std::sync::Arc;

use mart_kernel::{Cursor, IdGenerator, Timestamp};
use time::Duration;
use uuid::Uuid;

use super::{Channel, Contact, Kind, Locale, OrderId, Policy, RenderedMessage};
use crate::ports::SendError;

/// A notification's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NotificationId(pub Uuid);

/// The subject of a notification. A kind is sent once for each subject and channel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(pub String);

/// The status of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// The notification will be sent or retried.
    Pending {
        /// When it is due.
        due: Timestamp,
        /// The error of the last attempt; empty before the first one.
        failure: String,
    },
    /// The server accepted it.
    Sent {
        /// The server's reference.
        reference: String,
    },
    /// The server rejected it, or did not accept it in time.
    Failed {
        /// The reason.
        reason: String,
    },
    /// The customer has disabled it.
    Suppressed,
}

/// The status without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusKind {
    /// Pending.
    Pending,
    /// Sent.
    Sent,
    /// Failed.
    Failed,
    /// Suppressed.
    Suppressed,
}

impl StatusKind {
    /// Returns the stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
        }
    }
}

impl Status {
    /// Returns the status without its data.
    pub fn kind(&self) -> StatusKind {
        match self {
            Self::Pending { .. } => StatusKind::Pending,
            Self::Sent { .. } => StatusKind::Sent,
            Self::Failed { .. } => StatusKind::Failed,
            Self::Suppressed => StatusKind::Suppressed,
        }
    }
}

/// A message to a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The notification's id.
    pub id: NotificationId,
    /// The subject.
    pub subject: Subject,
    /// The kind.
    pub kind: Kind,
    /// The channel.
    pub channel: Channel,
    /// The order, if the notification is about one.
    pub order: Option<OrderId>,
    /// The email address, or the phone number in E.164 form.
    pub recipient: String,
    /// The language.
    pub locale: Locale,
    /// The status.
    pub status: Status,
    /// The number of attempts.
    pub attempts: u32,
    /// The rendered message. `None` if it was suppressed or sent, or if it had a link and failed.
    pub message: Option<RenderedMessage>,
    /// When it fails unless it was sent before: at its maximum age, or when its link expires.
    pub until: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The notification has not failed, or it contained a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the notification has not failed, or it contained a link")]
pub struct NotFailed;

fn after(at: Timestamp, pause: Duration) -> Timestamp {
    Timestamp::new(at.get() + pause)
}

impl Notification {
    /// Returns the position in a list, newest first.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.0 }
    }

    /// Returns the notification after an attempt at `now`.
    #[must_use]
    pub fn after_attempt(mut self, outcome: Result<String, SendError>, now: Timestamp, policy: &Policy) -> Self {
        self.updated_at = now;
        match outcome {
            Ok(reference) => {
                self.status = Status::Sent { reference };
                self.message = None;
            }
            Err(SendError::Rejected(reason)) => self.fail(reason),
            Err(SendError::Unavailable(failure)) => {
                let factor = 2_i32.saturating_pow(self.attempts.saturating_sub(1).min(20));
                let pause = policy.backoff.saturating_mul(factor).min(policy.max_backoff);
                match after(now, pause) {
                    due if due < self.until => self.status = Status::Pending { due, failure },
                    _ => self.fail(failure),
                }
            }
        }
        self
    }

    fn fail(&mut self, reason: String) {
        self.status = Status::Failed { reason };
        // An operator can resend it. A message with a link is deleted instead: the customer can request a new link.
        if self.has_link() {
            self.message = None;
        }
    }

    fn has_link(&self) -> bool {
        matches!(self.kind, Kind::Registration | Kind::Reset)
    }

    /// Returns the failed notification. The reason is the error of the last attempt, if there was one.
    #[must_use]
    pub fn expire(mut self, now: Timestamp) -> Self {
        self.updated_at = now;
        let reason = match &self.status {
            Status::Pending { failure, .. } if !failure.is_empty() => failure.clone(),
            _ => "expired before it was sent".to_owned(),
        };
        self.fail(reason);
        self
    }

    /// Returns the failed notification as pending, due at `now` and with the full maximum age.
    pub fn resend(mut self, now: Timestamp, policy: &Policy) -> Result<Self, NotFailed> {
        match &self.status {
            Status::Failed { reason } if self.message.is_some() => {
                self.status = Status::Pending { due: now, failure: reason.clone() };
                self.until = after(now, policy.max_age);
                self.updated_at = now;
                Ok(self)
            }
            _ => Err(NotFailed),
        }
    }
}

/// The rows that a decision stores. A notification whose subject, kind and channel exist already is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// The contact of an order. It is ignored if the stored one is newer.
    pub contact: Option<Contact>,
    /// The notifications to send or to suppress.
    pub notifications: Vec<Notification>,
}

/// The values that the notifications of one content share.
pub(crate) struct NotificationBuilder {
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) now: Timestamp,
    pub(crate) subject: Subject,
    pub(crate) kind: Kind,
    pub(crate) order: Option<OrderId>,
    pub(crate) locale: Locale,
    pub(crate) until: Timestamp,
}

impl NotificationBuilder {
    /// Returns a pending notification, or a suppressed one if there is no message. It has failed if `until` has passed, such as for
    /// an event that is older than this service.
    pub(crate) fn build(&self, channel: Channel, recipient: String, message: Option<RenderedMessage>) -> Notification {
        let status = match message {
            Some(_) => Status::Pending { due: self.now, failure: String::new() },
            None => Status::Suppressed,
        };
        let notification = Notification {
            id: NotificationId(self.ids.next()),
            subject: self.subject.clone(),
            kind: self.kind,
            channel,
            order: self.order,
            recipient,
            locale: self.locale,
            status,
            attempts: 0,
            message,
            until: self.until,
            created_at: self.now,
            updated_at: self.now,
        };
        let expired = notification.status.kind() == StatusKind::Pending && notification.until <= self.now;
        if expired { notification.expire(self.now) } else { notification }
    }
}
