//! All six services in one process: those of `mart_features`, and user, payment and notification.

#[path = "../notification/hosted.rs"]
mod notification;
#[path = "../payment/hosted.rs"]
mod payment;
#[path = "../user/hosted.rs"]
mod user;

use std::sync::Arc;

use devstack::providers::{FakePayFast, FakeStripe};
use features::{Adapters, InProcess, PAYFAST, Providers};
use payment_core::ports::PaymentProvider;
use payment_service::adapters::payfast::{Merchant, PayFast};
use payment_service::adapters::stripe::Stripe;

use payment::InProcessTransport;

/// Creates an empty mart. The seed decides the order and the duplicates of records on its bus.
pub fn mart(seed: u64) -> InProcess {
    let providers = Providers::default();
    let shared = providers.clone();
    let mart = InProcess::new(seed, |adapters| {
        let mut services = mart_features::services(adapters.clone());
        services.push(user::hosted(adapters.clone()));
        services.push(payment::hosted(adapters.clone(), payment_adapters(&shared, &adapters)));
        services.push(notification::hosted(adapters));
        services
    });
    mart.with_providers(providers)
}

/// Returns the adapters of all providers, each over a fake.
fn payment_adapters(providers: &Providers, adapters: &Adapters) -> Vec<Arc<dyn PaymentProvider>> {
    let (stripe, payfast) = features::provider_routes(providers, adapters.clock.clone());
    let (stripe, verifier) = (InProcessTransport(stripe), payment::verifier(FakeStripe::SECRET));
    let stripe = Stripe::new(stripe, FakeStripe::KEY, verifier, "http://shop.example");
    let merchant = Merchant {
        url: PAYFAST.to_owned(),
        id: FakePayFast::MERCHANT.to_owned(),
        name: "mart".to_owned(),
        keys: vec![FakePayFast::KEY.to_owned()],
        callback: "http://api.shop.example/v1/payment-webhooks/payfast".to_owned(),
        shop: "http://shop.example".to_owned(),
    };
    let payfast = PayFast::new(InProcessTransport(payfast), merchant);
    vec![payment::sandbox(providers.sandbox.clone(), adapters), Arc::new(stripe), Arc::new(payfast)]
}
