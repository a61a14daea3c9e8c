//! Tests of refunds and tasks.

use mart_kernel::EventOutcome;
use payment_core::application::RefundError;
use payment_core::domain::{RefundId, RefundRejection, RefundStatus, Status};
use payment_core::ports::RefundOutcome;
use time::Duration;
use uuid::Uuid;

use crate::world::{ORDER, World, captured, pkr};

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
            world
                .payments
                .refund_payment(ORDER, refund, Some(pkr(50_000)), "broken".to_owned())
                .await
                .expect("requested");
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
async fn a_repeated_refund_request_refunds_once() {
    let world = World::paid().await;
    for _ in 0..2 {
        assert_eq!(world.request_refund(1, 150_000).await, EventOutcome::Applied);
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
        world.payments.refund_payment(ORDER, refund, minor.map(pkr), "broken".to_owned())
    };
    refund(1, Some(100_000)).await.expect("a part");
    refund(1, Some(100_000)).await.expect("the same again");
    let too_large = Err(RefundError::Rejected(RefundRejection::TooLarge));
    assert_eq!(refund(2, Some(50_001)).await, too_large, "pending refunds count");
    let account = refund(3, None).await.expect("the rest");
    assert_eq!(account.refunds.iter().map(|refund| refund.amount.minor()).sum::<i64>(), 150_000);
    assert_eq!(refund(4, None).await, too_large);
    // The order's request comes last, when nothing is left to refund.
    assert_eq!(world.request_refund(5, 150_000).await, EventOutcome::Applied);
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
async fn an_external_refund_reduces_pending_refunds() {
    let world = World::paid().await;
    for (key, minor) in [(1, 100_000), (2, 50_000)] {
        let refund = RefundId(Uuid::from_u128(key));
        world.payments.refund_payment(ORDER, refund, Some(pkr(minor)), "broken".to_owned()).await.expect("requested");
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
async fn without_a_refund_api_refunds_are_tasks() {
    for (refunded, status) in [(true, RefundStatus::Succeeded), (false, RefundStatus::Failed)] {
        let world = World::paid().await;
        world.request_refund(1, 150_000).await;
        world.send_refunds(&[RefundOutcome::Manual]).await;
        let account = world.account().await;
        assert_eq!((account.refunds[0].status, account.needs_review()), (RefundStatus::Manual, true));
        let done = world.payments.resolve_task(ORDER, account.tasks[0].id, "by bank".to_owned(), refunded).await;
        let account = done.expect("resolved");
        assert_eq!((account.refunds[0].status, account.refunded() == pkr(150_000)), (status, refunded));
    }
}

#[tokio::test]
async fn a_refund_waits_for_its_capture() {
    let world = World::awaiting().await;
    world.start().await.expect("started");
    assert_eq!(
        world.request_refund(1, 150_000).await,
        EventOutcome::NotReady("the payment to refund is not captured yet")
    );
    world.reports(captured("tx-1", 150_000)).await;
    assert_eq!(world.request_refund(1, 150_000).await, EventOutcome::Applied);
}
