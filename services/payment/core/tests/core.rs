//! The use cases with the in-memory store and a scripted provider.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use mart_kernel::money::Currency;
use mart_kernel::{Fingerprint, Money, PageTokenSigner, Receipt, Timestamp};
use payment_core::UseCases;
use payment_core::application::{
    AwaitingPayment, Cancelled, Providers, RefundError, RefundRequested, ResolveError, StartError,
};
use payment_core::domain::{
    Account, Attempt, AttemptStatus, CallbackId, Checkout, CustomerId, Match, OrderId, Payer, PaymentEvent, Policy,
    Provider, ProviderEvent, ProviderEventKind, RefundId, RefundRejection, RefundStatus, StartRejection, Status,
    Subject,
};
use payment_core::memory::MemoryStore;
use payment_core::ports::{
    CheckoutRequest, OpenCheckout, PaymentProvider, ProviderError, RefundOutcome, RefundRequest, Store as _,
    WebhookError, WebhookEvent, WebhookRequest,
};
use time::Duration;
use uuid::Uuid;

payment_core::conformance!(async { MemoryStore::default() });

/// A provider with scripted responses. It records its requests.
#[derive(Default)]
struct Scripted {
    unavailable: Mutex<bool>,
    rejects: Mutex<bool>,
    without_polling: Mutex<bool>,
    reported: Mutex<Vec<ProviderEventKind>>,
    refund_outcomes: Mutex<VecDeque<RefundOutcome>>,
    requests: Mutex<Vec<String>>,
}

#[async_trait]
impl PaymentProvider for Scripted {
    fn provider(&self) -> Provider {
        Provider::Sandbox
    }

    async fn open(&self, request: &CheckoutRequest) -> Result<OpenCheckout, ProviderError> {
        if *self.unavailable.lock().expect("unlocked") {
            return Err(ProviderError::Unavailable);
        }
        if *self.rejects.lock().expect("unlocked") {
            return Err(ProviderError::Rejected("rejected".to_owned()));
        }
        self.requests.lock().expect("unlocked").push("open".to_owned());
        let (url, fields, expires_at) = ("https://pay.example".to_owned(), Vec::new(), request.expires_at);
        let reference = format!("cs-{}", request.attempt.0);
        Ok(OpenCheckout { reference, checkout: Checkout { url, fields }, expires_at })
    }

    fn supports_polling(&self) -> bool {
        !*self.without_polling.lock().expect("unlocked")
    }

    async fn poll(&self, _reference: &str) -> Result<Vec<ProviderEventKind>, ProviderError> {
        self.requests.lock().expect("unlocked").push("poll".to_owned());
        Ok(self.reported.lock().expect("unlocked").clone())
    }

    async fn end(&self, _reference: &str) -> Result<(), ProviderError> {
        self.requests.lock().expect("unlocked").push("end".to_owned());
        Ok(())
    }

    async fn refund(&self, request: &RefundRequest) -> Result<RefundOutcome, ProviderError> {
        self.requests.lock().expect("unlocked").push(format!("refund {}", request.amount.amount()));
        Ok(self.refund_outcomes.lock().expect("unlocked").pop_front().unwrap_or(RefundOutcome::Pending))
    }

