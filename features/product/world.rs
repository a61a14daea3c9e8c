//! The state of a scenario.

use std::collections::HashMap;

use features::{InProcess, Mart};
use serde_json::Value;

use crate::hosted::hosted;

/// The mart of one scenario.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) mart: Mart,
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

/// Creates a mart of the product service only.
pub(crate) fn mart(seed: u64) -> InProcess {
    InProcess::new(seed, |adapters| vec![hosted(adapters)])
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
        Self { mart, ids, read, token, listed: Vec::new(), events_before: 0 }
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
        self.mart.call(caller, method, path, body, headers).await;
    }
}
