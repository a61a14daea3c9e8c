//! The rules of the warehouse, one by one.

use inventory_core::domain::{
    Books, Cause, Change, Fact, Lines, OrderId, ProductId, Refused, Reservation, Status, StockItem,
};
use inventory_core::domain::{LedgerEntryId, fact};
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
    fn step(&mut self, minute: i64, step: impl FnOnce(&mut Books<'_>)) -> Vec<Fact> {
        let mut books = Books::open(self.items.clone(), self.reservation.clone(), at(minute), &self.ids);
        step(&mut books);
        let Change { items, reservation, events, .. } = books.close();
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

fn expire(books: &mut Books<'_>) {
    books.expire();
}

#[test]
fn all_lines_are_promised_or_none() {
    let mut shop = Shop::with([item(MUG, 5), item(TEA, 1)]);
    let facts = shop.step(1, |books| books.order_placed(ORDER, lines(2, 2), at(61)));
    let [Fact::StockRejected(fact::StockRejected { shortages, .. })] = &facts[..] else { panic!("{facts:?}") };
    assert_eq!((shortages.len(), shortages[0].product, shortages[0].requested, shortages[0].available), (1, TEA, 2, 1));
    assert_eq!((shop.stock(MUG), shop.stock(TEA)), ((5, 0), (1, 0)));

    let mut shop = Shop::with([item(MUG, 5), item(TEA, 2)]);
    let facts = shop.step(1, |books| books.order_placed(ORDER, lines(2, 2), at(61)));
    assert!(matches!(facts[..], [Fact::StockReserved(_)]), "{facts:?}");
    assert_eq!((shop.stock(MUG), shop.stock(TEA)), ((5, 2), (2, 2)));
}

#[test]
fn lines_of_one_product_are_summed() {
    let mut shop = Shop::with([item(MUG, 5)]);
    let twice = Lines::of([(MUG, 3), (MUG, 3)]);
    let facts = shop.step(1, |books| books.order_placed(ORDER, twice, at(61)));
    let [Fact::StockRejected(fact::StockRejected { shortages, .. })] = &facts[..] else { panic!("{facts:?}") };
    assert_eq!((shortages[0].requested, shortages[0].available), (6, 5));
    assert_eq!(Lines::of([(MUG, i32::MAX), (MUG, 1)]).iter().collect::<Vec<_>>(), [(MUG, i32::MAX)], "no overflow");
}

#[test]
fn unknown_and_archived_products_have_nothing_to_promise() {
    let mut shop = Shop::with([item(MUG, 5)]);
    shop.step(1, |books| books.hear_of_product(MUG, Version::NONE.next().next(), true));
    let facts = shop.step(1, |books| books.order_placed(ORDER, lines(1, 1), at(61)));
    let [Fact::StockRejected(fact::StockRejected { shortages, .. })] = &facts[..] else { panic!("{facts:?}") };
    assert_eq!(shortages.iter().map(|shortage| shortage.available).collect::<Vec<_>>(), [0, 0]);
}

#[test]
fn an_older_word_of_a_product_does_not_bring_it_back() {
    let mut shop = Shop::with([item(MUG, 5)]);
    shop.step(1, |books| books.hear_of_product(MUG, Version::NONE.next().next(), true));
    shop.step(1, |books| books.hear_of_product(MUG, Version::NONE.next(), false));
    assert!(shop.items[0].archived);
    assert_eq!(shop.items[0].product_version, Version::NONE.next().next());
}

#[test]
fn a_promise_is_kept_once_whatever_comes_twice() {
    let mut shop = Shop::with([item(MUG, 5)]);
    shop.step(1, |books| books.order_placed(ORDER, lines(2, 0), at(61)));
    assert_eq!(shop.step(1, |books| books.order_placed(ORDER, lines(2, 0), at(61))), []);
    let sold = shop.step(2, |books| books.order_confirmed(ORDER, lines(2, 0), 0));
    assert!(matches!(sold[..], [Fact::ReservationCommitted(_)]), "{sold:?}");
    assert_eq!(shop.step(2, |books| books.order_confirmed(ORDER, lines(2, 0), 0)), []);
    assert_eq!(shop.stock(MUG), (3, 0));
    let back = shop.step(3, |books| books.order_cancelled(ORDER, 0));
    assert!(matches!(back[..], [Fact::ReservationReturned(_)]), "{back:?}");
    assert_eq!(shop.step(3, |books| books.order_cancelled(ORDER, 0)), []);
    assert_eq!((shop.stock(MUG), shop.status()), ((5, 0), Status::Returned));
}

#[test]
fn a_promise_ends_by_cancelling_or_by_its_time_and_only_once() {
    let mut shop = Shop::with([item(MUG, 5)]);
    shop.step(1, |books| books.order_placed(ORDER, lines(2, 0), at(61)));
    assert_eq!(shop.step(60, expire), [], "a minute too early");
    assert!(matches!(shop.step(61, expire)[..], [Fact::ReservationExpired(_)]));
    assert_eq!(shop.step(62, expire), []);
    assert_eq!(shop.step(62, |books| books.order_cancelled(ORDER, 0)), [], "nothing is promised any more");
    assert_eq!(shop.stock(MUG), (5, 0));
}

#[test]
fn an_order_that_was_cancelled_first_is_promised_nothing() {
    let mut shop = Shop::with([item(MUG, 5)]);
    let facts = shop.step(1, |books| books.order_cancelled(ORDER, 0));
    assert!(matches!(facts[..], [Fact::ReservationReleased(_)]), "{facts:?}");
    assert_eq!(shop.step(2, |books| books.order_placed(ORDER, lines(2, 0), at(61))), []);
    assert_eq!(shop.stock(MUG), (5, 0));
}

#[test]
fn late_money_promises_the_units_once_more() {
    for still_reserved in [false, true] {
        let mut shop = Shop::with([item(MUG, 2)]);
        shop.step(1, |books| books.order_placed(ORDER, lines(2, 0), at(61)));
        if !still_reserved {
            shop.step(46, |books| books.order_cancelled(ORDER, 0));
        }
        let facts = shop.step(50, |books| books.order_reinstated(ORDER, lines(2, 0), 1, at(110)));
        assert!(matches!(facts[..], [Fact::StockReserved(_)]), "{facts:?}");
        assert_eq!(
            shop.step(51, |books| books.order_cancelled(ORDER, 0)),
            [],
            "the cancellation is of the first round"
        );
        assert_eq!(shop.stock(MUG), (2, 2));
        shop.step(52, |books| books.order_confirmed(ORDER, lines(2, 0), 1));
        assert_eq!(shop.stock(MUG), (0, 0));
    }
}

#[test]
fn a_confirmed_order_whose_promise_expired_is_promised_again_or_told_so() {
    for (left, sold) in [(2, true), (1, false)] {
        let mut shop = Shop::with([item(MUG, 2)]);
        shop.step(1, |books| books.order_placed(ORDER, lines(2, 0), at(61)));
        shop.step(61, expire);
        let delta = left - 2;
        if delta != 0 {
            let cause = Cause::Adjusted("breakage".to_owned());
            shop.step(61, |books| books.count(LedgerEntryId(Uuid::nil()), MUG, delta, cause).expect("there is room"));
        }
        let facts = shop.step(62, |books| books.order_confirmed(ORDER, lines(2, 0), 0));
        if sold {
            assert!(matches!(facts[..], [Fact::StockReserved(_), Fact::ReservationCommitted(_)]), "{facts:?}");
        } else {
            assert!(matches!(facts[..], [Fact::StockRejected(_)]), "{facts:?}");
        }
    }
}

#[test]
fn a_confirmation_after_its_cancellation_sells_nothing() {
    let mut shop = Shop::with([item(MUG, 2)]);
    shop.step(1, |books| books.order_placed(ORDER, lines(2, 0), at(61)));
    shop.step(61, expire);
    shop.step(62, |books| books.order_cancelled(ORDER, 0));
    assert_eq!(shop.step(63, |books| books.order_confirmed(ORDER, lines(2, 0), 0)), []);
    assert_eq!(shop.stock(MUG), (2, 0));
}

#[test]
fn a_fall_to_the_threshold_is_told_once() {
    let mut shop = Shop::with([item(MUG, 10)]);
    let facts = shop.step(1, |books| books.set_threshold(MUG, 8).expect("there"));
    assert!(matches!(facts[..], [Fact::StockAdjusted(_)]), "{facts:?}");
    assert_eq!(shop.step(1, |books| books.set_threshold(MUG, 8).expect("there")), [], "no change");
    let facts = shop.step(2, |books| books.order_placed(ORDER, lines(2, 0), at(61)));
    assert!(matches!(facts[..], [Fact::StockReserved(_), Fact::StockLow(_)]), "{facts:?}");
    let facts = shop.step(3, |books| books.order_confirmed(ORDER, lines(2, 0), 0));
    assert!(matches!(facts[..], [Fact::ReservationCommitted(_)]), "still low: {facts:?}");
    let facts = shop.step(4, |books| books.order_cancelled(ORDER, 0));
    assert!(matches!(facts[..], [Fact::ReservationReturned(_)]), "{facts:?}");
    let adjust = |books: &mut Books<'_>| {
        books
            .count(LedgerEntryId(Uuid::nil()), MUG, -5, Cause::Adjusted("breakage".to_owned()))
            .expect("there is room");
    };
    let facts = shop.step(5, adjust);
    assert!(matches!(facts[..], [Fact::StockAdjusted(_), Fact::StockLow(_)]), "{facts:?}");
}

#[test]
fn stock_is_never_less_than_what_is_promised() {
    let mut shop = Shop::with([item(MUG, 5)]);
    shop.step(1, |books| books.order_placed(ORDER, lines(3, 0), at(61)));
    let mut refused = |delta| {
        let mut told = None;
        shop.step(2, |books| {
            told = books.count(LedgerEntryId(Uuid::nil()), MUG, delta, Cause::Adjusted("count".to_owned())).err();
        });
        told
    };
    assert_eq!(refused(-3), Some(Refused::TooSmall));
    assert_eq!(refused(1_000_000_000), Some(Refused::TooLarge));
    assert_eq!(refused(i32::MAX), Some(Refused::TooLarge));
    assert_eq!(refused(-2), None);
}
