//! The catalogue of one scenario: the real router and core over a store in memory.

use std::collections::HashMap;
use std::sync::Arc;

use features::Scene;
use mart_kernel::PageSeal;
use mart_kernel::ids::CountingIds;
use product_core::Catalogue;
use product_core::memory::MemoryProducts;
use product_service::wiring;
use serde_json::Value;

/// What a scenario sees and remembers.
#[derive(Debug, cucumber::World)]
#[world(init = Self::new)]
pub(crate) struct World {
    pub(crate) scene: Scene,
    pub(crate) store: MemoryProducts,
    /// Products by the name that they were created with.
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

impl World {
    fn new() -> Self {
        let store = MemoryProducts::default();
        let scene = Scene::new(|edge, clock| {
            let ids = Arc::new(CountingIds::default());
            let catalogue = Catalogue::new(store.clone(), clock, ids, PageSeal::new(b"a scenario's secret"));
            wiring::routes(catalogue, edge)
        });
        let (ids, read, token) = (HashMap::new(), Value::Null, String::new());
        Self { scene, store, ids, read, token, listed: Vec::new(), told: 0 }
    }
}
