// Rendered by `cargo martgen generate` from proto/mart/payment/v1; changes are made there.

//! A valid request of every operation of the payment service, so that tests can send it as any caller.

use std::future::Future;

use mart_proto::{DynamicMessage, dynamic, payment::v1};

/// Makes valid requests for existing resources of the customer `owner`. A new operation of the contract adds a required method.
pub trait Fixtures {
    /// A request of `StartAttempt`.
    fn start_attempt(&mut self) -> impl Future<Output = v1::StartAttemptRequest>;
    /// A request of `GetPayment`.
    fn get_payment(&mut self) -> impl Future<Output = v1::GetPaymentRequest>;
    /// A request of `ListPayments`.
    fn list_payments(&mut self) -> impl Future<Output = v1::ListPaymentsRequest>;
    /// A request of `RefundPayment`.
    fn refund_payment(&mut self) -> impl Future<Output = v1::RefundPaymentRequest>;
    /// A request of `ResolveTask`.
    fn resolve_task(&mut self) -> impl Future<Output = v1::ResolveTaskRequest>;
    /// A request of `RepublishPayments`.
    fn republish_payments(&mut self) -> impl Future<Output = v1::RepublishPaymentsRequest>;
    /// A request of `ReceiveSandboxWebhook`.
    fn receive_sandbox_webhook(&mut self) -> impl Future<Output = v1::ReceiveSandboxWebhookRequest>;
    /// A request of `ReceiveStripeWebhook`.
    fn receive_stripe_webhook(&mut self) -> impl Future<Output = v1::ReceiveStripeWebhookRequest>;
    /// A request of `ReceivePayfastWebhook`.
    fn receive_payfast_webhook(&mut self) -> impl Future<Output = v1::ReceivePayfastWebhookRequest>;
}

/// Returns a request of every operation with the operation's name.
pub async fn requests(of: &mut impl Fixtures) -> Vec<(&'static str, DynamicMessage)> {
    vec![
        ("StartAttempt", dynamic(&of.start_attempt().await)),
        ("GetPayment", dynamic(&of.get_payment().await)),
        ("ListPayments", dynamic(&of.list_payments().await)),
        ("RefundPayment", dynamic(&of.refund_payment().await)),
        ("ResolveTask", dynamic(&of.resolve_task().await)),
        ("RepublishPayments", dynamic(&of.republish_payments().await)),
        ("ReceiveSandboxWebhook", dynamic(&of.receive_sandbox_webhook().await)),
        ("ReceiveStripeWebhook", dynamic(&of.receive_stripe_webhook().await)),
        ("ReceivePayfastWebhook", dynamic(&of.receive_payfast_webhook().await)),
    ]
}
