//! Random histories, checked against sums.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use inventory_core::UseCases;
use inventory_core::application::{CountError, OrderRequest, RESERVATION_TTL};
use inventory_core::domain::{InventoryEvent, Lines, OrderId, ProductId, Status, StockChangeError, events};
use inventory_core::memory::MemoryStore;
use inventory_core::ports::Store;
use mart_kernel::clock::ManualClock;
use mart_kernel::ids::SequentialIds;
use mart_kernel::{PageTokenSigner, Receipt, Timestamp, Version};
use proptest::prelude::*;
use uuid::Uuid;

const PRODUCTS: u8 = 3;
const ORDERS: u8 = 6;

#[derive(Debug, Clone)]
enum Step {
    Receive(u8, i32),
    Adjust(u8, i32),
    Archive(u8),
    Place(u8, Vec<(u8, i32)>),
    Reinstate(u8),
    Confirm(u8),
    Cancel(u8),
    Pass(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let (product, order) = (0..PRODUCTS, 0..ORDERS);
    prop_oneof![
        3 => (product.clone(), 1..20).prop_map(|(product, n)| Step::Receive(product, n)),
        2 => (product.clone(), -15..15).prop_map(|(product, n)| Step::Adjust(product, n)),
        1 => product.clone().prop_map(Step::Archive),
        6 => (order.clone(), prop::collection::vec((product, 1..6), 1..4)).prop_map(|(order, lines)| Step::Place(order, lines)),
        2 => order.clone().prop_map(Step::Reinstate),
        4 => order.clone().prop_map(Step::Confirm),
        4 => order.prop_map(Step::Cancel),
        2 => (0_i64..50).prop_map(Step::Pass),
    ]
}

fn product(n: u8) -> ProductId {
    ProductId(Uuid::from_u128(u128::from(n) + 1))
}

fn order(n: u8) -> OrderId {
    OrderId(Uuid::from_u128(u128::from(n) + 100))
}

/// The use cases over the in-memory store, and the data of the steps.
struct Warehouse {
    store: MemoryStore,
    clock: Arc<ManualClock>,
    use_cases: UseCases<MemoryStore>,
    receipts: u64,
    /// The lines of each order's first placement.
    placed: BTreeMap<u8, Lines>,
    rounds: BTreeMap<u8, i32>,
}

impl Warehouse {
    fn new() -> Self {
        let store = MemoryStore::default();
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_micros(0).expect("in range")));
        let ids = Arc::new(SequentialIds::default());
        let use_cases =
            UseCases::new(store.clone(), clock.clone(), ids, PageTokenSigner::new(b"secret"), RESERVATION_TTL);
        Self { store, clock, use_cases, receipts: 0, placed: BTreeMap::new(), rounds: BTreeMap::new() }
    }

    fn receipt(&mut self) -> Receipt {
        self.receipts += 1;
        let (scope, key) = ("test".to_owned(), self.receipts.to_string());
        Receipt { scope, key, fingerprint: [0; 32], subject: String::new() }
    }

    fn request(&self, n: u8) -> OrderRequest {
        let lines = self.placed.get(&n).cloned().unwrap_or_default();
        OrderRequest { order: order(n), lines, reservation_round: self.rounds.get(&n).copied().unwrap_or_default() }
    }

    async fn apply(&mut self, step: &Step) {
        let receipt = self.receipt();
        match step {
            Step::Receive(n, quantity) => {
                let done = self.use_cases.receive_stock(product(*n), *quantity, String::new(), None).await;
                done.expect("allowed");
            }
            Step::Adjust(n, delta) => {
                let done = self.use_cases.adjust_stock(product(*n), *delta, "count".to_owned(), None).await;
                assert!(matches!(done, Ok(_) | Err(CountError::Rejected(StockChangeError::TooSmall))), "{done:?}");
            }
            Step::Archive(n) => {
                let version = Version::NONE.next().next();
                self.use_cases.on_product(product(*n), version, true, receipt).await.expect("committed");
            }
            Step::Place(n, lines) => {
                let lines = Lines::of(lines.iter().map(|(n, quantity)| (product(*n), *quantity)));
                self.placed.entry(*n).or_insert(lines);
                let request = OrderRequest { reservation_round: 0, ..self.request(*n) };
                self.use_cases.on_order_placed(request, receipt).await.expect("committed");
            }
            Step::Reinstate(n) => {
                *self.rounds.entry(*n).or_default() += 1;
                let request = self.request(*n);
                self.use_cases.on_order_reinstated(request, receipt).await.expect("committed");
            }
            Step::Confirm(n) => {
                let request = self.request(*n);
                self.use_cases.on_order_confirmed(request, receipt).await.expect("committed");
            }
            Step::Cancel(n) => {
                let request = self.request(*n);
                self.use_cases.on_order_cancelled(request, receipt).await.expect("committed");
            }
            Step::Pass(minutes) => {
                self.clock.advance(time::Duration::minutes(*minutes));
                self.use_cases.expire_reservations(100).await.expect("committed");
            }
        }
    }

    /// Asserts that stock, reservations, ledger and event versions agree.
    async fn assert_consistent(&self) {
        let mut reserved: BTreeMap<ProductId, i32> = BTreeMap::new();
        for n in 0..ORDERS {
            let Some(reservation) = self.store.find_reservation(order(n)).await.expect("reachable") else { continue };
            if let Status::Reserved { .. } = reservation.status {
                for (product, quantity) in reservation.lines.iter() {
                    *reserved.entry(product).or_default() += quantity;
                }
            }
        }
        for n in 0..PRODUCTS {
            let item = self.store.find_stock_items(&[product(n)]).await.expect("reachable").pop().expect("created");
            assert!(0 <= item.reserved && item.reserved <= item.on_hand, "{item:?}");
            assert_eq!(
                item.reserved,
                reserved.get(&item.id).copied().unwrap_or_default(),
                "the reservations of {item:?}"
            );
            let entries = self.store.list_ledger_entries(item.id, None, usize::MAX).await.expect("reachable");
            let sums = entries.iter().fold((0, 0), |sum, entry| (sum.0 + entry.on_hand, sum.1 + entry.reserved));
            assert_eq!(sums, (item.on_hand, item.reserved), "the ledger of {item:?}");
        }
        let mut versions: BTreeMap<Uuid, i64> = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for event in self.store.events() {
            assert!(ids.insert(event.id), "a duplicate event id");
            let last = versions.entry(aggregate(&event.payload)).or_default();
            assert_eq!(event.version.get(), *last + 1, "{event:?}");
            *last += 1;
        }
    }

    /// Asserts that each line of an order is sold at most once and reserved at most once, net of returns and releases.
    async fn assert_at_most_once(&self) {
        for n in 0..ORDERS {
            let mut entries = Vec::new();
            for n in 0..PRODUCTS {
                entries.extend(self.store.list_ledger_entries(product(n), None, usize::MAX).await.expect("reachable"));
            }
            for (product, quantity) in self.placed.get(&n).iter().flat_map(|lines| lines.iter()) {
                let of_order = entries.iter().filter(|e| e.cause.order() == Some(order(n)) && e.product == product);
                let (on_hand, reserved) = of_order.fold((0, 0), |sum, e| (sum.0 + e.on_hand, sum.1 + e.reserved));
                assert!(on_hand == 0 || on_hand == -quantity, "sold {on_hand} of {quantity}");
                assert!(reserved == 0 || reserved == quantity, "reserved {reserved} of {quantity}");
            }
        }
    }
}

