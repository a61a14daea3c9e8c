//! What happened to an order, in the customer's words.

use mart_kernel::{EventEnvelope, Timestamp};
use uuid::Uuid;

use super::{Fact, Status, StatusKind, Why};

/// Something that happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What, in the customer's words.
    pub text: String,
    /// The status after it.
    pub status: StatusKind,
    /// The event that told it, or that it was told by.
    pub event: Uuid,
}

impl Entry {
    /// The entry of an event of the order's own; a republished state is none.
    pub fn of(event: &EventEnvelope<Fact>) -> Option<Self> {
        let order = event.payload.order();
        let text = match &event.payload {
            Fact::OrderPlaced(_) => "We have your order and look for its products.".to_owned(),
            Fact::OrderChanged(_) => "The address or contact of your order was changed.".to_owned(),
            Fact::OrderAwaitingPayment(_) => "Your products are put aside. Please pay.".to_owned(),
            Fact::OrderConfirmed(_) => "Your order is paid and will be sent.".to_owned(),
            Fact::OrderCancelled(_) => match order.status {
                Status::Cancelled(Why::Customer) => "You have cancelled your order.".to_owned(),
                Status::Cancelled(Why::NoStock) => {
                    "Your order was cancelled, because not all of its products are there.".to_owned()
                }
                Status::Cancelled(Why::PaymentTimeout) => {
                    "Your order was cancelled, because it was not paid in time.".to_owned()
                }
                _ => "We have cancelled your order.".to_owned(),
            },
            Fact::OrderReinstated(_) => "Your money came late. We look for your products once more.".to_owned(),
            Fact::OrderShipped(_) => match &order.status {
                Status::Shipped(shipment) => {
                    format!("Your order is on its way with {}, number {}.", shipment.carrier, shipment.tracking_number)
                }
                _ => "Your order is on its way.".to_owned(),
            },
            Fact::OrderDelivered(_) => "Your order has arrived.".to_owned(),
            Fact::RefundRequested(fact) => format!("We send {} back to you.", fact.payment.amount),
            Fact::OrderRepublished(_) => return None,
        };
        Some(Self { at: event.at, text, status: order.status.kind(), event: event.id })
    }
}
