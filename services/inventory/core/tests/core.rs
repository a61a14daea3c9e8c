//! The rules of stock and reservations, one by one.

use inventory_core::domain::{
    Cause, Change, InventoryEvent, Lines, OrderId, ProductId, Reservation, Status, StockChangeError, StockDecider,
    StockItem,
};
use inventory_core::domain::{LedgerEntryId, events};
use inventory_core::memory::MemoryStore;
use mart_kernel::ids::SequentialIds;
use mart_kernel::{Timestamp, Version};
use uuid::Uuid;

inventory_core::conformance!(async { MemoryStore::default() });

const ORDER: OrderId = OrderId(Uuid::from_u128(100));
const MUG: ProductId = ProductId(Uuid::from_u128(1));
const TEA: ProductId = ProductId(Uuid::from_u128(2));

fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix_micros(minute * 60_000_000).expect("in range")
}

fn item(id: ProductId, on_hand: i32) -> StockItem {
    StockItem { on_hand, ..StockItem::new(id, Version::NONE.next(), at(0)) }
}

fn lines(mugs: i32, tea: i32) -> Lines {
    Lines::of([(MUG, mugs), (TEA, tea)].into_iter().filter(|(_, quantity)| *quantity > 0))
}

/// The rows between two decisions.
#[derive(Default)]
struct Shop {
    items: Vec<StockItem>,
    reservation: Option<Reservation>,
    ids: SequentialIds,
}

impl Shop {
    fn with(items: impl IntoIterator<Item = StockItem>) -> Self {
        Self { items: items.into_iter().collect(), ..Self::default() }
    }

