//! The state of a scenario of the customer journey.

use std::collections::HashMap;

use features::{Mart, Record};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

/// The mart of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) mart: Mart,
    /// The product that is sold.
    pub(crate) product: String,
    /// The last order.
    pub(crate) order: String,
    /// The payment provider that the customer chose.
    pub(crate) provider: String,
    /// The last checkout of each provider.
    pub(crate) checkouts: HashMap<String, Value>,
    /// The access token of the customer.
    token: String,
}

impl features::Scenario for World {
    fn mart(&mut self) -> &mut Mart {
        &mut self.mart
    }
}

impl World {
    async fn new() -> Self {
        let (mart, empty) = (Mart::new().await, String::new);
        let (product, order, provider, token) = (empty(), empty(), "sandbox".to_owned(), empty());
        Self { mart, product, order, provider, checkouts: HashMap::new(), token }
    }

    /// Sends a request with the customer's access token and returns the response's body.
    pub(crate) async fn customer(&mut self, method: &str, path: &str, body: Option<Value>) -> Value {
        let bearer = format!("Bearer {}", self.token);
        self.mart.call(None, method, path, body, &[("authorization", &bearer)]).await
    }

    fn email(&self) -> String {
        format!("{}@example.com", self.mart.own("ayesha"))
    }

    pub(crate) async fn register(&mut self) {
        let email = self.email();
        let body = json!({ "email": email, "password": PASSWORD, "name": "Ayesha" });
        assert_eq!(self.mart.send(None, "POST", "/v1/users/register", Some(body), &[]).await.status, 200);
        let payload =
            |record: &Record| devstack::contracts::decode(&record.event_type, &record.payload).unwrap_or_default();
        let sent = |record: &Record| {
            record.event_type.ends_with("VerificationRequested") && payload(record)["link"]["email"] == email.as_str()
        };
        let link = self.mart.follow("a verification link", sent).await;
        let token = payload(&link)["link"]["token"].clone();
        let body = json!({ "token": token, "password": PASSWORD });
        assert_eq!(self.mart.send(None, "POST", "/v1/users/verify-email", Some(body), &[]).await.status, 200);
    }

    pub(crate) async fn log_in(&mut self) {
        let body = json!({ "email": self.email(), "password": PASSWORD });
        let opened = self.mart.call(None, "POST", "/v1/sessions/log-in", Some(body), &[]).await;
        opened["tokens"]["accessToken"].as_str().unwrap_or_default().clone_into(&mut self.token);
    }

    /// Returns the last checkout at the chosen provider.
    pub(crate) fn checkout(&self) -> Value {
        self.checkouts.get(&self.provider).cloned().unwrap_or_else(|| panic!("no checkout: {:?}", self.mart.answer()))
    }

    /// Returns a member of what an admin reads at a path.
    pub(crate) async fn read(&mut self, path: &str, name: &str) -> Value {
        self.mart.send(Some(("admin", "admin")), "GET", path, None, &[]).await.body[name].clone()
    }

    /// Waits until a member of what an admin reads at a path satisfies the condition. Background jobs may have to run first.
    pub(crate) async fn until(&mut self, path: &str, name: &str, condition: impl Fn(&Value) -> bool) {
        for _ in 0..self.mart.moments() {
            self.mart.settle().await;
            if condition(&self.read(path, name).await) {
                return;
            }
            self.mart.moment().await;
        }
        panic!("the condition was not met: {}; {:?}", self.read(path, name).await, self.mart);
    }
}
