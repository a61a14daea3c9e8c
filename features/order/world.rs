//! What a scenario of order sees and remembers. The product, inventory and payment services are played.

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
    /// The last answer.
    pub(crate) answer: Option<Answer>,
    /// IdGenerator of products by their names.
    products: HashMap<String, String>,
    /// IdGenerator of orders by their renderer.
    pub(crate) orders: HashMap<String, String>,
    /// The ids of the orders that the last list had.
    pub(crate) listed: Vec<String>,
    /// The version of each product that was told last.
    pub(crate) versions: HashMap<String, i64>,
    /// What was told, to be told again.
    pub(crate) told: Vec<Record>,
    /// The last request that placed an order, to be repeated.
    pub(crate) placed: Value,
    /// What else the next order says.
    pub(crate) more: Value,
    /// How many payments were made up so far.
    pub(crate) payments: u32,
}

/// Order by itself.
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
            told: Vec::new(),
            placed: Value::Null,
            more: json!({}),
            payments: 0,
        }
    }

    /// The id of a product, whether one of it is meant or more; a new name is a new product.
    pub(crate) fn product(&mut self, name: &str) -> String {
        self.products.entry(words::one(name).to_owned()).or_insert_with(|| Uuid::new_v4().to_string()).clone()
    }

    /// The lines of `2 mugs, 1 teapot`.
    pub(crate) fn lines(&mut self, text: &str) -> Value {
        let line = |(quantity, name): (i32, &str)| json!({ "productId": self.product(name), "quantity": quantity });
        words::counted(text).into_iter().map(line).collect()
    }

    pub(crate) fn order(&self, name: &str) -> &str {
        self.orders.get(name).unwrap_or_else(|| panic!("no order {name} was placed"))
    }

    /// Tells a word of another service's.
    pub(crate) async fn publish<M: Wire>(&mut self, topic: &str, key: &str, version: i64, message: &M) {
        let record = features::record(topic, key, version, message);
        self.mart.publish(&record).await;
        self.told.push(record);
    }

    /// Asks as an admin, as a customer by his name, or as nobody.
    pub(crate) async fn ask(&mut self, who: &str, method: &str, path: &str, body: Option<Value>) -> Value {
        let role = if who == "admin" { "admin" } else { "customer" };
        let who = Some((role, who)).filter(|(_, who)| *who != "nobody");
        let answer = self.mart.send(who, method, path, body, &[]).await;
        let told = answer.body.clone();
        self.answer = Some(answer);
        told
    }

    /// The last answer.
    pub(crate) fn answer(&self) -> &Answer {
        self.answer.as_ref().expect("something was asked")
    }

    /// The order as it is, once all events are processed everything.
    pub(crate) async fn read(&mut self, name: &str) -> Value {
        self.mart.settle().await;
        let path = format!("/v1/orders/{}", self.order(name));
        let answer = self.mart.send(Some(("admin", "admin")), "GET", &path, None, &[]).await;
        answer.body["order"].clone()
    }
}
