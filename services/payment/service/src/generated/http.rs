// Rendered by `cargo martgen generate` from proto/mart/payment/v1; changes are made there.

//! The operations of the payment service over HTTP.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Router, routing};
use mart_chassis::http::{Api, ApiError, AppState, Auth, Body, Operation, Problem, RequestContext};
use mart_proto::payment::v1;

/// Payments: attempts, transactions, refunds and the tasks of operators.
pub(crate) trait PaymentService: Send + Sync + 'static {
    /// Starts an attempt to pay an order, and returns the page where the customer pays. If an attempt is open at the
    /// same provider, it is returned. The payment of an order exists a moment after the order starts to await payment,
    /// once its event has arrived.
    fn start_attempt(
        &self,
        context: RequestContext,
        request: v1::StartAttemptRequest,
    ) -> impl Future<Output = Result<v1::StartAttemptResponse, StartAttemptError>> + Send;

    /// Returns a payment: customers their own, admins any.
    fn get_payment(
        &self,
        context: RequestContext,
        request: v1::GetPaymentRequest,
    ) -> impl Future<Output = Result<v1::GetPaymentResponse, GetPaymentError>> + Send;

    /// Lists payments, newest first.
    fn list_payments(
        &self,
        context: RequestContext,
        request: v1::ListPaymentsRequest,
    ) -> impl Future<Output = Result<v1::ListPaymentsResponse, ListPaymentsError>> + Send;

    /// Refunds a payment in full or in part. Pending refunds count as refunded.
    fn refund_payment(
        &self,
        context: RequestContext,
        request: v1::RefundPaymentRequest,
    ) -> impl Future<Output = Result<v1::RefundPaymentResponse, RefundPaymentError>> + Send;

    /// Records the resolution of a task. If the task concerns a refund that was made by hand, the refund is booked.
    fn resolve_task(
        &self,
        context: RequestContext,
        request: v1::ResolveTaskRequest,
    ) -> impl Future<Output = Result<v1::ResolveTaskResponse, ResolveTaskError>> + Send;

    /// Publishes PaymentRepublished for one page of all payments, so that read models can be rebuilt. Call it again with
    /// the returned page token until that is empty.
    fn republish_payments(
        &self,
        context: RequestContext,
        request: v1::RepublishPaymentsRequest,
    ) -> impl Future<Output = Result<v1::RepublishPaymentsResponse, RepublishPaymentsError>> + Send;

    /// Receives a webhook of the sandbox. Signed as `Sandbox-Signature: t=<seconds since 1970>,v1=<hex>`, the
    /// HMAC-SHA256 of `<t>.<body>`.
    fn receive_sandbox_webhook(
        &self,
        context: RequestContext,
        request: v1::ReceiveSandboxWebhookRequest,
    ) -> impl Future<Output = Result<v1::ReceiveSandboxWebhookResponse, ReceiveSandboxWebhookError>> + Send;

    /// Receives a webhook of Stripe. Signed as `Stripe-Signature: t=<seconds since 1970>,v1=<hex>[,v1=…]`, the
    /// HMAC-SHA256 of `<t>.<body>`.
    fn receive_stripe_webhook(
        &self,
        context: RequestContext,
        request: v1::ReceiveStripeWebhookRequest,
    ) -> impl Future<Output = Result<v1::ReceiveStripeWebhookResponse, ReceiveStripeWebhookError>> + Send;

    /// Receives an instant payment notification of PayFast. Signed by `validation_hash`, the SHA-256 of
    /// `basket_id|SECURED_KEY|MERCHANT_ID|err_code`. The hash does not cover the amount, so only the first notification
    /// of a basket counts.
    fn receive_payfast_webhook(
        &self,
        context: RequestContext,
        request: v1::ReceivePayfastWebhookRequest,
    ) -> impl Future<Output = Result<v1::ReceivePayfastWebhookResponse, ReceivePayfastWebhookError>> + Send;
}

