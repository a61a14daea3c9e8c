// Rendered by `cargo martgen generate` from proto/mart/payment/v1; changes are made there.

//! A request of every operation of the payment service that is right, so that tests can ask it as anybody.

use std::future::Future;

use mart_proto::{DynamicMessage, dynamic, payment::v1};

/// Makes requests about things that are there and belong to the customer `owner`. An operation that is new in the contract
/// is a method that is missing here.
pub trait Fixtures {
    /// For `StartAttempt`.
    fn start_attempt(&mut self) -> impl Future<Output = v1::StartAttemptRequest>;
    /// For `GetPayment`.
    fn get_payment(&mut self) -> impl Future<Output = v1::GetPaymentRequest>;
    /// For `ListPayments`.
    fn list_payments(&mut self) -> impl Future<Output = v1::ListPaymentsRequest>;
    /// For `RefundPayment`.
    fn refund_payment(&mut self) -> impl Future<Output = v1::RefundPaymentRequest>;
    /// For `ResolveTask`.
    fn resolve_task(&mut self) -> impl Future<Output = v1::ResolveTaskRequest>;
    /// For `RepublishPayments`.
    fn republish_payments(&mut self) -> impl Future<Output = v1::RepublishPaymentsRequest>;
    /// For `ReceiveSandboxWebhook`.
    fn receive_sandbox_webhook(&mut self) -> impl Future<Output = v1::ReceiveSandboxWebhookRequest>;
    /// For `ReceiveStripeWebhook`.
    fn receive_stripe_webhook(&mut self) -> impl Future<Output = v1::ReceiveStripeWebhookRequest>;
    /// For `ReceivePayfastWebhook`.
    fn receive_payfast_webhook(&mut self) -> impl Future<Output = v1::ReceivePayfastWebhookRequest>;
}

/// A request of every operation, by its name.
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
