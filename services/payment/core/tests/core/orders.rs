//! Tests of the events of order.

use mart_kernel::{EventOutcome, Timestamp};
use payment_core::application::{AwaitingPayment, Cancelled, StartError, Viewer};
use payment_core::domain::{OrderId, Payer, StartRejection, Status};
use payment_core::ports::RefundOutcome;
use time::Duration;
use uuid::Uuid;

use crate::world::{ORDER, World, captured, customer, pkr, receipt};

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
    assert_eq!(world.request_refund(1, 150_000).await, EventOutcome::Applied);
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
    let account = world.payments.get_payment(other, &Viewer::Admin).await.expect("read").expect("found");
    assert_eq!(account.status(), Status::Closed);
}