/// Returns the routes of the service.
pub(crate) fn router<S: PaymentService>(service: Arc<S>, api: Arc<Api>) -> Router {
    Router::new()
        .route("/v1/payments/{order_id}/attempts", routing::post(start_attempt::<S>))
        .route("/v1/payments/{order_id}", routing::get(get_payment::<S>))
        .route("/v1/admin/payments", routing::get(list_payments::<S>))
        .route("/v1/admin/payments/{order_id}/refund", routing::post(refund_payment::<S>))
        .route("/v1/admin/payments/{order_id}/tasks/{task_id}/resolve", routing::post(resolve_task::<S>))
        .route("/v1/admin/payments/republish", routing::post(republish_payments::<S>))
        .route("/v1/payment-webhooks/sandbox", routing::post(receive_sandbox_webhook::<S>))
        .route("/v1/payment-webhooks/stripe", routing::post(receive_stripe_webhook::<S>))
        .route("/v1/payment-webhooks/payfast", routing::post(receive_payfast_webhook::<S>))
        .with_state(AppState { service, api })
}

const START_ATTEMPT: Operation =
    Operation { name: "StartAttempt", auth: Auth::Roles(&["customer"]), body: Body::Whole, creates: None, etag: None };

async fn start_attempt<S: PaymentService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&START_ATTEMPT, request, |context, request| state.service.start_attempt(context, request)).await
}

/// The errors of `StartAttempt`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum StartAttemptError {
    /// There is no such payment, or it belongs to another customer.
    PaymentNotFound,
    /// The payment is paid, its order was cancelled, or its deadline has passed.
    PaymentNotPayable,
    /// The provider is disabled, or does not accept this currency.
    ProviderDisabled,
    /// The provider does not respond. Retry, or choose another provider.
    ProviderUnavailable,
    /// The order has reached its number of attempts.
    TooManyPaymentAttempts,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for StartAttemptError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<StartAttemptError> for Problem {
    fn from(error: StartAttemptError) -> Self {
        match error {
            StartAttemptError::PaymentNotFound => {
                Self::new(404, "PAYMENT_NOT_FOUND", "There is no such payment, or it belongs to another customer.")
            }
            StartAttemptError::PaymentNotPayable => Self::new(
                409,
                "PAYMENT_NOT_PAYABLE",
                "The payment is paid, its order was cancelled, or its deadline has passed.",
            ),
            StartAttemptError::ProviderDisabled => {
                Self::new(409, "PROVIDER_DISABLED", "The provider is disabled, or does not accept this currency.")
            }
            StartAttemptError::ProviderUnavailable => Self::new(
                503,
                "PROVIDER_UNAVAILABLE",
                "The provider does not respond. Retry, or choose another provider.",
            ),
            StartAttemptError::TooManyPaymentAttempts => {
                Self::new(409, "TOO_MANY_PAYMENT_ATTEMPTS", "The order has reached its number of attempts.")
            }
            StartAttemptError::ApiError(error) => error.into(),
        }
    }
}

const GET_PAYMENT: Operation = Operation {
    name: "GetPayment",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::None,
    creates: None,
    etag: Some("payment.etag"),
};

async fn get_payment<S: PaymentService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&GET_PAYMENT, request, |context, request| state.service.get_payment(context, request)).await
}

/// The errors of `GetPayment`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum GetPaymentError {
    /// There is no such payment, or it belongs to another customer.
    PaymentNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for GetPaymentError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<GetPaymentError> for Problem {
    fn from(error: GetPaymentError) -> Self {
        match error {
            GetPaymentError::PaymentNotFound => {
                Self::new(404, "PAYMENT_NOT_FOUND", "There is no such payment, or it belongs to another customer.")
            }
            GetPaymentError::ApiError(error) => error.into(),
        }
    }
}

const LIST_PAYMENTS: Operation =
    Operation { name: "ListPayments", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn list_payments<S: PaymentService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&LIST_PAYMENTS, request, |context, request| state.service.list_payments(context, request)).await
}

