// Rendered by `cargo martgen generate` from proto/mart/payment/v1; changes are made there.

//! The operations of the payment service over HTTP.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Router, routing};
use mart_chassis::http::{Api, ApiError, AppState, Auth, Body, Operation, Problem, RequestContext};
use mart_proto::payment::v1;

/// Payments: attempts, money, refunds, and what a person has to decide.
pub(crate) trait PaymentService: Send + Sync + 'static {
    /// Starts an attempt to pay an order: answers where the customer pays. One that is open at the provider already is answered
    /// again. A payment that is not there yet is opened by the order's event, a moment after the order awaits it.
    fn start_attempt(
        &self,
        context: RequestContext,
        request: v1::StartAttemptRequest,
    ) -> impl Future<Output = Result<v1::StartAttemptResponse, StartAttemptError>> + Send;

    /// Reads a payment: a customer his own, an admin every one.
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

    /// Sends money back: all that can still go back, or a part. What is on its way counts as gone.
    fn refund_payment(
        &self,
        context: RequestContext,
        request: v1::RefundPaymentRequest,
    ) -> impl Future<Output = Result<v1::RefundPaymentResponse, RefundPaymentError>> + Send;

    /// Says what a person has done about a task. A task about a refund that is made by hand books it, where it was made.
    fn resolve_task(
        &self,
        context: RequestContext,
        request: v1::ResolveTaskRequest,
    ) -> impl Future<Output = Result<v1::ResolveTaskResponse, ResolveTaskError>> + Send;

    /// Publishes PaymentRepublished for one page of all payments, so that read models can be rebuilt. Call it again with the page
    /// token of the answer until that is empty.
    fn republish_payments(
        &self,
        context: RequestContext,
        request: v1::RepublishPaymentsRequest,
    ) -> impl Future<Output = Result<v1::RepublishPaymentsResponse, RepublishPaymentsError>> + Send;

    /// Hears from the sandbox. Signed as `Sandbox-Signature: t=<seconds since 1970>,v1=<hex>`, the HMAC-SHA256 of `<t>.<body>`.
    fn receive_sandbox_webhook(
        &self,
        context: RequestContext,
        request: v1::ReceiveSandboxWebhookRequest,
    ) -> impl Future<Output = Result<v1::ReceiveSandboxWebhookResponse, ReceiveSandboxWebhookError>> + Send;

    /// Hears from Stripe. Signed as `Stripe-Signature: t=<seconds since 1970>,v1=<hex>[,v1=…]`, the HMAC-SHA256 of `<t>.<body>`.
    fn receive_stripe_webhook(
        &self,
        context: RequestContext,
        request: v1::ReceiveStripeWebhookRequest,
    ) -> impl Future<Output = Result<v1::ReceiveStripeWebhookResponse, ReceiveStripeWebhookError>> + Send;

    /// Hears from PayFast (an instant payment notification). Signed by `validation_hash`, the SHA-256 of
    /// `basket_id|SECURED_KEY|MERCHANT_ID|err_code`, and thus not over the amount: what comes first for a basket counts.
    fn receive_payfast_webhook(
        &self,
        context: RequestContext,
        request: v1::ReceivePayfastWebhookRequest,
    ) -> impl Future<Output = Result<v1::ReceivePayfastWebhookResponse, ReceivePayfastWebhookError>> + Send;
}

/// The routes of the service.
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

