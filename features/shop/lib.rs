//! All six services in one process: those of `mart_features`, and user, payment and notification.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::Request;
use devstack::providers::{FakePayFast, FakeStripe};
use features::{Hosted, InProcess, PAYFAST, Providers, SANDBOX_SECRET};
use mart_chassis::http::Api;
use mart_kernel::PageTokenSigner;
use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use notification_core::application::MessageSenders;
use notification_core::memory::MemorySender;
use notification_service::adapters::events::NotificationEventHandlers;
use notification_service::adapters::renderer::{Shop, Templates};
use payment_core::ports::PaymentProvider;
use payment_service::adapters::events::{PaymentEventHandlers, PaymentMessages};
use payment_service::adapters::payfast::{Merchant, PayFast};
use payment_service::adapters::sandbox::Sandbox;
use payment_service::adapters::stripe::Stripe;
use payment_service::signature::{TOLERANCE, WebhookVerifier};
use payment_service::transport::Transport;
use user_core::memory::{CountingSecrets, PlainHasher};
use user_service::adapters::events::UserMessages;
use user_service::adapters::tokens::EdDsa;

/// A transport that calls a provider's fake in this process, without HTTP.
struct InProcessTransport(axum::Router);

#[async_trait]
impl Transport for InProcessTransport {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<(u16, Vec<u8>), String> {
        Ok(features::ask(self.0.clone(), request).await)
    }
}

/// Creates an empty mart. The seed decides the order and the duplicates of records on its bus.
pub fn mart(seed: u64) -> InProcess {
    let providers = Providers::default();
    let shared_providers = providers.clone();
    let mart = InProcess::new(seed, |api, clock| {
        let mut services = mart_features::services(api.clone(), clock.clone());
        services.push(user(api.clone(), clock.clone()));
        services.push(payment(api.clone(), clock.clone(), &shared_providers));
        services.push(notification(api, clock));
        services
    });
    mart.with_providers(providers)
}

fn user(api: Arc<Api>, clock: Arc<ManualClock>) -> Hosted {
    let (store, ids) = (user_core::memory::MemoryStore::default(), Arc::new(SequentialIds::default()));
    let (secrets, page_tokens) = (Arc::new(CountingSecrets::default()), PageTokenSigner::new(b"a scenario's secret"));
    let policy = user_core::domain::Policy::default();
    let use_cases = user_core::UseCases::new(store.clone(), PlainHasher, secrets, clock, ids, page_tokens, policy);
    let signer = EdDsa::load(features::keys().folder(), features::ISSUER, features::AUDIENCE).expect("keys");
    // The API checks tokens against the real time, not the scenario's clock.
    let signing_clock = Arc::new(mart_chassis::clock::SystemClock);
    Hosted {
        name: "user",
        routes: user_service::wiring::routes(use_cases.clone(), Arc::new(signer), signing_clock, api),
        handlers: None,
        outbox: Box::new(move || {
            store.events().iter().map(user_service::generated::events::record::<UserMessages>).collect()
        }),
        jobs: vec![user_service::wiring::purge_expired(use_cases, Duration::MAX)],
    }
}

/// Returns the adapters of all providers, each over a fake.
fn adapters(providers: &Providers, clock: &Arc<ManualClock>) -> Vec<Arc<dyn PaymentProvider>> {
    let sandbox = InProcessTransport(features::sandbox_routes(providers.sandbox.clone(), clock.clone()));
    let (stripe, payfast) = features::provider_routes(providers, clock.clone());
    let signatures = |secret: &str| WebhookVerifier::new(vec![secret.to_owned()], TOLERANCE);
    let sandbox = Sandbox::new(sandbox, "a scenario's key", signatures(SANDBOX_SECRET));
    let stripe =
        Stripe::new(InProcessTransport(stripe), FakeStripe::KEY, signatures(FakeStripe::SECRET), "http://shop.example");
    let merchant = Merchant {
        url: PAYFAST.to_owned(),
        id: FakePayFast::MERCHANT.to_owned(),
        name: "mart".to_owned(),
        keys: vec![FakePayFast::KEY.to_owned()],
        callback: "http://api.shop.example/v1/payment-webhooks/payfast".to_owned(),
        shop: "http://shop.example".to_owned(),
    };
    let payfast = PayFast::new(InProcessTransport(payfast), merchant);
    vec![Arc::new(sandbox), Arc::new(stripe), Arc::new(payfast)]
}

fn payment(api: Arc<Api>, clock: Arc<ManualClock>, providers: &Providers) -> Hosted {
    let (store, ids) = (payment_core::memory::MemoryStore::default(), Arc::new(SequentialIds::default()));
    let providers = payment_core::application::Providers::new(adapters(providers, &clock));
    let page_tokens = PageTokenSigner::new(b"a scenario's secret");
    let policy = payment_core::domain::Policy::default();
    let use_cases = payment_core::UseCases::new(store.clone(), providers, clock, ids, page_tokens, policy);
    let never = Duration::MAX;
    Hosted {
        name: "payment",
        routes: payment_service::wiring::routes(use_cases.clone(), api),
        handlers: Some(payment_service::generated::events::handlers(PaymentEventHandlers::new(use_cases.clone()))),
        outbox: Box::new(move || {
            store.events().iter().map(payment_service::generated::events::record::<PaymentMessages>).collect()
        }),
        jobs: payment_service::wiring::jobs(&use_cases, never, never, never),
    }
}

/// The notification service, whose senders store the messages in memory.
fn notification(api: Arc<Api>, clock: Arc<ManualClock>) -> Hosted {
    let (store, ids) = (notification_core::memory::MemoryStore::default(), Arc::new(SequentialIds::default()));
    let senders = MessageSenders { mail: Arc::new(MemorySender::default()), sms: Arc::new(MemorySender::default()) };
    let renderer = Arc::new(Templates::new(Shop::new("mart", "http://shop.example")));
    let page_tokens = PageTokenSigner::new(b"a scenario's secret");
    let policy = notification_core::domain::Policy::default();
    let use_cases = notification_core::UseCases::new(store, renderer, senders, clock, ids, page_tokens, policy);
    Hosted {
        name: "notification",
        routes: notification_service::wiring::routes(use_cases.clone(), api),
        handlers: Some(notification_service::generated::events::handlers(NotificationEventHandlers::new(
            use_cases.clone(),
        ))),
        outbox: Box::new(Vec::new),
        jobs: notification_service::wiring::jobs(&use_cases, Duration::MAX, 16),
    }
}
