//! What becomes of money, over a store in memory and a provider that says kind a test wants.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use mart_kernel::money::Currency;
use mart_kernel::{Fingerprint, Money, PageTokenSigner, Receipt, Timestamp};
use payment_core::UseCases;
use payment_core::application::{Awaited, Cancelled, Providers, RefundAsked, RefundError, ResolveError, StartError};
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

/// Says kind a test has put in, and writes down kind it was asked for.
#[derive(Default)]
struct Scripted {
    away: Mutex<bool>,
    refuses: Mutex<bool>,
    mute: Mutex<bool>,
    said: Mutex<Vec<ProviderEventKind>>,
    refunding: Mutex<VecDeque<RefundOutcome>>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl PaymentProvider for Scripted {
    fn provider(&self) -> Provider {
        Provider::Sandbox
    }

    async fn open(&self, asked: &CheckoutRequest) -> Result<OpenCheckout, ProviderError> {
        if *self.away.lock().expect("unlocked") {
            return Err(ProviderError::Unavailable);
        }
        if *self.refuses.lock().expect("unlocked") {
            return Err(ProviderError::Rejected("not so".to_owned()));
        }
        self.asked.lock().expect("unlocked").push("open".to_owned());
        let (url, fields, expires_at) = ("https://pay.example".to_owned(), Vec::new(), asked.expires_at);
        let reference = format!("cs-{}", asked.attempt.0);
        Ok(OpenCheckout { reference, checkout: Checkout { url, fields }, expires_at })
    }

    fn supports_polling(&self) -> bool {
        !*self.mute.lock().expect("unlocked")
    }

    async fn look(&self, _reference: &str) -> Result<Vec<ProviderEventKind>, ProviderError> {
        self.asked.lock().expect("unlocked").push("look".to_owned());
        Ok(self.said.lock().expect("unlocked").clone())
    }

    async fn end(&self, _reference: &str) -> Result<(), ProviderError> {
        self.asked.lock().expect("unlocked").push("end".to_owned());
        Ok(())
    }

    async fn refund(&self, asked: &RefundRequest) -> Result<RefundOutcome, ProviderError> {
        self.asked.lock().expect("unlocked").push(format!("refund {}", asked.amount.amount()));
        Ok(self.refunding.lock().expect("unlocked").pop_front().unwrap_or(RefundOutcome::Pending))
    }

    fn parse_webhook(&self, sent: &WebhookRequest<'_>, _now: Timestamp) -> Result<WebhookEvent, WebhookError> {
        // `event attempt amount`, or `event money there minor`: genuine where it is signed.
        let text = std::str::from_utf8(sent.body).map_err(|_| WebhookError::Message)?;
        (sent.header)("signature").ok_or(WebhookError::Signature)?;
        let words: Vec<&str> = text.split(' ').collect();
        if let [event, money, "there", reported_amount] = words.as_slice() {
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
        let [event, attempt, reported_amount] = words.as_slice() else { return Err(WebhookError::Message) };
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
    /// An order of 1500 rupees awaits payment.
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
        let awaited =
            Awaited { order: ORDER, customer: customer(), payer: Payer::default(), amount: pkr(150_000), deadline };
        world.payments.on_awaited(awaited, receipt("awaited")).await.expect("kept");
        world
    }

    fn now(&self) -> Timestamp {
        mart_kernel::Clock::now(&*self.clock)
    }

    async fn start(&self) -> Result<Attempt, StartError> {
        self.payments.start_attempt(ORDER, customer(), "").await
    }

    async fn account(&self) -> Account {
        self.payments.get_payment(ORDER).await.expect("read").expect("there")
    }

    /// The provider says this of an attempt when it is asked the next time.
    async fn says(&self, kind: ProviderEventKind) {
        *self.provider.said.lock().expect("unlocked") = vec![kind];
        self.clock.advance(Duration::minutes(5));
        self.payments.poll_attempts(10).await.expect("looked");
    }

    async fn paid() -> Self {
        let world = Self::awaiting().await;
        world.start().await.expect("started");
        world.says(captured("tx-1", 150_000)).await;
        assert_eq!(world.account().await.status(), Status::Paid);
        world
    }

    async fn call(&self, text: &str) -> Result<(), payment_core::application::ReceiveWebhookError> {
        let header = |name: &str| (name == "signature").then(|| "good".to_owned());
        let word = WebhookRequest { header: &header, query: "", body: text.as_bytes() };
        self.payments.receive_webhook(Provider::Sandbox, &word).await
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

    async fn refund_asked(&self, key: u128, minor: i64) -> Match {
        let attempt = self.account().await.attempts[0].id;
        let refund = RefundId(Uuid::from_u128(key));
        let asked = RefundAsked { order: ORDER, refund, attempt, amount: pkr(minor) };
        self.payments.on_refund_asked(asked, receipt(&key.to_string())).await.expect("kept")
    }

    /// How many refunds a provider is asked for now.
    async fn make_refunds_asked(&self) -> usize {
        self.clock.advance(Duration::hours(1));
        self.payments.send_refunds(10).await.expect("asked")
    }

    async fn send_refunds(&self, answers: &[RefundOutcome]) {
        self.provider.refunding.lock().expect("unlocked").extend(answers.iter().cloned());
        self.payments.send_refunds(10).await.expect("asked");
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
async fn an_order_is_paid_once_whatever_is_said_again() {
    let world = World::awaiting().await;
    let attempt = world.start().await.expect("started");
    assert_eq!(attempt.status, AttemptStatus::Open);
    world.says(captured("tx-1", 150_000)).await;
    let event = format!("e-1 {} 1500.00", attempt.reference);
    for _ in 0..2 {
        world.call(&event).await.expect("heard");
    }
    world.says(ProviderEventKind::Failed("late".to_owned())).await;
    let account = world.account().await;
    assert_eq!((account.status(), account.captured(), account.transactions.len()), (Status::Paid, pkr(150_000), 1));
    assert_eq!(world.kinds(), ["Captured"]);
    assert_eq!(world.start().await, Err(StartError::Rejected(StartRejection::NotPayable)));
}

#[tokio::test]
async fn a_second_start_answers_with_the_attempt_that_is_open() {
    let world = World::awaiting().await;
    let (one, other) = (world.start().await.expect("started"), world.start().await.expect("started"));
    assert_eq!((one.id, world.account().await.attempts.len()), (other.id, 1));
    world.clock.advance(Duration::minutes(30));
    let third = world.start().await.expect("the first checkout has ended by itself");
    assert_ne!(third.id, one.id);
    world.clock.advance(Duration::minutes(15));
    assert_eq!(world.start().await, Err(StartError::Rejected(StartRejection::NotPayable)), "the order's time is up");
}

#[tokio::test]
async fn nobody_pays_for_another_and_nobody_at_a_provider_that_is_off() {
    let world = World::awaiting().await;
    let stranger = world.payments.start_attempt(ORDER, CustomerId("bilal".to_owned()), "").await;
    assert_eq!(stranger, Err(StartError::Rejected(StartRejection::NotFound)));
    for name in ["stripe", "nobody"] {
        assert_eq!(
            world.payments.start_attempt(ORDER, customer(), name).await,
            Err(StartError::ProviderDisabled),
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_attempt_that_could_not_be_opened_is_opened_by_the_next_try() {
    let world = World::awaiting().await;
    *world.provider.away.lock().expect("unlocked") = true;
    assert_eq!(world.start().await, Err(StartError::ProviderUnavailable));
    *world.provider.away.lock().expect("unlocked") = false;
    let attempt = world.start().await.expect("started");
    assert_eq!((attempt.status, world.account().await.attempts.len()), (AttemptStatus::Open, 1));
}

#[tokio::test]
async fn an_attempt_that_the_provider_refuses_to_open_is_over_and_the_next_try_is_another() {
    let world = World::awaiting().await;
    *world.provider.refuses.lock().expect("unlocked") = true;
    assert_eq!(world.start().await, Err(StartError::ProviderUnavailable));
    *world.provider.refuses.lock().expect("unlocked") = false;
    world.start().await.expect("started");
    let account = world.account().await;
    let statuses: Vec<&AttemptStatus> = account.attempts.iter().map(|attempt| &attempt.status).collect();
    assert_eq!(statuses, [&AttemptStatus::Closed, &AttemptStatus::Open]);
}

#[tokio::test]
async fn an_attempt_at_a_provider_that_can_not_be_asked_ends_with_its_time_and_late_money_is_booked() {
    let world = World::awaiting().await;
    *world.provider.mute.lock().expect("unlocked") = true;
    let attempt = world.start().await.expect("started");
    world.clock.advance(Duration::minutes(29));
    world.payments.poll_attempts(10).await.expect("looked");
    assert!(world.account().await.attempts[0].is_open(), "it can still be paid");
    world.clock.advance(Duration::minutes(6));
    world.payments.poll_attempts(10).await.expect("looked");
    assert_eq!(world.account().await.attempts[0].status, AttemptStatus::Closed);
    world.clock.advance(Duration::hours(24));
    assert_eq!(world.payments.poll_attempts(10).await, Ok(0), "nobody looks any more");
    world.call(&format!("e-1 {} 1500.00", attempt.reference)).await.expect("heard");
    assert_eq!(world.account().await.status(), Status::Paid);
}

#[tokio::test]
async fn a_provider_that_ends_opens_nothing_new_and_is_heard() {
    let world = World::awaiting().await;
    let attempt = world.start().await.expect("started");
    let ending = Providers::new(vec![world.provider.clone()]).retiring(vec![Provider::Sandbox]);
    let (ids, page_tokens) = (Arc::new(SequentialIds::default()), PageTokenSigner::new(b"a test's secret"));
    let payments = UseCases::new(world.store.clone(), ending, world.clock.clone(), ids, page_tokens, Policy::default());
    assert_eq!(payments.start_attempt(ORDER, customer(), "").await, Err(StartError::ProviderDisabled));
    let world = World { payments, ..world };
    world.call(&format!("e-1 {} 1500.00", attempt.reference)).await.expect("heard");
    assert_eq!(world.account().await.status(), Status::Paid);
}

#[tokio::test]
async fn a_providers_words_are_cut_before_they_are_told() {
    let world = World::awaiting().await;
    let attempt = world.start().await.expect("started");
    world.call(&format!("e-1 {} {}", attempt.reference, "9".repeat(1_000_000))).await.expect("heard");
    assert!(world.account().await.tasks[0].reason.len() <= 1_000);
}

#[tokio::test]
async fn an_operator_sets_how_long_a_checkout_lasts_when_it_is_asked_about_and_how_many_there_are() {
    let (checkout_ttl, poll_delay) = (Duration::minutes(2), Duration::minutes(1));
    let world = World::with(Policy { checkout_ttl, poll_delay, max_attempts: 2, ..Policy::default() }).await;
    for _ in 0..2 {
        world.provider.said.lock().expect("unlocked").clear();
        let attempt = world.start().await.expect("started");
        assert_eq!(attempt.expires_at, Timestamp::new(world.now().get() + checkout_ttl));
        assert_eq!(world.payments.poll_attempts(10).await, Ok(0), "not yet");
        world.clock.advance(poll_delay);
        assert_eq!(world.payments.poll_attempts(10).await, Ok(1), "its time has come");
        assert_eq!(world.start().await.expect("open still").id, attempt.id);
        world.clock.advance(checkout_ttl - poll_delay);
        *world.provider.said.lock().expect("unlocked") = vec![ProviderEventKind::CheckoutExpired];
        world.payments.poll_attempts(10).await.expect("looked");
    }
    assert_eq!(world.start().await, Err(StartError::Rejected(StartRejection::TooMany)));
}

#[tokio::test]
async fn an_attempt_that_no_provider_opened_in_time_is_over() {
    let world = World::awaiting().await;
    *world.provider.away.lock().expect("unlocked") = true;
    assert_eq!(world.start().await, Err(StartError::ProviderUnavailable));
    world.clock.advance(Duration::minutes(31));
    *world.provider.away.lock().expect("unlocked") = false;
    let attempt = world.start().await.expect("another one, whose page has all of its time");
    assert!(attempt.expires_at > Timestamp::new(world.now().get() + Duration::minutes(29)));
    world.payments.poll_attempts(10).await.expect("looked");
    let account = world.account().await;
    let statuses: Vec<&AttemptStatus> = account.attempts.iter().map(|attempt| &attempt.status).collect();
    assert_eq!(statuses, [&AttemptStatus::Closed, &AttemptStatus::Open]);
}

#[tokio::test]
async fn every_refund_that_fails_is_a_task_of_its_own_and_other_news_has_the_provider_asked() {
    let closed = || RefundOutcome::Rejected("closed".to_owned());
    for (answer, status, back) in [
        (RefundOutcome::Succeeded("re-1".to_owned()), RefundStatus::Succeeded, 50_000),
        // The event was older than the failure.
        (closed(), RefundStatus::Failed, 0),
    ] {
        let world = World::paid().await;
        for key in [1, 2] {
            let refund = RefundId(Uuid::from_u128(key));
            world.payments.refund(ORDER, refund, Some(pkr(50_000)), "broken".to_owned()).await.expect("asked for");
        }
        world.send_refunds(&[closed(), closed()]).await;
        assert_eq!(world.account().await.tasks.len(), 2);
        let attempt = world.account().await.attempts[0].reference.clone();
        world.call(&format!("e-9 {attempt} refunded")).await.expect("heard");
        assert_eq!(world.account().await.refunded(), pkr(0), "it is not believed");
        world.send_refunds(&[answer]).await;
        let account = world.account().await;
        assert_eq!((account.refunds[0].status, account.refunded(), account.tasks.len()), (status, pkr(back), 2));
    }
}

#[tokio::test]
async fn a_failure_is_of_one_attempt_and_another_may_follow() {
    let world = World::awaiting().await;
    let first = world.start().await.expect("started");
    world.says(ProviderEventKind::Failed("card declined".to_owned())).await;
    let second = world.start().await.expect("another");
    assert_ne!(first.id, second.id);
    assert_eq!(world.account().await.status(), Status::Open);
    assert_eq!(world.kinds(), ["Failed"]);
}

#[tokio::test]
async fn money_that_does_not_fit_is_never_paid_and_a_person_decides_once() {
    let world = World::awaiting().await;
    let attempt = world.start().await.expect("started");
    for event in ["e-1", "e-2"] {
        world.call(&format!("{event} {} 1.00", attempt.reference)).await.expect("heard");
    }
    world.call(&format!("e-3 {} much", attempt.reference)).await.expect("heard");
    let account = world.account().await;
    assert_eq!((account.status(), account.tasks.len(), account.transactions.len()), (Status::Open, 2, 0));
    assert_eq!(world.kinds(), ["NeedsReview", "NeedsReview"]);
    let (task, resolution) = (account.tasks[0].id, "sent back".to_owned());
    let resolved = world.payments.resolve(ORDER, task, resolution.clone(), false).await.expect("resolved");
    assert_eq!(resolved.tasks[0].resolution.as_ref(), Some(&resolution));
    assert_eq!(world.payments.resolve(ORDER, task, resolution, false).await, Err(ResolveError::NoTask));
}

#[tokio::test]
async fn a_word_that_comes_before_its_attempt_is_kept_and_heard_later() {
    let world = World::awaiting().await;
    let reference = format!("cs-{}", Uuid::from_u64_pair(0x0000_0000_0000_7000, 0x8000_0000_0000_0000));
    world.call(&format!("e-1 {reference} 1500.00")).await.expect("kept");
    assert_eq!(world.account().await.status(), Status::Open);
    let attempt = world.start().await.expect("started");
    assert_eq!(attempt.reference, reference, "ids are counted");
    world.clock.advance(Duration::seconds(1));
    assert_eq!(world.payments.process_callbacks(10).await, Ok(1));
    assert_eq!(world.payments.process_callbacks(10).await, Ok(0));
    assert_eq!(world.account().await.status(), Status::Paid);
}

#[tokio::test]
async fn a_surplus_goes_back_and_is_not_the_orders() {
    let world = World::awaiting().await;
    world.start().await.expect("started");
    world.clock.advance(Duration::minutes(31));
    let second = world.start().await.expect("another");
    world.call(&format!("e-1 {} 1500.00", second.reference)).await.expect("heard");
    world.says(captured("tx-2", 150_000)).await;
    let account = world.account().await;
    assert_eq!((account.captured(), account.refunds.len()), (pkr(300_000), 1));
    world.send_refunds(&[RefundOutcome::Succeeded("re-1".to_owned())]).await;
    let account = world.account().await;
    assert_eq!((account.status(), account.refunded()), (Status::Paid, pkr(150_000)));
    assert_eq!(world.kinds(), ["Captured", "Refunded"]);
}

#[tokio::test]
async fn late_money_is_told_and_the_order_decides() {
    let world = World::awaiting().await;
    world.start().await.expect("started");
    let cancelled = Cancelled { order: ORDER, customer: customer(), amount: pkr(150_000) };
    world.payments.on_cancelled(cancelled, receipt("cancelled")).await.expect("kept");
    assert_eq!(world.start().await, Err(StartError::Rejected(StartRejection::NotPayable)));
    *world.provider.said.lock().expect("unlocked") = vec![captured("tx-1", 150_000)];
    world.payments.poll_attempts(10).await.expect("at once");
    assert_eq!(*world.provider.asked.lock().expect("unlocked"), ["open", "end", "look"]);
    assert_eq!(world.kinds(), ["Captured"]);
    assert_eq!(world.refund_asked(1, 150_000).await, Match::Matched);
    world.send_refunds(&[RefundOutcome::Succeeded("re-1".to_owned())]).await;
    assert_eq!((world.account().await.status(), world.kinds()), (Status::Refunded, vec!["Captured", "Refunded"]));
}

#[tokio::test]
async fn a_cancelled_order_is_closed_though_that_is_heard_first() {
    let world = World::awaiting().await;
    let other = OrderId(Uuid::from_u128(8));
    let cancelled = Cancelled { order: other, customer: customer(), amount: pkr(1) };
    world.payments.on_cancelled(cancelled, receipt("cancelled")).await.expect("kept");
    let deadline = Timestamp::new(world.now().get() + Duration::minutes(45));
    let awaited = Awaited { order: other, customer: customer(), payer: Payer::default(), amount: pkr(1), deadline };
    world.payments.on_awaited(awaited, receipt("late")).await.expect("kept");
    let account = world.payments.get_payment(other).await.expect("read").expect("there");
    assert_eq!(account.status(), Status::Closed);
}

#[tokio::test]
async fn a_refund_that_the_order_asks_for_twice_is_made_once() {
    let world = World::paid().await;
    for _ in 0..2 {
        assert_eq!(world.refund_asked(1, 150_000).await, Match::Matched);
    }
    world.send_refunds(&[RefundOutcome::Pending]).await;
    world.clock.advance(Duration::minutes(1));
    world.send_refunds(&[RefundOutcome::Succeeded("re-1".to_owned())]).await;
    world.clock.advance(Duration::minutes(1));
    world.send_refunds(&[RefundOutcome::Succeeded("re-2".to_owned())]).await;
    let account = world.account().await;
    assert_eq!((account.status(), account.refunded()), (Status::Refunded, pkr(150_000)));
    let asked = world.provider.asked.lock().expect("unlocked").clone();
    assert_eq!(asked.iter().filter(|asked| asked.starts_with("refund")).count(), 2);
}

#[tokio::test]
async fn never_more_goes_back_than_came_in() {
    let world = World::paid().await;
    let refund = |key: u128, minor: Option<i64>| {
        let refund = RefundId(Uuid::from_u128(key));
        world.payments.refund(ORDER, refund, minor.map(pkr), "broken".to_owned())
    };
    refund(1, Some(100_000)).await.expect("a part");
    refund(1, Some(100_000)).await.expect("the same again");
    let too_large = Err(RefundError::Rejected(RefundRejection::TooLarge));
    assert_eq!(refund(2, Some(50_001)).await, too_large, "kind is on its way is gone");
    let account = refund(3, None).await.expect("the rest");
    assert_eq!(account.refunds.iter().map(|refund| refund.amount.minor()).sum::<i64>(), 150_000);
    assert_eq!(refund(4, None).await, too_large);
    // The order's own wish comes last, and there is nothing left to send.
    assert_eq!(world.refund_asked(5, 150_000).await, Match::Matched);
    assert_eq!(world.account().await.refunds.len(), 2);

    world
        .send_refunds(&[RefundOutcome::Succeeded("re-1".to_owned()), RefundOutcome::Rejected("closed".to_owned())])
        .await;
    assert_eq!(refund(6, Some(50_000)).await.expect("kind was refused may go back").refunds.len(), 3);
    assert_eq!(world.kinds(), ["Captured", "Refunded", "NeedsReview"]);
}

#[tokio::test]
async fn a_refund_that_somebody_made_at_the_provider_is_booked_once() {
    let world = World::paid().await;
    for event in ["e-2", "e-2", "e-3"] {
        world.call(&format!("{event} tx-1 there 50000")).await.expect("heard");
    }
    let account = world.account().await;
    assert_eq!((account.refunded(), account.refunds.len(), account.transactions.len()), (pkr(50_000), 1, 2));
    assert_eq!(account.refundable(account.attempts[0].id), 100_000, "it counts against kind can go back");
    assert_eq!(world.kinds(), ["Captured", "Refunded"]);
    world.call("e-4 tx-1 there failed").await.expect("heard");
    assert!(world.account().await.tasks[0].reason.contains("says now that it did not"), "a person has to look");
    assert_eq!(world.make_refunds_asked().await, 0, "nobody asks for it once more");
}

#[tokio::test]
async fn what_somebody_did_at_the_provider_and_does_not_fit_is_a_persons_to_decide() {
    let world = World::paid().await;
    for (event, reported_amount) in [("e-2", "dollars"), ("e-3", "failed"), ("e-4", "disputed"), ("e-5", "disputed")] {
        world.call(&format!("{event} tx-1 there {reported_amount}")).await.expect("heard");
    }
    let account = world.account().await;
    let reasons: Vec<&str> = account.tasks.iter().map(|task| task.reason.as_str()).collect();
    let expected = [
        "sandbox says that dollars went back as re-99: nothing was booked",
        "sandbox says that a refund made there failed: closed",
        "sandbox: disputed",
    ];
    assert_eq!((reasons.as_slice(), account.refunded()), (expected.as_slice(), pkr(0)));
}

#[tokio::test]
async fn what_becomes_of_money_that_was_not_booked_is_a_persons_to_decide() {
    let world = World::awaiting().await;
    let attempt = world.start().await.expect("started");
    world.call(&format!("e-1 {} 1.00", attempt.reference)).await.expect("heard");
    for (event, reported_amount) in [("e-2", "100"), ("e-3", "disputed")] {
        world.call(&format!("{event} tx-1 there {reported_amount}")).await.expect("heard");
    }
    let account = world.account().await;
    assert_eq!((account.tasks.len(), account.transactions.len(), account.refunds.len()), (3, 0, 0));
}

#[tokio::test]
async fn a_refund_made_at_the_provider_lets_only_the_rest_be_asked_for() {
    let world = World::paid().await;
    for (key, minor) in [(1, 100_000), (2, 50_000)] {
        let refund = RefundId(Uuid::from_u128(key));
        world.payments.refund(ORDER, refund, Some(pkr(minor)), "broken".to_owned()).await.expect("asked for");
    }
    world.call("e-2 tx-1 there 70000").await.expect("heard");
    let account = world.account().await;
    let pending = account.refunds.iter().filter(|refund| refund.status == RefundStatus::Pending);
    assert_eq!(pending.map(|refund| refund.amount).collect::<Vec<_>>(), [pkr(80_000)]);
    assert_eq!((account.refunded(), account.tasks.len()), (pkr(70_000), 0));
    world.send_refunds(&[RefundOutcome::Succeeded("re-1".to_owned())]).await;
    assert_eq!(world.account().await.status(), Status::Refunded);
}

#[tokio::test]
async fn a_refund_of_ours_that_has_lost_our_name_is_not_made_again() {
    let world = World::paid().await;
    world.refund_asked(1, 50_000).await;
    world.send_refunds(&[RefundOutcome::Succeeded("re-99".to_owned())]).await;
    world.call("e-2 tx-1 there 50000").await.expect("heard");
    let account = world.account().await;
    assert_eq!((account.refunds.len(), account.refunded(), account.tasks.len()), (1, pkr(50_000), 0));
}

#[tokio::test]
async fn news_of_money_that_is_not_known_waits_ever_longer() {
    let world = World::paid().await;
    world.call("e-2 tx-9 there 50000").await.expect("kept");
    let mut tries = 0;
    for _ in 0..(30 * 24) {
        world.clock.advance(Duration::hours(1));
        let until = Timestamp::new(world.now().get() - Duration::SECOND);
        tries += world.store.pending_callbacks(until, 10).await.expect("read").len();
        world.payments.process_callbacks(10).await.expect("tried");
    }
    assert_eq!(tries, 9, "in 30 days");
    assert_eq!(world.account().await.transactions.len(), 1);
}

#[tokio::test]
async fn where_a_provider_has_no_refunds_a_person_makes_them() {
    for (made, status) in [(true, RefundStatus::Succeeded), (false, RefundStatus::Failed)] {
        let world = World::paid().await;
        world.refund_asked(1, 150_000).await;
        world.send_refunds(&[RefundOutcome::Manual]).await;
        let account = world.account().await;
        assert_eq!((account.refunds[0].status, account.needs_review()), (RefundStatus::Manual, true));
        let done = world.payments.resolve(ORDER, account.tasks[0].id, "by bank".to_owned(), made).await;
        let account = done.expect("resolved");
        assert_eq!((account.refunds[0].status, account.refunded() == pkr(150_000)), (status, made));
    }
}

#[tokio::test]
async fn a_refund_waits_for_the_money_that_it_is_of() {
    let world = World::awaiting().await;
    world.start().await.expect("started");
    assert_eq!(world.refund_asked(1, 150_000).await, Match::Unmatched);
    world.says(captured("tx-1", 150_000)).await;
    assert_eq!(world.refund_asked(1, 150_000).await, Match::Matched);
}

#[tokio::test]
async fn a_republished_payment_repeats_its_version() {
    let world = World::paid().await;
    let done =
        world.payments.republish_payments(mart_kernel::PageSize::requested(0), "").await.expect("reported_amount");
    let events = world.store.events();
    let versions: Vec<i64> = events.iter().map(|event| event.version.get()).collect();
    assert_eq!((done.count, world.kinds(), versions), (1, vec!["Captured", "Republished"], vec![1, 1]));
}
