//! The order service in one process, over a store in memory.

use std::time::Duration;

use features::{Adapters, Hosted};
use order_core::UseCases;
use order_core::application::PAYMENT_WINDOW;
use order_core::memory::MemoryStore;
use order_service::adapters::events::{OrderEventHandlers, OrderMessages};
use order_service::generated::events;
use order_service::wiring;

/// Creates the service. Its job runs when time passes.
pub(crate) fn hosted(adapters: Adapters) -> Hosted {
    let Adapters { api, clock, ids, page_tokens } = adapters;
    let store = MemoryStore::traced(|| mart_chassis::trace::current().trace_id());
    let use_cases = UseCases::new(store.clone(), clock, ids, page_tokens, PAYMENT_WINDOW);
    Hosted {
        name: "order",
        routes: wiring::routes(use_cases.clone(), api),
        handlers: Some(events::handlers(OrderEventHandlers::new(use_cases.clone()))),
        outbox: Box::new(move || store.events().iter().map(events::record::<OrderMessages>).collect()),
        jobs: vec![wiring::expiry(use_cases, Duration::MAX)],
    }
}
