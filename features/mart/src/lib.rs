//! Product, inventory and order in one process: their real routers, cores and handlers over in-memory stores.

pub mod invariants;
pub mod timeline;

#[path = "../../inventory/hosted.rs"]
mod inventory;
#[path = "../../order/hosted.rs"]
mod order;
#[path = "../../product/hosted.rs"]
mod product;

use features::{Adapters, Hosted, InProcess};

/// Creates an empty mart. The seed decides the order and the duplicates of records on its bus.
pub fn mart(seed: u64) -> InProcess {
    InProcess::new(seed, services)
}

/// Returns product, inventory and order with the same adapters.
pub fn services(adapters: Adapters) -> Vec<Hosted> {
    vec![product::hosted(adapters.clone()), inventory::hosted(adapters.clone()), order::hosted(adapters)]
}
