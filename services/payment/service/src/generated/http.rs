// Rendered by `cargo martgen generate` from proto/mart/payment/v1; changes are made there.

//! The operations of the payment service over HTTP.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Router, routing};
use mart_chassis::http::{Auth, Body, Call, Edge, Fault, Operation, Problem, Served};
use mart_proto::payment::v1;

/// Payments: attempts, money, refunds, and what a person has to decide.
pub(crate) trait PaymentService: Send + Sync + 'static {
    /// Starts an attempt to pay an order: answers where the customer pays. One that is open at the provider already is answered
    /// again. A payment that is not there yet is opened by the order's event, a moment after the order awaits it.
    fn start_attempt(
        &self,
        call: Call,
        request: v1::StartAttemptRequest,
    ) -> impl Future<Output = Result<v1::StartAttemptResponse, StartAttemptError>> + Send;

    /// Reads a payment: a customer his own, an admin every one.
    fn get_payment(
        &self,
        call: Call,
        request: v1::GetPaymentRequest,
    ) -> impl Future<Output = Result<v1::GetPaymentResponse, GetPaymentError>> + Send;

    /// Lists payments, newest first.
    fn list_payments(
        &self,
        call: Call,
        request: v1::ListPaymentsRequest,
    ) -> impl Future<Output = Result<v1::ListPaymentsResponse, ListPaymentsError>> + Send;

    /// Sends money back: all that can still go back, or a part. What is on its way counts as gone.
    fn refund_payment(
        &self,
        call: Call,
        request: v1::RefundPaymentRequest,
    ) -> impl Future<Output = Result<v1::RefundPaymentResponse, RefundPaymentError>> + Send;

    /// Says what a person has done about a task. A task about a refund that is made by hand books it, where it was made.
    fn resolve_task(
        &self,
        call: Call,
        request: v1::ResolveTaskRequest,
    ) -> impl Future<Output = Result<v1::ResolveTaskResponse, ResolveTaskError>> + Send;

    /// Publishes PaymentRepublished for one page of all payments, so that read models can be rebuilt. Call it again with the page
    /// token of the answer until that is empty.
    fn republish_payments(
        &self,
        call: Call,
        request: v1::RepublishPaymentsRequest,
    ) -> impl Future<Output = Result<v1::RepublishPaymentsResponse, RepublishPaymentsError>> + Send;

    /// Hears from the sandbox. Signed as `Sandbox-Signature: t=<seconds since 1970>,v1=<hex>`, the HMAC-SHA256 of `<t>.<body>`.
    fn hear_sandbox(
        &self,
        call: Call,
        request: v1::HearSandboxRequest,
    ) -> impl Future<Output = Result<v1::HearSandboxResponse, HearSandboxError>> + Send;

    /// Hears from Stripe. Signed as `Stripe-Signature: t=<seconds since 1970>,v1=<hex>[,v1=…]`, the HMAC-SHA256 of `<t>.<body>`.
    fn hear_stripe(
        &self,
        call: Call,
        request: v1::HearStripeRequest,
    ) -> impl Future<Output = Result<v1::HearStripeResponse, HearStripeError>> + Send;

    /// Hears from PayFast (an instant payment notification). Signed by `validation_hash`, the SHA-256 of
    /// `basket_id|SECURED_KEY|MERCHANT_ID|err_code`, and thus not over the amount: what comes first for a basket counts.
    fn hear_payfast(
        &self,
        call: Call,
        request: v1::HearPayfastRequest,
    ) -> impl Future<Output = Result<v1::HearPayfastResponse, HearPayfastError>> + Send;
}

/// The routes of the service.
pub(crate) fn router<S: PaymentService>(service: Arc<S>, edge: Arc<Edge>) -> Router {
    Router::new()
        .route("/v1/payments/{order_id}/attempts", routing::post(start_attempt::<S>))
        .route("/v1/payments/{order_id}", routing::get(get_payment::<S>))
        .route("/v1/admin/payments", routing::get(list_payments::<S>))
        .route("/v1/admin/payments/{order_id}/refund", routing::post(refund_payment::<S>))
        .route("/v1/admin/payments/{order_id}/tasks/{task_id}/resolve", routing::post(resolve_task::<S>))
        .route("/v1/admin/payments/republish", routing::post(republish_payments::<S>))
        .route("/v1/payment-webhooks/sandbox", routing::post(hear_sandbox::<S>))
        .route("/v1/payment-webhooks/stripe", routing::post(hear_stripe::<S>))
        .route("/v1/payment-webhooks/payfast", routing::post(hear_payfast::<S>))
        .with_state(Served { service, edge })
}

