//! What notification needs from a store, from who writes letters and from who carries them.

use std::future::Future;

use async_trait::async_trait;
use mart_kernel::{Cursor, Receipt, StoreError, Timestamp};

use crate::domain::{
    Change, Channel, Contact, CustomerId, Kind, Locale, Notification, NotificationContent, NotificationId, OrderId,
    Preferences, RenderedMessage, StatusKind,
};

/// Keeps notifications, contacts, preferences and receipts.
///
/// Every implementation passes [`conformance`](mod@crate::conformance). Each method fails with [`Unavailable`] where the store
/// can't be reached; the implementation logs why.
pub trait Store: Send + Sync {
    /// Decides what an event tells, and keeps that with its receipt, or nothing.
    ///
    /// `decide` gets the contact of the order and the preferences of the customer that `about` names, or else of the contact's
    /// customer. It is called at most once. An older contact does not replace a newer one, and a notification whose subject,
    /// kind and channel are there already is not kept. Where the receipt is there already nothing is kept.
    fn decide(
        &self,
        about: About,
        receipt: Receipt,
        decide: impl FnOnce(Known) -> Change + Send + 'static,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Whom to tell about an order.
    fn contact(&self, order: OrderId) -> impl Future<Output = Result<Option<Contact>, StoreError>> + Send;

    /// Up to `limit` pending notifications of a channel that are due at `now`, the longest due first. Each counts one attempt more
    /// and is due again at `lease`, so that nobody else takes it meanwhile.
    fn claim(
        &self,
        channel: Channel,
        now: Timestamp,
        lease: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Notification>, StoreError>> + Send;

    /// Keeps a notification as it is now, where it is still in the status and at the attempt that were seen; whether it was.
    fn change(&self, seen: StatusKind, changed: &Notification)
    -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Finds a notification.
    fn find(&self, id: NotificationId) -> impl Future<Output = Result<Option<Notification>, StoreError>> + Send;

    /// Up to `limit` notifications, newest first, beginning after the cursor.
    fn list(
        &self,
        filter: &Filter,
        after: Option<Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Notification>, StoreError>> + Send;

    /// What a customer has said that he wants.
    fn preferences(&self, customer: &CustomerId) -> impl Future<Output = Result<Preferences, StoreError>> + Send;

    /// Keeps what a customer says that he wants.
    fn prefer(
        &self,
        customer: &CustomerId,
        kind: Kind,
        channel: Channel,
        enabled: bool,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// What a decision has to know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// The order.
    pub order: Option<OrderId>,
    /// The customer, where the event names him.
    pub customer: Option<CustomerId>,
}

/// What is known when a decision is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// Whom to tell about the order.
    pub contact: Option<Contact>,
    /// What the customer wants.
    pub preferences: Preferences,
}

/// Which notifications are listed: those that are like everything that is named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// About this order.
    pub order: Option<OrderId>,
    /// To this mailbox or phone.
    pub recipient: Option<String>,
    /// In this status.
    pub status: Option<StatusKind>,
}

/// Writes letters. Whatever is missing in the content, the letter is whole; nothing in it becomes markup, or a header.
pub trait MessageRenderer: Send + Sync {
    /// The letter about a content, as a channel carries it.
    fn write(&self, content: &NotificationContent, channel: Channel, locale: Locale) -> RenderedMessage;
}

/// Carries letters by one channel.
#[async_trait]
pub trait MessageSender: Send + Sync {
    /// Sends a letter; what the server calls it, or nothing where it does not say. A letter whose sending was cut off is sent again
    /// under the same id, which a mailbox may use to show it once.
    async fn send(&self, id: NotificationId, recipient: &str, letter: &RenderedMessage) -> Result<String, SendError>;
}

/// Why a letter was not sent, in words for an operator, without the letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// The server does not answer, or not now: it is tried again.
    Later(String),
    /// It never takes this one.
    Refused(String),
}
