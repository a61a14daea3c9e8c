//! The state of a scenario of notification. The scenario publishes the events of user, order and payment.

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
use notification_core::memory::{MemorySender, MemoryStore};
use notification_service::adapters::events::NotificationEventHandlers;
use notification_service::adapters::renderer::{Shop, Templates};
use notification_service::generated::events;
use notification_service::wiring;
use serde_json::Value;
use uuid::Uuid;

/// Short intervals of the background jobs, for runs on servers.
pub(crate) const VARIABLES: &[(&str, &str)] = &[("SEND_INTERVAL", "200ms"), ("SEND_BACKOFF", "200ms")];

/// The mart of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) mart: Mart,
    /// The order that the events are about.
    pub(crate) order: order::Order,
    /// The last published version of the order.
    version: i64,
    /// The id of the order's payment.
    pub(crate) payment: String,
    /// The last response.
    pub(crate) answer: Option<Answer>,
}

/// Returns the notification service alone, in this process.
pub(crate) fn mart(seed: u64) -> InProcess {
    InProcess::new(seed, |api, clock| {
        let (store, ids) = (MemoryStore::default(), Arc::new(SequentialIds::default()));
        let senders =
            MessageSenders { mail: Arc::new(MemorySender::default()), sms: Arc::new(MemorySender::default()) };
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

/// Returns an order with the contact's email address.
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

    /// Publishes an event of the order twice, with the next version.
    pub(crate) async fn publish<M: Wire>(&mut self, message: &M) {
        self.version += 1;
        let record = features::record("mart.order.v1", &self.order.order_id, self.version, message);
        for _ in 0..2 {
            self.mart.publish(&record).await;
        }
    }

    /// Publishes an event of the order's payment twice.
    pub(crate) async fn publish_payment<M: Wire>(&mut self, message: &M) {
        let record = features::record("mart.payment.v1", &self.order.order_id, 1, message);
        for _ in 0..2 {
            self.mart.publish(&record).await;
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

    /// Returns the last response.
    pub(crate) fn answer(&self) -> &Answer {
        self.answer.as_ref().expect("a request was sent")
    }

    /// Returns the notifications that match a filter, oldest first.
    pub(crate) async fn listed(&mut self, filter: &str) -> Vec<Value> {
        let body = self.admin("GET", &format!("/v1/admin/notifications?{filter}"), None).await;
        let mut listed = body["notifications"].as_array().cloned().unwrap_or_default();
        listed.reverse();
        listed
    }

    /// Waits until the notifications that match a filter satisfy a condition, because background jobs send them.
    pub(crate) async fn until(&mut self, filter: &str, satisfied: impl Fn(&[Value]) -> bool) {
        for _ in 0..self.mart.moments() {
            self.mart.settle().await;
            if satisfied(&self.listed(filter).await) {
                return;
            }
            self.mart.moment().await;
        }
        panic!("the condition was not met: {:?}", self.listed(filter).await);
    }
}
