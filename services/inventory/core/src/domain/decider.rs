//! Decides changes of locked stock items and a reservation, without I/O.

use std::collections::BTreeMap;

use mart_kernel::{EventEnvelope, IdGenerator, Timestamp, Version};

use super::events::{
    ReservationCommitted, ReservationExpired, ReservationReleased, ReservationReturned, StockAdjusted,
    StockItemCreated, StockItemRepublished, StockLow, StockRejected, StockReserved,
};
use super::{
    Cause, InventoryEvent, LedgerEntry, LedgerEntryId, Lines, MAX_UNITS, OrderId, ProductId, Reservation, Shortage,
    Status, StockItem,
};

/// The locked rows and the changes that were decided so far.
pub struct StockDecider<'a> {
    now: Timestamp,
    ids: &'a dyn IdGenerator,
    before: BTreeMap<ProductId, StockItem>,
    items: BTreeMap<ProductId, StockItem>,
    reservation: Option<Reservation>,
    reservation_changed: bool,
    ledger: Vec<LedgerEntry>,
    events: Vec<InventoryEvent>,
}

/// Everything that a decision stores, at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// The stock items after the change, including new ones.
    pub items: Vec<StockItem>,
    /// The reservation after the change; `None` if it did not change.
    pub reservation: Option<Reservation>,
    /// The new ledger entries.
    pub ledger: Vec<LedgerEntry>,
    /// The events to publish.
    pub events: Vec<EventEnvelope<InventoryEvent>>,
}

/// The reasons to reject an admin's change of a stock item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StockChangeError {
    /// The product has no stock item.
    #[error("the product has no stock item")]
    NotFound,
    /// Fewer units than are reserved would be left.
    #[error("fewer units than are reserved would be left")]
    TooSmall,
    /// The stock would exceed the maximum.
    #[error("the stock would exceed the maximum")]
    TooLarge,
}