    /// Decides a change, stores it and returns its events.
    fn decide(&mut self, minute: i64, step: impl FnOnce(&mut StockDecider<'_>)) -> Vec<InventoryEvent> {
        let mut decider = StockDecider::open(self.items.clone(), self.reservation.clone(), at(minute), &self.ids);
        step(&mut decider);
        let Change { items, reservation, events, .. } = decider.close();
        for item in items {
            self.items.retain(|known| known.id != item.id);
            self.items.push(item);
        }
        self.reservation = reservation.or(self.reservation.take());
        events.into_iter().map(|event| event.payload).collect()
    }

    fn stock(&self, id: ProductId) -> (i32, i32) {
        let item = self.items.iter().find(|item| item.id == id).expect("it exists");
        (item.on_hand, item.reserved)
    }

    fn status(&self) -> Status {
        self.reservation.as_ref().expect("it exists").status
    }
}

fn expire(decider: &mut StockDecider<'_>) {
    decider.expire();
}

#[test]
fn all_lines_are_reserved_or_none() {
    let mut shop = Shop::with([item(MUG, 5), item(TEA, 1)]);
    let events = shop.decide(1, |decider| decider.order_placed(ORDER, lines(2, 2), at(61)));
    let [InventoryEvent::StockRejected(events::StockRejected { shortages, .. })] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((shortages.len(), shortages[0].product, shortages[0].requested, shortages[0].available), (1, TEA, 2, 1));
    assert_eq!((shop.stock(MUG), shop.stock(TEA)), ((5, 0), (1, 0)));

    let mut shop = Shop::with([item(MUG, 5), item(TEA, 2)]);
    let events = shop.decide(1, |decider| decider.order_placed(ORDER, lines(2, 2), at(61)));
    assert!(matches!(events[..], [InventoryEvent::StockReserved(_)]), "{events:?}");
    assert_eq!((shop.stock(MUG), shop.stock(TEA)), ((5, 2), (2, 2)));
}

#[test]
fn lines_of_one_product_are_summed() {
    let mut shop = Shop::with([item(MUG, 5)]);
    let twice = Lines::of([(MUG, 3), (MUG, 3)]);
    let events = shop.decide(1, |decider| decider.order_placed(ORDER, twice, at(61)));
    let [InventoryEvent::StockRejected(events::StockRejected { shortages, .. })] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((shortages[0].requested, shortages[0].available), (6, 5));
    assert_eq!(Lines::of([(MUG, i32::MAX), (MUG, 1)]).iter().collect::<Vec<_>>(), [(MUG, i32::MAX)], "no overflow");
}

#[test]
fn unknown_and_archived_products_are_not_reservable() {
    let mut shop = Shop::with([item(MUG, 5)]);
    shop.decide(1, |decider| decider.upsert_product(MUG, Version::NONE.next().next(), true));
    let events = shop.decide(1, |decider| decider.order_placed(ORDER, lines(1, 1), at(61)));
    let [InventoryEvent::StockRejected(events::StockRejected { shortages, .. })] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(shortages.iter().map(|shortage| shortage.available).collect::<Vec<_>>(), [0, 0]);
}

#[test]
fn an_older_product_event_does_not_unarchive() {
    let mut shop = Shop::with([item(MUG, 5)]);
    shop.decide(1, |decider| decider.upsert_product(MUG, Version::NONE.next().next(), true));
    shop.decide(1, |decider| decider.upsert_product(MUG, Version::NONE.next(), false));
    assert!(shop.items[0].archived);
    assert_eq!(shop.items[0].product_version, Version::NONE.next().next());
}

#[test]
fn repeated_events_change_a_reservation_once() {
    let mut shop = Shop::with([item(MUG, 5)]);
    shop.decide(1, |decider| decider.order_placed(ORDER, lines(2, 0), at(61)));
    assert_eq!(shop.decide(1, |decider| decider.order_placed(ORDER, lines(2, 0), at(61))), []);
    let sold = shop.decide(2, |decider| decider.order_confirmed(ORDER, lines(2, 0), 0));
    assert!(matches!(sold[..], [InventoryEvent::ReservationCommitted(_)]), "{sold:?}");
    assert_eq!(shop.decide(2, |decider| decider.order_confirmed(ORDER, lines(2, 0), 0)), []);
    assert_eq!(shop.stock(MUG), (3, 0));
    let back = shop.decide(3, |decider| decider.order_cancelled(ORDER, 0));
    assert!(matches!(back[..], [InventoryEvent::ReservationReturned(_)]), "{back:?}");
    assert_eq!(shop.decide(3, |decider| decider.order_cancelled(ORDER, 0)), []);
    assert_eq!((shop.stock(MUG), shop.status()), ((5, 0), Status::Returned));
}

#[test]
fn a_reservation_ends_once() {
    let mut shop = Shop::with([item(MUG, 5)]);
    shop.decide(1, |decider| decider.order_placed(ORDER, lines(2, 0), at(61)));
    assert_eq!(shop.decide(60, expire), [], "a minute too early");
    assert!(matches!(shop.decide(61, expire)[..], [InventoryEvent::ReservationExpired(_)]));
    assert_eq!(shop.decide(62, expire), []);
    assert_eq!(shop.decide(62, |decider| decider.order_cancelled(ORDER, 0)), [], "nothing is reserved any more");
    assert_eq!(shop.stock(MUG), (5, 0));
}

#[test]
fn nothing_is_reserved_for_an_order_cancelled_before() {
    let mut shop = Shop::with([item(MUG, 5)]);
    let events = shop.decide(1, |decider| decider.order_cancelled(ORDER, 0));
    assert!(matches!(events[..], [InventoryEvent::ReservationReleased(_)]), "{events:?}");
    assert_eq!(shop.decide(2, |decider| decider.order_placed(ORDER, lines(2, 0), at(61))), []);
    assert_eq!(shop.stock(MUG), (5, 0));
}

#[test]
fn a_reinstated_order_is_reserved_again() {
    for still_reserved in [false, true] {
        let mut shop = Shop::with([item(MUG, 2)]);
        shop.decide(1, |decider| decider.order_placed(ORDER, lines(2, 0), at(61)));
        if !still_reserved {
            shop.decide(46, |decider| decider.order_cancelled(ORDER, 0));
        }
        let events = shop.decide(50, |decider| decider.order_reinstated(ORDER, lines(2, 0), 1, at(110)));
        assert!(matches!(events[..], [InventoryEvent::StockReserved(_)]), "{events:?}");
        assert_eq!(
            shop.decide(51, |decider| decider.order_cancelled(ORDER, 0)),
            [],
            "the cancellation is of the first round"
        );
        assert_eq!(shop.stock(MUG), (2, 2));
        shop.decide(52, |decider| decider.order_confirmed(ORDER, lines(2, 0), 1));
        assert_eq!(shop.stock(MUG), (0, 0));
    }
}

#[test]
fn a_confirmed_order_renews_an_expired_reservation() {
    for (left, sold) in [(2, true), (1, false)] {
        let mut shop = Shop::with([item(MUG, 2)]);
        shop.decide(1, |decider| decider.order_placed(ORDER, lines(2, 0), at(61)));
        shop.decide(61, expire);
        let delta = left - 2;
        if delta != 0 {
            let cause = Cause::Adjusted("breakage".to_owned());
            shop.decide(61, |decider| {
                decider.count(LedgerEntryId(Uuid::nil()), MUG, delta, cause).expect("allowed");
            });
        }
        let events = shop.decide(62, |decider| decider.order_confirmed(ORDER, lines(2, 0), 0));
        if sold {
            assert!(
                matches!(events[..], [InventoryEvent::StockReserved(_), InventoryEvent::ReservationCommitted(_)]),
                "{events:?}"
            );
        } else {
            assert!(matches!(events[..], [InventoryEvent::StockRejected(_)]), "{events:?}");
        }
    }
}

#[test]
fn a_confirmation_after_the_cancellation_has_no_effect() {
    let mut shop = Shop::with([item(MUG, 2)]);
    shop.decide(1, |decider| decider.order_placed(ORDER, lines(2, 0), at(61)));
    shop.decide(61, expire);
    shop.decide(62, |decider| decider.order_cancelled(ORDER, 0));
    assert_eq!(shop.decide(63, |decider| decider.order_confirmed(ORDER, lines(2, 0), 0)), []);
    assert_eq!(shop.stock(MUG), (2, 0));
}

#[test]
fn low_stock_is_published_once() {
    let mut shop = Shop::with([item(MUG, 10)]);
    let events = shop.decide(1, |decider| decider.set_threshold(MUG, 8).expect("it exists"));
    assert!(matches!(events[..], [InventoryEvent::StockAdjusted(_)]), "{events:?}");
    assert_eq!(shop.decide(1, |decider| decider.set_threshold(MUG, 8).expect("it exists")), [], "no change");
    let events = shop.decide(2, |decider| decider.order_placed(ORDER, lines(2, 0), at(61)));
    assert!(matches!(events[..], [InventoryEvent::StockReserved(_), InventoryEvent::StockLow(_)]), "{events:?}");
    let events = shop.decide(3, |decider| decider.order_confirmed(ORDER, lines(2, 0), 0));
    assert!(matches!(events[..], [InventoryEvent::ReservationCommitted(_)]), "still low: {events:?}");
    let events = shop.decide(4, |decider| decider.order_cancelled(ORDER, 0));
    assert!(matches!(events[..], [InventoryEvent::ReservationReturned(_)]), "{events:?}");
    let adjust = |decider: &mut StockDecider<'_>| {
        decider.count(LedgerEntryId(Uuid::nil()), MUG, -5, Cause::Adjusted("breakage".to_owned())).expect("allowed");
    };
    let events = shop.decide(5, adjust);
    assert!(matches!(events[..], [InventoryEvent::StockAdjusted(_), InventoryEvent::StockLow(_)]), "{events:?}");
}

#[test]
fn the_stock_cannot_fall_below_the_reserved_units() {
    let mut shop = Shop::with([item(MUG, 5)]);
    shop.decide(1, |decider| decider.order_placed(ORDER, lines(3, 0), at(61)));
    let mut rejected = |delta| {
        let mut error = None;
        shop.decide(2, |decider| {
            error = decider.count(LedgerEntryId(Uuid::nil()), MUG, delta, Cause::Adjusted("count".to_owned())).err();
        });
        error
    };
    assert_eq!(rejected(-3), Some(StockChangeError::TooSmall));
    assert_eq!(rejected(1_000_000_000), Some(StockChangeError::TooLarge));
    assert_eq!(rejected(i32::MAX), Some(StockChangeError::TooLarge));
    assert_eq!(rejected(-2), None);
}
