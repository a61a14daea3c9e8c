//! The contract's operations by the core's use cases.

use mart_chassis::http::{Call, Caller, Fault};
use mart_chassis::trace::detached;
use mart_chassis::wire::{exact, uuid};
use mart_kernel::{Money, PageSize, Unavailable};
use mart_proto::payment::v1;
use payment_core::UseCases;
use payment_core::application::{HearError, ListError, RefundError, ResolveError, StartError};
use payment_core::domain::{CustomerId, OrderId, Provider, RefundId, RefundRefused, StartRefused, TaskId};
use payment_core::ports::{NotHeard, Store, Word};

use super::messages::{attempt, payment};
use crate::generated::http::{
    GetPaymentError, HearPayfastError, HearSandboxError, HearStripeError, ListPaymentsError, PaymentService,
    RefundPaymentError, RepublishPaymentsError, ResolveTaskError, StartAttemptError,
};

/// Serves the operations over HTTP.
#[derive(Debug)]
pub(crate) struct Http<S> {
    use_cases: UseCases<S>,
}

impl<S: Store> Http<S> {
    /// Serves these use cases.
    pub(crate) fn new(use_cases: UseCases<S>) -> Self {
        Self { use_cases }
    }

    /// Takes what a provider sent.
    async fn hear(&self, provider: Provider, call: &Call) -> Result<(), HearError> {
        let sent = call.sent.as_ref().ok_or(HearError::Not(NotHeard::Signature))?;
        let header = |name: &str| sent.headers.get(name)?.to_str().ok().map(str::to_owned);
        self.use_cases.hear(provider, &Word { header: &header, query: &sent.query, body: &sent.body }).await
    }
}

/// Who calls, and whether he may see everything.
fn caller(call: &Call) -> (CustomerId, bool) {
    match &call.caller {
        Caller::Known { subject, role } => (CustomerId(subject.clone()), role == "admin"),
        Caller::Anyone => (CustomerId(String::new()), false),
    }
}

fn order(id: &str) -> Result<OrderId, Fault> {
    Ok(OrderId(uuid("orderId", id)?))
}

impl<S: Store + Clone + 'static> PaymentService for Http<S> {
    async fn start_attempt(
        &self,
        call: Call,
        request: v1::StartAttemptRequest,
    ) -> Result<v1::StartAttemptResponse, StartAttemptError> {
        let v1::StartAttemptRequest { order_id, provider } = request;
        let (order, customer, use_cases) = (order(&order_id)?, caller(&call).0, self.use_cases.clone());
        // A provider may take longer than the customer waits: what it opens is there for the next try.
        let starting = async move { use_cases.start_attempt(order, customer, &provider).await };
        let started = detached(starting).await;
        let started = started.map_err(|_| StartError::Unavailable(Unavailable::Failed))??;
        Ok(v1::StartAttemptResponse { attempt: Some(attempt(&started)) })
    }

    async fn get_payment(
        &self,
        call: Call,
        request: v1::GetPaymentRequest,
    ) -> Result<v1::GetPaymentResponse, GetPaymentError> {
        let v1::GetPaymentRequest { order_id } = request;
        let (customer, admin) = caller(&call);
        let found = self.use_cases.get_payment(order(&order_id)?).await.map_err(Fault::from)?;
        let found = found.filter(|account| admin || account.customer == customer);
        let found = found.ok_or(GetPaymentError::PaymentNotFound)?;
        Ok(v1::GetPaymentResponse { payment: Some(payment(&found, admin)) })
    }

    async fn list_payments(
        &self,
        _call: Call,
        request: v1::ListPaymentsRequest,
    ) -> Result<v1::ListPaymentsResponse, ListPaymentsError> {
        let v1::ListPaymentsRequest { needs_operator, page_size, page_token } = request;
        let page = self.use_cases.list_payments(needs_operator, PageSize::requested(page_size), &page_token).await?;
        let payments = page.items.iter().map(|account| payment(account, true)).collect();
        Ok(v1::ListPaymentsResponse { payments, next_page_token: page.next.unwrap_or_default() })
    }

    async fn refund_payment(
        &self,
        _call: Call,
        request: v1::RefundPaymentRequest,
    ) -> Result<v1::RefundPaymentResponse, RefundPaymentError> {
        let v1::RefundPaymentRequest { order_id, amount, reason, refund_id } = request;
        let amount: Option<Money> = amount.map(|amount| exact("amount", &amount)).transpose()?;
        let refund = RefundId(uuid("refundId", &refund_id)?);
        let account = self.use_cases.refund(order(&order_id)?, refund, amount, reason).await?;
        Ok(v1::RefundPaymentResponse { payment: Some(payment(&account, true)) })
    }

    async fn resolve_task(
        &self,
        _call: Call,
        request: v1::ResolveTaskRequest,
    ) -> Result<v1::ResolveTaskResponse, ResolveTaskError> {
        let v1::ResolveTaskRequest { order_id, task_id, resolution, refunded } = request;
        let task = TaskId(uuid("taskId", &task_id)?);
        let account = self.use_cases.resolve(order(&order_id)?, task, resolution, refunded).await?;
        Ok(v1::ResolveTaskResponse { payment: Some(payment(&account, true)) })
    }

    async fn republish_payments(
        &self,
        _call: Call,
        request: v1::RepublishPaymentsRequest,
    ) -> Result<v1::RepublishPaymentsResponse, RepublishPaymentsError> {
        let v1::RepublishPaymentsRequest { page_size, page_token } = request;
        let done = self.use_cases.republish_payments(PageSize::requested(page_size), &page_token).await?;
        let republished_count = i32::try_from(done.count).unwrap_or(i32::MAX);
        Ok(v1::RepublishPaymentsResponse { republished_count, next_page_token: done.next.unwrap_or_default() })
    }

    async fn hear_sandbox(
        &self,
        call: Call,
        request: v1::HearSandboxRequest,
    ) -> Result<v1::HearSandboxResponse, HearSandboxError> {
        let v1::HearSandboxRequest {} = request;
        self.hear(Provider::Sandbox, &call).await?;
        Ok(v1::HearSandboxResponse {})
    }

    async fn hear_stripe(
        &self,
        call: Call,
        request: v1::HearStripeRequest,
    ) -> Result<v1::HearStripeResponse, HearStripeError> {
        let v1::HearStripeRequest {} = request;
        self.hear(Provider::Stripe, &call).await?;
        Ok(v1::HearStripeResponse {})
    }

    async fn hear_payfast(
        &self,
        call: Call,
        request: v1::HearPayfastRequest,
    ) -> Result<v1::HearPayfastResponse, HearPayfastError> {
        let v1::HearPayfastRequest {} = request;
        self.hear(Provider::PayFast, &call).await?;
        Ok(v1::HearPayfastResponse {})
    }
}