impl<'a> StockDecider<'a> {
    /// Begins a decision about these rows.
    pub fn open(
        items: impl IntoIterator<Item = StockItem>,
        reservation: Option<Reservation>,
        now: Timestamp,
        ids: &'a dyn IdGenerator,
    ) -> Self {
        let items: BTreeMap<ProductId, StockItem> = items.into_iter().map(|item| (item.id, item)).collect();
        Self {
            now,
            ids,
            before: items.clone(),
            items,
            reservation,
            reservation_changed: false,
            ledger: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Ends the decision and returns its change, with an event for each stock that fell to its threshold.
    #[must_use]
    pub fn close(mut self) -> Change {
        let mut items = Vec::new();
        for (id, mut item) in self.items {
            let before = self.before.get(&id);
            if before == Some(&item) {
                continue;
            }
            item.updated_at = self.now;
            if item.is_low() && !before.is_some_and(StockItem::is_low) {
                item.version = item.version.next();
                self.events.push(InventoryEvent::StockLow(StockLow { stock_item: item.clone() }));
            }
            items.push(item);
        }
        let envelope = |event: InventoryEvent| EventEnvelope {
            id: self.ids.next(),
            at: self.now,
            version: event.version(),
            payload: event,
        };
        let events = self.events.into_iter().map(envelope).collect();
        let reservation = self.reservation.filter(|_| self.reservation_changed);
        Change { items, reservation, ledger: self.ledger, events }
    }

    /// Creates the stock item of a product if it has none. `archived` is applied unless the product's version is older than the
    /// current one.
    pub fn upsert_product(&mut self, id: ProductId, version: Version, archived: bool) {
        if let Some(item) = self.items.get_mut(&id) {
            if version >= item.product_version {
                item.product_version = version;
                item.archived |= archived;
            }
            return;
        }
        let mut item = StockItem { archived, ..StockItem::new(id, version, self.now) };
        item.version = item.version.next();
        self.events.push(InventoryEvent::StockItemCreated(StockItemCreated { stock_item: item.clone() }));
        self.items.insert(id, item);
    }

    /// Publishes the state of every locked stock item again.
    pub fn republish(&mut self) {
        let republished =
            |item: &StockItem| InventoryEvent::StockItemRepublished(StockItemRepublished { stock_item: item.clone() });
        self.events.extend(self.items.values().map(republished));
    }

    /// Receives units or corrects the count.
    pub fn count(
        &mut self,
        entry: LedgerEntryId,
        id: ProductId,
        delta: i32,
        cause: Cause,
    ) -> Result<(), StockChangeError> {
        let item = self.items.get_mut(&id).ok_or(StockChangeError::NotFound)?;
        let on_hand = item
            .on_hand
            .checked_add(delta)
            .filter(|on_hand| *on_hand <= MAX_UNITS)
            .ok_or(StockChangeError::TooLarge)?;
        if on_hand < item.reserved {
            return Err(StockChangeError::TooSmall);
        }
        item.on_hand = on_hand;
        item.updated_at = self.now;
        item.version = item.version.next();
        let stock_item = item.clone();
        let entry = LedgerEntry { id: entry, product: id, on_hand: delta, reserved: 0, cause, at: self.now };
        self.ledger.push(entry.clone());
        self.events.push(InventoryEvent::StockAdjusted(StockAdjusted { stock_item, ledger_entry: Some(entry) }));
        Ok(())
    }

    /// Sets the threshold at which the stock of a product is low.
    pub fn set_threshold(&mut self, id: ProductId, threshold: i32) -> Result<(), StockChangeError> {
        let item = self.items.get_mut(&id).ok_or(StockChangeError::NotFound)?;
        if item.low_stock_threshold != threshold {
            item.low_stock_threshold = threshold;
            item.updated_at = self.now;
            item.version = item.version.next();
            let stock_item = item.clone();
            self.events.push(InventoryEvent::StockAdjusted(StockAdjusted { stock_item, ledger_entry: None }));
        }
        Ok(())
    }

    /// Reserves all lines of an order until `expires_at`, or none. An existing reservation stays unchanged.
    pub fn order_placed(&mut self, order: OrderId, lines: Lines, expires_at: Timestamp) {
        if self.reservation.is_none() {
            self.reserve(order, lines, 0, expires_at);
        }
    }

    /// Reserves the lines of a reinstated order again.
    pub fn order_reinstated(&mut self, order: OrderId, lines: Lines, round: i32, expires_at: Timestamp) {
        let Some(current) = self.reservation.clone() else {
            self.reserve(order, lines, round, expires_at);
            return;
        };
        if current.reservation_round >= round {
            return;
        }
        match current.status {
            // The cancellation of the earlier round has not arrived yet: the reservation continues.
            Status::Reserved { .. } => {
                let reservation = self
                    .set_status(Reservation { reservation_round: round, ..current }, Status::Reserved { expires_at });
                self.events.push(InventoryEvent::StockReserved(StockReserved { reservation }));
            }
            // A committed order is paid, so it cannot have expired.
            Status::Committed => {}
            Status::Rejected | Status::Released | Status::Expired | Status::Returned => {
                self.reserve(order, lines, round, expires_at);
            }
        }
    }

    /// Commits the reservation of a confirmed order. If it expired meanwhile, it is made again if the stock is available; otherwise
    /// StockRejected is published.
    pub fn order_confirmed(&mut self, order: OrderId, lines: Lines, round: i32) {
        let current = self.reservation.as_ref();
        if current.is_some_and(|reservation| reservation.reservation_round > round || reservation.closed) {
            return;
        }
        match current.map(|reservation| reservation.status) {
            Some(Status::Reserved { .. }) => self.commit(),
            Some(Status::Expired) | None => {
                if self.reserve(order, lines, round, self.now) {
                    self.commit();
                }
            }
            Some(Status::Rejected | Status::Committed | Status::Released | Status::Returned) => {}
        }
    }

    /// Releases the reservation of a cancelled order, or returns its committed units. An unknown order is recorded, so that nothing
    /// is reserved for it later.
    pub fn order_cancelled(&mut self, order: OrderId, round: i32) {
        let Some(current) = self.reservation.clone() else {
            let reservation = Reservation { closed: true, ..self.new_reservation(order, Lines::default(), round) };
            let reservation = self.set_status(reservation, Status::Released);
            self.events.push(InventoryEvent::ReservationReleased(ReservationReleased { reservation }));
            return;
        };
        if current.reservation_round > round || current.closed {
            return;
        }
        match current.status {
            Status::Reserved { .. } => {
                self.post(&current.lines, 0, -1, &Cause::Released(order));
                let reservation = self.set_status(Reservation { closed: true, ..current }, Status::Released);
                self.events.push(InventoryEvent::ReservationReleased(ReservationReleased { reservation }));
            }
            Status::Committed => {
                self.post(&current.lines, 1, 0, &Cause::Returned(order));
                let reservation = self.set_status(Reservation { closed: true, ..current }, Status::Returned);
                self.events.push(InventoryEvent::ReservationReturned(ReservationReturned { reservation }));
            }
            Status::Rejected | Status::Released | Status::Expired | Status::Returned => {
                // Nothing is reserved any more; only a later round can reserve again.
                self.reservation = Some(Reservation { closed: true, updated_at: self.now, ..current });
                self.reservation_changed = true;
            }
        }
    }

    /// Expires a reservation whose time has passed.
    pub fn expire(&mut self) {
        let Some(current) = self.reservation.clone() else { return };
        if matches!(current.status, Status::Reserved { expires_at } if expires_at <= self.now) {
            self.post(&current.lines, 0, -1, &Cause::Expired(current.order));
            let reservation = self.set_status(current, Status::Expired);
            self.events.push(InventoryEvent::ReservationExpired(ReservationExpired { reservation }));
        }
    }

    /// Reserves all lines or none and records the event. Returns whether they are reserved.
    fn reserve(&mut self, order: OrderId, lines: Lines, round: i32, expires_at: Timestamp) -> bool {
        let reservation = self.new_reservation(order, lines, round);
        let reservation = match &self.reservation {
            Some(current) => Reservation { version: current.version, created_at: current.created_at, ..reservation },
            None => reservation,
        };
        let reservable = |product: &ProductId| self.items.get(product).map_or(0, StockItem::reservable);
        let shortage = |(product, requested): (ProductId, i32)| {
            let available = reservable(&product);
            (requested > available).then_some(Shortage { product, requested, available })
        };
        let shortages: Vec<Shortage> = reservation.lines.iter().filter_map(shortage).collect();
        if shortages.is_empty() {
            self.post(&reservation.lines, 0, 1, &Cause::Reserved(order));
            let reservation = self.set_status(reservation, Status::Reserved { expires_at });
            self.events.push(InventoryEvent::StockReserved(StockReserved { reservation }));
            true
        } else {
            let reservation = self.set_status(reservation, Status::Rejected);
            self.events.push(InventoryEvent::StockRejected(StockRejected { reservation, shortages }));
            false
        }
    }

    /// Commits the reservation: its units leave the warehouse.
    fn commit(&mut self) {
        let Some(current) = self.reservation.clone() else { return };
        self.post(&current.lines, -1, -1, &Cause::Committed(current.order));
        let reservation = self.set_status(current, Status::Committed);
        self.events.push(InventoryEvent::ReservationCommitted(ReservationCommitted { reservation }));
    }

    /// Returns a new reservation, of which [`Self::set_status`] sets the status and the version.
    fn new_reservation(&self, order: OrderId, lines: Lines, round: i32) -> Reservation {
        Reservation {
            order,
            version: Version::NONE,
            lines,
            status: Status::Rejected,
            reservation_round: round,
            closed: false,
            created_at: self.now,
            updated_at: self.now,
        }
    }

    /// Sets the next status and version of the reservation.
    fn set_status(&mut self, reservation: Reservation, status: Status) -> Reservation {
        let version = reservation.version.next();
        let reservation = Reservation { status, version, updated_at: self.now, ..reservation };
        self.reservation = Some(reservation.clone());
        self.reservation_changed = true;
        reservation
    }

    /// Changes the stock of each line by its quantity times these signs, with a ledger entry.
    fn post(&mut self, lines: &Lines, on_hand: i32, reserved: i32, cause: &Cause) {
        for (product, quantity) in lines.iter().filter(|(_, quantity)| *quantity > 0) {
            let Some(item) = self.items.get_mut(&product) else { continue };
            item.on_hand += on_hand * quantity;
            item.reserved += reserved * quantity;
            self.ledger.push(LedgerEntry {
                id: LedgerEntryId(self.ids.next()),
                product,
                on_hand: on_hand * quantity,
                reserved: reserved * quantity,
                cause: cause.clone(),
                at: self.now,
            });
        }
    }
}
