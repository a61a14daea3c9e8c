//! Tests of webhooks and captured money.

use mart_kernel::Timestamp;
use payment_core::application::{ResolveError, StartError};
use payment_core::domain::{AttemptStatus, ProviderEventKind, StartRejection, Status};
use payment_core::ports::{RefundOutcome, Store as _};
use time::Duration;
use uuid::Uuid;

use crate::world::{ORDER, World, captured, pkr};

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
async fn long_texts_of_a_provider_are_cut() {
    let world = World::awaiting().await;
    let attempt = world.start().await.expect("started");
    world.send_webhook(&format!("e-1 {} {}", attempt.reference, "9".repeat(1_000_000))).await.expect("received");
    assert!(world.account().await.tasks[0].reason.len() <= 1_000);
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
    let resolved = world.payments.resolve_task(ORDER, task, resolution.clone(), false).await.expect("resolved");
    assert_eq!(resolved.tasks[0].resolution.as_ref(), Some(&resolution));
    assert_eq!(world.payments.resolve_task(ORDER, task, resolution, false).await, Err(ResolveError::NoTask));
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
async fn unmatched_callbacks_are_retried_with_growing_pauses() {
    let world = World::paid().await;
    world.send_webhook("e-2 tx-9 external 50000").await.expect("stored");
    let mut attempts = 0;
    for _ in 0..(30 * 24) {
        world.clock.advance(Duration::hours(1));
        let until = Timestamp::new(world.now().get() - Duration::SECOND);
        attempts += world.store.due_callbacks(until, 10).await.expect("read").len();
        world.payments.process_callbacks(10).await.expect("processed");
    }
    assert_eq!(attempts, 9, "in 30 days");
    assert_eq!(world.account().await.transactions.len(), 1);
}