    fn parse_webhook(&self, request: &WebhookRequest<'_>, _now: Timestamp) -> Result<WebhookEvent, WebhookError> {
        // The body is `event attempt amount`, `event attempt refunded` or `event money external minor`. Any signature header is
        // valid.
        let text = std::str::from_utf8(request.body).map_err(|_| WebhookError::Message)?;
        (request.header)("signature").ok_or(WebhookError::Signature)?;
        let parts: Vec<&str> = text.split(' ').collect();
        if let [event, money, "external", reported_amount] = parts.as_slice() {
            let minor = reported_amount.parse().ok().map(pkr);
            let (refund, reference) = (RefundId(Uuid::from_u128(99)), "re-99".to_owned());
            let kind = match minor {
                _ if *reported_amount == "disputed" => ProviderEventKind::NeedsReview("disputed".to_owned()),
                _ if *reported_amount == "failed" => {
                    ProviderEventKind::RefundFailed { refund, reason: "closed".to_owned() }
                }
                amount => ProviderEventKind::ExternalRefund {
                    refund,
                    reference,
                    reported_amount: (*reported_amount).to_owned(),
                    amount,
                },
            };
            let id = CallbackId { provider: Provider::Sandbox, event: (*event).to_owned() };
            let subject = Subject::Money((*money).to_owned());
            return Ok(WebhookEvent { id, event: Some(ProviderEvent { provider: Provider::Sandbox, subject, kind }) });
        }
        let [event, attempt, reported_amount] = parts.as_slice() else { return Err(WebhookError::Message) };
        let amount = Money::parse(reported_amount, "PKR").ok();
        let refunded =
            ProviderEventKind::Refunded { refund: RefundId(Uuid::from_u128(1)), reference: "re-1".to_owned() };
        let kind = if *reported_amount == "refunded" {
            refunded
        } else {
            ProviderEventKind::Captured {
                reference: "tx-1".to_owned(),
                reported_amount: (*reported_amount).to_owned(),
                amount,
            }
        };
        let id = CallbackId { provider: Provider::Sandbox, event: (*event).to_owned() };
        let subject = Subject::Attempt((*attempt).to_owned());
        Ok(WebhookEvent { id, event: Some(ProviderEvent { provider: Provider::Sandbox, subject, kind }) })
    }
}

struct World {
    payments: UseCases<MemoryStore>,
    store: MemoryStore,
    provider: Arc<Scripted>,
    clock: Arc<ManualClock>,
}

const ORDER: OrderId = OrderId(Uuid::from_u128(7));

fn pkr(minor: i64) -> Money {
    Money::from_minor(minor, Currency::from_code("PKR").expect("a currency"))
}

fn customer() -> CustomerId {
    CustomerId("ayesha".to_owned())
}

fn receipt(key: &str) -> Receipt {
    let fingerprint = Fingerprint::new("event").finish();
    Receipt { scope: "test".to_owned(), key: key.to_owned(), fingerprint, subject: String::new() }
}

impl World {
    /// Creates an order of 1500 rupees that awaits its payment.
    async fn awaiting() -> Self {
        Self::with(Policy::default()).await
    }

    async fn with(policy: Policy) -> Self {
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

    fn now(&self) -> Timestamp {
        mart_kernel::Clock::now(&*self.clock)
    }

    async fn start(&self) -> Result<Attempt, StartError> {
        self.payments.start_attempt(ORDER, customer(), "").await
    }

    async fn account(&self) -> Account {
        self.payments.get_payment(ORDER).await.expect("read").expect("found")
    }

    /// Polls the attempts, to which the provider responds with this event.
    async fn reports(&self, kind: ProviderEventKind) {
        *self.provider.reported.lock().expect("unlocked") = vec![kind];
        self.clock.advance(Duration::minutes(5));
        self.payments.poll_attempts(10).await.expect("polled");
    }

    async fn paid() -> Self {
        let world = Self::awaiting().await;
        world.start().await.expect("started");
        world.reports(captured("tx-1", 150_000)).await;
        assert_eq!(world.account().await.status(), Status::Paid);
        world
    }

    async fn send_webhook(&self, text: &str) -> Result<(), payment_core::application::ReceiveWebhookError> {
        let header = |name: &str| (name == "signature").then(|| "good".to_owned());
        let request = WebhookRequest { header: &header, query: "", body: text.as_bytes() };
        self.payments.receive_webhook(Provider::Sandbox, &request).await
    }

    fn kinds(&self) -> Vec<&'static str> {
        let kind = |event: &mart_kernel::EventEnvelope<PaymentEvent>| match &event.payload {
            PaymentEvent::PaymentCaptured(_) => "Captured",
            PaymentEvent::PaymentFailed(_) => "Failed",
            PaymentEvent::PaymentRefunded(_) => "Refunded",
            PaymentEvent::PaymentReviewRequired(_) => "NeedsReview",
            PaymentEvent::PaymentRepublished(_) => "Republished",
        };
        self.store.events().iter().map(kind).collect()
    }

