//! The notification service in one process, over a store and senders in memory.

use std::sync::Arc;
use std::time::Duration;

use features::{Adapters, Hosted};
use notification_core::UseCases;
use notification_core::application::MessageSenders;
use notification_core::domain::Policy;
use notification_core::memory::{MemorySender, MemoryStore};
use notification_service::adapters::events::NotificationEventHandlers;
use notification_service::adapters::renderer::{Shop, Templates};
use notification_service::generated::events;
use notification_service::wiring;

/// Creates the service. Its jobs run when time passes.
pub(crate) fn hosted(adapters: Adapters) -> Hosted {
    let Adapters { api, clock, ids, page_tokens } = adapters;
    let senders = MessageSenders { mail: Arc::new(MemorySender::default()), sms: Arc::new(MemorySender::default()) };
    let renderer = Arc::new(Templates::new(Shop::new("mart", "http://shop.example")));
    let (store, policy) = (MemoryStore::default(), Policy::default());
    let use_cases = UseCases::new(store, renderer, senders, clock, ids, page_tokens, policy);
    Hosted {
        name: "notification",
        routes: wiring::routes(use_cases.clone(), api),
        handlers: Some(events::handlers(NotificationEventHandlers::new(use_cases.clone()))),
        outbox: Box::new(Vec::new),
        jobs: wiring::jobs(&use_cases, Duration::MAX, 16),
    }
}