const START_ATTEMPT: Operation =
    Operation { name: "StartAttempt", auth: Auth::Roles(&["customer"]), body: Body::Whole, creates: None, etag: None };

async fn start_attempt<S: PaymentService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&START_ATTEMPT, request, |call, request| at.service.start_attempt(call, request)).await
}

/// Why `StartAttempt` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum StartAttemptError {
    /// There is no such payment, or it is another customer's.
    PaymentNotFound,
    /// It is paid, its order was cancelled, or its deadline has passed.
    PaymentOver,
    /// The provider is not switched on, or takes no money of this currency.
    ProviderOff,
    /// The provider does not answer. Try again, or with another one.
    ProviderAway,
    /// There were as many attempts as an order may have.
    AttemptsTooMany,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for StartAttemptError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<StartAttemptError> for Problem {
    fn from(error: StartAttemptError) -> Self {
        match error {
            StartAttemptError::PaymentNotFound => {
                Self::new(404, "PAYMENT_NOT_FOUND", "There is no such payment, or it is another customer's.")
            }
            StartAttemptError::PaymentOver => {
                Self::new(409, "PAYMENT_OVER", "It is paid, its order was cancelled, or its deadline has passed.")
            }
            StartAttemptError::ProviderOff => {
                Self::new(409, "PROVIDER_OFF", "The provider is not switched on, or takes no money of this currency.")
            }
            StartAttemptError::ProviderAway => {
                Self::new(503, "PROVIDER_AWAY", "The provider does not answer. Try again, or with another one.")
            }
            StartAttemptError::AttemptsTooMany => {
                Self::new(409, "ATTEMPTS_TOO_MANY", "There were as many attempts as an order may have.")
            }
            StartAttemptError::Fault(fault) => fault.into(),
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

async fn get_payment<S: PaymentService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&GET_PAYMENT, request, |call, request| at.service.get_payment(call, request)).await
}

/// Why `GetPayment` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum GetPaymentError {
    /// There is no such payment, or it is another customer's.
    PaymentNotFound,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for GetPaymentError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<GetPaymentError> for Problem {
    fn from(error: GetPaymentError) -> Self {
        match error {
            GetPaymentError::PaymentNotFound => {
                Self::new(404, "PAYMENT_NOT_FOUND", "There is no such payment, or it is another customer's.")
            }
            GetPaymentError::Fault(fault) => fault.into(),
        }
    }
}

const LIST_PAYMENTS: Operation =
    Operation { name: "ListPayments", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn list_payments<S: PaymentService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&LIST_PAYMENTS, request, |call, request| at.service.list_payments(call, request)).await
}

/// Why `ListPayments` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ListPaymentsError {
    /// The page token is not of this list.
    PageTokenInvalid,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for ListPaymentsError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ListPaymentsError> for Problem {
    fn from(error: ListPaymentsError) -> Self {
        match error {
            ListPaymentsError::PageTokenInvalid => {
                Self::new(400, "PAGE_TOKEN_INVALID", "The page token is not of this list.")
            }
            ListPaymentsError::Fault(fault) => fault.into(),
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

async fn refund_payment<S: PaymentService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&REFUND_PAYMENT, request, |call, request| at.service.refund_payment(call, request)).await
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
    Fault(Fault),
}

impl From<Fault> for RefundPaymentError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
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
            RefundPaymentError::Fault(fault) => fault.into(),
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

async fn resolve_task<S: PaymentService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&RESOLVE_TASK, request, |call, request| at.service.resolve_task(call, request)).await
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
    Fault(Fault),
}

