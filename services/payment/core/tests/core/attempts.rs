//! Tests of attempts: start, open, poll and expire.

use std::sync::Arc;

use mart_kernel::ids::SequentialIds;
use mart_kernel::{PageTokenSigner, Timestamp};
use payment_core::UseCases;
use payment_core::application::{Providers, StartError};
use payment_core::domain::{AttemptStatus, CustomerId, Policy, Provider, ProviderEventKind, StartRejection, Status};
use time::Duration;

use crate::world::{ORDER, World, customer};

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
async fn another_attempt_may_follow_a_failed_one() {
    let world = World::awaiting().await;
    let first = world.start().await.expect("started");
    world.reports(ProviderEventKind::Failed("card declined".to_owned())).await;
    let second = world.start().await.expect("another");
    assert_ne!(first.id, second.id);
    assert_eq!(world.account().await.status(), Status::Open);
    assert_eq!(world.kinds(), ["Failed"]);
}
