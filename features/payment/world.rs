//! The state of a scenario of payment. The scenarios publish the events of the order service.

use features::{InProcess, Mart};
use mart_proto::order::v1 as order;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::hosted::{self, hosted};

/// Short intervals of the background jobs.
pub(crate) const VARIABLES: &[(&str, &str)] = &[
    ("ATTEMPT_POLL_INTERVAL", "200ms"),
    ("REFUND_INTERVAL", "200ms"),
    ("CALLBACK_INTERVAL", "200ms"),
    ("REFUND_RETRY_DELAY", "400ms"),
];

/// The mart of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) mart: Mart,
    /// The order to pay.
    pub(crate) order: String,
    /// The order's customer.
    pub(crate) customer: String,
    /// The checkouts, oldest first.
    pub(crate) checkouts: Vec<Value>,
}

/// Creates a mart of payment only, with the sandbox.
pub(crate) fn mart(seed: u64) -> InProcess {
    let sandbox = features::Sandbox::default();
    let shared = sandbox.clone();
    let mart = InProcess::new(seed, |adapters| {
        let providers = vec![hosted::sandbox(shared, &adapters)];
        vec![hosted(adapters, providers)]
    });
    mart.with_sandbox(sandbox)
}

impl features::Scenario for World {
    fn mart(&mut self) -> &mut Mart {
        &mut self.mart
    }
}

/// Returns an order of a customer that awaits 1500 rupees. The deadline is in seconds since 1970.
pub(crate) fn awaiting(order: &str, customer: &str, deadline: i64) -> order::Order {
    order::Order {
        order_id: order.to_owned(),
        customer_id: customer.to_owned(),
        total: Some(features::words::money("1500.00 PKR")),
        payment_deadline: Some(prost_types::Timestamp { seconds: deadline, nanos: 0 }),
        ..order::Order::default()
    }
}

impl World {
    async fn new() -> Self {
        let mart = Mart::new().await;
        let (order, customer) = (Uuid::new_v4().to_string(), mart.own("Ayesha"));
        Self { mart, order, customer, checkouts: Vec::new() }
    }

    /// Returns the order as its service publishes it.
    pub(crate) fn order_message(&self) -> order::Order {
        awaiting(&self.order, &self.customer, self.mart.seconds() + 45 * 60)
    }

    pub(crate) async fn customer(&mut self, method: &str, path: &str, body: Option<Value>) -> Value {
        self.mart.customer("Ayesha", method, path, body).await
    }

    /// Returns the payment as an admin sees it.
    pub(crate) async fn read(&mut self) -> Value {
        let path = format!("/v1/payments/{}", self.order);
        self.mart.send(Some(("admin", "admin")), "GET", &path, None, &[]).await.body["payment"].clone()
    }

    /// Waits until the payment meets a condition. The background jobs may have to run first.
    pub(crate) async fn until(&mut self, condition: impl Fn(&Value) -> bool) {
        for _ in 0..self.mart.moments() {
            let payment = self.read().await;
            if condition(&payment) {
                return;
            }
            self.mart.moment().await;
        }
        panic!("the payment did not meet the condition: {}", self.read().await);
    }

    pub(crate) async fn start(&mut self, provider: &str) {
        let path = format!("/v1/payments/{}/attempts", self.order);
        let body = self.customer("POST", &path, Some(json!({ "provider": provider }))).await;
        if body["attempt"]["checkout"].is_object() {
            self.checkouts.push(body["attempt"]["checkout"].clone());
        }
    }
}
