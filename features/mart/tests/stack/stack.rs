//! The whole mart of one test: its services share topics that nobody else has.

use std::collections::BTreeMap;
use std::time::Duration;

use devstack::testing::{App, Servers, Told, prefix, program, until};
use mart_features::invariants::Mart;
use mart_proto::payment::v1::PaymentCaptured;
use mart_proto::r#type::v1::Money;
use prost::Message;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const SERVICES: [&str; 3] = ["product", "inventory", "order"];

pub(crate) struct Stack {
    pub(crate) apps: BTreeMap<&'static str, App>,
    pub(crate) mug: String,
}

impl Stack {
    /// Started with so many mugs in stock.
    pub(crate) async fn start(mugs: i32) -> Self {
        Self::start_on(&Servers::of_this_run(), mugs).await
    }

    /// The same on servers that a test has for itself.
    pub(crate) async fn start_on(servers: &Servers, mugs: i32) -> Self {
        let prefix = prefix();
        let mut settings = Vec::new();
        for name in SERVICES {
            let mut setting = servers.service_among(name, &program(name), &prefix).await.expect("prepared");
            // Only what a test plants is ever due.
            let sweeps = ["PAYMENT_SWEEP", "RESERVATION_SWEEP"].map(|name| (name.to_owned(), "3600".to_owned()));
            setting.more.extend(sweeps);
            setting.more.push(("LOG".to_owned(), "info,mart_chassis=debug".to_owned()));
            settings.push((name, setting));
        }
        let topics: Vec<String> =
            devstack::contracts::topics().into_iter().map(|topic| format!("{prefix}{topic}")).collect();
        devstack::kafka::topics(&servers.kafka, &topics).await.expect("topics");
        let mut apps = BTreeMap::new();
        for (name, setting) in settings {
            apps.insert(name, App::of(setting).await);
        }
        let mut stack = Self { apps, mug: String::new() };
        stack.mug = stack.try_to_create("mug").await.expect("acknowledged");
        stack.receive(&stack.mug, mugs).await;
        stack.sells(&stack.mug).await;
        stack
    }

    /// Tries to create a product under an Idempotency-Key of its name; its id where that is acknowledged.
    pub(crate) async fn try_to_create(&self, name: &str) -> Option<String> {
        let body = json!({
            "name": name, "slug": name, "status": "PRODUCT_STATUS_ACTIVE",
            "prices": [{ "amount": "1500.00", "currencyCode": "PKR" }],
        });
        let made = self.ask("product", "admin", "/v1/products", name, &body).await?;
        made["product"]["productId"].as_str().map(str::to_owned)
    }

    /// Waits until order sells a product.
    pub(crate) async fn sells(&self, product: &str) {
        until("order knows the product", async || {
            let line = json!([{ "productId": product, "quantity": 1 }]);
            let body = json!({ "lines": line, "currencyCode": "PKR" });
            let quote = self.apps["order"].send(Method::POST, "/v1/orders/quote", Some(body), &[]).await;
            quote.body["total"]["amount"] == "1500.00"
        })
        .await;
    }

    /// Receives units of a product, as soon as inventory knows it.
    pub(crate) async fn receive(&self, product: &str, units: i32) {
        let path = format!("/v1/admin/stock-items/{product}/receive");
        until("inventory has the units", async || {
            let body = Some(json!({ "quantity": units, "reason": "delivery" }));
            let key = [("idempotency-key", product)];
            let inventory = &self.apps["inventory"];
            inventory.call_with(Some("admin"), Method::POST, &path, body, &key).await.status == 201
        })
        .await;
    }

    /// Posts under an Idempotency-Key; the answer, or nothing where none came.
    async fn ask(&self, service: &str, role: &str, path: &str, key: &str, body: &Value) -> Option<Value> {
        let app = &self.apps[service];
        let token = app.setting.keys.token(role, "ayesha").expect("signed");
        let request = app.client.post(format!("{}{path}", app.setting.url())).bearer_auth(&token);
        let request = request.header("idempotency-key", key).json(body);
        request.timeout(Duration::from_secs(5)).send().await.ok()?.json().await.ok()
    }

    /// Places an order; its id once it is acknowledged.
    pub(crate) async fn place(&self, quantity: i32) -> String {
        let key = Uuid::new_v4().to_string();
        self.try_to_place(&key, quantity).await.expect("acknowledged")
    }

    /// Tries to place an order under an Idempotency-Key; its id where that is acknowledged.
    pub(crate) async fn try_to_place(&self, key: &str, quantity: i32) -> Option<String> {
        let body = json!({
            "lines": [{ "productId": self.mug, "quantity": quantity }],
            "total": { "amount": format!("{}.00", 1_500 * quantity), "currencyCode": "PKR" },
            "shippingAddress": { "recipient": "A", "lines": ["House 7"], "city": "Lahore", "countryCode": "PK" },
            "contact": { "email": "a@example.com" },
        });
        let answer = self.ask("order", "customer", "/v1/orders", key, &body).await?;
        answer["order"]["orderId"].as_str().map(str::to_owned)
    }

    /// Tells that an order of so many mugs is paid.
    pub(crate) async fn pay(&self, order: &str, quantity: i32) {
        let amount = Some(Money { amount: format!("{}.00", 1_500 * quantity), currency_code: "PKR".to_owned() });
        let (order_id, payment_id) = (order.to_owned(), format!("pay-{order}"));
        let message = PaymentCaptured { order_id, payment_id, amount, provider: "sandbox".to_owned() };
        let told = Told::new("mart.payment.v1", "mart.payment.v1.PaymentCaptured", message.encode_to_vec());
        self.apps["order"].tell(&told.about(order, 1)).await;
    }

    pub(crate) async fn status(&self, order: &str) -> String {
        let answer = self.apps["order"].admin(Method::GET, &format!("/v1/orders/{order}"), None).await;
        answer.body["order"]["status"].as_str().unwrap_or_default().trim_start_matches("ORDER_STATUS_").to_owned()
    }

    /// Starts a service anew that kills itself where it passes a point for the sixth time.
    pub(crate) async fn arm(&mut self, name: &'static str, point: &str) {
        let App { mut setting, mut process, .. } = self.apps.remove(name).expect("it is there");
        process.kill().await;
        setting.more.push(("KILL_AT".to_owned(), format!("{point}:5")));
        self.apps.insert(name, App::of(setting).await);
    }

    /// Whether a service has ended by itself; then it is started anew, without its point.
    pub(crate) async fn ended_and_started(&mut self, name: &'static str) -> bool {
        let ended = self.apps.get_mut(name).expect("it is there").process.ended().is_some();
        if ended {
            self.kill_and_start(name).await;
        }
        ended
    }

    /// Kills a service and starts it anew, without its fail points.
    pub(crate) async fn kill_and_start(&mut self, name: &'static str) {
        let app = self.apps.remove(name).expect("it is there");
        self.apps.insert(name, app.kill_and_start().await);
    }

    /// What is to be looked at from outside.
    pub(crate) fn mart(&self) -> Mart {
        let order = &self.apps["order"].setting;
        let databases = self.apps.iter().map(|(name, app)| ((*name).to_owned(), app.setting.database.owner.clone()));
        Mart {
            databases: databases.collect(),
            brokers: order.brokers.clone(),
            topic_prefix: order.topic_prefix.clone(),
        }
    }

    /// Fails where something is broken for half a minute of quiet.
    pub(crate) async fn holds(&self) {
        let broken = self.mart().broken_after(Duration::from_secs(30)).await.expect("looked at");
        assert!(broken.is_empty(), "{broken:#?}");
    }
}
