//! The state of a scenario.

use std::collections::HashMap;
use std::sync::Arc;

use features::{Answer, Hosted, InProcess, Mart};
use mart_kernel::PageTokenSigner;
use mart_kernel::ids::SequentialIds;
use product_core::UseCases;
use product_core::memory::MemoryStore;
use product_service::adapters::events::ProductMessages;
use product_service::{generated, wiring};
use serde_json::Value;

/// The mart of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) mart: Mart,
    /// The last response.
    pub(crate) answer: Option<Answer>,
    /// The ids of products, by the name at their creation.
    pub(crate) ids: HashMap<String, String>,
    /// The product that was read before.
    pub(crate) read: Value,
    /// The page token of the last list.
    pub(crate) token: String,
    /// The names of the products of the last list.
    pub(crate) listed: Vec<String>,
    /// The number of events before the checked part of the scenario.
    pub(crate) events_before: usize,
}

/// Returns a mart with the product service only.
pub(crate) fn mart(seed: u64) -> InProcess {
    InProcess::new(seed, |api, clock| {
        let (store, ids) = (MemoryStore::default(), Arc::new(SequentialIds::default()));
        let use_cases = UseCases::new(store.clone(), clock, ids, PageTokenSigner::new(b"a scenario's secret"));
        vec![Hosted {
            name: "product",
            routes: wiring::routes(use_cases, api),
            handlers: None,
            outbox: Box::new(move || store.events().iter().map(generated::events::record::<ProductMessages>).collect()),
            jobs: Vec::new(),
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
        let mart = Mart::new().await;
        let (ids, read, token) = (HashMap::new(), Value::Null, String::new());
        Self { mart, answer: None, ids, read, token, listed: Vec::new(), events_before: 0 }
    }

    pub(crate) async fn send(
        &mut self,
        role: Option<&str>,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) {
        let caller = role.map(|role| (role, role));
        self.answer = Some(self.mart.send(caller, method, path, body, headers).await);
    }

    /// Returns the last response.
    pub(crate) fn answer(&self) -> &Answer {
        self.answer.as_ref().expect("a request was sent")
    }
}