/// The errors of `ListPayments`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ListPaymentsError {
    /// The page token was not issued by this list.
    InvalidPageToken,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ListPaymentsError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ListPaymentsError> for Problem {
    fn from(error: ListPaymentsError) -> Self {
        match error {
            ListPaymentsError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token was not issued by this list.")
            }
            ListPaymentsError::ApiError(error) => error.into(),
        }
    }
}

const REFUND_PAYMENT: Operation = Operation {
    name: "RefundPayment",
    auth: Auth::Roles(&["admin"]),
    body: Body::Whole,
    creates: None,
    etag: Some("payment.etag"),
};

async fn refund_payment<S: PaymentService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&REFUND_PAYMENT, request, |context, request| state.service.refund_payment(context, request)).await
}

/// The errors of `RefundPayment`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum RefundPaymentError {
    /// There is no such payment, or it belongs to another customer.
    PaymentNotFound,
    /// The amount exceeds what can be refunded, or has another currency.
    RefundTooLarge,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for RefundPaymentError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<RefundPaymentError> for Problem {
    fn from(error: RefundPaymentError) -> Self {
        match error {
            RefundPaymentError::PaymentNotFound => {
                Self::new(404, "PAYMENT_NOT_FOUND", "There is no such payment, or it belongs to another customer.")
            }
            RefundPaymentError::RefundTooLarge => {
                Self::new(409, "REFUND_TOO_LARGE", "The amount exceeds what can be refunded, or has another currency.")
            }
            RefundPaymentError::ApiError(error) => error.into(),
        }
    }
}

const RESOLVE_TASK: Operation = Operation {
    name: "ResolveTask",
    auth: Auth::Roles(&["admin"]),
    body: Body::Whole,
    creates: None,
    etag: Some("payment.etag"),
};

async fn resolve_task<S: PaymentService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&RESOLVE_TASK, request, |context, request| state.service.resolve_task(context, request)).await
}

/// The errors of `ResolveTask`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ResolveTaskError {
    /// There is no such payment, or it belongs to another customer.
    PaymentNotFound,
    /// There is no such open task.
    TaskNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ResolveTaskError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ResolveTaskError> for Problem {
    fn from(error: ResolveTaskError) -> Self {
        match error {
            ResolveTaskError::PaymentNotFound => {
                Self::new(404, "PAYMENT_NOT_FOUND", "There is no such payment, or it belongs to another customer.")
            }
            ResolveTaskError::TaskNotFound => Self::new(404, "TASK_NOT_FOUND", "There is no such open task."),
            ResolveTaskError::ApiError(error) => error.into(),
        }
    }
}

const REPUBLISH_PAYMENTS: Operation = Operation {
    name: "RepublishPayments",
    auth: Auth::Roles(&["admin"]),
    body: Body::Whole,
    creates: None,
    etag: None,
};

async fn republish_payments<S: PaymentService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&REPUBLISH_PAYMENTS, request, |context, request| state.service.republish_payments(context, request))
        .await
}

/// The errors of `RepublishPayments`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum RepublishPaymentsError {
    /// The page token was not issued by this list.
    InvalidPageToken,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for RepublishPaymentsError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<RepublishPaymentsError> for Problem {
    fn from(error: RepublishPaymentsError) -> Self {
        match error {
            RepublishPaymentsError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token was not issued by this list.")
            }
            RepublishPaymentsError::ApiError(error) => error.into(),
        }
    }
}

const RECEIVE_SANDBOX_WEBHOOK: Operation =
    Operation { name: "ReceiveSandboxWebhook", auth: Auth::Webhook, body: Body::None, creates: None, etag: None };

async fn receive_sandbox_webhook<S: PaymentService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&RECEIVE_SANDBOX_WEBHOOK, request, |context, request| {
            state.service.receive_sandbox_webhook(context, request)
        })
        .await
}

