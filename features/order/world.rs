//! The state of a scenario of order. The scenario publishes the events of product, inventory and payment.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use features::{Answer, Hosted, InProcess, Mart, Record, words};
use mart_kernel::PageTokenSigner;
use mart_kernel::ids::SequentialIds;
use mart_proto::Wire;
use order_core::UseCases;
use order_core::application::PAYMENT_WINDOW;
use order_core::memory::MemoryStore;
use order_service::adapters::events::{OrderEventHandlers, OrderMessages};
use order_service::generated::events;
use order_service::wiring;
use serde_json::{Value, json};
use uuid::Uuid;

/// The mart of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) mart: Mart,
    /// The last response.
    pub(crate) answer: Option<Answer>,
    /// The ids of products by name.
    products: HashMap<String, String>,
    /// The ids of orders by letter.
    pub(crate) orders: HashMap<String, String>,
    /// The ids of the orders in the last list.
    pub(crate) listed: Vec<String>,
    /// The last published version of each product, by name.
    pub(crate) versions: HashMap<String, i64>,
    /// The published records, so that they can be published again.
    pub(crate) published: Vec<Record>,
    /// The body of the last request that placed an order, so that it can be repeated.
    pub(crate) placed: Value,
    /// Members that replace those of the next order.
    pub(crate) overrides: Value,
    /// The number of payments so far.
    pub(crate) payments: u32,
}

/// Returns the order service alone, in this process.
pub(crate) fn mart(seed: u64) -> InProcess {
    InProcess::new(seed, |api, clock| {
        let store = MemoryStore::traced(|| mart_chassis::trace::current().trace_id());
        let ids = Arc::new(SequentialIds::default());
        let page_tokens = PageTokenSigner::new(b"a scenario's secret");
        let use_cases = UseCases::new(store.clone(), clock, ids, page_tokens, PAYMENT_WINDOW);
        vec![Hosted {
            name: "order",
            routes: wiring::routes(use_cases.clone(), api),
            handlers: Some(events::handlers(OrderEventHandlers::new(use_cases.clone()))),
            outbox: Box::new(move || store.events().iter().map(events::record::<OrderMessages>).collect()),
            jobs: vec![wiring::expiry(use_cases, Duration::MAX)],
        }]
    })
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
            answer: None,
            products: HashMap::new(),
            orders: HashMap::new(),
            listed: Vec::new(),
            versions: HashMap::new(),
            published: Vec::new(),
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
        self.published.push(record);
    }

    /// Sends a request as the admin, as a customer by name, or as a visitor without a token.
    pub(crate) async fn send(&mut self, who: &str, method: &str, path: &str, body: Option<Value>) -> Value {
        let role = if who == "admin" { "admin" } else { "customer" };
        let who = Some((role, who)).filter(|(_, who)| *who != "visitor");
        let answer = self.mart.send(who, method, path, body, &[]).await;
        let body = answer.body.clone();
        self.answer = Some(answer);
        body
    }

    /// Returns the last response.
    pub(crate) fn answer(&self) -> &Answer {
        self.answer.as_ref().expect("a request was sent")
    }

    /// Returns the order after all events are processed.
    pub(crate) async fn read(&mut self, name: &str) -> Value {
        self.mart.settle().await;
        let path = format!("/v1/orders/{}", self.order(name));
        let answer = self.mart.send(Some(("admin", "admin")), "GET", &path, None, &[]).await;
        answer.body["order"].clone()
    }
}
