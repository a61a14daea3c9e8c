//! The in-process mart: every service's real router, core and reactions over stores in memory. The only place in features
//! that names all services.

pub mod invariants;
pub mod story;

use std::sync::Arc;
use std::time::Duration;

use features::{Hosted, InProcess};
use inventory_service::adapters::events::{InventoryMessages, InventoryReactions};
use mart_chassis::http::Edge;
use mart_kernel::PageSeal;
use mart_kernel::clock::ManualClock;
use mart_kernel::ids::CountingIds;
use order_service::adapters::events::{OrderMessages, OrderReactions};
use product_service::adapters::events::ProductMessages;

/// A mart in which nothing has happened yet, whose bus is as unkind as this seed makes it.
pub fn mart(seed: u64) -> InProcess {
    InProcess::new(seed, services)
}

/// Product, inventory and order over one edge and one clock.
pub fn services(edge: Arc<Edge>, clock: Arc<ManualClock>) -> Vec<Hosted> {
    let ids = Arc::new(CountingIds::default());
    let seal = PageSeal::new(b"a scenario's secret");
    let never = Duration::MAX;

    let products = product_core::memory::MemoryProducts::default();
    let catalogue = product_core::Catalogue::new(products.clone(), clock.clone(), ids.clone(), seal.clone());
    let product = Hosted {
        name: "product",
        routes: product_service::wiring::routes(catalogue, edge.clone()),
        reactions: None,
        outbox: Box::new(move || {
            products.events().iter().map(product_service::generated::events::record::<ProductMessages>).collect()
        }),
        sweeps: Vec::new(),
    };

    let stock = inventory_core::memory::MemoryStore::default();
    let hold = inventory_core::application::HOLD;
    let inventory = inventory_core::UseCases::new(stock.clone(), clock.clone(), ids.clone(), seal.clone(), hold);
    let inventory = Hosted {
        name: "inventory",
        routes: inventory_service::wiring::routes(inventory.clone(), edge.clone()),
        reactions: Some(inventory_service::generated::events::reactions(InventoryReactions::new(inventory.clone()))),
        outbox: Box::new(move || {
            stock.events().iter().map(inventory_service::generated::events::record::<InventoryMessages>).collect()
        }),
        sweeps: vec![inventory_service::wiring::expiry(inventory, never)],
    };

    let orders = order_core::memory::MemoryStore::traced(|| mart_chassis::trace::current().trace_id());
    let window = order_core::application::PAYMENT_WINDOW;
    let order = order_core::UseCases::new(orders.clone(), clock, ids, seal, window);
    let order = Hosted {
        name: "order",
        routes: order_service::wiring::routes(order.clone(), edge),
        reactions: Some(order_service::generated::events::reactions(OrderReactions::new(order.clone()))),
        outbox: Box::new(move || {
            orders.events().iter().map(order_service::generated::events::record::<OrderMessages>).collect()
        }),
        sweeps: vec![order_service::wiring::expiry(order, never)],
    };
    vec![product, inventory, order]
}
