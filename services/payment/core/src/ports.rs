//! What payment needs from a store, and from those who take the money.

use std::future::Future;

use async_trait::async_trait;
use mart_kernel::{Cursor, Money, Receipt, StoreError, Timestamp};

use crate::domain::{
    Account, AttemptId, Callback, CallbackId, Change, Checkout, OrderId, Payer, Provider, ProviderEventKind, RefundId,
    Subject,
};

/// Keeps accounts, callbacks, events and receipts.
///
/// Every implementation passes [`conformance`](mod@crate::conformance). Each method fails with [`Unavailable`] where the store
/// can't be reached; the implementation logs why.
pub trait Store: Send + Sync {
    /// Decides subject an order's account and keeps what was decided, or nothing.
    ///
    /// The order is locked until the decision is kept, also where it has no account yet, so that decisions subject it follow
    /// one another. `decide` is called at most once. Where the receipt is there already nothing is kept.
    fn decide<T: Send + 'static>(
        &self,
        order: OrderId,
        receipt: Option<Receipt>,
        decide: impl FnOnce(Option<Account>) -> (Change, T) + Send + 'static,
    ) -> impl Future<Output = Result<Option<T>, StoreError>> + Send;

    /// Keeps a callback that came, and tells whether it is new; one that is known stays as it is.
    fn keep(&self, callback: &Callback) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Up to `limit` callbacks that were not heard yet and came, or were put off, until this time or before, the oldest first.
    fn pending_callbacks(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Callback>, StoreError>> + Send;

    /// Puts a callback off that can't be heard yet, so that it stands in nobody's way.
    fn reschedule(&self, id: &CallbackId, until: Timestamp) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The order and the attempt that a provider's event is subject. Of money that was told of and not booked, because it did not fit,
    /// it is the attempt that it was told of.
    fn attempt_of(
        &self,
        provider: Provider,
        subject: &Subject,
    ) -> impl Future<Output = Result<Option<(OrderId, AttemptId)>, StoreError>> + Send;

    /// Finds an account.
    fn find(&self, order: OrderId) -> impl Future<Output = Result<Option<Account>, StoreError>> + Send;

    /// Up to `limit` accounts, newest first, beginning after the cursor.
    fn list(
        &self,
        needs_review: bool,
        after: Option<Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Account>, StoreError>> + Send;

    /// Up to `limit` open attempts that a provider has to be asked subject at `now`, the oldest first.
    fn due_attempts(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(OrderId, AttemptId)>, StoreError>> + Send;

    /// Up to `limit` pending refunds that a provider has to be asked for at `now`, the oldest first.
    fn due_refunds(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(OrderId, RefundId)>, StoreError>> + Send;
}

/// Takes money. Nothing of it is asked for while an account is locked.
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    /// Which one it is.
    fn provider(&self) -> Provider;

    /// Opens a checkout for an attempt. The same attempt twice opens one.
    async fn open(&self, asked: &CheckoutRequest) -> Result<OpenCheckout, ProviderError>;

    /// Whether it can be asked what became of a checkout. Where it can't, an attempt ends with its time, and money that is told of
    /// later is booked all the same.
    fn supports_polling(&self) -> bool {
        true
    }

    /// What there is to say of an attempt now.
    async fn look(&self, reference: &str) -> Result<Vec<ProviderEventKind>, ProviderError>;

    /// Ends a checkout, so that nobody pays at it any more; one that is paid stays so.
    async fn end(&self, reference: &str) -> Result<(), ProviderError>;

    /// Sends money back. The same refund twice sends it once.
    async fn refund(&self, asked: &RefundRequest) -> Result<RefundOutcome, ProviderError>;

    /// Reads a word of the provider's, where it is genuine.
    fn parse_webhook(&self, sent: &WebhookRequest<'_>, now: Timestamp) -> Result<WebhookEvent, WebhookError>;
}

/// A checkout to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutRequest {
    /// The attempt.
    pub attempt: AttemptId,
    /// The order that is paid.
    pub order: OrderId,
    /// What is known of the customer.
    pub payer: Payer,
    /// How much.
    pub amount: Money,
    /// When the attempt was started.
    pub at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A checkout that is open at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCheckout {
    /// What the provider calls it.
    pub reference: String,
    /// Where the customer pays.
    pub checkout: Checkout,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A refund to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// The refund.
    pub refund: RefundId,
    /// What the provider calls the attempt.
    pub attempt: String,
    /// What the provider calls the money that came in.
    pub captured: String,
    /// How much goes back.
    pub amount: Money,
}

/// What a provider answers to a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundOutcome {
    /// The money went back; the provider's id of that.
    Succeeded(String),
    /// It will say so later.
    Pending,
    /// It refuses; why.
    Rejected(String),
    /// It has no refunds: a person makes them.
    Manual,
}

/// Why a provider could not be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderError {
    /// It does not answer, or not now. The implementation logs why.
    Unavailable,
    /// It refuses what was asked; why.
    Rejected(String),
}

/// Something that came over the wire and says that it is a provider's.
pub struct WebhookRequest<'a> {
    /// The value of a header, by its name in small letters.
    pub header: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The query, as it is written.
    pub query: &'a str,
    /// The body, to the byte.
    pub body: &'a [u8],
}

/// What a genuine word says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEvent {
    /// The provider's id of it.
    pub id: CallbackId,
    /// What it is subject; `None` for what is of no interest here.
    pub event: Option<crate::domain::ProviderEvent>,
}

/// Why a word is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookError {
    /// It is not genuine, or was signed too long ago.
    Signature,
    /// It is genuine, but none of the provider's messages.
    Message,
}
