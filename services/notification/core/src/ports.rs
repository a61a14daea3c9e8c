//! The ports of notification: the store, the renderer and the senders.

use std::future::Future;

use async_trait::async_trait;
use mart_kernel::{Cursor, Receipt, StoreError, Timestamp};

use crate::domain::{
    Change, Channel, Contact, CustomerId, Kind, Locale, Notification, NotificationContent, NotificationId, OrderId,
    Preferences, RenderedMessage, StatusKind,
};

/// Stores notifications, contacts, preferences and receipts.
///
/// Every implementation passes [`conformance`](mod@crate::conformance). Each method returns [`StoreError`] if the store fails; the
/// implementation logs the cause.
pub trait Store: Send + Sync {
    /// Decides the notifications of an event and commits them with its receipt, or nothing.
    ///
    /// `decide` receives the contact of the order in `keys`, and the preferences of the customer in `keys` or else of the contact's
    /// customer. It is called at most once. An older contact does not replace a newer one. A notification whose subject, kind and
    /// channel exist is ignored. If the receipt already exists, nothing is committed.
    fn decide(
        &self,
        keys: DecisionKeys,
        receipt: Receipt,
        decide: impl FnOnce(DecisionData) -> Change + Send + 'static,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Returns the contact of an order.
    fn find_contact(&self, order: OrderId) -> impl Future<Output = Result<Option<Contact>, StoreError>> + Send;

    /// Claims up to `limit` pending notifications of a channel that are due at `now`, longest due first. Each counts an attempt and
    /// is due again at `lease`, so that no other replica claims it before.
    fn claim_due(
        &self,
        channel: Channel,
        now: Timestamp,
        lease: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Notification>, StoreError>> + Send;

    /// Updates a notification if its stored status is `expected` and its stored number of attempts is that of `updated`. Returns
    /// whether it did.
    fn update(
        &self,
        expected: StatusKind,
        updated: &Notification,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Returns a notification.
    fn find(&self, id: NotificationId) -> impl Future<Output = Result<Option<Notification>, StoreError>> + Send;

    /// Returns up to `limit` notifications, newest first, after the cursor.
    fn list(
        &self,
        filter: &Filter,
        after: Option<Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Notification>, StoreError>> + Send;

    /// Returns the preferences that a customer has set.
    fn find_preferences(&self, customer: &CustomerId) -> impl Future<Output = Result<Preferences, StoreError>> + Send;

    /// Stores a preference of a customer.
    fn set_preference(
        &self,
        customer: &CustomerId,
        kind: Kind,
        channel: Channel,
        enabled: bool,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// The keys of the data that a decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DecisionKeys {
    /// The order.
    pub order: Option<OrderId>,
    /// The customer, if the event names them.
    pub customer: Option<CustomerId>,
}

/// The data that a decision receives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DecisionData {
    /// The contact of the order.
    pub contact: Option<Contact>,
    /// The customer's preferences.
    pub preferences: Preferences,
}

/// The filter of a list. The default matches all notifications.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The order.
    pub order: Option<OrderId>,
    /// The recipient.
    pub recipient: Option<String>,
    /// The status.
    pub status: Option<StatusKind>,
}

/// Renders messages. A message without the missing values is still complete; no value becomes markup or a header.
pub trait MessageRenderer: Send + Sync {
    /// Renders a content for a channel.
    fn render(&self, content: &NotificationContent, channel: Channel, locale: Locale) -> RenderedMessage;
}

/// Sends messages on one channel.
#[async_trait]
pub trait MessageSender: Send + Sync {
    /// Sends a message and returns the server's reference, empty if there is none. A message whose result was not stored is sent
    /// again with the same id, so that a mailbox can show it once.
    async fn send(&self, id: NotificationId, recipient: &str, message: &RenderedMessage) -> Result<String, SendError>;
}

/// The errors of sending a message. Their texts do not quote the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The server did not accept the message but may do so later. The message is retried.
    #[error("the message was not accepted: {0}")]
    Unavailable(String),
    /// The server rejected the message. It is not retried.
    #[error("the message was rejected: {0}")]
    Rejected(String),
}
