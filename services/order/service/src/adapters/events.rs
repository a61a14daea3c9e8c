//! Maps the core's events to the contract's messages, and the events of other services to use cases.

use mart_chassis::consumer::{DispatchError, Outcome};
use mart_chassis::convert::{exact, money};
use mart_chassis::record::ReceivedEvent;
use mart_kernel::Money;
use mart_proto::inventory::v1 as inventory;
use mart_proto::order::v1;
use mart_proto::payment::v1 as payment;
use mart_proto::product::v1 as product;
use mart_proto::r#type::v1::Money as Price;
use order_core::UseCases;
use order_core::domain::{CatalogProduct, OrderId, ProductId, events};
use order_core::ports::Store;

use super::proto::order;
use crate::generated::events::{EventHandlers, Messages};

/// Maps the core's events to the contract's messages.
#[derive(Debug, Clone, Copy)]
pub struct OrderMessages;

impl Messages for OrderMessages {
    fn order_placed(event: &events::OrderPlaced) -> v1::OrderPlaced {
        v1::OrderPlaced { order: Some(order(&event.order)) }
    }

    fn order_changed(event: &events::OrderChanged) -> v1::OrderChanged {
        v1::OrderChanged { order: Some(order(&event.order)) }
    }

    fn order_awaiting_payment(event: &events::OrderAwaitingPayment) -> v1::OrderAwaitingPayment {
        v1::OrderAwaitingPayment { order: Some(order(&event.order)) }
    }

    fn order_confirmed(event: &events::OrderConfirmed) -> v1::OrderConfirmed {
        v1::OrderConfirmed { order: Some(order(&event.order)) }
    }

    fn order_cancelled(event: &events::OrderCancelled) -> v1::OrderCancelled {
        v1::OrderCancelled { order: Some(order(&event.order)) }
    }

    fn order_reinstated(event: &events::OrderReinstated) -> v1::OrderReinstated {
        v1::OrderReinstated { order: Some(order(&event.order)) }
    }

    fn order_shipped(event: &events::OrderShipped) -> v1::OrderShipped {
        v1::OrderShipped { order: Some(order(&event.order)) }
    }

    fn order_delivered(event: &events::OrderDelivered) -> v1::OrderDelivered {
        v1::OrderDelivered { order: Some(order(&event.order)) }
    }

    fn refund_requested(event: &events::RefundRequested) -> v1::RefundRequested {
        v1::RefundRequested {
            order: Some(order(&event.order)),
            payment_id: event.payment.id.clone(),
            amount: Some(money(event.payment.amount)),
        }
    }

    fn order_republished(event: &events::OrderRepublished) -> v1::OrderRepublished {
        v1::OrderRepublished { order: Some(order(&event.order)) }
    }
}

/// Handles the events of other services.
#[derive(Debug)]
pub struct OrderEventHandlers<S> {
    use_cases: UseCases<S>,
}

impl<S: Store> OrderEventHandlers<S> {
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
        let prices: Result<Vec<Money>, _> = product.prices.iter().map(|price| exact("prices", price)).collect();
        let (Ok(id), Ok(prices)) = (product.product_id.parse(), prices) else { return Ok(INVALID) };
        let (id, version, name) = (ProductId(id), event.version, product.name);
        let on_sale = product.status == i32::from(product::ProductStatus::Active);
        let known = CatalogProduct { id, version, name, on_sale, prices };
        Ok(self.use_cases.on_product(known, event.receipt()).await?.into())
    }
}

const INVALID: Outcome = Outcome::Reject("invalid id or amount");

/// Returns the order and the round of a reservation, or `None` if its order id is not a UUID.
fn order_and_round(reservation: Option<inventory::Reservation>) -> Option<(OrderId, i32)> {
    let reservation = reservation.unwrap_or_default();
    Some((OrderId(reservation.order_id.parse().ok()?), reservation.reinstate_count))
}

/// Returns the order and the amount of a payment, or `None` if one of them is invalid.
fn order_and_amount(order_id: &str, amount: Option<Price>) -> Option<(OrderId, Money)> {
    Some((OrderId(order_id.parse().ok()?), exact("amount", &amount.unwrap_or_default()).ok()?))
}

impl<S: Store + 'static> EventHandlers for OrderEventHandlers<S> {
    async fn on_product_created(
        &self,
        event: ReceivedEvent<product::ProductCreated>,
    ) -> Result<Outcome, DispatchError> {
        self.on_product(&event, event.payload.product.clone()).await
    }

    async fn on_product_updated(
        &self,
        event: ReceivedEvent<product::ProductUpdated>,
    ) -> Result<Outcome, DispatchError> {
        self.on_product(&event, event.payload.product.clone()).await
    }

    async fn on_product_price_changed(
        &self,
        event: ReceivedEvent<product::ProductPriceChanged>,
    ) -> Result<Outcome, DispatchError> {
        self.on_product(&event, event.payload.product.clone()).await
    }

    async fn on_product_activated(
        &self,
        event: ReceivedEvent<product::ProductActivated>,
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

    async fn on_stock_reserved(
        &self,
        event: ReceivedEvent<inventory::StockReserved>,
    ) -> Result<Outcome, DispatchError> {
        let receipt = event.receipt();
        let Some((id, round)) = order_and_round(event.payload.reservation) else { return Ok(INVALID) };
        Ok(self.use_cases.on_stock_reserved(id, round, receipt).await?.into())
    }

    async fn on_stock_rejected(
        &self,
        event: ReceivedEvent<inventory::StockRejected>,
    ) -> Result<Outcome, DispatchError> {
        let receipt = event.receipt();
        let Some((id, round)) = order_and_round(event.payload.reservation) else { return Ok(INVALID) };
        Ok(self.use_cases.on_stock_rejected(id, round, receipt).await?.into())
    }

    async fn on_reservation_expired(
        &self,
        event: ReceivedEvent<inventory::ReservationExpired>,
    ) -> Result<Outcome, DispatchError> {
        let receipt = event.receipt();
        let Some((id, round)) = order_and_round(event.payload.reservation) else { return Ok(INVALID) };
        Ok(self.use_cases.on_reservation_expired(id, round, receipt).await?.into())
    }

    async fn on_payment_captured(
        &self,
        event: ReceivedEvent<payment::PaymentCaptured>,
    ) -> Result<Outcome, DispatchError> {
        let receipt = event.receipt();
        let payment::PaymentCaptured { order_id, payment_id, amount, provider: _ } = event.payload;
        let Some((id, amount)) = order_and_amount(&order_id, amount) else { return Ok(INVALID) };
        Ok(self.use_cases.on_payment_captured(id, payment_id, amount, receipt).await?.into())
    }

    async fn on_payment_failed(&self, event: ReceivedEvent<payment::PaymentFailed>) -> Result<Outcome, DispatchError> {
        let receipt = event.receipt();
        let payment::PaymentFailed { order_id, payment_id: _, reason } = event.payload;
        let Ok(id) = order_id.parse() else { return Ok(INVALID) };
        Ok(self.use_cases.on_payment_failed(OrderId(id), &reason, event.id, event.at, receipt).await?.into())
    }

    async fn on_payment_refunded(
        &self,
        event: ReceivedEvent<payment::PaymentRefunded>,
    ) -> Result<Outcome, DispatchError> {
        let receipt = event.receipt();
        let payment::PaymentRefunded { order_id, payment_id: _, amount } = event.payload;
        let Some((id, amount)) = order_and_amount(&order_id, amount) else { return Ok(INVALID) };
        Ok(self.use_cases.on_payment_refunded(id, amount, event.id, event.at, receipt).await?.into())
    }
}
