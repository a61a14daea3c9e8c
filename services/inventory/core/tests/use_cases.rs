//! What the use cases return.

use std::sync::Arc;

use inventory_core::UseCases;
use inventory_core::application::{OrderRequest, RESERVATION_TTL};
use inventory_core::domain::{Lines, OrderId, ProductId};
use inventory_core::memory::MemoryStore;
use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use mart_kernel::testing::{at, receipt, uuid};
use mart_kernel::{EventOutcome, ListError, PageSize, PageTokenSigner, Version};

fn product(n: u64) -> ProductId {
    ProductId(uuid(n))
}

/// Returns the use cases over a store with 5 units each of these products, of which the last one is archived.
async fn stocked(products: &[ProductId]) -> UseCases<MemoryStore> {
    let (clock, ids) = (Arc::new(ManualClock::new(at(0))), Arc::new(SequentialIds::default()));
    let signer = PageTokenSigner::new(b"secret");
    let use_cases = UseCases::new(MemoryStore::default(), clock, ids, signer, RESERVATION_TTL);
    for id in products {
        let archived = Some(id) == products.last();
        let event = receipt(&id.0.to_string(), "event", "");
        use_cases.on_product(*id, Version::NONE.next(), archived, event).await.expect("committed");
        use_cases.receive_stock(*id, 5, String::new(), None).await.expect("allowed");
    }
    use_cases
}

#[tokio::test]
async fn availability_is_in_the_requested_order_without_unsellable_units() {
    let use_cases = stocked(&[product(1), product(2)]).await;
    let request = OrderRequest { order: OrderId(uuid(9)), lines: Lines::of([(product(1), 2)]), reservation_round: 0 };
    use_cases.on_order_placed(request, receipt("placed", "event", "")).await.expect("committed");
    let (unknown, archived) = (product(3), product(2));
    let availability = use_cases.get_availability(&[unknown, product(1), archived]).await;
    assert_eq!(availability, Ok(vec![(unknown, 0), (product(1), 3), (archived, 0)]));
    assert_eq!(use_cases.get_availability(&[]).await, Ok(vec![]));
}

#[tokio::test]
async fn a_repeated_event_is_applied_once() {
    let use_cases = stocked(&[product(1), product(2)]).await;
    let request = OrderRequest { order: OrderId(uuid(9)), lines: Lines::of([(product(1), 2)]), reservation_round: 0 };
    for _ in 0..2 {
        let outcome = use_cases.on_order_placed(request.clone(), receipt("placed", "event", "")).await;
        assert_eq!(outcome, Ok(EventOutcome::Applied));
    }
    let item = use_cases.get_stock_item(product(1)).await.expect("reachable").expect("it exists");
    assert_eq!((item.on_hand, item.reserved), (5, 2));
}

#[tokio::test]
async fn lists_reject_tokens_of_other_lists() {
    let use_cases = stocked(&[product(1), product(2)]).await;
    let size = PageSize::requested(1);
    let first = use_cases.list_stock_items(false, size, "").await.expect("a page");
    let token = first.next.expect("a second page");
    let second = use_cases.list_stock_items(false, size, &token).await.expect("a page");
    assert_eq!([first.items[0].id, second.items[0].id], [product(2), product(1)]);
    let rejected = |error| matches!(error, Some(ListError::InvalidPageToken(_)));
    assert!(rejected(use_cases.list_stock_items(true, size, &token).await.err()));
    assert!(rejected(use_cases.list_ledger_entries(product(1), size, &token).await.err()));
    assert!(rejected(use_cases.republish_stock_items(size, "no token").await.err()));
}