    async fn request_refund(&self, key: u128, minor: i64) -> Match {
        let attempt = self.account().await.attempts[0].id;
        let refund = RefundId(Uuid::from_u128(key));
        let requested = RefundRequested { order: ORDER, refund, attempt, amount: pkr(minor) };
        self.payments.on_refund_requested(requested, receipt(&key.to_string())).await.expect("stored")
    }

    /// Returns the number of refunds that are sent now.
    async fn send_due_refunds(&self) -> usize {
        self.clock.advance(Duration::hours(1));
        self.payments.send_refunds(10).await.expect("sent")
    }

    async fn send_refunds(&self, outcomes: &[RefundOutcome]) {
        self.provider.refund_outcomes.lock().expect("unlocked").extend(outcomes.iter().cloned());
        self.payments.send_refunds(10).await.expect("sent");
    }
}

fn captured(reference: &str, minor: i64) -> ProviderEventKind {
    ProviderEventKind::Captured {
        reference: reference.to_owned(),
        reported_amount: format!("{minor} paisa"),
        amount: Some(pkr(minor)),
    }
}

#[tokio::test]
async fn an_order_is_paid_once_despite_repeated_events() {
    let world = World::awaiting().await;
    let attempt = world.start().await.expect("started");
    assert_eq!(attempt.status, AttemptStatus::Open);
    world.reports(captured("tx-1", 150_000)).await;
    let event = format!("e-1 {} 1500.00", attempt.reference);
    for _ in 0..2 {
        world.send_webhook(&event).await.expect("received");
    }
    world.reports(ProviderEventKind::Failed("late".to_owned())).await;
    let account = world.account().await;
    assert_eq!((account.status(), account.captured(), account.transactions.len()), (Status::Paid, pkr(150_000), 1));
    assert_eq!(world.kinds(), ["Captured"]);
    assert_eq!(world.start().await, Err(StartError::Rejected(StartRejection::NotPayable)));
}

#[tokio::test]
async fn a_second_start_returns_the_open_attempt() {
    let world = World::awaiting().await;
    let (one, other) = (world.start().await.expect("started"), world.start().await.expect("started"));
    assert_eq!((one.id, world.account().await.attempts.len()), (other.id, 1));
    world.clock.advance(Duration::minutes(30));
    let third = world.start().await.expect("the first checkout has expired");
    assert_ne!(third.id, one.id);
    world.clock.advance(Duration::minutes(15));
    assert_eq!(world.start().await, Err(StartError::Rejected(StartRejection::NotPayable)), "the deadline has passed");
}

