//! The state of a scenario of order. The scenario publishes the events of product, inventory and payment.

use std::collections::HashMap;

use features::{InProcess, Mart, words};
use mart_proto::Wire;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::hosted::hosted;

/// The mart of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) mart: Mart,
    /// The ids of products by name.
    products: HashMap<String, String>,
    /// The ids of orders by letter.
    pub(crate) orders: HashMap<String, String>,
    /// The ids of the orders in the last list.
    pub(crate) listed: Vec<String>,
    /// The last published version of each product, by name.
    pub(crate) versions: HashMap<String, i64>,
    /// The body of the last request that placed an order, so that it can be repeated.
    pub(crate) placed: Value,
    /// Members that replace those of the next order.
    pub(crate) overrides: Value,
    /// The number of payments so far.
    pub(crate) payments: u32,
}

/// Creates a mart of the order service only.
pub(crate) fn mart(seed: u64) -> InProcess {
    InProcess::new(seed, |adapters| vec![hosted(adapters)])
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
            orders: HashMap::new(),
            listed: Vec::new(),
            versions: HashMap::new(),
            placed: Value::Null,
            overrides: json!({}),
            payments: 0,
        }
    }

    /// Returns the id of a product by its name in singular or plural. A new name is a new product.
    pub(crate) fn product(&mut self, name: &str) -> String {
        self.products.entry(words::one(name).to_owned()).or_insert_with(|| Uuid::new_v4().to_string()).clone()
    }

    /// Parses lines such as `2 mugs, 1 teapot`.
    pub(crate) fn lines(&mut self, text: &str) -> Value {
        let line = |(quantity, name): (i32, &str)| json!({ "productId": self.product(name), "quantity": quantity });
        words::counted(text).into_iter().map(line).collect()
    }

    pub(crate) fn order(&self, name: &str) -> &str {
        self.orders.get(name).unwrap_or_else(|| panic!("no order {name} was placed"))
    }

    /// Publishes an event of another service.
    pub(crate) async fn publish<M: Wire>(&mut self, topic: &str, key: &str, version: i64, message: &M) {
        let record = features::record(topic, key, version, message);
        self.mart.publish(&record).await;
    }

    /// Sends a request as the admin, as a customer by name, or as a visitor without a token.
    pub(crate) async fn send(&mut self, who: &str, method: &str, path: &str, body: Option<Value>) -> Value {
        let role = if who == "admin" { "admin" } else { "customer" };
        let who = Some((role, who)).filter(|(_, who)| *who != "visitor");
        self.mart.call(who, method, path, body, &[]).await
    }

    /// Returns the order after all events are processed.
    pub(crate) async fn read(&mut self, name: &str) -> Value {
        self.mart.settle().await;
        let path = format!("/v1/orders/{}", self.order(name));
        let answer = self.mart.send(Some(("admin", "admin")), "GET", &path, None, &[]).await;
        answer.body["order"].clone()
    }
}
