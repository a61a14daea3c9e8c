//! What a scenario of notification sees and remembers. Users, orders and payments are played: what they would tell is told.

use std::sync::Arc;
use std::time::Duration;

use features::{Answer, Hosted, InProcess, Mart};
use mart_kernel::PageTokenSigner;
use mart_kernel::ids::SequentialIds;
use mart_proto::Wire;
use mart_proto::order::v1 as order;
use mart_proto::r#type::v1::Address;
use notification_core::UseCases;
use notification_core::application::MessageSenders;
use notification_core::domain::Policy;
use notification_core::memory::{MemoryCourier, MemoryStore};
use notification_service::adapters::events::NotificationEventHandlers;
use notification_service::adapters::renderer::{Shop, Templates};
use notification_service::generated::events;
use notification_service::wiring;
use serde_json::Value;
use uuid::Uuid;

/// Sweeps look often.
pub(crate) const VARIABLES: &[(&str, &str)] = &[("SEND_INTERVAL", "200ms"), ("SEND_BACKOFF", "200ms")];

/// The mart of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) mart: Mart,
    /// Of the order that is told about.
    pub(crate) order: order::Order,
    /// The version of it that was told last.
    version: i64,
    /// The payment of it.
    pub(crate) payment: String,
    /// The last answer.
    pub(crate) answer: Option<Answer>,
}

/// Notification by itself.
pub(crate) fn mart(seed: u64) -> InProcess {
    InProcess::new(seed, |api, clock| {
        let (store, ids) = (MemoryStore::default(), Arc::new(SequentialIds::default()));
        let senders =
            MessageSenders { mail: Arc::new(MemoryCourier::default()), sms: Arc::new(MemoryCourier::default()) };
        let renderer = Arc::new(Templates::new(Shop::new("mart", "http://shop.example")));
        let page_tokens = PageTokenSigner::new(b"a scenario's secret");
        let use_cases = UseCases::new(store, renderer, senders, clock, ids, page_tokens, Policy::default());
        vec![Hosted {
            name: "notification",
            routes: wiring::routes(use_cases.clone(), api),
            handlers: Some(events::handlers(NotificationEventHandlers::new(use_cases.clone()))),
            outbox: Box::new(Vec::new),
            jobs: wiring::jobs(&use_cases, Duration::MAX, 16),
        }]
    })
}

impl features::Scenario for World {
    fn mart(&mut self) -> &mut Mart {
        &mut self.mart
    }
}

/// An order of this customer.
pub(crate) fn order_of(id: &str, customer: &str, email: &str) -> order::Order {
    let address = Address { recipient: "Ayesha".to_owned(), ..Address::default() };
    let contact = order::Contact { email: email.to_owned(), ..order::Contact::default() };
    order::Order {
        order_id: id.to_owned(),
        customer_id: customer.to_owned(),
        total: Some(features::words::money("1500.00 PKR")),
        shipping_address: Some(address),
        contact: Some(contact),
        ..order::Order::default()
    }
}

impl World {
    async fn new() -> Self {
        let mart = Mart::new().await;
        let customer = mart.own("Ayesha");
        let email = format!("{}@mart.example", mart.own("ayesha"));
        let order = order_of(&Uuid::new_v4().to_string(), &customer, &email);
        Self { mart, order, version: 0, payment: Uuid::new_v4().to_string(), answer: None }
    }

    /// Tells something of the order as it is now, twice.
    pub(crate) async fn publish<M: Wire>(&mut self, message: &M) {
        self.version += 1;
        let told = features::record("mart.order.v1", &self.order.order_id, self.version, message);
        for _ in 0..2 {
            self.mart.publish(&told).await;
        }
    }

    pub(crate) async fn publish_payment<M: Wire>(&mut self, message: &M) {
        let told = features::record("mart.payment.v1", &self.order.order_id, 1, message);
        for _ in 0..2 {
            self.mart.publish(&told).await;
        }
    }

    pub(crate) async fn customer(&mut self, method: &str, path: &str, body: Option<Value>) -> Value {
        self.answer = Some(self.mart.send(Some(("customer", "Ayesha")), method, path, body, &[]).await);
        self.answer().body.clone()
    }

    pub(crate) async fn admin(&mut self, method: &str, path: &str, body: Option<Value>) -> Value {
        self.answer = Some(self.mart.send(Some(("admin", "admin")), method, path, body, &[]).await);
        self.answer().body.clone()
    }

    /// The last answer.
    pub(crate) fn answer(&self) -> &Answer {
        self.answer.as_ref().expect("something was asked")
    }

    /// What was made for a filter, the oldest first, without what it was made of.
    pub(crate) async fn listed(&mut self, filter: &str) -> Vec<Value> {
        let told = self.admin("GET", &format!("/v1/admin/notifications?{filter}"), None).await;
        let mut listed = told["notifications"].as_array().cloned().unwrap_or_default();
        listed.reverse();
        listed
    }

    /// Waits until what was made is so: sweeps have to look first.
    pub(crate) async fn until(&mut self, filter: &str, so: impl Fn(&[Value]) -> bool) {
        for _ in 0..self.mart.moments() {
            self.mart.settle().await;
            if so(&self.listed(filter).await) {
                return;
            }
            self.mart.moment().await;
        }
        panic!("it does not become so: {:?}", self.listed(filter).await);
    }
}