#[tokio::test]
async fn other_customers_and_disabled_providers_cannot_start() {
    let world = World::awaiting().await;
    let stranger = world.payments.start_attempt(ORDER, CustomerId("bilal".to_owned()), "").await;
    assert_eq!(stranger, Err(StartError::Rejected(StartRejection::NotFound)));
    for name in ["stripe", "paypal"] {
        assert_eq!(
            world.payments.start_attempt(ORDER, customer(), name).await,
            Err(StartError::ProviderDisabled),
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_unopened_attempt_is_opened_by_the_next_start() {
    let world = World::awaiting().await;
    *world.provider.unavailable.lock().expect("unlocked") = true;
    assert_eq!(world.start().await, Err(StartError::ProviderUnavailable));
    *world.provider.unavailable.lock().expect("unlocked") = false;
    let attempt = world.start().await.expect("started");
    assert_eq!((attempt.status, world.account().await.attempts.len()), (AttemptStatus::Open, 1));
}

#[tokio::test]
async fn a_rejected_checkout_ends_the_attempt() {
    let world = World::awaiting().await;
    *world.provider.rejects.lock().expect("unlocked") = true;
    assert_eq!(world.start().await, Err(StartError::ProviderUnavailable));
    *world.provider.rejects.lock().expect("unlocked") = false;
    world.start().await.expect("started");
    let account = world.account().await;
    let statuses: Vec<&AttemptStatus> = account.attempts.iter().map(|attempt| &attempt.status).collect();
    assert_eq!(statuses, [&AttemptStatus::Closed, &AttemptStatus::Open]);
}

#[tokio::test]
async fn without_polling_an_attempt_expires_and_late_money_is_booked() {
    let world = World::awaiting().await;
    *world.provider.without_polling.lock().expect("unlocked") = true;
    let attempt = world.start().await.expect("started");
    world.clock.advance(Duration::minutes(29));
    world.payments.poll_attempts(10).await.expect("polled");
    assert!(world.account().await.attempts[0].is_open(), "it can still be paid");
    world.clock.advance(Duration::minutes(6));
    world.payments.poll_attempts(10).await.expect("polled");
    assert_eq!(world.account().await.attempts[0].status, AttemptStatus::Closed);
    world.clock.advance(Duration::hours(24));
    assert_eq!(world.payments.poll_attempts(10).await, Ok(0), "no further polls");
    world.send_webhook(&format!("e-1 {} 1500.00", attempt.reference)).await.expect("received");
    assert_eq!(world.account().await.status(), Status::Paid);
}

#[tokio::test]
async fn a_retiring_provider_opens_no_checkout_and_is_processed() {
    let world = World::awaiting().await;
    let attempt = world.start().await.expect("started");
    let retiring = Providers::new(vec![world.provider.clone()]).retiring(vec![Provider::Sandbox]);
    let (ids, page_tokens) = (Arc::new(SequentialIds::default()), PageTokenSigner::new(b"a test's secret"));
    let payments =
        UseCases::new(world.store.clone(), retiring, world.clock.clone(), ids, page_tokens, Policy::default());
    assert_eq!(payments.start_attempt(ORDER, customer(), "").await, Err(StartError::ProviderDisabled));
    let world = World { payments, ..world };
    world.send_webhook(&format!("e-1 {} 1500.00", attempt.reference)).await.expect("received");
    assert_eq!(world.account().await.status(), Status::Paid);
}

#[tokio::test]
async fn long_texts_of_a_provider_are_cut() {
    let world = World::awaiting().await;
    let attempt = world.start().await.expect("started");
    world.send_webhook(&format!("e-1 {} {}", attempt.reference, "9".repeat(1_000_000))).await.expect("received");
    assert!(world.account().await.tasks[0].reason.len() <= 1_000);
}

#[tokio::test]
async fn the_policy_limits_checkouts_polls_and_attempts() {
    let (checkout_ttl, poll_delay) = (Duration::minutes(2), Duration::minutes(1));
    let world = World::with(Policy { checkout_ttl, poll_delay, max_attempts: 2, ..Policy::default() }).await;
    for _ in 0..2 {
        world.provider.reported.lock().expect("unlocked").clear();
        let attempt = world.start().await.expect("started");
        assert_eq!(attempt.expires_at, Timestamp::new(world.now().get() + checkout_ttl));
        assert_eq!(world.payments.poll_attempts(10).await, Ok(0), "not due yet");
        world.clock.advance(poll_delay);
        assert_eq!(world.payments.poll_attempts(10).await, Ok(1), "due");
        assert_eq!(world.start().await.expect("still open").id, attempt.id);
        world.clock.advance(checkout_ttl - poll_delay);
        *world.provider.reported.lock().expect("unlocked") = vec![ProviderEventKind::CheckoutExpired];
        world.payments.poll_attempts(10).await.expect("polled");
    }
    assert_eq!(world.start().await, Err(StartError::Rejected(StartRejection::TooMany)));
}

#[tokio::test]
async fn an_attempt_without_a_checkout_expires() {
    let world = World::awaiting().await;
    *world.provider.unavailable.lock().expect("unlocked") = true;
    assert_eq!(world.start().await, Err(StartError::ProviderUnavailable));
    world.clock.advance(Duration::minutes(31));
    *world.provider.unavailable.lock().expect("unlocked") = false;
    let attempt = world.start().await.expect("a new attempt with the full time");
    assert!(attempt.expires_at > Timestamp::new(world.now().get() + Duration::minutes(29)));
    world.payments.poll_attempts(10).await.expect("polled");
    let account = world.account().await;
    let statuses: Vec<&AttemptStatus> = account.attempts.iter().map(|attempt| &attempt.status).collect();
    assert_eq!(statuses, [&AttemptStatus::Closed, &AttemptStatus::Open]);
}

#[tokio::test]
async fn a_failed_refund_is_a_task_and_is_sent_again_on_conflict() {
    let closed = || RefundOutcome::Rejected("closed".to_owned());
    for (outcome, status, refunded) in [
        (RefundOutcome::Succeeded("re-1".to_owned()), RefundStatus::Succeeded, 50_000),
        // The provider confirms the failure: its event was older.
        (closed(), RefundStatus::Failed, 0),
    ] {
        let world = World::paid().await;
        for key in [1, 2] {
            let refund = RefundId(Uuid::from_u128(key));
            world.payments.refund(ORDER, refund, Some(pkr(50_000)), "broken".to_owned()).await.expect("requested");
        }
        world.send_refunds(&[closed(), closed()]).await;
        assert_eq!(world.account().await.tasks.len(), 2);
        let attempt = world.account().await.attempts[0].reference.clone();
        world.send_webhook(&format!("e-9 {attempt} refunded")).await.expect("received");
        assert_eq!(world.account().await.refunded(), pkr(0), "a contradictory event books nothing");
        world.send_refunds(&[outcome]).await;
        let account = world.account().await;
        assert_eq!((account.refunds[0].status, account.refunded(), account.tasks.len()), (status, pkr(refunded), 2));
    }
}

#[tokio::test]
async fn another_attempt_may_follow_a_failed_one() {
    let world = World::awaiting().await;
    let first = world.start().await.expect("started");
    world.reports(ProviderEventKind::Failed("card declined".to_owned())).await;
    let second = world.start().await.expect("another");
    assert_ne!(first.id, second.id);
    assert_eq!(world.account().await.status(), Status::Open);
    assert_eq!(world.kinds(), ["Failed"]);
}

#[tokio::test]
async fn a_wrong_amount_is_not_booked_and_becomes_one_task() {
    let world = World::awaiting().await;
    let attempt = world.start().await.expect("started");
    for event in ["e-1", "e-2"] {
        world.send_webhook(&format!("{event} {} 1.00", attempt.reference)).await.expect("received");
    }
    world.send_webhook(&format!("e-3 {} much", attempt.reference)).await.expect("received");
    let account = world.account().await;
    assert_eq!((account.status(), account.tasks.len(), account.transactions.len()), (Status::Open, 2, 0));
    assert_eq!(world.kinds(), ["NeedsReview", "NeedsReview"]);
    let (task, resolution) = (account.tasks[0].id, "refunded".to_owned());
    let resolved = world.payments.resolve(ORDER, task, resolution.clone(), false).await.expect("resolved");
    assert_eq!(resolved.tasks[0].resolution.as_ref(), Some(&resolution));
    assert_eq!(world.payments.resolve(ORDER, task, resolution, false).await, Err(ResolveError::NoTask));
}

#[tokio::test]
async fn a_callback_before_its_attempt_is_processed_later() {
    let world = World::awaiting().await;
    let reference = format!("cs-{}", Uuid::from_u64_pair(0x0000_0000_0000_7000, 0x8000_0000_0000_0000));
    world.send_webhook(&format!("e-1 {reference} 1500.00")).await.expect("stored");
    assert_eq!(world.account().await.status(), Status::Open);
    let attempt = world.start().await.expect("started");
    assert_eq!(attempt.reference, reference, "ids are sequential");
    world.clock.advance(Duration::seconds(1));
    assert_eq!(world.payments.process_callbacks(10).await, Ok(1));
    assert_eq!(world.payments.process_callbacks(10).await, Ok(0));
    assert_eq!(world.account().await.status(), Status::Paid);
}

#[tokio::test]
async fn a_second_capture_is_refunded() {
    let world = World::awaiting().await;
    world.start().await.expect("started");
    world.clock.advance(Duration::minutes(31));
    let second = world.start().await.expect("another");
    world.send_webhook(&format!("e-1 {} 1500.00", second.reference)).await.expect("received");
    world.reports(captured("tx-2", 150_000)).await;
    let account = world.account().await;
    assert_eq!((account.captured(), account.refunds.len()), (pkr(300_000), 1));
    world.send_refunds(&[RefundOutcome::Succeeded("re-1".to_owned())]).await;
    let account = world.account().await;
    assert_eq!((account.status(), account.refunded()), (Status::Paid, pkr(150_000)));
    assert_eq!(world.kinds(), ["Captured", "Refunded"]);
}

#[tokio::test]
async fn late_money_is_published_for_order_to_decide() {
    let world = World::awaiting().await;
    world.start().await.expect("started");
    let cancelled = Cancelled { order: ORDER, customer: customer(), amount: pkr(150_000) };
    world.payments.on_order_cancelled(cancelled, receipt("cancelled")).await.expect("stored");
    assert_eq!(world.start().await, Err(StartError::Rejected(StartRejection::NotPayable)));
    *world.provider.reported.lock().expect("unlocked") = vec![captured("tx-1", 150_000)];
    world.payments.poll_attempts(10).await.expect("polled at once");
    assert_eq!(*world.provider.requests.lock().expect("unlocked"), ["open", "end", "poll"]);
    assert_eq!(world.kinds(), ["Captured"]);
    assert_eq!(world.request_refund(1, 150_000).await, Match::Matched);
    world.send_refunds(&[RefundOutcome::Succeeded("re-1".to_owned())]).await;
    assert_eq!((world.account().await.status(), world.kinds()), (Status::Refunded, vec!["Captured", "Refunded"]));
}

#[tokio::test]
async fn a_cancellation_that_arrives_first_closes_the_payment() {
    let world = World::awaiting().await;
    let other = OrderId(Uuid::from_u128(8));
    let cancelled = Cancelled { order: other, customer: customer(), amount: pkr(1) };
    world.payments.on_order_cancelled(cancelled, receipt("cancelled")).await.expect("stored");
    let deadline = Timestamp::new(world.now().get() + Duration::minutes(45));
    let awaiting =
        AwaitingPayment { order: other, customer: customer(), payer: Payer::default(), amount: pkr(1), deadline };
    world.payments.on_order_awaiting_payment(awaiting, receipt("late")).await.expect("stored");
    let account = world.payments.get_payment(other).await.expect("read").expect("found");
    assert_eq!(account.status(), Status::Closed);
}

#[tokio::test]
async fn a_repeated_refund_request_refunds_once() {
    let world = World::paid().await;
    for _ in 0..2 {
        assert_eq!(world.request_refund(1, 150_000).await, Match::Matched);
    }
    world.send_refunds(&[RefundOutcome::Pending]).await;
    world.clock.advance(Duration::minutes(1));
    world.send_refunds(&[RefundOutcome::Succeeded("re-1".to_owned())]).await;
    world.clock.advance(Duration::minutes(1));
    world.send_refunds(&[RefundOutcome::Succeeded("re-2".to_owned())]).await;
    let account = world.account().await;
    assert_eq!((account.status(), account.refunded()), (Status::Refunded, pkr(150_000)));
    let requests = world.provider.requests.lock().expect("unlocked").clone();
    assert_eq!(requests.iter().filter(|request| request.starts_with("refund")).count(), 2);
}

#[tokio::test]
async fn refunds_never_exceed_captures() {
    let world = World::paid().await;
    let refund = |key: u128, minor: Option<i64>| {
        let refund = RefundId(Uuid::from_u128(key));
        world.payments.refund(ORDER, refund, minor.map(pkr), "broken".to_owned())
    };
    refund(1, Some(100_000)).await.expect("a part");
    refund(1, Some(100_000)).await.expect("the same again");
    let too_large = Err(RefundError::Rejected(RefundRejection::TooLarge));
    assert_eq!(refund(2, Some(50_001)).await, too_large, "pending refunds count");
    let account = refund(3, None).await.expect("the rest");
    assert_eq!(account.refunds.iter().map(|refund| refund.amount.minor()).sum::<i64>(), 150_000);
    assert_eq!(refund(4, None).await, too_large);
    // The order's request comes last, when nothing is left to refund.
    assert_eq!(world.request_refund(5, 150_000).await, Match::Matched);
    assert_eq!(world.account().await.refunds.len(), 2);

    world
        .send_refunds(&[RefundOutcome::Succeeded("re-1".to_owned()), RefundOutcome::Rejected("closed".to_owned())])
        .await;
    assert_eq!(refund(6, Some(50_000)).await.expect("a rejected refund can be requested again").refunds.len(), 3);
    assert_eq!(world.kinds(), ["Captured", "Refunded", "NeedsReview"]);
}

#[tokio::test]
async fn an_external_refund_is_booked_once() {
    let world = World::paid().await;
    for event in ["e-2", "e-2", "e-3"] {
        world.send_webhook(&format!("{event} tx-1 external 50000")).await.expect("received");
    }
    let account = world.account().await;
    assert_eq!((account.refunded(), account.refunds.len(), account.transactions.len()), (pkr(50_000), 1, 2));
    assert_eq!(account.refundable(account.attempts[0].id), 100_000, "an external refund reduces the refundable amount");
    assert_eq!(world.kinds(), ["Captured", "Refunded"]);
    world.send_webhook("e-4 tx-1 external failed").await.expect("received");
    assert!(world.account().await.tasks[0].reason.contains("now reports that it failed"), "an operator has to check");
    assert_eq!(world.send_due_refunds().await, 0, "it is not sent again");
}

#[tokio::test]
async fn an_external_refund_that_does_not_match_is_a_task() {
    let world = World::paid().await;
    for (event, reported_amount) in [("e-2", "dollars"), ("e-3", "failed"), ("e-4", "disputed"), ("e-5", "disputed")] {
        world.send_webhook(&format!("{event} tx-1 external {reported_amount}")).await.expect("received");
    }
    let account = world.account().await;
    let reasons: Vec<&str> = account.tasks.iter().map(|task| task.reason.as_str()).collect();
    let expected = [
        "sandbox reports a refund of dollars (re-99); nothing was booked",
        "sandbox reports that a refund made there failed: closed",
        "sandbox: disputed",
    ];
    assert_eq!((reasons.as_slice(), account.refunded()), (expected.as_slice(), pkr(0)));
}

#[tokio::test]
async fn events_of_unbooked_money_are_tasks() {
    let world = World::awaiting().await;
    let attempt = world.start().await.expect("started");
    world.send_webhook(&format!("e-1 {} 1.00", attempt.reference)).await.expect("received");
    for (event, reported_amount) in [("e-2", "100"), ("e-3", "disputed")] {
        world.send_webhook(&format!("{event} tx-1 external {reported_amount}")).await.expect("received");
    }
    let account = world.account().await;
    assert_eq!((account.tasks.len(), account.transactions.len(), account.refunds.len()), (3, 0, 0));
}

#[tokio::test]
async fn an_external_refund_reduces_pending_refunds() {
    let world = World::paid().await;
    for (key, minor) in [(1, 100_000), (2, 50_000)] {
        let refund = RefundId(Uuid::from_u128(key));
        world.payments.refund(ORDER, refund, Some(pkr(minor)), "broken".to_owned()).await.expect("requested");
    }
    world.send_webhook("e-2 tx-1 external 70000").await.expect("received");
    let account = world.account().await;
    let pending = account.refunds.iter().filter(|refund| refund.status == RefundStatus::Pending);
    assert_eq!(pending.map(|refund| refund.amount).collect::<Vec<_>>(), [pkr(80_000)]);
    assert_eq!((account.refunded(), account.tasks.len()), (pkr(70_000), 0));
    world.send_refunds(&[RefundOutcome::Succeeded("re-1".to_owned())]).await;
    assert_eq!(world.account().await.status(), Status::Refunded);
}

#[tokio::test]
async fn our_refund_without_metadata_is_not_repeated() {
    let world = World::paid().await;
    world.request_refund(1, 50_000).await;
    world.send_refunds(&[RefundOutcome::Succeeded("re-99".to_owned())]).await;
    world.send_webhook("e-2 tx-1 external 50000").await.expect("received");
    let account = world.account().await;
    assert_eq!((account.refunds.len(), account.refunded(), account.tasks.len()), (1, pkr(50_000), 0));
}

#[tokio::test]
async fn unmatched_callbacks_are_retried_with_growing_pauses() {
    let world = World::paid().await;
    world.send_webhook("e-2 tx-9 external 50000").await.expect("stored");
    let mut attempts = 0;
    for _ in 0..(30 * 24) {
        world.clock.advance(Duration::hours(1));
        let until = Timestamp::new(world.now().get() - Duration::SECOND);
        attempts += world.store.pending_callbacks(until, 10).await.expect("read").len();
        world.payments.process_callbacks(10).await.expect("processed");
    }
    assert_eq!(attempts, 9, "in 30 days");
    assert_eq!(world.account().await.transactions.len(), 1);
}

#[tokio::test]
async fn without_a_refund_api_refunds_are_tasks() {
    for (refunded, status) in [(true, RefundStatus::Succeeded), (false, RefundStatus::Failed)] {
        let world = World::paid().await;
        world.request_refund(1, 150_000).await;
        world.send_refunds(&[RefundOutcome::Manual]).await;
        let account = world.account().await;
        assert_eq!((account.refunds[0].status, account.needs_review()), (RefundStatus::Manual, true));
        let done = world.payments.resolve(ORDER, account.tasks[0].id, "by bank".to_owned(), refunded).await;
        let account = done.expect("resolved");
        assert_eq!((account.refunds[0].status, account.refunded() == pkr(150_000)), (status, refunded));
    }
}

#[tokio::test]
async fn a_refund_waits_for_its_capture() {
    let world = World::awaiting().await;
    world.start().await.expect("started");
    assert_eq!(world.request_refund(1, 150_000).await, Match::Unmatched);
    world.reports(captured("tx-1", 150_000)).await;
    assert_eq!(world.request_refund(1, 150_000).await, Match::Matched);
}

#[tokio::test]
async fn a_republished_payment_repeats_its_version() {
    let world = World::paid().await;
    let done = world.payments.republish_payments(mart_kernel::PageSize::requested(0), "").await.expect("republished");
    let events = world.store.events();
    let versions: Vec<i64> = events.iter().map(|event| event.version.get()).collect();
    assert_eq!((done.count, world.kinds(), versions), (1, vec!["Captured", "Republished"], vec![1, 1]));
}
