//! The core's facts as the contract's messages, and what events of others do here.

use inventory_core::UseCases;
use inventory_core::application::Asked;
use inventory_core::domain::{Lines, OrderId, ProductId, fact};
use inventory_core::ports::Store;
use mart_chassis::consumer::{DispatchError, Outcome};
use mart_chassis::record::ReceivedEvent;
use mart_proto::inventory::v1;
use mart_proto::order::v1 as order;
use mart_proto::product::v1 as product;

use super::messages::{shortages, ledger_entry, reservation, stock_item};
use crate::generated::events::{Messages, EventHandlers};

/// Makes the contract's messages.
#[derive(Debug, Clone, Copy)]
pub struct InventoryMessages;

impl Messages for InventoryMessages {
    fn stock_item_created(fact: &fact::StockItemCreated) -> v1::StockItemCreated {
        v1::StockItemCreated { stock_item: Some(stock_item(&fact.stock_item)) }
    }

    fn stock_adjusted(fact: &fact::StockAdjusted) -> v1::StockAdjusted {
        v1::StockAdjusted {
            stock_item: Some(stock_item(&fact.stock_item)),
            ledger_entry: fact.ledger_entry.as_ref().map(ledger_entry),
        }
    }

    fn stock_low(fact: &fact::StockLow) -> v1::StockLow {
        v1::StockLow { stock_item: Some(stock_item(&fact.stock_item)) }
    }

    fn stock_item_republished(fact: &fact::StockItemRepublished) -> v1::StockItemRepublished {
        v1::StockItemRepublished { stock_item: Some(stock_item(&fact.stock_item)) }
    }

    fn stock_reserved(fact: &fact::StockReserved) -> v1::StockReserved {
        v1::StockReserved { reservation: Some(reservation(&fact.reservation)) }
    }

    fn stock_rejected(fact: &fact::StockRejected) -> v1::StockRejected {
        v1::StockRejected {
            reservation: Some(reservation(&fact.reservation)),
            shortages: fact.shortages.iter().map(shortages).collect(),
        }
    }

    fn reservation_expired(fact: &fact::ReservationExpired) -> v1::ReservationExpired {
        v1::ReservationExpired { reservation: Some(reservation(&fact.reservation)) }
    }

    fn reservation_released(fact: &fact::ReservationReleased) -> v1::ReservationReleased {
        v1::ReservationReleased { reservation: Some(reservation(&fact.reservation)) }
    }

    fn reservation_committed(fact: &fact::ReservationCommitted) -> v1::ReservationCommitted {
        v1::ReservationCommitted { reservation: Some(reservation(&fact.reservation)) }
    }

    fn reservation_returned(fact: &fact::ReservationReturned) -> v1::ReservationReturned {
        v1::ReservationReturned { reservation: Some(reservation(&fact.reservation)) }
    }
}

/// Reacts to events of others.
#[derive(Debug)]
pub struct InventoryEventHandlers<S> {
    use_cases: UseCases<S>,
}

impl<S: Store> InventoryEventHandlers<S> {
    /// Reacts by these use cases.
    pub fn new(use_cases: UseCases<S>) -> Self {
        Self { use_cases }
    }

    async fn hear<M>(&self, event: &ReceivedEvent<M>, product: Option<product::Product>) -> Result<Outcome, DispatchError> {
        let product = product.unwrap_or_default();
        let Ok(id) = product.product_id.parse() else { return Ok(UNREADABLE) };
        let archived = product.status == i32::from(product::ProductStatus::Archived);
        self.use_cases.hear_of_product(ProductId(id), event.version, archived, event.receipt()).await?;
        Ok(Outcome::Applied)
    }
}

const UNREADABLE: Outcome = Outcome::Reject("an id in it is no UUID");

/// What an order asks for; `None` where its ids are no UUIDs.
fn asked(order: Option<order::Order>) -> Option<Asked> {
    let order = order.unwrap_or_default();
    let line = |line: order::OrderLine| Some((ProductId(line.product_id.parse().ok()?), line.quantity));
    let lines: Option<Vec<(ProductId, i32)>> = order.lines.into_iter().map(line).collect();
    let id = OrderId(order.order_id.parse().ok()?);
    Some(Asked { order: id, lines: Lines::of(lines?), round: order.reinstate_count })
}

impl<S: Store + 'static> EventHandlers for InventoryEventHandlers<S> {
    async fn on_product_created(&self, event: ReceivedEvent<product::ProductCreated>) -> Result<Outcome, DispatchError> {
        self.hear(&event, event.payload.product.clone()).await
    }

    async fn on_product_archived(&self, event: ReceivedEvent<product::ProductArchived>) -> Result<Outcome, DispatchError> {
        self.hear(&event, event.payload.product.clone()).await
    }

    async fn on_product_republished(
        &self,
        event: ReceivedEvent<product::ProductRepublished>,
    ) -> Result<Outcome, DispatchError> {
        self.hear(&event, event.payload.product.clone()).await
    }

    async fn on_order_placed(&self, event: ReceivedEvent<order::OrderPlaced>) -> Result<Outcome, DispatchError> {
        let receipt = event.receipt();
        let Some(asked) = asked(event.payload.order) else { return Ok(UNREADABLE) };
        self.use_cases.on_order_placed(asked, receipt).await?;
        Ok(Outcome::Applied)
    }

    async fn on_order_reinstated(&self, event: ReceivedEvent<order::OrderReinstated>) -> Result<Outcome, DispatchError> {
        let receipt = event.receipt();
        let Some(asked) = asked(event.payload.order) else { return Ok(UNREADABLE) };
        self.use_cases.on_order_reinstated(asked, receipt).await?;
        Ok(Outcome::Applied)
    }

    async fn on_order_confirmed(&self, event: ReceivedEvent<order::OrderConfirmed>) -> Result<Outcome, DispatchError> {
        let receipt = event.receipt();
        let Some(asked) = asked(event.payload.order) else { return Ok(UNREADABLE) };
        self.use_cases.on_order_confirmed(asked, receipt).await?;
        Ok(Outcome::Applied)
    }

    async fn on_order_cancelled(&self, event: ReceivedEvent<order::OrderCancelled>) -> Result<Outcome, DispatchError> {
        let receipt = event.receipt();
        let Some(asked) = asked(event.payload.order) else { return Ok(UNREADABLE) };
        self.use_cases.on_order_cancelled(asked, receipt).await?;
        Ok(Outcome::Applied)
    }
}
