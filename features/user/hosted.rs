//! The user service in one process, over a store in memory.

use std::sync::Arc;
use std::time::Duration;

use features::{Adapters, Hosted};
use mart_chassis::clock::SystemClock;
use user_core::UseCases;
use user_core::domain::Policy;
use user_core::memory::{CountingSecrets, MemoryStore, PlainHasher};
use user_service::adapters::events::UserMessages;
use user_service::adapters::tokens::EdDsa;
use user_service::generated::events;
use user_service::wiring;

/// Creates the service. Its job runs when time passes.
pub(crate) fn hosted(adapters: Adapters) -> Hosted {
    let Adapters { api, clock, ids, page_tokens } = adapters;
    let (store, secrets) = (MemoryStore::default(), Arc::new(CountingSecrets::default()));
    let use_cases = UseCases::new(store.clone(), PlainHasher, secrets, clock, ids, page_tokens, Policy::default());
    let signer = EdDsa::load(features::keys().folder(), features::ISSUER, features::AUDIENCE).expect("keys");
    Hosted {
        name: "user",
        // The API checks tokens by the real time, not by the scenario's clock.
        routes: wiring::routes(use_cases.clone(), Arc::new(signer), Arc::new(SystemClock), api),
        handlers: None,
        outbox: Box::new(move || store.events().iter().map(events::record::<UserMessages>).collect()),
        jobs: vec![wiring::purge_expired(use_cases, Duration::MAX)],
    }
}