/// The errors of `ReceiveSandboxWebhook`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ReceiveSandboxWebhookError {
    /// The request is not signed by the provider, or its signature is too old.
    InvalidSignature,
    /// The provider signed the request, but its content is not a known notification.
    InvalidWebhook,
    /// The provider is disabled, or does not accept this currency.
    ProviderDisabled,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ReceiveSandboxWebhookError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ReceiveSandboxWebhookError> for Problem {
    fn from(error: ReceiveSandboxWebhookError) -> Self {
        match error {
            ReceiveSandboxWebhookError::InvalidSignature => Self::new(
                400,
                "INVALID_SIGNATURE",
                "The request is not signed by the provider, or its signature is too old.",
            ),
            ReceiveSandboxWebhookError::InvalidWebhook => Self::new(
                400,
                "INVALID_WEBHOOK",
                "The provider signed the request, but its content is not a known notification.",
            ),
            ReceiveSandboxWebhookError::ProviderDisabled => {
                Self::new(409, "PROVIDER_DISABLED", "The provider is disabled, or does not accept this currency.")
            }
            ReceiveSandboxWebhookError::ApiError(error) => error.into(),
        }
    }
}

const RECEIVE_STRIPE_WEBHOOK: Operation =
    Operation { name: "ReceiveStripeWebhook", auth: Auth::Webhook, body: Body::None, creates: None, etag: None };

async fn receive_stripe_webhook<S: PaymentService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&RECEIVE_STRIPE_WEBHOOK, request, |context, request| {
            state.service.receive_stripe_webhook(context, request)
        })
        .await
}

/// The errors of `ReceiveStripeWebhook`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ReceiveStripeWebhookError {
    /// The request is not signed by the provider, or its signature is too old.
    InvalidSignature,
    /// The provider signed the request, but its content is not a known notification.
    InvalidWebhook,
    /// The provider is disabled, or does not accept this currency.
    ProviderDisabled,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ReceiveStripeWebhookError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ReceiveStripeWebhookError> for Problem {
    fn from(error: ReceiveStripeWebhookError) -> Self {
        match error {
            ReceiveStripeWebhookError::InvalidSignature => Self::new(
                400,
                "INVALID_SIGNATURE",
                "The request is not signed by the provider, or its signature is too old.",
            ),
            ReceiveStripeWebhookError::InvalidWebhook => Self::new(
                400,
                "INVALID_WEBHOOK",
                "The provider signed the request, but its content is not a known notification.",
            ),
            ReceiveStripeWebhookError::ProviderDisabled => {
                Self::new(409, "PROVIDER_DISABLED", "The provider is disabled, or does not accept this currency.")
            }
            ReceiveStripeWebhookError::ApiError(error) => error.into(),
        }
    }
}

const RECEIVE_PAYFAST_WEBHOOK: Operation =
    Operation { name: "ReceivePayfastWebhook", auth: Auth::Webhook, body: Body::None, creates: None, etag: None };

async fn receive_payfast_webhook<S: PaymentService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&RECEIVE_PAYFAST_WEBHOOK, request, |context, request| {
            state.service.receive_payfast_webhook(context, request)
        })
        .await
}

/// The errors of `ReceivePayfastWebhook`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ReceivePayfastWebhookError {
    /// The request is not signed by the provider, or its signature is too old.
    InvalidSignature,
    /// The provider signed the request, but its content is not a known notification.
    InvalidWebhook,
    /// The provider is disabled, or does not accept this currency.
    ProviderDisabled,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ReceivePayfastWebhookError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ReceivePayfastWebhookError> for Problem {
    fn from(error: ReceivePayfastWebhookError) -> Self {
        match error {
            ReceivePayfastWebhookError::InvalidSignature => Self::new(
                400,
                "INVALID_SIGNATURE",
                "The request is not signed by the provider, or its signature is too old.",
            ),
            ReceivePayfastWebhookError::InvalidWebhook => Self::new(
                400,
                "INVALID_WEBHOOK",
                "The provider signed the request, but its content is not a known notification.",
            ),
            ReceivePayfastWebhookError::ProviderDisabled => {
                Self::new(409, "PROVIDER_DISABLED", "The provider is disabled, or does not accept this currency.")
            }
            ReceivePayfastWebhookError::ApiError(error) => error.into(),
        }
    }
}
