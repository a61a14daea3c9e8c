//! Product, inventory and order in one process: their real routers, cores and handlers over in-memory stores.

pub mod invariants;
pub mod timeline;

use std::sync::Arc;
use std::time::Duration;

use features::{Hosted, InProcess};
use inventory_service::adapters::events::{InventoryEventHandlers, InventoryMessages};
use mart_chassis::http::Api;
use mart_kernel::PageTokenSigner;
use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use order_service::adapters::events::{OrderEventHandlers, OrderMessages};
use product_service::adapters::events::ProductMessages;

/// Creates an empty mart. The seed decides the order and the duplicates of records on its bus.
pub fn mart(seed: u64) -> InProcess {
    InProcess::new(seed, services)
}

/// Returns product, inventory and order with one API and one clock.
pub fn services(api: Arc<Api>, clock: Arc<ManualClock>) -> Vec<Hosted> {
    let ids = Arc::new(SequentialIds::default());
    let page_tokens = PageTokenSigner::new(b"a scenario's secret");
    let never = Duration::MAX;

    let products = product_core::memory::MemoryStore::default();
    let use_cases = product_core::UseCases::new(products.clone(), clock.clone(), ids.clone(), page_tokens.clone());
    let product = Hosted {
        name: "product",
        routes: product_service::wiring::routes(use_cases, api.clone()),
        handlers: None,
        outbox: Box::new(move || {
            products.events().iter().map(product_service::generated::events::record::<ProductMessages>).collect()
        }),
        jobs: Vec::new(),
    };

    let stock = inventory_core::memory::MemoryStore::default();
    let ttl = inventory_core::application::RESERVATION_TTL;
    let inventory = inventory_core::UseCases::new(stock.clone(), clock.clone(), ids.clone(), page_tokens.clone(), ttl);
    let inventory = Hosted {
        name: "inventory",
        routes: inventory_service::wiring::routes(inventory.clone(), api.clone()),
        handlers: Some(inventory_service::generated::events::handlers(InventoryEventHandlers::new(inventory.clone()))),
        outbox: Box::new(move || {
            stock.events().iter().map(inventory_service::generated::events::record::<InventoryMessages>).collect()
        }),
        jobs: vec![inventory_service::wiring::expiry(inventory, never)],
    };

    let orders = order_core::memory::MemoryStore::traced(|| mart_chassis::trace::current().trace_id());
    let window = order_core::application::PAYMENT_WINDOW;
    let order = order_core::UseCases::new(orders.clone(), clock, ids, page_tokens, window);
    let order = Hosted {
        name: "order",
        routes: order_service::wiring::routes(order.clone(), api),
        handlers: Some(order_service::generated::events::handlers(OrderEventHandlers::new(order.clone()))),
        outbox: Box::new(move || {
            orders.events().iter().map(order_service::generated::events::record::<OrderMessages>).collect()
        }),
        jobs: vec![order_service::wiring::expiry(order, never)],
    };
    vec![product, inventory, order]
}
