//! What a scenario of the whole mart sees and remembers.

use std::collections::HashMap;

use features::{Answer, Mart, Record};
use serde_json::Value;

/// The mart of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) mart: Mart,
    /// IdGenerator of products by their names.
    pub(crate) products: HashMap<String, String>,
    /// The last order, and who placed it.
    pub(crate) order: String,
    pub(crate) customer: String,
    /// The last answer.
    pub(crate) answer: Option<Answer>,
    /// What was told last, to be told again.
    pub(crate) told: Option<Record>,
    /// How many payments were made up so far.
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
            answer: None,
            told: None,
            payments: 0,
        }
    }

    pub(crate) async fn admin(&mut self, method: &str, path: &str, body: Option<Value>) -> Value {
        let answer = self.mart.send(Some(("admin", "admin")), method, path, body, &[]).await;
        let told = answer.body.clone();
        self.answer = Some(answer);
        told
    }

    pub(crate) async fn customer(&mut self, method: &str, path: &str, body: Option<Value>) -> Value {
        let customer = self.customer.clone();
        let answer = self.mart.send(Some(("customer", &customer)), method, path, body, &[]).await;
        let told = answer.body.clone();
        self.answer = Some(answer);
        told
    }

    /// The last answer.
    pub(crate) fn answer(&self) -> &Answer {
        self.answer.as_ref().expect("something was asked")
    }

    /// The order as it is now.
    pub(crate) async fn read(&mut self) -> Value {
        let path = format!("/v1/orders/{}", self.order);
        let answer = self.mart.send(Some(("admin", "admin")), "GET", &path, None, &[]).await;
        answer.body["order"].clone()
    }
}
