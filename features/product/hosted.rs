//! The product service in one process, over a store in memory.

use features::{Adapters, Hosted};
use product_core::UseCases;
use product_core::memory::MemoryStore;
use product_service::adapters::events::ProductMessages;
use product_service::generated::events;
use product_service::wiring;

/// Creates the service.
pub(crate) fn hosted(adapters: Adapters) -> Hosted {
    let Adapters { api, clock, ids, page_tokens } = adapters;
    let store = MemoryStore::default();
    let use_cases = UseCases::new(store.clone(), clock, ids, page_tokens);
    Hosted {
        name: "product",
        routes: wiring::routes(use_cases, api),
        handlers: None,
        outbox: Box::new(move || store.events().iter().map(events::record::<ProductMessages>).collect()),
        jobs: Vec::new(),
    }
}
