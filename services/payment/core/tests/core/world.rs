//! The order of a test, its payment and its provider.

use std::sync::Arc;

use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use mart_kernel::money::Currency;
use mart_kernel::{Clock as _, EventEnvelope, EventOutcome, Money, PageTokenSigner, Receipt, Timestamp};
use payment_core::UseCases;
use payment_core::application::{AwaitingPayment, Providers, ReceiveWebhookError, RefundRequested, StartError, Viewer};
use payment_core::domain::{
    Account, Attempt, CustomerId, OrderId, Payer, PaymentEvent, Policy, Provider, ProviderEventKind, RefundId, Status,
};
use payment_core::memory::MemoryStore;
use payment_core::ports::{RefundOutcome, WebhookRequest};
use time::Duration;
use uuid::Uuid;

use crate::scripted::Scripted;

pub(crate) struct World {
    pub(crate) payments: UseCases<MemoryStore>,
    pub(crate) store: MemoryStore,
    pub(crate) provider: Arc<Scripted>,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) const ORDER: OrderId = OrderId(Uuid::from_u128(7));

pub(crate) fn pkr(minor: i64) -> Money {
    Money::from_minor(minor, Currency::from_code("PKR").expect("a currency"))
}

pub(crate) fn customer() -> CustomerId {
    CustomerId("ayesha".to_owned())
}

pub(crate) fn receipt(key: &str) -> Receipt {
    mart_kernel::testing::receipt(key, "event", "")
}

impl World {
    /// Creates an order of 1500 rupees that awaits its payment.
    pub(crate) async fn awaiting() -> Self {
        Self::with(Policy::default()).await
    }

    pub(crate) async fn with(policy: Policy) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_micros(1_790_000_000_000_000).expect("in range")));
        let (store, provider) = (MemoryStore::default(), Arc::new(Scripted::default()));
        let providers = Providers::new(vec![provider.clone()]);
        let (ids, page_tokens) = (Arc::new(SequentialIds::default()), PageTokenSigner::new(b"a test's secret"));
        let payments = UseCases::new(store.clone(), providers, clock.clone(), ids, page_tokens, policy);
        let world = Self { payments, store, provider, clock };
        let deadline = Timestamp::new(world.now().get() + Duration::minutes(45));
        let awaiting = AwaitingPayment {
            order: ORDER,
            customer: customer(),
            payer: Payer::default(),
            amount: pkr(150_000),
            deadline,
        };
        world.payments.on_order_awaiting_payment(awaiting, receipt("awaiting")).await.expect("stored");
        world
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn start(&self) -> Result<Attempt, StartError> {
        self.payments.start_attempt(ORDER, customer(), "").await
    }

    pub(crate) async fn account(&self) -> Account {
        self.payments.get_payment(ORDER, &Viewer::Admin).await.expect("read").expect("found")
    }

    /// Polls the attempts, to which the provider responds with this event.
    pub(crate) async fn reports(&self, kind: ProviderEventKind) {
        *self.provider.reported.lock().expect("unlocked") = vec![kind];
        self.clock.advance(Duration::minutes(5));
        self.payments.poll_attempts(10).await.expect("polled");
    }

    pub(crate) async fn paid() -> Self {
        let world = Self::awaiting().await;
        world.start().await.expect("started");
        world.reports(captured("tx-1", 150_000)).await;
        assert_eq!(world.account().await.status(), Status::Paid);
        world
    }

    pub(crate) async fn send_webhook(&self, text: &str) -> Result<(), ReceiveWebhookError> {
        let header = |name: &str| (name == "signature").then(|| "good".to_owned());
        let request = WebhookRequest { header: &header, query: "", body: text.as_bytes() };
        self.payments.receive_webhook(Provider::Sandbox, &request).await
    }

    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        let kind = |event: &EventEnvelope<PaymentEvent>| match &event.payload {
            PaymentEvent::PaymentCaptured(_) => "Captured",
            PaymentEvent::PaymentFailed(_) => "Failed",
            PaymentEvent::PaymentRefunded(_) => "Refunded",
            PaymentEvent::PaymentReviewRequired(_) => "NeedsReview",
            PaymentEvent::PaymentRepublished(_) => "Republished",
        };
        self.store.events().iter().map(kind).collect()
    }

    pub(crate) async fn request_refund(&self, key: u128, minor: i64) -> EventOutcome {
        let attempt = self.account().await.attempts[0].id;
        let refund = RefundId(Uuid::from_u128(key));
        let requested = RefundRequested { order: ORDER, refund, attempt, amount: pkr(minor) };
        self.payments.on_refund_requested(requested, receipt(&key.to_string())).await.expect("stored")
    }

    /// Returns the number of refunds that are sent now.
    pub(crate) async fn send_due_refunds(&self) -> usize {
        self.clock.advance(Duration::hours(1));
        self.payments.send_refunds(10).await.expect("sent")
    }

    pub(crate) async fn send_refunds(&self, outcomes: &[RefundOutcome]) {
        self.provider.refund_outcomes.lock().expect("unlocked").extend(outcomes.iter().cloned());
        self.payments.send_refunds(10).await.expect("sent");
    }
}

pub(crate) fn captured(reference: &str, minor: i64) -> ProviderEventKind {
    ProviderEventKind::Captured {
        reference: reference.to_owned(),
        reported_amount: format!("{minor} paisa"),
        amount: Some(pkr(minor)),
    }
}