/// Why `StartAttempt` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum StartAttemptError {
    /// There is no such payment, or it is another customer's.
    PaymentNotFound,
    /// It is paid, its order was cancelled, or its deadline has passed.
    PaymentNotPayable,
    /// The provider is not switched on, or takes no money of this currency.
    ProviderDisabled,
    /// The provider does not answer. Try again, or with another one.
    ProviderUnavailable,
    /// There were as many attempts as an order may have.
    TooManyPaymentAttempts,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for StartAttemptError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<StartAttemptError> for Problem {
    fn from(error: StartAttemptError) -> Self {
        match error {
            StartAttemptError::PaymentNotFound => {
                Self::new(404, "PAYMENT_NOT_FOUND", "There is no such payment, or it is another customer's.")
            }
            StartAttemptError::PaymentNotPayable => Self::new(
                409,
                "PAYMENT_NOT_PAYABLE",
                "It is paid, its order was cancelled, or its deadline has passed.",
            ),
            StartAttemptError::ProviderDisabled => Self::new(
                409,
                "PROVIDER_DISABLED",
                "The provider is not switched on, or takes no money of this currency.",
            ),
            StartAttemptError::ProviderUnavailable => {
                Self::new(503, "PROVIDER_UNAVAILABLE", "The provider does not answer. Try again, or with another one.")
            }
            StartAttemptError::TooManyPaymentAttempts => {
                Self::new(409, "TOO_MANY_PAYMENT_ATTEMPTS", "There were as many attempts as an order may have.")
            }
            StartAttemptError::ApiError(fault) => fault.into(),
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

/// Why `GetPayment` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum GetPaymentError {
    /// There is no such payment, or it is another customer's.
    PaymentNotFound,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for GetPaymentError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<GetPaymentError> for Problem {
    fn from(error: GetPaymentError) -> Self {
        match error {
            GetPaymentError::PaymentNotFound => {
                Self::new(404, "PAYMENT_NOT_FOUND", "There is no such payment, or it is another customer's.")
            }
            GetPaymentError::ApiError(fault) => fault.into(),
        }
    }
}

const LIST_PAYMENTS: Operation =
    Operation { name: "ListPayments", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn list_payments<S: PaymentService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&LIST_PAYMENTS, request, |context, request| state.service.list_payments(context, request)).await
}

/// Why `ListPayments` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ListPaymentsError {
    /// The page token is not of this list.
    InvalidPageToken,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for ListPaymentsError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<ListPaymentsError> for Problem {
    fn from(error: ListPaymentsError) -> Self {
        match error {
            ListPaymentsError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token is not of this list.")
            }
            ListPaymentsError::ApiError(fault) => fault.into(),
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

/// Why `RefundPayment` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum RefundPaymentError {
    /// There is no such payment, or it is another customer's.
    PaymentNotFound,
    /// It is more than can still go back, or of another currency.
    RefundTooLarge,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for RefundPaymentError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<RefundPaymentError> for Problem {
    fn from(error: RefundPaymentError) -> Self {
        match error {
            RefundPaymentError::PaymentNotFound => {
                Self::new(404, "PAYMENT_NOT_FOUND", "There is no such payment, or it is another customer's.")
            }
            RefundPaymentError::RefundTooLarge => {
                Self::new(409, "REFUND_TOO_LARGE", "It is more than can still go back, or of another currency.")
            }
            RefundPaymentError::ApiError(fault) => fault.into(),
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

/// Why `ResolveTask` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ResolveTaskError {
    /// There is no such payment, or it is another customer's.
    PaymentNotFound,
    /// There is no such open task.
    TaskNotFound,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for ResolveTaskError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<ResolveTaskError> for Problem {
    fn from(error: ResolveTaskError) -> Self {
        match error {
            ResolveTaskError::PaymentNotFound => {
                Self::new(404, "PAYMENT_NOT_FOUND", "There is no such payment, or it is another customer's.")
            }
            ResolveTaskError::TaskNotFound => Self::new(404, "TASK_NOT_FOUND", "There is no such open task."),
            ResolveTaskError::ApiError(fault) => fault.into(),
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

/// Why `RepublishPayments` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum RepublishPaymentsError {
    /// The page token is not of this list.
    InvalidPageToken,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for RepublishPaymentsError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<RepublishPaymentsError> for Problem {
    fn from(error: RepublishPaymentsError) -> Self {
        match error {
            RepublishPaymentsError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token is not of this list.")
            }
            RepublishPaymentsError::ApiError(fault) => fault.into(),
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

/// Why `ReceiveSandboxWebhook` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ReceiveSandboxWebhookError {
    /// It was not signed by the provider, or too long ago.
    InvalidSignature,
    /// The provider signed it, but it is none of its messages.
    InvalidWebhook,
    /// The provider is not switched on, or takes no money of this currency.
    ProviderDisabled,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for ReceiveSandboxWebhookError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<ReceiveSandboxWebhookError> for Problem {
    fn from(error: ReceiveSandboxWebhookError) -> Self {
        match error {
            ReceiveSandboxWebhookError::InvalidSignature => {
                Self::new(400, "INVALID_SIGNATURE", "It was not signed by the provider, or too long ago.")
            }
            ReceiveSandboxWebhookError::InvalidWebhook => {
                Self::new(400, "INVALID_WEBHOOK", "The provider signed it, but it is none of its messages.")
            }
            ReceiveSandboxWebhookError::ProviderDisabled => Self::new(
                409,
                "PROVIDER_DISABLED",
                "The provider is not switched on, or takes no money of this currency.",
            ),
            ReceiveSandboxWebhookError::ApiError(fault) => fault.into(),
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

/// Why `ReceiveStripeWebhook` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ReceiveStripeWebhookError {
    /// It was not signed by the provider, or too long ago.
    InvalidSignature,
    /// The provider signed it, but it is none of its messages.
    InvalidWebhook,
    /// The provider is not switched on, or takes no money of this currency.
    ProviderDisabled,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for ReceiveStripeWebhookError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<ReceiveStripeWebhookError> for Problem {
    fn from(error: ReceiveStripeWebhookError) -> Self {
        match error {
            ReceiveStripeWebhookError::InvalidSignature => {
                Self::new(400, "INVALID_SIGNATURE", "It was not signed by the provider, or too long ago.")
            }
            ReceiveStripeWebhookError::InvalidWebhook => {
                Self::new(400, "INVALID_WEBHOOK", "The provider signed it, but it is none of its messages.")
            }
            ReceiveStripeWebhookError::ProviderDisabled => Self::new(
                409,
                "PROVIDER_DISABLED",
                "The provider is not switched on, or takes no money of this currency.",
            ),
            ReceiveStripeWebhookError::ApiError(fault) => fault.into(),
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

/// Why `ReceivePayfastWebhook` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ReceivePayfastWebhookError {
    /// It was not signed by the provider, or too long ago.
    InvalidSignature,
    /// The provider signed it, but it is none of its messages.
    InvalidWebhook,
    /// The provider is not switched on, or takes no money of this currency.
    ProviderDisabled,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for ReceivePayfastWebhookError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<ReceivePayfastWebhookError> for Problem {
    fn from(error: ReceivePayfastWebhookError) -> Self {
        match error {
            ReceivePayfastWebhookError::InvalidSignature => {
                Self::new(400, "INVALID_SIGNATURE", "It was not signed by the provider, or too long ago.")
            }
            ReceivePayfastWebhookError::InvalidWebhook => {
                Self::new(400, "INVALID_WEBHOOK", "The provider signed it, but it is none of its messages.")
            }
            ReceivePayfastWebhookError::ProviderDisabled => Self::new(
                409,
                "PROVIDER_DISABLED",
                "The provider is not switched on, or takes no money of this currency.",
            ),
            ReceivePayfastWebhookError::ApiError(fault) => fault.into(),
        }
    }
}
