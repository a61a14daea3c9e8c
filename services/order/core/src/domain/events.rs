//! The events of an order.

use uuid::Uuid;

use super::{Order, Payment};

/// An event of an order. Each has the order after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderEvent {
    /// The order was placed.
    OrderPlaced(OrderPlaced),
    /// The address or the contact was changed.
    OrderChanged(OrderChanged),
    /// The stock is reserved. The order awaits its payment.
    OrderAwaitingPayment(OrderAwaitingPayment),
    /// The order is paid and its stock is reserved.
    OrderConfirmed(OrderConfirmed),
    /// The order was cancelled.
    OrderCancelled(OrderCancelled),
    /// The payment arrived after the cancellation. The order awaits stock again.
    OrderReinstated(OrderReinstated),
    /// The order was shipped.
    OrderShipped(OrderShipped),
    /// The order was delivered.
    OrderDelivered(OrderDelivered),
    /// The payment has to be refunded.
    RefundRequested(RefundRequested),
    /// The current state is published again.
    OrderRepublished(OrderRepublished),
}

/// The order was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPlaced {
    /// The order after the event.
    pub order: Order,
}

/// The address or the contact was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderChanged {
    /// The order after the event.
    pub order: Order,
}

/// The stock is reserved. The order awaits its payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderAwaitingPayment {
    /// The order after the event.
    pub order: Order,
}

/// The order is paid and its stock is reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderConfirmed {
    /// The order after the event.
    pub order: Order,
}

/// The order was cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCancelled {
    /// The order after the event.
    pub order: Order,
}

/// The payment arrived after the cancellation. The order awaits stock again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderReinstated {
    /// The order after the event.
    pub order: Order,
}

/// The order was shipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderShipped {
    /// The order after the event.
    pub order: Order,
}

/// The order was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDelivered {
    /// The order after the event.
    pub order: Order,
}

/// The payment has to be refunded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequested {
    /// The order after the event.
    pub order: Order,
    /// The payment to refund.
    pub payment: Payment,
}

/// The current state is published again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRepublished {
    /// The order after the event.
    pub order: Order,
}

impl OrderEvent {
    /// Returns the order's id, the key of its events.
    pub fn key(&self) -> Uuid {
        self.order().id.0
    }

    /// Returns the order after the event.
    pub fn order(&self) -> &Order {
        match self {
            Self::OrderPlaced(OrderPlaced { order })
            | Self::OrderChanged(OrderChanged { order })
            | Self::OrderAwaitingPayment(OrderAwaitingPayment { order })
            | Self::OrderConfirmed(OrderConfirmed { order })
            | Self::OrderCancelled(OrderCancelled { order })
            | Self::OrderReinstated(OrderReinstated { order })
            | Self::OrderShipped(OrderShipped { order })
            | Self::OrderDelivered(OrderDelivered { order })
            | Self::RefundRequested(RefundRequested { order, .. })
            | Self::OrderRepublished(OrderRepublished { order }) => order,
        }
    }
}
