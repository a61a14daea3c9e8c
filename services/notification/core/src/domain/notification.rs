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

/// What a notification is about. A kind is sent once for each subject and channel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(pub String);

/// The status of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It is due to be sent, or to be retried.
    Pending {
        /// When it is due.
        due: Timestamp,
        /// The error of the last attempt; empty before the first one.
        failure: String,
    },
    /// A server accepted it.
    Sent {
        /// The server's reference.
        reference: String,
    },
    /// A server rejected it, or none accepted it in time.
    Failed {
        /// The reason.
        why: String,
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
    pub fn name(&self) -> StatusKind {
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
    /// The order, if it is about one.
    pub order: Option<OrderId>,
    /// The email address, or the phone number in E.164 form.
    pub recipient: String,
    /// The language.
    pub locale: Locale,
    /// The status.
    pub status: Status,
    /// The number of attempts.
    pub attempts: u32,
    /// The content. It is deleted once it is sent; content with a link also if it fails.
    pub letter: Option<RenderedMessage>,
    /// When it fails if it was not sent: its maximum age, or the expiry of its link.
    pub until: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The notification has not failed, or it contained a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFailed;

fn after(at: Timestamp, wait: Duration) -> Timestamp {
    Timestamp::new(at.get() + wait)
}

impl Notification {
    /// Returns the position in a list, newest first.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.0 }
    }

    /// Returns the notification after an attempt at `now`.
    #[must_use]
    pub fn tried(mut self, outcome: Result<String, SendError>, now: Timestamp, policy: &Policy) -> Self {
        self.updated_at = now;
        match outcome {
            Ok(reference) => {
                self.status = Status::Sent { reference };
                self.letter = None;
            }
            Err(SendError::Rejected(why)) => self.give_up(why),
            Err(SendError::Unavailable(why)) => {
                let doubled = 2_i32.saturating_pow(self.attempts.saturating_sub(1).min(20));
                let wait = policy.backoff.saturating_mul(doubled).min(policy.max_backoff);
                match after(now, wait) {
                    due if due < self.until => self.status = Status::Pending { due, failure: why },
                    _ => self.give_up(why),
                }
            }
        }
        self
    }

    fn give_up(&mut self, why: String) {
        self.status = Status::Failed { why };
        // An operator may send it again. Content with a link is deleted, because its owner can request another one.
        if self.is_link() {
            self.letter = None;
        }
    }

    fn is_link(&self) -> bool {
        matches!(self.kind, Kind::Registration | Kind::Reset)
    }

    /// Returns the notification after its time has passed without an attempt.
    #[must_use]
    pub fn overdue(mut self, now: Timestamp) -> Self {
        self.updated_at = now;
        let last = match &self.status {
            Status::Pending { failure, .. } if !failure.is_empty() => failure.clone(),
            _ => "it is too late to tell it".to_owned(),
        };
        self.give_up(last);
        self
    }

    /// Returns the notification to be sent again, with its full age.
    pub fn again(mut self, now: Timestamp, policy: &Policy) -> Result<Self, NotFailed> {
        match &self.status {
            Status::Failed { why } if self.letter.is_some() => {
                self.status = Status::Pending { due: now, failure: why.clone() };
                self.until = after(now, policy.max_age);
                self.updated_at = now;
                Ok(self)
            }
            _ => Err(NotFailed),
        }
    }
}

/// Everything that a decision stores, at once. A notification whose subject, kind and channel exist already is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// The contact of an order, if it is newer than the stored one.
    pub contact: Option<Contact>,
    /// The notifications to send or to suppress.
    pub notifications: Vec<Notification>,
}

/// What all notifications of one content share.
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
    /// Returns a notification that is sent, or suppressed if there is no message. Content of long ago, such as from before this
    /// service existed, is not sent.
    pub(crate) fn make(&self, channel: Channel, recipient: String, letter: Option<RenderedMessage>) -> Notification {
        let status = match letter {
            Some(_) => Status::Pending { due: self.now, failure: String::new() },
            None => Status::Suppressed,
        };
        let made = Notification {
            id: NotificationId(self.ids.next()),
            subject: self.subject.clone(),
            kind: self.kind,
            channel,
            order: self.order,
            recipient,
            locale: self.locale,
            status,
            attempts: 0,
            letter,
            until: self.until,
            created_at: self.now,
            updated_at: self.now,
        };
        if made.status.name() == StatusKind::Pending && made.until <= self.now { made.overdue(self.now) } else { made }
    }
}
