//! The state of a scenario between the services.

use std::collections::HashMap;

use features::Mart;
use serde_json::Value;

/// The mart of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) mart: Mart,
    /// The ids of products by name.
    pub(crate) products: HashMap<String, String>,
    /// The last order and its customer.
    pub(crate) order: String,
    pub(crate) customer: String,
    /// The number of the last payment.
    pub(crate) payments: u32,
}

impl features::Scenario for World {
    fn mart(&mut self) -> &mut Mart {
        &mut self.mart
    }
}

impl World {
    async fn new() -> Self {
        Self {
            mart: Mart::new().await,
            products: HashMap::new(),
            order: String::new(),
            customer: "Ayesha".to_owned(),
            payments: 0,
        }
    }

    /// Sends a request as the customer and returns the response's body.
    pub(crate) async fn customer(&mut self, method: &str, path: &str, body: Option<Value>) -> Value {
        let customer = self.customer.clone();
        self.mart.call(Some(("customer", &customer)), method, path, body, &[]).await
    }

    /// Returns the current order.
    pub(crate) async fn read(&mut self) -> Value {
        let path = format!("/v1/orders/{}", self.order);
        let answer = self.mart.send(Some(("admin", "admin")), "GET", &path, None, &[]).await;
        answer.body["order"].clone()
    }
}
