//! The state of a scenario of notification. The scenario publishes the events of user, order and payment.

use features::{InProcess, Mart};
use mart_proto::Wire;
use mart_proto::order::v1 as order;
use mart_proto::r#type::v1::Address;
use serde_json::Value;
use uuid::Uuid;

use crate::hosted::hosted;

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
}

/// Creates a mart of the notification service only.
pub(crate) fn mart(seed: u64) -> InProcess {
    InProcess::new(seed, |adapters| vec![hosted(adapters)])
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
        Self { mart, order, version: 0, payment: Uuid::new_v4().to_string() }
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
        self.mart.customer("Ayesha", method, path, body).await
    }

    /// Returns the notifications that match a filter, oldest first.
    pub(crate) async fn listed(&mut self, filter: &str) -> Vec<Value> {
        let body = self.mart.admin("GET", &format!("/v1/admin/notifications?{filter}"), None).await;
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
