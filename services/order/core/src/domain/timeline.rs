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
