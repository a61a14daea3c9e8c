//! What a scenario talks to: a mart in this process, or its part of one on real servers.

use mart_chassis::Record;
use serde_json::Value;

use crate::scene::{Answer, Who};
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
    /// A mart in which this scenario has done nothing yet.
    pub async fn new() -> Self {
        levels::mart().await
    }

    /// A name of this scenario's own, such as a slug or an Idempotency-Key, where others share the mart.
    pub fn own(&self, name: &str) -> String {
        match self {
            Self::InProcess(_) => name.to_owned(),
            Self::OnServers(mart) => mart.own(name),
        }
    }

    /// Sends a request to the service that has the path; the subject is made one of this scenario's own.
    pub async fn send(
        &mut self,
        who: Who<'_>,
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

    /// Asks for an operation of a service without a token, about things that are not there.
    ///
    /// # Panics
    /// Where the contracts have no such operation.
    pub async fn ask_without_token(&mut self, service: &str, operation: &str) -> Answer {
        let (method, path, body) = authorization::about_nothing_of(service, operation);
        self.send(None, &method, &path, body, &[]).await
    }

    /// Tells a record, as a service that is not part of this mart would.
    pub async fn publish(&mut self, record: &Record) {
        match self {
            Self::InProcess(mart) => mart.publish(record),
            Self::OnServers(mart) => mart.publish(record).await,
        }
    }

    /// A customer does something with a checkout, such as `{"action": "pay"}`.
    ///
    /// # Panics
    /// Where the provider refuses it.
    pub async fn act(&mut self, checkout: &Value, action: Value) {
        match self {
            Self::InProcess(mart) => mart.act(checkout, &serde_json::from_value(action).expect("an action")).await,
            Self::OnServers(mart) => mart.act(checkout, &action).await,
        }
    }

    /// Stripe or PayFast says again what it said last of a checkout, or says it at last.
    ///
    /// # Panics
    /// Where it has said nothing.
    pub async fn tell_again(&mut self, checkout: &Value) {
        let said = self.providers().again(checkout).expect("the provider has said something");
        match self {
            Self::InProcess(mart) => mart.hear(&said).await,
            Self::OnServers(mart) => mart.hear(&said).await,
        }
    }

    /// The providers that take no money.
    pub fn providers(&self) -> Providers {
        match self {
            Self::InProcess(mart) => mart.providers().clone(),
            Self::OnServers(mart) => mart.providers().clone(),
        }
    }

    /// Lets sweeps look, without letting time pass that a rule could see.
    pub async fn moment(&mut self) {
        match self {
            Self::InProcess(mart) => {
                mart.pass(time::Duration::SECOND).await;
                mart.settle().await;
            }
            Self::OnServers(_) => tokio::time::sleep(std::time::Duration::from_millis(25)).await,
        }
    }

    /// How many moments a scenario waits for something before it fails: on servers some minutes, since machines differ in speed.
    pub fn moments(&self) -> usize {
        match self {
            Self::InProcess(_) => 400,
            Self::OnServers(_) => 12_000,
        }
    }

    /// The mart's time, in seconds since 1970.
    pub fn seconds(&self) -> i64 {
        match self {
            Self::InProcess(mart) => mart.seconds(),
            Self::OnServers(_) => time::OffsetDateTime::now_utc().unix_timestamp(),
        }
    }

    /// Lets time pass, and lets every service look what has become due.
    pub async fn pass(&mut self, by: time::Duration) {
        match self {
            Self::InProcess(mart) => mart.pass(by).await,
            Self::OnServers(mart) => mart.pass(by).await,
        }
    }

    /// Waits until all events are processed everything, and nothing more comes of it. In the process a record may go on waiting for
    /// what has not happened; on servers such a scenario fails.
    pub async fn settle(&mut self) {
        match self {
            Self::InProcess(mart) => mart.settle().await,
            Self::OnServers(mart) => mart.settle().await,
        }
    }

    /// Every event that was told so far, once all events are processed of it. Those of one topic and key are in their order.
    pub async fn history(&mut self) -> Vec<Record> {
        self.settle().await;
        match self {
            Self::InProcess(mart) => mart.history().to_vec(),
            Self::OnServers(mart) => mart.history(),
        }
    }

    /// Waits for a record that somebody told, and follows its aggregate from now on: for what no answer has named.
    pub async fn follow(&mut self, what: &str, record: impl Fn(&Record) -> bool) -> Record {
        match self {
            Self::InProcess(mart) => {
                mart.settle().await;
                let found = mart.history().iter().rfind(|told| record(told)).cloned();
                found.unwrap_or_else(|| panic!("nobody told {what}: {mart:?}"))
            }
            Self::OnServers(mart) => mart.follow(what, record).await,
        }
    }

    /// How many records can never be handled.
    pub async fn dead(&mut self) -> usize {
        self.settle().await;
        match self {
            Self::InProcess(mart) => mart.dead(),
            Self::OnServers(mart) => mart.dead().await,
        }
    }

    /// Throws away, as an operator does, what can never be handled.
    pub async fn discard(&mut self) {
        match self {
            Self::InProcess(mart) => mart.discard(),
            Self::OnServers(mart) => mart.discard().await,
        }
    }
}
