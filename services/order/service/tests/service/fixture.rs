//! An order service with a product, and the events of other services.

use devstack::testing::{Answer, App, Servers, TestEvent, until};
use mart_proto::inventory::v1 as inventory;
use mart_proto::payment::v1 as payment;
use mart_proto::product::v1 as product;
use mart_proto::r#type::v1::Money;
use prost::Message;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::PROGRAM;

const TOPICS: [&str; 3] = ["mart.product.v1", "mart.reservation.v1", "mart.payment.v1"];

pub(crate) struct Shop {
    pub(crate) app: App,
    pub(crate) mug: Uuid,
}

pub(crate) fn rupees(amount: &str) -> Money {
    Money { amount: amount.to_owned(), currency_code: "PKR".to_owned() }
}

/// Returns ProductUpdated with the product's state at a version.
pub(crate) fn product(id: Uuid, version: i64, price: &str, status: product::ProductStatus) -> TestEvent {
    let product = product::Product {
        product_id: id.to_string(),
        name: "Mug".to_owned(),
        prices: vec![rupees(price)],
        status: status.into(),
        ..product::Product::default()
    };
    let payload = product::ProductUpdated { product: Some(product) }.encode_to_vec();
    TestEvent::new("mart.product.v1", "mart.product.v1.ProductUpdated", payload).about(&id.to_string(), version)
}

fn reservation(order: &str, round: i32) -> inventory::Reservation {
    let order_id = order.to_owned();
    inventory::Reservation { order_id, reinstate_count: round, ..inventory::Reservation::default() }
}

pub(crate) fn reserved(order: &str, round: i32) -> TestEvent {
    let payload = inventory::StockReserved { reservation: Some(reservation(order, round)) }.encode_to_vec();
    TestEvent::new("mart.reservation.v1", "mart.inventory.v1.StockReserved", payload).about(order, 1)
}

pub(crate) fn rejected(order: &str) -> TestEvent {
    let message = inventory::StockRejected { reservation: Some(reservation(order, 0)), shortages: Vec::new() };
    TestEvent::new("mart.reservation.v1", "mart.inventory.v1.StockRejected", message.encode_to_vec()).about(order, 1)
}

pub(crate) fn captured(order: &str, amount: &str) -> TestEvent {
    let (order_id, payment_id) = (order.to_owned(), Uuid::now_v7().to_string());
    let amount = Some(rupees(amount));
    let message = payment::PaymentCaptured { order_id, payment_id, amount, provider: "sandbox".to_owned() };
    TestEvent::new("mart.payment.v1", "mart.payment.v1.PaymentCaptured", message.encode_to_vec()).about(order, 1)
}

pub(crate) fn failed(order: &str) -> TestEvent {
    let (order_id, payment_id) = (order.to_owned(), Uuid::now_v7().to_string());
    let message = payment::PaymentFailed { order_id, payment_id, reason: "card declined".to_owned() };
    TestEvent::new("mart.payment.v1", "mart.payment.v1.PaymentFailed", message.encode_to_vec()).about(order, 1)
}

impl Shop {
    /// Starts the service with these variables and publishes a mug for 1500.00 rupees.
    pub(crate) async fn open(more: &[(&str, &str)]) -> Self {
        let mut spec = Servers::from_env().service("order", PROGRAM).await.expect("prepared");
        spec.more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (app, mug) = (App::of_consumer(spec, &TOPICS).await, Uuid::now_v7());
        let shop = Self { app, mug };
        shop.app.publish(&product(mug, 2, "1500.00", product::ProductStatus::Active)).await;
        until("the product is known", async || shop.quote(1).await.body["total"]["amount"] == "1500.00").await;
        shop
    }

    pub(crate) async fn quote(&self, quantity: i32) -> Answer {
        let lines = json!([{ "productId": self.mug.to_string(), "quantity": quantity }]);
        let body = json!({ "lines": lines, "currencyCode": "PKR" });
        self.app.send(Method::POST, "/v1/orders/quote", Some(body), &[]).await
    }

    /// Returns the body of a request that orders mugs.
    pub(crate) fn order(&self, quantity: i32, total: &str) -> Value {
        json!({
            "lines": [{ "productId": self.mug.to_string(), "quantity": quantity }],
            "total": { "amount": total, "currencyCode": "PKR" },
            "shippingAddress": {
                "recipient": "Ayesha Khan", "lines": ["House 7"], "city": "Islamabad", "countryCode": "PK",
            },
            "contact": { "email": "ayesha@example.com", "locale": "ur" },
        })
    }

    pub(crate) async fn place(&self) -> String {
        let answer = self.app.call(Some("customer"), Method::POST, "/v1/orders", Some(self.order(2, "3000.00"))).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["order"]["orderId"].as_str().expect("an id").to_owned()
    }

    pub(crate) async fn read(&self, id: &str) -> Value {
        self.app.admin(Method::GET, &format!("/v1/orders/{id}"), None).await.body["order"].clone()
    }

    /// Waits until an order has this status, and returns the order.
    pub(crate) async fn wait_for_status(&self, id: &str, status: &str) -> Value {
        let expected = format!("ORDER_STATUS_{status}");
        until(&expected, async || self.read(id).await["status"] == expected.as_str()).await;
        self.read(id).await
    }
}
