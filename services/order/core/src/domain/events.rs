//! What can have happened to an order.

use uuid::Uuid;

use super::{Order, Payment};

/// Something that happened to an order; each event carries the order as it is after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderEvent {
    /// It was placed.
    OrderPlaced(OrderPlaced),
    /// Address or contact were changed.
    OrderChanged(OrderChanged),
    /// Its stock is reserved; it waits for money.
    OrderAwaitingPayment(OrderAwaitingPayment),
    /// It is paid and its stock is reserved.
    OrderConfirmed(OrderConfirmed),
    /// It was cancelled.
    OrderCancelled(OrderCancelled),
    /// Its money came late; it waits for stock once more.
    OrderReinstated(OrderReinstated),
    /// It is on its way.
    OrderShipped(OrderShipped),
    /// It has arrived.
    OrderDelivered(OrderDelivered),
    /// Its money has to go back.
    RefundRequested(RefundRequested),
    /// Nothing: its state is told again.
    OrderRepublished(OrderRepublished),
}

/// It was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPlaced {
    /// The order after it.
    pub order: Order,
}

/// Address or contact were changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderChanged {
    /// The order after it.
    pub order: Order,
}

/// Its stock is reserved; it waits for money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderAwaitingPayment {
    /// The order after it.
    pub order: Order,
}

/// It is paid and its stock is reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderConfirmed {
    /// The order after it.
    pub order: Order,
}

/// It was cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCancelled {
    /// The order after it.
    pub order: Order,
}

/// Its money came late; it waits for stock once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderReinstated {
    /// The order after it.
    pub order: Order,
}

/// It is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderShipped {
    /// The order after it.
    pub order: Order,
}

/// It has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDelivered {
    /// The order after it.
    pub order: Order,
}

/// Its money has to go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequested {
    /// The order after it.
    pub order: Order,
    /// The money.
    pub payment: Payment,
}

/// Nothing: its state is told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRepublished {
    /// The order after it.
    pub order: Order,
}

impl OrderEvent {
    /// The id of its order: events of one order keep their order.
    pub fn key(&self) -> Uuid {
        self.order().id.0
    }

    /// The order as it is after the event.
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
