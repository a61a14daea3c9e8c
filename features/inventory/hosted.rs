//! The inventory service in one process, over a store in memory.

use std::time::Duration;

use features::{Adapters, Hosted};
use inventory_core::UseCases;
use inventory_core::application::RESERVATION_TTL;
use inventory_core::memory::MemoryStore;
use inventory_service::adapters::events::{InventoryEventHandlers, InventoryMessages};
use inventory_service::generated::events;
use inventory_service::wiring;

/// Creates the service. Its job runs when time passes.
pub(crate) fn hosted(adapters: Adapters) -> Hosted {
    let Adapters { api, clock, ids, page_tokens } = adapters;
    let store = MemoryStore::default();
    let use_cases = UseCases::new(store.clone(), clock, ids, page_tokens, RESERVATION_TTL);
    Hosted {
        name: "inventory",
        routes: wiring::routes(use_cases.clone(), api),
        handlers: Some(events::handlers(InventoryEventHandlers::new(use_cases.clone()))),
        outbox: Box::new(move || store.events().iter().map(events::record::<InventoryMessages>).collect()),
        jobs: vec![wiring::expiry(use_cases, Duration::MAX)],
    }
}