fn aggregate(event: &InventoryEvent) -> Uuid {
    match event {
        InventoryEvent::StockItemCreated(events::StockItemCreated { stock_item })
        | InventoryEvent::StockAdjusted(events::StockAdjusted { stock_item, .. })
        | InventoryEvent::StockItemRepublished(events::StockItemRepublished { stock_item })
        | InventoryEvent::StockLow(events::StockLow { stock_item }) => stock_item.id.0,
        InventoryEvent::StockReserved(events::StockReserved { reservation })
        | InventoryEvent::StockRejected(events::StockRejected { reservation, .. })
        | InventoryEvent::ReservationExpired(events::ReservationExpired { reservation })
        | InventoryEvent::ReservationReleased(events::ReservationReleased { reservation })
        | InventoryEvent::ReservationCommitted(events::ReservationCommitted { reservation })
        | InventoryEvent::ReservationReturned(events::ReservationReturned { reservation }) => reservation.order.0,
    }
}

proptest! {
    #[test]
    fn stock_reservations_and_ledger_agree_after_any_history(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut warehouse = Warehouse::new();
            for n in 0..PRODUCTS {
                let receipt = warehouse.receipt();
                let upserted = warehouse.use_cases.on_product(product(n), Version::NONE.next(), false, receipt);
                upserted.await.expect("committed");
            }
            for step in &steps {
                warehouse.apply(step).await;
                warehouse.assert_consistent().await;
                warehouse.assert_at_most_once().await;
            }
        });
    }
}
