//! The rules of the warehouse, one by one.

use inventory_core::domain::{
    Cause, Change, InventoryEvent, Lines, OrderId, ProductId, Refused, Reservation, Status, StockDecider, StockItem,
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

/// Rows between two steps.
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

    /// Takes one step and says which events it told.
    fn step(&mut self, minute: i64, step: impl FnOnce(&mut StockDecider<'_>)) -> Vec<InventoryEvent> {
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
        let item = self.items.iter().find(|item| item.id == id).expect("there");
        (item.on_hand, item.reserved)
    }

    fn status(&self) -> Status {
        self.reservation.as_ref().expect("there").status
    }
}

fn expire(decider: &mut StockDecider<'_>) {
    decider.expire();
}

#[test]
fn all_lines_are_promised_or_none() {
    let mut shop = Shop::with([item(MUG, 5), item(TEA, 1)]);
    let events = shop.step(1, |decider| decider.order_placed(ORDER, lines(2, 2), at(61)));
    let [InventoryEvent::StockRejected(events::StockRejected { shortages, .. })] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((shortages.len(), shortages[0].product, shortages[0].requested, shortages[0].available), (1, TEA, 2, 1));
    assert_eq!((shop.stock(MUG), shop.stock(TEA)), ((5, 0), (1, 0)));

    let mut shop = Shop::with([item(MUG, 5), item(TEA, 2)]);
    let events = shop.step(1, |decider| decider.order_placed(ORDER, lines(2, 2), at(61)));
    assert!(matches!(events[..], [InventoryEvent::StockReserved(_)]), "{events:?}");
    assert_eq!((shop.stock(MUG), shop.stock(TEA)), ((5, 2), (2, 2)));
}

#[test]
fn lines_of_one_product_are_summed() {
    let mut shop = Shop::with([item(MUG, 5)]);
    let twice = Lines::of([(MUG, 3), (MUG, 3)]);
    let events = shop.step(1, |decider| decider.order_placed(ORDER, twice, at(61)));
    let [InventoryEvent::StockRejected(events::StockRejected { shortages, .. })] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((shortages[0].requested, shortages[0].available), (6, 5));
    assert_eq!(Lines::of([(MUG, i32::MAX), (MUG, 1)]).iter().collect::<Vec<_>>(), [(MUG, i32::MAX)], "no overflow");
}

#[test]
fn unknown_and_archived_products_have_nothing_to_promise() {
    let mut shop = Shop::with([item(MUG, 5)]);
    shop.step(1, |decider| decider.upsert_product(MUG, Version::NONE.next().next(), true));
    let events = shop.step(1, |decider| decider.order_placed(ORDER, lines(1, 1), at(61)));
    let [InventoryEvent::StockRejected(events::StockRejected { shortages, .. })] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(shortages.iter().map(|shortage| shortage.available).collect::<Vec<_>>(), [0, 0]);
}

#[test]
fn an_older_word_of_a_product_does_not_bring_it_back() {
    let mut shop = Shop::with([item(MUG, 5)]);
    shop.step(1, |decider| decider.upsert_product(MUG, Version::NONE.next().next(), true));
    shop.step(1, |decider| decider.upsert_product(MUG, Version::NONE.next(), false));
    assert!(shop.items[0].archived);
    assert_eq!(shop.items[0].product_version, Version::NONE.next().next());
}

#[test]
fn a_promise_is_kept_once_whatever_comes_twice() {
    let mut shop = Shop::with([item(MUG, 5)]);
    shop.step(1, |decider| decider.order_placed(ORDER, lines(2, 0), at(61)));
    assert_eq!(shop.step(1, |decider| decider.order_placed(ORDER, lines(2, 0), at(61))), []);
    let sold = shop.step(2, |decider| decider.order_confirmed(ORDER, lines(2, 0), 0));
    assert!(matches!(sold[..], [InventoryEvent::ReservationCommitted(_)]), "{sold:?}");
    assert_eq!(shop.step(2, |decider| decider.order_confirmed(ORDER, lines(2, 0), 0)), []);
    assert_eq!(shop.stock(MUG), (3, 0));
    let back = shop.step(3, |decider| decider.order_cancelled(ORDER, 0));
    assert!(matches!(back[..], [InventoryEvent::ReservationReturned(_)]), "{back:?}");
    assert_eq!(shop.step(3, |decider| decider.order_cancelled(ORDER, 0)), []);
    assert_eq!((shop.stock(MUG), shop.status()), ((5, 0), Status::Returned));
}

#[test]
fn a_promise_ends_by_cancelling_or_by_its_time_and_only_once() {
    let mut shop = Shop::with([item(MUG, 5)]);
    shop.step(1, |decider| decider.order_placed(ORDER, lines(2, 0), at(61)));
    assert_eq!(shop.step(60, expire), [], "a minute too early");
    assert!(matches!(shop.step(61, expire)[..], [InventoryEvent::ReservationExpired(_)]));
    assert_eq!(shop.step(62, expire), []);
    assert_eq!(shop.step(62, |decider| decider.order_cancelled(ORDER, 0)), [], "nothing is promised any more");
    assert_eq!(shop.stock(MUG), (5, 0));
}

#[test]
fn an_order_that_was_cancelled_first_is_promised_nothing() {
    let mut shop = Shop::with([item(MUG, 5)]);
    let events = shop.step(1, |decider| decider.order_cancelled(ORDER, 0));
    assert!(matches!(events[..], [InventoryEvent::ReservationReleased(_)]), "{events:?}");
    assert_eq!(shop.step(2, |decider| decider.order_placed(ORDER, lines(2, 0), at(61))), []);
    assert_eq!(shop.stock(MUG), (5, 0));
}

#[test]
fn late_money_promises_the_units_once_more() {
    for still_reserved in [false, true] {
        let mut shop = Shop::with([item(MUG, 2)]);
        shop.step(1, |decider| decider.order_placed(ORDER, lines(2, 0), at(61)));
        if !still_reserved {
            shop.step(46, |decider| decider.order_cancelled(ORDER, 0));
        }
        let events = shop.step(50, |decider| decider.order_reinstated(ORDER, lines(2, 0), 1, at(110)));
        assert!(matches!(events[..], [InventoryEvent::StockReserved(_)]), "{events:?}");
        assert_eq!(
            shop.step(51, |decider| decider.order_cancelled(ORDER, 0)),
            [],
            "the cancellation is of the first round"
        );
        assert_eq!(shop.stock(MUG), (2, 2));
        shop.step(52, |decider| decider.order_confirmed(ORDER, lines(2, 0), 1));
        assert_eq!(shop.stock(MUG), (0, 0));
    }
}

#[test]
fn a_confirmed_order_whose_promise_expired_is_promised_again_or_told_so() {
    for (left, sold) in [(2, true), (1, false)] {
        let mut shop = Shop::with([item(MUG, 2)]);
        shop.step(1, |decider| decider.order_placed(ORDER, lines(2, 0), at(61)));
        shop.step(61, expire);
        let delta = left - 2;
        if delta != 0 {
            let cause = Cause::Adjusted("breakage".to_owned());
            shop.step(61, |decider| {
                decider.count(LedgerEntryId(Uuid::nil()), MUG, delta, cause).expect("there is room");
            });
        }
        let events = shop.step(62, |decider| decider.order_confirmed(ORDER, lines(2, 0), 0));
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
fn a_confirmation_after_its_cancellation_sells_nothing() {
    let mut shop = Shop::with([item(MUG, 2)]);
    shop.step(1, |decider| decider.order_placed(ORDER, lines(2, 0), at(61)));
    shop.step(61, expire);
    shop.step(62, |decider| decider.order_cancelled(ORDER, 0));
    assert_eq!(shop.step(63, |decider| decider.order_confirmed(ORDER, lines(2, 0), 0)), []);
    assert_eq!(shop.stock(MUG), (2, 0));
}

#[test]
fn a_fall_to_the_threshold_is_told_once() {
    let mut shop = Shop::with([item(MUG, 10)]);
    let events = shop.step(1, |decider| decider.set_threshold(MUG, 8).expect("there"));
    assert!(matches!(events[..], [InventoryEvent::StockAdjusted(_)]), "{events:?}");
    assert_eq!(shop.step(1, |decider| decider.set_threshold(MUG, 8).expect("there")), [], "no change");
    let events = shop.step(2, |decider| decider.order_placed(ORDER, lines(2, 0), at(61)));
    assert!(matches!(events[..], [InventoryEvent::StockReserved(_), InventoryEvent::StockLow(_)]), "{events:?}");
    let events = shop.step(3, |decider| decider.order_confirmed(ORDER, lines(2, 0), 0));
    assert!(matches!(events[..], [InventoryEvent::ReservationCommitted(_)]), "still low: {events:?}");
    let events = shop.step(4, |decider| decider.order_cancelled(ORDER, 0));
    assert!(matches!(events[..], [InventoryEvent::ReservationReturned(_)]), "{events:?}");
    let adjust = |decider: &mut StockDecider<'_>| {
        decider
            .count(LedgerEntryId(Uuid::nil()), MUG, -5, Cause::Adjusted("breakage".to_owned()))
            .expect("there is room");
    };
    let events = shop.step(5, adjust);
    assert!(matches!(events[..], [InventoryEvent::StockAdjusted(_), InventoryEvent::StockLow(_)]), "{events:?}");
}

#[test]
fn stock_is_never_less_than_what_is_promised() {
    let mut shop = Shop::with([item(MUG, 5)]);
    shop.step(1, |decider| decider.order_placed(ORDER, lines(3, 0), at(61)));
    let mut refused = |delta| {
        let mut told = None;
        shop.step(2, |decider| {
            told = decider.count(LedgerEntryId(Uuid::nil()), MUG, delta, Cause::Adjusted("count".to_owned())).err();
        });
        told
    };
    assert_eq!(refused(-3), Some(Refused::TooSmall));
    assert_eq!(refused(1_000_000_000), Some(Refused::TooLarge));
    assert_eq!(refused(i32::MAX), Some(Refused::TooLarge));
    assert_eq!(refused(-2), None);
}
