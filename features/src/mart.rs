//! The mart that a scenario talks to: one in this process, or its part of one on real servers.

use mart_chassis::Record;
use serde_json::Value;

use crate::levels::{self, Level};
use crate::scene::{Answer, Caller};
use crate::{Providers, authorization};

/// The mart of one scenario, with the last response and the published records, which later steps use.
#[derive(Debug)]
pub struct Mart {
    level: Level,
    answer: Option<Answer>,
    published: Vec<Record>,
}

impl Mart {
    /// Returns a mart in which this scenario has done nothing yet.
    pub async fn new() -> Self {
        Self { level: levels::current().await, answer: None, published: Vec::new() }
    }

    /// Returns a name of this scenario's own, such as a slug or an Idempotency-Key, if others share the mart.
    pub fn own(&self, name: &str) -> String {
        match &self.level {
            Level::InProcess(_) => name.to_owned(),
            Level::OnServers(mart) => mart.own(name),
        }
    }

    /// Sends a request to the service that has the path. The subject becomes one of this scenario's own.
    pub async fn send(
        &mut self,
        who: Caller<'_>,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        match &mut self.level {
            Level::InProcess(mart) => mart.send(who, method, path, body, headers).await,
            Level::OnServers(mart) => mart.send(who, method, path, body, headers).await,
        }
    }

    /// Sends a request as [`Mart::send`] does, stores the response for the next steps and returns its body.
    pub async fn call(
        &mut self,
        who: Caller<'_>,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Value {
        let answer = self.send(who, method, path, body, headers).await;
        self.answer.insert(answer).body.clone()
    }

    /// Sends a request as an admin, stores the response for the next steps and returns its body.
    pub async fn admin(&mut self, method: &str, path: &str, body: Option<Value>) -> Value {
        self.call(Some(("admin", "admin")), method, path, body, &[]).await
    }

    /// Sends a request as a customer by name, stores the response for the next steps and returns its body.
    pub async fn customer(&mut self, name: &str, method: &str, path: &str, body: Option<Value>) -> Value {
        self.call(Some(("customer", name)), method, path, body, &[]).await
    }

    /// Calls an operation of a service without a token, about missing resources, and stores the response for the next steps.
    /// # Panics
    /// If the contracts have no such operation.
    pub async fn call_without_token(&mut self, service: &str, operation: &str) {
        let (method, path, body) = authorization::about_nothing_of(service, operation);
        self.call(None, &method, &path, body, &[]).await;
    }

    /// Returns the last stored response.
    /// # Panics
    /// If there is none.
    pub fn answer(&self) -> &Answer {
        self.answer.as_ref().expect("a request was sent")
    }

    /// Publishes a record, as a service outside of this mart.
    pub async fn publish(&mut self, record: &Record) {
        self.published.push(record.clone());
        self.deliver(record).await;
    }

    /// Publishes a record of this scenario again: the last one, or the `nth` before it.
    /// # Panics
    /// If there are not so many.
    pub async fn publish_again(&mut self, nth: usize) {
        let record = self.published.iter().rev().nth(nth).cloned().expect("so many records were published");
        self.deliver(&record).await;
    }

    async fn deliver(&mut self, record: &Record) {
        match &mut self.level {
            Level::InProcess(mart) => mart.publish(record),
            Level::OnServers(mart) => mart.publish(record).await,
        }
    }

    /// Acts on a checkout as its customer, such as `{"action": "pay"}`.
    /// # Panics
    /// If the provider rejects it.
    pub async fn act(&mut self, checkout: &Value, action: Value) {
        match &mut self.level {
            Level::InProcess(mart) => mart.act(checkout, &serde_json::from_value(action).expect("an action")).await,
            Level::OnServers(mart) => mart.act(checkout, &action).await,
        }
    }

    /// Sends the last callback of Stripe or PayFast about a checkout again, or for the first time if it was withheld.
    /// # Panics
    /// If there is none.
    pub async fn resend_callback(&mut self, checkout: &Value) {
        let callback = self.providers().last_callback(checkout).expect("the provider has sent a callback");
        match &mut self.level {
            Level::InProcess(mart) => mart.deliver_callback(&callback).await,
            Level::OnServers(mart) => mart.deliver_callback(&callback).await,
        }
    }

    /// Returns the providers, which are simulations.
    pub fn providers(&self) -> Providers {
        match &self.level {
            Level::InProcess(mart) => mart.providers().clone(),
            Level::OnServers(mart) => mart.providers().clone(),
        }
    }

    /// Runs background jobs, without letting time pass that a rule could notice.
    pub async fn moment(&mut self) {
        match &mut self.level {
            Level::InProcess(mart) => {
                mart.pass(time::Duration::SECOND).await;
                mart.settle().await;
            }
            Level::OnServers(_) => tokio::time::sleep(std::time::Duration::from_millis(25)).await,
        }
    }

    /// The number of such moments that a scenario waits before it fails: on servers some minutes, because machines differ in speed.
    pub fn moments(&self) -> usize {
        match &self.level {
            Level::InProcess(_) => 400,
            Level::OnServers(_) => 12_000,
        }
    }

    /// Returns the mart's time in seconds since 1970.
    pub fn seconds(&self) -> i64 {
        match &self.level {
            Level::InProcess(mart) => mart.seconds(),
            Level::OnServers(_) => time::OffsetDateTime::now_utc().unix_timestamp(),
        }
    }

    /// Lets time pass, and lets every service run its background jobs.
    pub async fn pass(&mut self, by: time::Duration) {
        match &mut self.level {
            Level::InProcess(mart) => mart.pass(by).await,
            Level::OnServers(mart) => mart.pass(by).await,
        }
    }

    /// Waits until all events are processed and no further ones follow. In the process a record may keep waiting for something that
    /// has not happened; on servers such a scenario fails.
    pub async fn settle(&mut self) {
        match &mut self.level {
            Level::InProcess(mart) => mart.settle().await,
            Level::OnServers(mart) => mart.settle().await,
        }
    }

    /// Returns every event published so far, after all of them are processed. Events of one topic and key are in their order.
    pub async fn history(&mut self) -> Vec<Record> {
        self.settle().await;
        match &mut self.level {
            Level::InProcess(mart) => mart.history().to_vec(),
            Level::OnServers(mart) => mart.history(),
        }
    }

    /// Waits for a published record, and includes its aggregate in this scenario from now on: for aggregates that no response has
    /// named.
    pub async fn follow(&mut self, what: &str, record: impl Fn(&Record) -> bool) -> Record {
        match &mut self.level {
            Level::InProcess(mart) => {
                mart.settle().await;
                let found = mart.history().iter().rfind(|published| record(published)).cloned();
                found.unwrap_or_else(|| panic!("{what} was not published: {mart:?}"))
            }
            Level::OnServers(mart) => mart.follow(what, record).await,
        }
    }

    /// Returns the number of dead letters.
    pub async fn dead(&mut self) -> usize {
        self.settle().await;
        match &mut self.level {
            Level::InProcess(mart) => mart.dead(),
            Level::OnServers(mart) => mart.dead().await,
        }
    }

    /// Discards all dead letters, as an operator would.
    pub async fn discard(&mut self) {
        match &mut self.level {
            Level::InProcess(mart) => mart.discard(),
            Level::OnServers(mart) => mart.discard().await,
        }
    }
}
