//! Implements the contract's operations with the core's use cases.

use mart_chassis::convert::{exact, uuid};
use mart_chassis::http::{ApiError, Principal, RequestContext};
use mart_chassis::trace::detached;
use mart_kernel::{ListError, Money, PageSize, StoreError};
use mart_proto::payment::v1;
use payment_core::UseCases;
use payment_core::application::{ReceiveWebhookError, RefundError, ResolveError, StartError, Viewer};
use payment_core::domain::{CustomerId, OrderId, Provider, RefundId, RefundRejection, StartRejection, TaskId};
use payment_core::ports::{Store, WebhookError, WebhookRequest};

use super::proto::{attempt, payment};
use crate::generated::http::{
    GetPaymentError, ListPaymentsError, PaymentService, ReceivePayfastWebhookError, ReceiveSandboxWebhookError,
    ReceiveStripeWebhookError, RefundPaymentError, RepublishPaymentsError, ResolveTaskError, StartAttemptError,
};

/// Implements the operations.
#[derive(Debug)]
pub(crate) struct Http<S> {
    use_cases: UseCases<S>,
}

impl<S: Store> Http<S> {
    /// Creates the operations over these use cases.
    pub(crate) fn new(use_cases: UseCases<S>) -> Self {
        Self { use_cases }
    }

    /// Receives a provider's webhook from the raw request.
    async fn receive(&self, provider: Provider, context: &RequestContext) -> Result<(), ReceiveWebhookError> {
        let raw = context.raw.as_ref().ok_or(ReceiveWebhookError::Invalid(WebhookError::Signature))?;
        let header = |name: &str| raw.headers.get(name)?.to_str().ok().map(str::to_owned);
        self.use_cases
            .receive_webhook(provider, &WebhookRequest { header: &header, query: &raw.query, body: &raw.body })
            .await
    }
}

/// Returns the caller's id.
fn customer(context: &RequestContext) -> CustomerId {
    match &context.principal {
        Principal::Authenticated { subject, .. } => CustomerId(subject.clone()),
        Principal::Anonymous => CustomerId(String::new()),
    }
}

/// Returns the caller's view. Only an admin's token reads all payments.
fn viewer(context: &RequestContext) -> Viewer {
    match &context.principal {
        Principal::Authenticated { role, .. } if role == "admin" => Viewer::Admin,
        _ => Viewer::Customer(customer(context)),
    }
}

fn order(id: &str) -> Result<OrderId, ApiError> {
    Ok(OrderId(uuid("orderId", id)?))
}

