//! Tests of reading payments and publishing them again.

use payment_core::application::Viewer;
use payment_core::domain::{Account, CustomerId, OrderId};
use uuid::Uuid;

use crate::world::{ORDER, World, customer};

#[tokio::test]
async fn customers_read_only_their_own_payment_without_tasks() {
    let world = World::awaiting().await;
    let attempt = world.start().await.expect("started");
    world.send_webhook(&format!("e-1 {} 1.00", attempt.reference)).await.expect("received");
    let read = async |order, viewer| world.payments.get_payment(order, &viewer).await.expect("read");
    let all = read(ORDER, Viewer::Admin).await.expect("an admin reads every payment");
    assert_eq!((all.attempts.len(), all.tasks.len()), (1, 1));
    let own = read(ORDER, Viewer::Customer(customer())).await;
    assert_eq!(own, Some(Account { tasks: Vec::new(), ..all }), "tasks are for admins only");
    for stranger in ["bilal", ""] {
        assert_eq!(read(ORDER, Viewer::Customer(CustomerId(stranger.to_owned()))).await, None, "{stranger:?}");
    }
    assert_eq!(read(OrderId(Uuid::from_u128(8)), Viewer::Admin).await, None);
}

#[tokio::test]
async fn a_republished_payment_repeats_its_version() {
    let world = World::paid().await;
    let done = world.payments.republish_payments(mart_kernel::PageSize::requested(0), "").await.expect("republished");
    let events = world.store.events();
    let versions: Vec<i64> = events.iter().map(|event| event.version.get()).collect();
    assert_eq!((done.count, world.kinds(), versions), (1, vec!["Captured", "Republished"], vec![1, 1]));
}
