//! The state of a scenario of inventory. The scenario publishes the events of product and order.

use std::collections::HashMap;

use features::{InProcess, Mart, words};
use mart_proto::Wire;
use mart_proto::order::v1::{Order, OrderLine};
use serde_json::Value;
use uuid::Uuid;

use crate::hosted::hosted;

/// The mart of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) mart: Mart,
    /// The ids of products by name.
    products: HashMap<String, String>,
    /// The orders by letter.
    orders: HashMap<String, Order>,
    /// The last published version of each product and order, by id.
    versions: HashMap<String, i64>,
}

/// Creates a mart of the inventory service only.
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
        let (products, orders, versions) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { mart: Mart::new().await, products, orders, versions }
    }

    /// Returns the id of a product by its name in singular or plural. A new name is a new product.
    pub(crate) fn product(&mut self, name: &str) -> String {
        self.products.entry(words::one(name).to_owned()).or_insert_with(|| Uuid::new_v4().to_string()).clone()
    }

    /// Returns an order. With lines such as `2 mugs, 1 teapot`, it is a new one.
    pub(crate) fn order(&mut self, name: &str, lines: Option<&str>) -> Order {
        if let Some(lines) = lines {
            let line = |(quantity, name): (i32, &str)| OrderLine {
                product_id: self.product(name),
                quantity,
                ..OrderLine::default()
            };
            let lines = words::counted(lines).into_iter().map(line).collect();
            let order_id = Uuid::new_v4().to_string();
            self.orders.insert(name.to_owned(), Order { order_id, lines, ..Order::default() });
        }
        self.orders.get(name).cloned().unwrap_or_else(|| panic!("no order {name} was placed"))
    }

    /// Replaces an order.
    pub(crate) fn replace(&mut self, name: &str, order: Order) {
        self.orders.insert(name.to_owned(), order);
    }

    /// Publishes another service's event of a product or an order, with its next version.
    pub(crate) async fn publish<M: Wire>(&mut self, topic: &str, key: &str, message: &M) {
        let version = self.versions.entry(key.to_owned()).or_default();
        *version += 1;
        let record = features::record(topic, key, *version, message);
        self.mart.publish(&record).await;
    }

    /// Returns the stock item of a product after all events are processed.
    pub(crate) async fn stock(&mut self, name: &str) -> Value {
        self.mart.settle().await;
        let path = format!("/v1/admin/stock-items/{}", self.product(name));
        self.mart.admin("GET", &path, None).await["stockItem"].clone()
    }

    /// Returns the names of a key's events, oldest first.
    pub(crate) async fn kinds(&mut self, topic: &str, key: &str) -> Vec<String> {
        words::published(&self.mart.history().await, topic, key)
    }
}
