//! The timeline of an order, in texts for its customer.

use mart_kernel::{EventEnvelope, Timestamp};
use uuid::Uuid;

use super::{CancelReason, OrderEvent, Status, StatusKind};

/// An entry of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// When it happened.
    pub at: Timestamp,
    /// The text for the customer.
    pub text: String,
    /// The status after it.
    pub status: StatusKind,
    /// The id of the event that was published or received.
    pub event: Uuid,
}

impl TimelineEntry {
    /// Returns the entry of an order's event, or `None` for a republished state.
    pub fn from_event(event: &EventEnvelope<OrderEvent>) -> Option<Self> {
        let order = event.payload.order();
        let text = match &event.payload {
            OrderEvent::OrderPlaced(_) => "We've received your order and are checking stock.".to_owned(),
            OrderEvent::OrderChanged(_) => "Your delivery or contact details were updated.".to_owned(),
            OrderEvent::OrderAwaitingPayment(_) => "Your items are reserved. Please complete your payment.".to_owned(),
            OrderEvent::OrderConfirmed(_) => "Your order is confirmed. We're preparing it for shipment.".to_owned(),
            OrderEvent::OrderCancelled(_) => match order.status {
                Status::Cancelled(CancelReason::Customer) => "You cancelled your order.".to_owned(),
                Status::Cancelled(CancelReason::NoStock) => {
                    "Your order was cancelled because not all of its items are in stock.".to_owned()
                }
                Status::Cancelled(CancelReason::PaymentTimeout) => {
                    "Your order was cancelled because it was not paid in time.".to_owned()
                }
                _ => "We cancelled your order.".to_owned(),
            },
            OrderEvent::OrderReinstated(_) => {
                "We've received your late payment and are checking stock again.".to_owned()
            }
            OrderEvent::OrderShipped(_) => match &order.status {
                Status::Shipped(shipment) => {
                    format!(
                        "Your order has shipped with {}. Tracking number: {}.",
                        shipment.carrier, shipment.tracking_number
                    )
                }
                _ => "Your order has shipped.".to_owned(),
            },
            OrderEvent::OrderDelivered(_) => "Your order was delivered.".to_owned(),
            OrderEvent::RefundRequested(event) => format!("We're refunding {}.", event.payment.amount),
            OrderEvent::OrderRepublished(_) => return None,
        };
        Some(Self { at: event.at, text, status: order.status.kind(), event: event.id })
    }
}