impl<S: Store + Clone + 'static> PaymentService for Http<S> {
    async fn start_attempt(
        &self,
        context: RequestContext,
        request: v1::StartAttemptRequest,
    ) -> Result<v1::StartAttemptResponse, StartAttemptError> {
        let v1::StartAttemptRequest { order_id, provider } = request;
        let (order, customer, use_cases) = (order(&order_id)?, customer(&context), self.use_cases.clone());
        // The provider may respond after the client has gone. The next start returns the checkout that was opened.
        let start = async move { use_cases.start_attempt(order, customer, &provider).await };
        let started = detached(start).await.map_err(|_| StartError::Unavailable(StoreError::Internal))??;
        Ok(v1::StartAttemptResponse { attempt: Some(attempt(&started)) })
    }

    async fn get_payment(
        &self,
        context: RequestContext,
        request: v1::GetPaymentRequest,
    ) -> Result<v1::GetPaymentResponse, GetPaymentError> {
        let v1::GetPaymentRequest { order_id } = request;
        let found = self.use_cases.get_payment(order(&order_id)?, &viewer(&context)).await.map_err(ApiError::from)?;
        let found = found.ok_or(GetPaymentError::PaymentNotFound)?;
        Ok(v1::GetPaymentResponse { payment: Some(payment(&found, true)) })
    }

    async fn list_payments(
        &self,
        _context: RequestContext,
        request: v1::ListPaymentsRequest,
    ) -> Result<v1::ListPaymentsResponse, ListPaymentsError> {
        let v1::ListPaymentsRequest { needs_review, page_size, page_token } = request;
        let page = self.use_cases.list_payments(needs_review, PageSize::requested(page_size), &page_token).await?;
        let payments = page.items.iter().map(|account| payment(account, true)).collect();
        Ok(v1::ListPaymentsResponse { payments, next_page_token: page.next.unwrap_or_default() })
    }

    async fn refund_payment(
        &self,
        _context: RequestContext,
        request: v1::RefundPaymentRequest,
    ) -> Result<v1::RefundPaymentResponse, RefundPaymentError> {
        let v1::RefundPaymentRequest { order_id, amount, reason, refund_id } = request;
        let amount: Option<Money> = amount.map(|amount| exact("amount", &amount)).transpose()?;
        let refund = RefundId(uuid("refundId", &refund_id)?);
        let account = self.use_cases.refund_payment(order(&order_id)?, refund, amount, reason).await?;
        Ok(v1::RefundPaymentResponse { payment: Some(payment(&account, true)) })
    }

    async fn resolve_task(
        &self,
        _context: RequestContext,
        request: v1::ResolveTaskRequest,
    ) -> Result<v1::ResolveTaskResponse, ResolveTaskError> {
        let v1::ResolveTaskRequest { order_id, task_id, resolution, refunded } = request;
        let task = TaskId(uuid("taskId", &task_id)?);
        let account = self.use_cases.resolve_task(order(&order_id)?, task, resolution, refunded).await?;
        Ok(v1::ResolveTaskResponse { payment: Some(payment(&account, true)) })
    }

    async fn republish_payments(
        &self,
        _context: RequestContext,
        request: v1::RepublishPaymentsRequest,
    ) -> Result<v1::RepublishPaymentsResponse, RepublishPaymentsError> {
        let v1::RepublishPaymentsRequest { page_size, page_token } = request;
        let republished = self.use_cases.republish_payments(PageSize::requested(page_size), &page_token).await?;
        let republished_count = i32::try_from(republished.count).unwrap_or(i32::MAX);
        Ok(v1::RepublishPaymentsResponse { republished_count, next_page_token: republished.next.unwrap_or_default() })
    }

    async fn receive_sandbox_webhook(
        &self,
        context: RequestContext,
        request: v1::ReceiveSandboxWebhookRequest,
    ) -> Result<v1::ReceiveSandboxWebhookResponse, ReceiveSandboxWebhookError> {
        let v1::ReceiveSandboxWebhookRequest {} = request;
        self.receive(Provider::Sandbox, &context).await?;
        Ok(v1::ReceiveSandboxWebhookResponse {})
    }

    async fn receive_stripe_webhook(
        &self,
        context: RequestContext,
        request: v1::ReceiveStripeWebhookRequest,
    ) -> Result<v1::ReceiveStripeWebhookResponse, ReceiveStripeWebhookError> {
        let v1::ReceiveStripeWebhookRequest {} = request;
        self.receive(Provider::Stripe, &context).await?;
        Ok(v1::ReceiveStripeWebhookResponse {})
    }

    async fn receive_payfast_webhook(
        &self,
        context: RequestContext,
        request: v1::ReceivePayfastWebhookRequest,
    ) -> Result<v1::ReceivePayfastWebhookResponse, ReceivePayfastWebhookError> {
        let v1::ReceivePayfastWebhookRequest {} = request;
        self.receive(Provider::PayFast, &context).await?;
        Ok(v1::ReceivePayfastWebhookResponse {})
    }
}

impl From<StartError> for StartAttemptError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Rejected(StartRejection::NotFound) => Self::PaymentNotFound,
            StartError::Rejected(StartRejection::NotPayable) => Self::PaymentNotPayable,
            StartError::Rejected(StartRejection::TooMany) => Self::TooManyPaymentAttempts,
            StartError::ProviderDisabled => Self::ProviderDisabled,
            StartError::ProviderUnavailable => Self::ProviderUnavailable,
            StartError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

impl From<RefundError> for RefundPaymentError {
    fn from(error: RefundError) -> Self {
        match error {
            RefundError::Rejected(RefundRejection::NotFound) => Self::PaymentNotFound,
            RefundError::Rejected(RefundRejection::TooLarge) => Self::RefundTooLarge,
            RefundError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

impl From<ResolveError> for ResolveTaskError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::NotFound => Self::PaymentNotFound,
            ResolveError::NoTask => Self::TaskNotFound,
            ResolveError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

/// Maps the errors of a list to the errors of each operation.
macro_rules! lists {
    ($($error:ident)*) => {
        $(
            impl From<ListError> for $error {
                fn from(error: ListError) -> Self {
                    match error {
                        ListError::InvalidPageToken(_) => Self::InvalidPageToken,
                        ListError::Unavailable(error) => ApiError::from(error).into(),
                    }
                }
            }
        )*
    };
}

lists!(ListPaymentsError RepublishPaymentsError);

/// Maps the errors of a webhook to the errors of each operation.
macro_rules! webhooks {
    ($($error:ident)*) => {
        $(
            impl From<ReceiveWebhookError> for $error {
                fn from(error: ReceiveWebhookError) -> Self {
                    match error {
                        ReceiveWebhookError::ProviderDisabled => Self::ProviderDisabled,
                        ReceiveWebhookError::Invalid(WebhookError::Signature) => Self::InvalidSignature,
                        ReceiveWebhookError::Invalid(WebhookError::Message) => Self::InvalidWebhook,
                        ReceiveWebhookError::Unavailable(error) => ApiError::from(error).into(),
                    }
                }
            }
        )*
    };
}

webhooks!(ReceiveSandboxWebhookError ReceiveStripeWebhookError ReceivePayfastWebhookError);