impl From<Fault> for ResolveTaskError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ResolveTaskError> for Problem {
    fn from(error: ResolveTaskError) -> Self {
        match error {
            ResolveTaskError::PaymentNotFound => {
                Self::new(404, "PAYMENT_NOT_FOUND", "There is no such payment, or it is another customer's.")
            }
            ResolveTaskError::TaskNotFound => Self::new(404, "TASK_NOT_FOUND", "There is no such open task."),
            ResolveTaskError::Fault(fault) => fault.into(),
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

async fn republish_payments<S: PaymentService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&REPUBLISH_PAYMENTS, request, |call, request| at.service.republish_payments(call, request)).await
}

/// Why `RepublishPayments` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum RepublishPaymentsError {
    /// The page token is not of this list.
    PageTokenInvalid,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for RepublishPaymentsError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<RepublishPaymentsError> for Problem {
    fn from(error: RepublishPaymentsError) -> Self {
        match error {
            RepublishPaymentsError::PageTokenInvalid => {
                Self::new(400, "PAGE_TOKEN_INVALID", "The page token is not of this list.")
            }
            RepublishPaymentsError::Fault(fault) => fault.into(),
        }
    }
}

const HEAR_SANDBOX: Operation =
    Operation { name: "HearSandbox", auth: Auth::Webhook, body: Body::None, creates: None, etag: None };

async fn hear_sandbox<S: PaymentService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&HEAR_SANDBOX, request, |call, request| at.service.hear_sandbox(call, request)).await
}

/// Why `HearSandbox` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum HearSandboxError {
    /// It was not signed by the provider, or too long ago.
    SignatureInvalid,
    /// The provider signed it, but it is none of its messages.
    CallbackInvalid,
    /// The provider is not switched on, or takes no money of this currency.
    ProviderOff,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for HearSandboxError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<HearSandboxError> for Problem {
    fn from(error: HearSandboxError) -> Self {
        match error {
            HearSandboxError::SignatureInvalid => {
                Self::new(400, "SIGNATURE_INVALID", "It was not signed by the provider, or too long ago.")
            }
            HearSandboxError::CallbackInvalid => {
                Self::new(400, "CALLBACK_INVALID", "The provider signed it, but it is none of its messages.")
            }
            HearSandboxError::ProviderOff => {
                Self::new(409, "PROVIDER_OFF", "The provider is not switched on, or takes no money of this currency.")
            }
            HearSandboxError::Fault(fault) => fault.into(),
        }
    }
}

const HEAR_STRIPE: Operation =
    Operation { name: "HearStripe", auth: Auth::Webhook, body: Body::None, creates: None, etag: None };

async fn hear_stripe<S: PaymentService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&HEAR_STRIPE, request, |call, request| at.service.hear_stripe(call, request)).await
}

/// Why `HearStripe` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum HearStripeError {
    /// It was not signed by the provider, or too long ago.
    SignatureInvalid,
    /// The provider signed it, but it is none of its messages.
    CallbackInvalid,
    /// The provider is not switched on, or takes no money of this currency.
    ProviderOff,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for HearStripeError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<HearStripeError> for Problem {
    fn from(error: HearStripeError) -> Self {
        match error {
            HearStripeError::SignatureInvalid => {
                Self::new(400, "SIGNATURE_INVALID", "It was not signed by the provider, or too long ago.")
            }
            HearStripeError::CallbackInvalid => {
                Self::new(400, "CALLBACK_INVALID", "The provider signed it, but it is none of its messages.")
            }
            HearStripeError::ProviderOff => {
                Self::new(409, "PROVIDER_OFF", "The provider is not switched on, or takes no money of this currency.")
            }
            HearStripeError::Fault(fault) => fault.into(),
        }
    }
}

const HEAR_PAYFAST: Operation =
    Operation { name: "HearPayfast", auth: Auth::Webhook, body: Body::None, creates: None, etag: None };

async fn hear_payfast<S: PaymentService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&HEAR_PAYFAST, request, |call, request| at.service.hear_payfast(call, request)).await
}

/// Why `HearPayfast` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum HearPayfastError {
    /// It was not signed by the provider, or too long ago.
    SignatureInvalid,
    /// The provider signed it, but it is none of its messages.
    CallbackInvalid,
    /// The provider is not switched on, or takes no money of this currency.
    ProviderOff,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for HearPayfastError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<HearPayfastError> for Problem {
    fn from(error: HearPayfastError) -> Self {
        match error {
            HearPayfastError::SignatureInvalid => {
                Self::new(400, "SIGNATURE_INVALID", "It was not signed by the provider, or too long ago.")
            }
            HearPayfastError::CallbackInvalid => {
                Self::new(400, "CALLBACK_INVALID", "The provider signed it, but it is none of its messages.")
            }
            HearPayfastError::ProviderOff => {
                Self::new(409, "PROVIDER_OFF", "The provider is not switched on, or takes no money of this currency.")
            }
            HearPayfastError::Fault(fault) => fault.into(),
        }
    }
}
