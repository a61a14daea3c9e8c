//! A valid request of each operation of payment, for the authorization tests.

use features::{DynamicMessage, InProcess, LocalBoxFuture, OWNER};
use mart_proto::order::v1::OrderAwaitingPayment;
use mart_proto::payment::v1::{
    GetPaymentRequest, ListPaymentsRequest, ReceivePayfastWebhookRequest, ReceiveSandboxWebhookRequest,
    ReceiveStripeWebhookRequest, RefundPaymentRequest, RepublishPaymentsRequest, ResolveTaskRequest,
    StartAttemptRequest,
};
use payment_service::generated::fixtures::{Fixtures, requests};
use serde_json::{Value, json};

use crate::world::awaiting;

/// The owner's orders: one to pay, one that is paid, and one that was paid with a wrong amount.
const ORDER: &str = "00000000-0000-7000-8000-00000000aaaa";
const PAID: &str = "00000000-0000-7000-8000-00000000bbbb";
const MISMATCHED: &str = "00000000-0000-7000-8000-00000000cccc";

/// Creates the owner's orders in the mart, and returns the requests.
pub(crate) fn fixtures(mart: &mut InProcess) -> LocalBoxFuture<'_, Vec<(&'static str, DynamicMessage)>> {
    Box::pin(async {
        for id in [ORDER, PAID, MISMATCHED] {
            let order = Some(awaiting(id, OWNER, 1_790_000_000 + 2_700));
            mart.publish(&features::record("mart.order.v1", id, 1, &OrderAwaitingPayment { order }));
        }
        mart.settle().await;
        requests(&mut Payments { mart }).await
    })
}

struct Payments<'a> {
    mart: &'a mut InProcess,
}

impl Payments<'_> {
    /// Starts an attempt to pay an order as the owner, and performs an action on the checkout's page.
    async fn act(&mut self, order: &str, action: Value) {
        let path = format!("/v1/payments/{order}/attempts");
        let response = self.mart.send(Some(("customer", OWNER)), "POST", &path, Some(json!({})), &[]).await;
        let checkout = &response.body["attempt"]["checkout"];
        self.mart.act(checkout, &serde_json::from_value(action).expect("an action")).await;
    }
}

impl Fixtures for Payments<'_> {
    async fn start_attempt(&mut self) -> StartAttemptRequest {
        StartAttemptRequest { order_id: ORDER.to_owned(), provider: String::new() }
    }

    async fn get_payment(&mut self) -> GetPaymentRequest {
        GetPaymentRequest { order_id: ORDER.to_owned() }
    }

    async fn list_payments(&mut self) -> ListPaymentsRequest {
        ListPaymentsRequest::default()
    }

    async fn resolve_task(&mut self) -> ResolveTaskRequest {
        self.act(MISMATCHED, json!({ "action": "pay", "amount": "1.00" })).await;
        let path = format!("/v1/payments/{MISMATCHED}");
        let body = self.mart.send(Some(("admin", "admin")), "GET", &path, None, &[]).await.body;
        let task_id = body["payment"]["tasks"][0]["taskId"].as_str().unwrap_or_default().to_owned();
        ResolveTaskRequest {
            order_id: MISMATCHED.to_owned(),
            task_id,
            resolution: "checked".to_owned(),
            refunded: false,
        }
    }

    async fn refund_payment(&mut self) -> RefundPaymentRequest {
        self.act(PAID, json!({ "action": "pay" })).await;
        let (order_id, refund_id) = (PAID.to_owned(), "00000000-0000-7000-8000-00000000dddd".to_owned());
        RefundPaymentRequest { order_id, amount: None, reason: "broken".to_owned(), refund_id }
    }

    async fn republish_payments(&mut self) -> RepublishPaymentsRequest {
        RepublishPaymentsRequest::default()
    }

    async fn receive_sandbox_webhook(&mut self) -> ReceiveSandboxWebhookRequest {
        ReceiveSandboxWebhookRequest {}
    }

    async fn receive_stripe_webhook(&mut self) -> ReceiveStripeWebhookRequest {
        ReceiveStripeWebhookRequest {}
    }

    async fn receive_payfast_webhook(&mut self) -> ReceivePayfastWebhookRequest {
        ReceivePayfastWebhookRequest {}
    }
}
