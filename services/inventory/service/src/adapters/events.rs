//! Maps the core's events to the contract's messages, and the events of other services to use cases.

use inventory_core::UseCases;
use inventory_core::application::OrderRequest;
use inventory_core::domain::{Lines, OrderId, ProductId, events};
use inventory_core::ports::Store;
use mart_chassis::consumer::{DispatchError, Outcome};
use mart_chassis::record::ReceivedEvent;
use mart_proto::inventory::v1;
use mart_proto::order::v1 as order;
use mart_proto::product::v1 as product;

use super::proto::{ledger_entry, reservation, shortage, stock_item};
use crate::generated::events::{EventHandlers, Messages};

/// Maps the core's events to the contract's messages.
#[derive(Debug, Clone, Copy)]
pub struct InventoryMessages;

impl Messages for InventoryMessages {
    fn stock_item_created(event: &events::StockItemCreated) -> v1::StockItemCreated {
        v1::StockItemCreated { stock_item: Some(stock_item(&event.stock_item)) }
    }

    fn stock_adjusted(event: &events::StockAdjusted) -> v1::StockAdjusted {
        v1::StockAdjusted {
            stock_item: Some(stock_item(&event.stock_item)),
            ledger_entry: event.ledger_entry.as_ref().map(ledger_entry),
        }
    }

    fn stock_low(event: &events::StockLow) -> v1::StockLow {
        v1::StockLow { stock_item: Some(stock_item(&event.stock_item)) }
    }

    fn stock_item_republished(event: &events::StockItemRepublished) -> v1::StockItemRepublished {
        v1::StockItemRepublished { stock_item: Some(stock_item(&event.stock_item)) }
    }

    fn stock_reserved(event: &events::StockReserved) -> v1::StockReserved {
        v1::StockReserved { reservation: Some(reservation(&event.reservation)) }
    }

    fn stock_rejected(event: &events::StockRejected) -> v1::StockRejected {
        v1::StockRejected {
            reservation: Some(reservation(&event.reservation)),
            shortages: event.shortages.iter().map(shortage).collect(),
        }
    }

    fn reservation_expired(event: &events::ReservationExpired) -> v1::ReservationExpired {
        v1::ReservationExpired { reservation: Some(reservation(&event.reservation)) }
    }

    fn reservation_released(event: &events::ReservationReleased) -> v1::ReservationReleased {
        v1::ReservationReleased { reservation: Some(reservation(&event.reservation)) }
    }

    fn reservation_committed(event: &events::ReservationCommitted) -> v1::ReservationCommitted {
        v1::ReservationCommitted { reservation: Some(reservation(&event.reservation)) }
    }

    fn reservation_returned(event: &events::ReservationReturned) -> v1::ReservationReturned {
        v1::ReservationReturned { reservation: Some(reservation(&event.reservation)) }
    }
}

/// Handles the events of other services.
#[derive(Debug)]
pub struct InventoryEventHandlers<S> {
    use_cases: UseCases<S>,
}

impl<S: Store> InventoryEventHandlers<S> {
    /// Creates the handlers over these use cases.
    pub fn new(use_cases: UseCases<S>) -> Self {
        Self { use_cases }
    }

    async fn on_product<M>(
        &self,
        event: &ReceivedEvent<M>,
        product: Option<product::Product>,
    ) -> Result<Outcome, DispatchError> {
        let product = product.unwrap_or_default();
        let Ok(id) = product.product_id.parse() else { return Ok(INVALID) };
        let archived = product.status == i32::from(product::ProductStatus::Archived);
        let applied = self.use_cases.on_product(ProductId(id), event.version, archived, event.receipt()).await?;
        Ok(applied.into())
    }
}

const INVALID: Outcome = Outcome::Reject("invalid id");

/// Returns an order's request, or `None` if one of its ids is not a UUID.
fn order_request(order: Option<order::Order>) -> Option<OrderRequest> {
    let order = order.unwrap_or_default();
    let line = |line: order::OrderLine| Some((ProductId(line.product_id.parse().ok()?), line.quantity));
    let lines: Option<Vec<(ProductId, i32)>> = order.lines.into_iter().map(line).collect();
    let id = OrderId(order.order_id.parse().ok()?);
    Some(OrderRequest { order: id, lines: Lines::of(lines?), reservation_round: order.reinstate_count })
}

impl<S: Store + 'static> EventHandlers for InventoryEventHandlers<S> {
    async fn on_product_created(
        &self,
        event: ReceivedEvent<product::ProductCreated>,
    ) -> Result<Outcome, DispatchError> {
        self.on_product(&event, event.payload.product.clone()).await
    }

    async fn on_product_archived(
        &self,
        event: ReceivedEvent<product::ProductArchived>,
    ) -> Result<Outcome, DispatchError> {
        self.on_product(&event, event.payload.product.clone()).await
    }

    async fn on_product_republished(
        &self,
        event: ReceivedEvent<product::ProductRepublished>,
    ) -> Result<Outcome, DispatchError> {
        self.on_product(&event, event.payload.product.clone()).await
    }

    async fn on_order_placed(&self, event: ReceivedEvent<order::OrderPlaced>) -> Result<Outcome, DispatchError> {
        let receipt = event.receipt();
        let Some(request) = order_request(event.payload.order) else { return Ok(INVALID) };
        Ok(self.use_cases.on_order_placed(request, receipt).await?.into())
    }

    async fn on_order_reinstated(
        &self,
        event: ReceivedEvent<order::OrderReinstated>,
    ) -> Result<Outcome, DispatchError> {
        let receipt = event.receipt();
        let Some(request) = order_request(event.payload.order) else { return Ok(INVALID) };
        Ok(self.use_cases.on_order_reinstated(request, receipt).await?.into())
    }

    async fn on_order_confirmed(&self, event: ReceivedEvent<order::OrderConfirmed>) -> Result<Outcome, DispatchError> {
        let receipt = event.receipt();
        let Some(request) = order_request(event.payload.order) else { return Ok(INVALID) };
        Ok(self.use_cases.on_order_confirmed(request, receipt).await?.into())
    }

    async fn on_order_cancelled(&self, event: ReceivedEvent<order::OrderCancelled>) -> Result<Outcome, DispatchError> {
        let receipt = event.receipt();
        let Some(request) = order_request(event.payload.order) else { return Ok(INVALID) };
        Ok(self.use_cases.on_order_cancelled(request, receipt).await?.into())
    }
}