impl From<StartError> for StartAttemptError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Refused(StartRefused::NotFound) => Self::PaymentNotFound,
            StartError::Refused(StartRefused::Over) => Self::PaymentOver,
            StartError::Refused(StartRefused::TooMany) => Self::AttemptsTooMany,
            StartError::Off => Self::ProviderOff,
            StartError::Away => Self::ProviderAway,
            StartError::Unavailable(error) => Fault::from(error).into(),
        }
    }
}

impl From<RefundError> for RefundPaymentError {
    fn from(error: RefundError) -> Self {
        match error {
            RefundError::Refused(RefundRefused::NotFound) => Self::PaymentNotFound,
            RefundError::Refused(RefundRefused::TooLarge) => Self::RefundTooLarge,
            RefundError::Unavailable(error) => Fault::from(error).into(),
        }
    }
}

impl From<ResolveError> for ResolveTaskError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::NotFound => Self::PaymentNotFound,
            ResolveError::NoTask => Self::TaskNotFound,
            ResolveError::Unavailable(error) => Fault::from(error).into(),
        }
    }
}

/// Operations that fail in the same ways, under names of their own.
macro_rules! lists {
    ($($error:ident)*) => {
        $(
            impl From<ListError> for $error {
                fn from(error: ListError) -> Self {
                    match error {
                        ListError::Token => Self::PageTokenInvalid,
                        ListError::Unavailable(error) => Fault::from(error).into(),
                    }
                }
            }
        )*
    };
}

lists!(ListPaymentsError RepublishPaymentsError);

/// What a webhook of any provider fails with.
macro_rules! webhooks {
    ($($error:ident)*) => {
        $(
            impl From<HearError> for $error {
                fn from(error: HearError) -> Self {
                    match error {
                        HearError::Off => Self::ProviderOff,
                        HearError::Not(NotHeard::Signature) => Self::SignatureInvalid,
                        HearError::Not(NotHeard::Message) => Self::CallbackInvalid,
                        HearError::Unavailable(error) => Fault::from(error).into(),
                    }
                }
            }
        )*
    };
}

webhooks!(HearSandboxError HearStripeError HearPayfastError);
