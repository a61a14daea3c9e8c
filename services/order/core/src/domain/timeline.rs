//! What happened to an order, in the customer's words.

use mart_kernel::{EventEnvelope, Timestamp};
use uuid::Uuid;

use super::{CancelReason, OrderEvent, Status, StatusKind};

/// Something that happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// When.
    pub at: Timestamp,
    /// What, in the customer's words.
    pub text: String,
    /// The status after it.
    pub status: StatusKind,
    /// The event that told it, or that it was told by.
    pub event: Uuid,
}

impl TimelineEntry {
    /// The entry of an event of the order's own; a republished state is none.
    pub fn from_event(event: &EventEnvelope<OrderEvent>) -> Option<Self> {
        let order = event.payload.order();
        let text = match &event.payload {
            OrderEvent::OrderPlaced(_) => "We have your order and look for its products.".to_owned(),
            OrderEvent::OrderChanged(_) => "The address or contact of your order was changed.".to_owned(),
            OrderEvent::OrderAwaitingPayment(_) => "Your products are put aside. Please pay.".to_owned(),
            OrderEvent::OrderConfirmed(_) => "Your order is paid and will be sent.".to_owned(),
            OrderEvent::OrderCancelled(_) => match order.status {
                Status::Cancelled(CancelReason::Customer) => "You have cancelled your order.".to_owned(),
                Status::Cancelled(CancelReason::NoStock) => {
                    "Your order was cancelled, because not all of its products are there.".to_owned()
                }
                Status::Cancelled(CancelReason::PaymentTimeout) => {
                    "Your order was cancelled, because it was not paid in time.".to_owned()
                }
                _ => "We have cancelled your order.".to_owned(),
            },
            OrderEvent::OrderReinstated(_) => "Your money came late. We look for your products once more.".to_owned(),
            OrderEvent::OrderShipped(_) => match &order.status {
                Status::Shipped(shipment) => {
                    format!("Your order is on its way with {}, number {}.", shipment.carrier, shipment.tracking_number)
                }
                _ => "Your order is on its way.".to_owned(),
            },
            OrderEvent::OrderDelivered(_) => "Your order has arrived.".to_owned(),
            OrderEvent::RefundRequested(event) => format!("We send {} back to you.", event.payment.amount),
            OrderEvent::OrderRepublished(_) => return None,
        };
        Some(Self { at: event.at, text, status: order.status.kind(), event: event.id })
    }
}
