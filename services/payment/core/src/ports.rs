//! The ports of payment: the store and the providers.

use std::future::Future;

use async_trait::async_trait;
use mart_kernel::{Cursor, Money, Receipt, StoreError, Timestamp};

use crate::domain::{
    Account, AttemptId, Callback, CallbackId, Change, Checkout, OrderId, Payer, Provider, ProviderEventKind, RefundId,
    Subject,
};

/// Stores payments, callbacks, events and receipts.
///
/// Every implementation passes [`conformance`](mod@crate::conformance). Each method returns [`StoreError`] if the store fails; the
/// implementation logs the cause.
pub trait Store: Send + Sync {
    /// Decides a change of an order's payment and commits everything or nothing.
    ///
    /// The order is locked until the commit, even if it has no payment yet, so that decisions about it are sequential. `decide` is
    /// called at most once. If the receipt already exists, nothing is committed.
    fn decide<T: Send + 'static>(
        &self,
        order: OrderId,
        receipt: Option<Receipt>,
        decide: impl FnOnce(Option<Account>) -> (Change, T) + Send + 'static,
    ) -> impl Future<Output = Result<Option<T>, StoreError>> + Send;

    /// Stores a callback. Returns whether it is new; an existing one stays unchanged.
    fn insert_callback(&self, callback: &Callback) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Returns up to `limit` unprocessed callbacks that are due at `now`, oldest first.
    fn due_callbacks(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Callback>, StoreError>> + Send;

    /// Postpones a callback that cannot be processed yet, so that it does not block others.
    fn reschedule(&self, id: &CallbackId, until: Timestamp) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Returns the order and the attempt that a provider's event is about. For captured money that was not booked, it is the
    /// attempt of its callback.
    fn find_by_subject(
        &self,
        provider: Provider,
        subject: &Subject,
    ) -> impl Future<Output = Result<Option<(OrderId, AttemptId)>, StoreError>> + Send;

    /// Returns a payment.
    fn find(&self, order: OrderId) -> impl Future<Output = Result<Option<Account>, StoreError>> + Send;

    /// Returns up to `limit` payments, newest first, after the cursor.
    fn list(
        &self,
        needs_review: bool,
        after: Option<Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Account>, StoreError>> + Send;

    /// Returns up to `limit` open attempts that are due to be polled at `now`, oldest first.
    fn due_attempts(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(OrderId, AttemptId)>, StoreError>> + Send;

    /// Returns up to `limit` pending refunds that are due at `now`, oldest first.
    fn due_refunds(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(OrderId, RefundId)>, StoreError>> + Send;
}

/// A payment provider. It is never called while a payment is locked.
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    /// Returns which provider it is.
    fn provider(&self) -> Provider;

    /// Opens a checkout. Repeating it for the same attempt returns the same checkout.
    async fn open(&self, request: &CheckoutRequest) -> Result<OpenCheckout, ProviderError>;

    /// Returns whether checkouts can be polled. If not, an attempt ends when it expires, and money that is reported later is still
    /// booked.
    fn supports_polling(&self) -> bool {
        true
    }

    /// Polls a checkout and returns its events.
    async fn poll(&self, reference: &str) -> Result<Vec<ProviderEventKind>, ProviderError>;

    /// Ends a checkout, so that it cannot be paid. A paid one stays paid.
    async fn end(&self, reference: &str) -> Result<(), ProviderError>;

    /// Sends a refund. Repeating it sends no second one.
    async fn refund(&self, request: &RefundRequest) -> Result<RefundOutcome, ProviderError>;

    /// Verifies and parses a webhook.
    fn parse_webhook(&self, request: &WebhookRequest<'_>, now: Timestamp) -> Result<WebhookEvent, WebhookError>;
}

/// A checkout to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutRequest {
    /// The attempt.
    pub attempt: AttemptId,
    /// The order that is paid.
    pub order: OrderId,
    /// The payer's contact.
    pub payer: Payer,
    /// The amount.
    pub amount: Money,
    /// When the attempt was started.
    pub at: Timestamp,
    /// When the checkout has to expire.
    pub expires_at: Timestamp,
}

/// An open checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCheckout {
    /// The provider's reference.
    pub reference: String,
    /// The page where the customer pays.
    pub checkout: Checkout,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// A refund to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// The refund.
    pub refund: RefundId,
    /// The provider's reference of the attempt.
    pub attempt: String,
    /// The provider's reference of the captured money.
    pub captured: String,
    /// The amount.
    pub amount: Money,
}

/// The result of sending a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundOutcome {
    /// The money was refunded, with the provider's reference.
    Succeeded(String),
    /// The provider reports the result later.
    Pending,
    /// The provider rejected it, for this reason.
    Rejected(String),
    /// The provider has no refunds; an operator has to refund manually.
    Manual,
}

/// The errors of a request to a provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The provider is unavailable. The implementation logs the cause.
    #[error("the provider is unavailable")]
    Unavailable,
    /// The provider rejected the request, for this reason.
    #[error("the provider rejected the request: {0}")]
    Rejected(String),
}

/// A request that claims to be a provider's webhook.
pub struct WebhookRequest<'a> {
    /// Returns a header's value by its lower-case name.
    pub header: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The query, still encoded.
    pub query: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// A verified webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEvent {
    /// The provider's id of the event.
    pub id: CallbackId,
    /// The event; `None` if it is irrelevant here.
    pub event: Option<crate::domain::ProviderEvent>,
}

/// The reasons to reject a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The signature is invalid or too old.
    #[error("the signature is invalid or too old")]
    Signature,
    /// The body cannot be parsed, or is not one of the provider's messages.
    #[error("the body is not one of the provider's messages")]
    Message,
}
