//! What a scenario of the use_cases sees and remembers.

use std::collections::HashMap;
use std::sync::Arc;

use features::{Answer, Hosted, InProcess, Mart};
use mart_kernel::PageTokenSigner;
use mart_kernel::ids::SequentialIds;
use product_core::UseCases;
use product_core::memory::MemoryProducts;
use product_service::adapters::events::ProductMessages;
use product_service::{generated, wiring};
use serde_json::Value;

/// The mart of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) mart: Mart,
    /// The last answer.
    pub(crate) answer: Option<Answer>,
    /// Store by the name that they were created with.
    pub(crate) ids: HashMap<String, String>,
    /// What was read before.
    pub(crate) read: Value,
    /// The next page that was given.
    pub(crate) token: String,
    /// The names of the products that the last list had.
    pub(crate) listed: Vec<String>,
    /// How many events were told before the last `When`.
    pub(crate) told: usize,
}

/// The use_cases by itself.
pub(crate) fn mart(seed: u64) -> InProcess {
    InProcess::new(seed, |api, clock| {
        let (store, ids) = (MemoryProducts::default(), Arc::new(SequentialIds::default()));
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
        Self { mart, answer: None, ids, read, token, listed: Vec::new(), told: 0 }
    }

    pub(crate) async fn send(
        &mut self,
        role: Option<&str>,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) {
        let who = role.map(|role| (role, role));
        self.answer = Some(self.mart.send(who, method, path, body, headers).await);
    }

    /// The last answer.
    pub(crate) fn answer(&self) -> &Answer {
        self.answer.as_ref().expect("something was asked")
    }
}
