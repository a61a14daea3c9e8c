//! A notification and what becomes of it.

use std::sync::Arc;

use mart_kernel::{Cursor, IdGenerator, Timestamp};
use time::Duration;
use uuid::Uuid;

use super::{Channel, Contact, Kind, Locale, OrderId, Policy, RenderedMessage};
use crate::ports::SendError;

/// A notification's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NotificationId(pub Uuid);

/// What a notification is about: of one subject a kind is told once by a channel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(pub String);

/// Where a notification is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It waits to be sent, or to be tried again.
    Pending {
        /// When.
        due: Timestamp,
        /// Why the last try failed; empty before it.
        failure: String,
    },
    /// A server took it.
    Sent {
        /// What the server calls it.
        reference: String,
    },
    /// A server refused it, or none took it in time.
    Failed {
        /// Why.
        why: String,
    },
    /// The customer does not want it.
    Suppressed,
}

/// Where a notification is, without more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusKind {
    /// It waits.
    Pending,
    /// It was sent.
    Sent,
    /// It was not, and will not be.
    Failed,
    /// It is not wanted.
    Suppressed,
}

impl StatusKind {
    /// As it is stored.
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
    /// Without more.
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
    /// Its id.
    pub id: NotificationId,
    /// What it is about.
    pub subject: Subject,
    /// What it tells.
    pub kind: Kind,
    /// How it travels.
    pub channel: Channel,
    /// The order that it is about, where it is about one.
    pub order: Option<OrderId>,
    /// The mailbox, or the phone as E.164.
    pub recipient: String,
    /// The language that it is written in.
    pub locale: Locale,
    /// Where it is.
    pub status: Status,
    /// How often it was tried.
    pub attempts: u32,
    /// What it says. It is forgotten when it was sent; one with a link when it failed, too.
    pub letter: Option<RenderedMessage>,
    /// When it is given up: when nobody wants to be told any more, or when its link is not good any more.
    pub until: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// It has not failed, or it was a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFailed;

fn after(at: Timestamp, wait: Duration) -> Timestamp {
    Timestamp::new(at.get() + wait)
}

impl Notification {
    /// Its place in a list of the newest first.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.0 }
    }

    /// What became of a try at `now`.
    #[must_use]
    pub fn tried(mut self, outcome: Result<String, SendError>, now: Timestamp, policy: &Policy) -> Self {
        self.updated_at = now;
        match outcome {
            Ok(reference) => {
                self.status = Status::Sent { reference };
                self.letter = None;
            }
            Err(SendError::Refused(why)) => self.give_up(why),
            Err(SendError::Later(why)) => {
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
        // An operator may have it sent again; but a link is nothing to keep, and who needs one asks for another.
        if self.is_link() {
            self.letter = None;
        }
    }

    fn is_link(&self) -> bool {
        matches!(self.kind, Kind::Registration | Kind::Reset)
    }

    /// It came too late to be tried at all.
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

    /// It is tried again, for as long as at first.
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

/// All that a decision has to have kept, at once. A notification whose subject, kind and channel are there already is left as
/// it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Whom to tell about an order, where that is newer than what is known.
    pub contact: Option<Contact>,
    /// What is to be sent, or is not wanted.
    pub notifications: Vec<Notification>,
}

/// What every notification about one content has in common.
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
    /// A notification that is sent, or is not wanted where there is no letter. What happened long ago, such as before this
    /// service stood, is not told any more.
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
