//! The mart that a scenario talks to: one in this process, or its part of one on real servers.

use mart_chassis::Record;
use serde_json::Value;

use crate::scene::{Answer, Caller};
use crate::{InProcess, OnServers, Providers};
use crate::{authorization, levels};

/// The mart of one scenario.
#[derive(Debug)]
pub enum Mart {
    /// In this process.
    InProcess(Box<InProcess>),
    /// On real servers.
    OnServers(OnServers),
}

impl Mart {
    /// Returns a mart in which this scenario has done nothing yet.
    pub async fn new() -> Self {
        levels::mart().await
    }

    /// Returns a name of this scenario's own, such as a slug or an Idempotency-Key, if others share the mart.
    pub fn own(&self, name: &str) -> String {
        match self {
            Self::InProcess(_) => name.to_owned(),
            Self::OnServers(mart) => mart.own(name),
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
        match self {
            Self::InProcess(mart) => mart.send(who, method, path, body, headers).await,
            Self::OnServers(mart) => mart.send(who, method, path, body, headers).await,
        }
    }

    /// Calls an operation of a service without a token, about missing resources.
    /// # Panics
    /// If the contracts have no such operation.
    pub async fn ask_without_token(&mut self, service: &str, operation: &str) -> Answer {
        let (method, path, body) = authorization::about_nothing_of(service, operation);
        self.send(None, &method, &path, body, &[]).await
    }

    /// Publishes a record, as a service outside of this mart.
    pub async fn publish(&mut self, record: &Record) {
        match self {
            Self::InProcess(mart) => mart.publish(record),
            Self::OnServers(mart) => mart.publish(record).await,
        }
    }

    /// Acts on a checkout as its customer, such as `{"action": "pay"}`.
    /// # Panics
    /// If the provider rejects it.
    pub async fn act(&mut self, checkout: &Value, action: Value) {
        match self {
            Self::InProcess(mart) => mart.act(checkout, &serde_json::from_value(action).expect("an action")).await,
            Self::OnServers(mart) => mart.act(checkout, &action).await,
        }
    }

    /// Sends the last callback of Stripe or PayFast about a checkout again, or for the first time if it was withheld.
    /// # Panics
    /// If there is none.
    pub async fn resend_callback(&mut self, checkout: &Value) {
        let callback = self.providers().last_callback(checkout).expect("the provider has sent a callback");
        match self {
            Self::InProcess(mart) => mart.deliver_callback(&callback).await,
            Self::OnServers(mart) => mart.deliver_callback(&callback).await,
        }
    }

    /// Returns the providers, which are simulations.
    pub fn providers(&self) -> Providers {
        match self {
            Self::InProcess(mart) => mart.providers().clone(),
            Self::OnServers(mart) => mart.providers().clone(),
        }
    }

    /// Runs background jobs, without letting time pass that a rule could notice.
    pub async fn moment(&mut self) {
        match self {
            Self::InProcess(mart) => {
                mart.pass(time::Duration::SECOND).await;
                mart.settle().await;
            }
            Self::OnServers(_) => tokio::time::sleep(std::time::Duration::from_millis(25)).await,
        }
    }

    /// The number of such moments that a scenario waits before it fails: on servers some minutes, because machines differ in speed.
    pub fn moments(&self) -> usize {
        match self {
            Self::InProcess(_) => 400,
            Self::OnServers(_) => 12_000,
        }
    }

    /// Returns the mart's time in seconds since 1970.
    pub fn seconds(&self) -> i64 {
        match self {
            Self::InProcess(mart) => mart.seconds(),
            Self::OnServers(_) => time::OffsetDateTime::now_utc().unix_timestamp(),
        }
    }

    /// Lets time pass, and lets every service run its background jobs.
    pub async fn pass(&mut self, by: time::Duration) {
        match self {
            Self::InProcess(mart) => mart.pass(by).await,
            Self::OnServers(mart) => mart.pass(by).await,
        }
    }

    /// Waits until all events are processed and no further ones follow. In the process a record may keep waiting for something that
    /// has not happened; on servers such a scenario fails.
    pub async fn settle(&mut self) {
        match self {
            Self::InProcess(mart) => mart.settle().await,
            Self::OnServers(mart) => mart.settle().await,
        }
    }

    /// Returns every event published so far, after all of them are processed. Events of one topic and key are in their order.
    pub async fn history(&mut self) -> Vec<Record> {
        self.settle().await;
        match self {
            Self::InProcess(mart) => mart.history().to_vec(),
            Self::OnServers(mart) => mart.history(),
        }
    }

    /// Waits for a published record, and includes its aggregate in this scenario from now on: for aggregates that no response has
    /// named.
    pub async fn follow(&mut self, what: &str, record: impl Fn(&Record) -> bool) -> Record {
        match self {
            Self::InProcess(mart) => {
                mart.settle().await;
                let found = mart.history().iter().rfind(|published| record(published)).cloned();
                found.unwrap_or_else(|| panic!("{what} was not published: {mart:?}"))
            }
            Self::OnServers(mart) => mart.follow(what, record).await,
        }
    }

    /// Returns the number of dead letters.
    pub async fn dead(&mut self) -> usize {
        self.settle().await;
        match self {
            Self::InProcess(mart) => mart.dead(),
            Self::OnServers(mart) => mart.dead().await,
        }
    }

    /// Discards all dead letters, as an operator would.
    pub async fn discard(&mut self) {
        match self {
            Self::InProcess(mart) => mart.discard(),
            Self::OnServers(mart) => mart.discard().await,
        }
    }
}
