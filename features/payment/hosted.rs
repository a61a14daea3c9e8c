//! The payment service in one process, over a store in memory.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::http::Request;
use features::{Adapters, Hosted, SANDBOX_SECRET};
use payment_core::UseCases;
use payment_core::application::Providers;
use payment_core::domain::Policy;
use payment_core::memory::MemoryStore;
use payment_core::ports::PaymentProvider;
use payment_service::adapters::events::{PaymentEventHandlers, PaymentMessages};
use payment_service::adapters::sandbox::Sandbox;
use payment_service::generated::events;
use payment_service::signature::{TOLERANCE, WebhookVerifier};
use payment_service::transport::Transport;
use payment_service::wiring;

/// Sends requests to a provider in this process.
pub(crate) struct InProcessTransport(pub(crate) Router);

#[async_trait]
impl Transport for InProcessTransport {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<(u16, Vec<u8>), String> {
        Ok(features::ask(self.0.clone(), request).await)
    }
}

/// Returns the verifier of callbacks that are signed with this secret.
pub(crate) fn verifier(secret: &str) -> WebhookVerifier {
    WebhookVerifier::new(vec![secret.to_owned()], TOLERANCE)
}

/// Returns the adapter of a sandbox.
pub(crate) fn sandbox(sandbox: features::Sandbox, adapters: &Adapters) -> Arc<dyn PaymentProvider> {
    let transport = InProcessTransport(features::sandbox_routes(sandbox, adapters.clock.clone()));
    Arc::new(Sandbox::new(transport, "a scenario's key", verifier(SANDBOX_SECRET)))
}

/// Creates the service. Its jobs run when time passes.
pub(crate) fn hosted(adapters: Adapters, providers: Vec<Arc<dyn PaymentProvider>>) -> Hosted {
    let Adapters { api, clock, ids, page_tokens } = adapters;
    let store = MemoryStore::default();
    let use_cases = UseCases::new(store.clone(), Providers::new(providers), clock, ids, page_tokens, Policy::default());
    let never = Duration::MAX;
    Hosted {
        name: "payment",
        routes: wiring::routes(use_cases.clone(), api),
        handlers: Some(events::handlers(PaymentEventHandlers::new(use_cases.clone()))),
        outbox: Box::new(move || store.events().iter().map(events::record::<PaymentMessages>).collect()),
        jobs: wiring::jobs(&use_cases, never, never, never),
    }
}
