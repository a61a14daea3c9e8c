//! The order and its transitions.

use mart_kernel::{Cursor, Money, Timestamp, Version};
use uuid::Uuid;

use super::OrderEvent;
use super::events::{
    OrderAwaitingPayment, OrderCancelled, OrderChanged, OrderConfirmed, OrderDelivered, OrderPlaced, OrderReinstated,
    OrderShipped, RefundRequested,
};
use super::state_machine::{self, Action, State, Trigger};

/// The id of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub Uuid);

/// The id of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductId(pub Uuid);

/// The subject of a customer's token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerId(pub String);

/// The largest quantity of one product in an order.
pub const MAX_QUANTITY: i32 = 10_000;

/// An order. Names and prices are copies, so later changes of a product do not affect it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The order's id.
    pub id: OrderId,
    /// The number of its events.
    pub version: Version,
    /// The customer who placed it.
    pub customer: CustomerId,
    /// The status.
    pub status: Status,
    /// The lines, one per product.
    pub lines: Vec<Line>,
    /// The sum of the lines.
    pub total: Money,
    /// The delivery address.
    pub address: Address,
    /// The contact for notifications.
    pub contact: Contact,
    /// The payment provider that the customer chose; empty for the default.
    pub payment_method: String,
    /// The captured payment.
    pub payment: Option<Payment>,
    /// The number of reinstatements. Inventory's events of an earlier round are ignored.
    pub reservation_round: i32,
    /// When the order was placed.
    pub created_at: Timestamp,
    /// When the order was last changed.
    pub updated_at: Timestamp,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The product.
    pub product: ProductId,
    /// The product's name when it was ordered.
    pub name: String,
    /// The number of units.
    pub quantity: i32,
    /// The price of one unit when it was ordered.
    pub unit_price: Money,
    /// Quantity times unit price.
    pub sum: Money,
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The recipient's name.
    pub recipient: String,
    /// Street and further lines.
    pub lines: Vec<String>,
    /// The city.
    pub city: String,
    /// The postal code; empty if there is none.
    pub postal_code: String,
    /// The country as ISO 3166-1 alpha-2.
    pub country_code: String,
}

/// The contact for notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The email address.
    pub email: String,
    /// The phone number in E.164 form; empty if there is none.
    pub phone: String,
    /// The locale; empty for English.
    pub locale: String,
}

/// The status of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// The order awaits stock.
    Placed,
    /// The order awaits its payment.
    AwaitingPayment {
        /// The payment deadline.
        deadline: Timestamp,
    },
    /// The order is paid and can be shipped.
    Confirmed,
    /// The order was shipped.
    Shipped(Shipment),
    /// The order was delivered.
    Delivered(Shipment),
    /// The order was cancelled.
    Cancelled(CancelReason),
}

/// The status without its data, for lists and timelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusKind {
    /// The order awaits stock.
    Placed,
    /// The order awaits its payment.
    AwaitingPayment,
    /// The order is paid and can be shipped.
    Confirmed,
    /// The order was shipped.
    Shipped,
    /// The order was delivered.
    Delivered,
    /// The order was cancelled.
    Cancelled,
}

impl Status {
    /// Returns the status without its data.
    pub fn kind(&self) -> StatusKind {
        match self {
            Self::Placed => StatusKind::Placed,
            Self::AwaitingPayment { .. } => StatusKind::AwaitingPayment,
            Self::Confirmed => StatusKind::Confirmed,
            Self::Shipped(_) => StatusKind::Shipped,
            Self::Delivered(_) => StatusKind::Delivered,
            Self::Cancelled(_) => StatusKind::Cancelled,
        }
    }
}

/// The reason for the cancellation of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// The customer cancelled it.
    Customer,
    /// An admin cancelled it.
    Admin,
    /// Not all of its products are in stock.
    NoStock,
    /// The order was not paid in time.
    PaymentTimeout,
}

/// A shipment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    /// The carrier's name.
    pub carrier: String,
    /// The carrier's tracking number.
    pub tracking_number: String,
}

/// A captured payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The payment's id.
    pub id: String,
    /// The captured amount.
    pub amount: Money,
    /// Whether its refund was requested.
    pub refund_requested: bool,
}

/// The errors of a transition. Nothing is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// The trigger has no effect in this state.
    #[error("the trigger has no effect in this state")]
    NoEffect,
    /// An earlier event is missing.
    #[error("an earlier event is missing")]
    TooEarly,
    /// The state does not allow the transition.
    #[error("the state does not allow the transition")]
    NotAllowed,
}

/// The order after a transition, and its events.
pub(crate) type Transition = Result<(Order, Vec<OrderEvent>), TransitionError>;

impl Order {
    /// Places a new order, which awaits stock.
    pub fn place(mut self, now: Timestamp) -> (Self, Vec<OrderEvent>) {
        let mut events = Vec::new();
        self.record_event(now, &mut events, |order| OrderEvent::OrderPlaced(OrderPlaced { order }));
        (self, events)
    }

    /// Returns the state in the [state machine](state_machine).
    pub fn state(&self) -> State {
        match &self.status {
            Status::Placed if self.payment.is_some() => State::Reinstated,
            Status::Placed => State::Placed,
            Status::AwaitingPayment { .. } => State::AwaitingPayment,
            Status::Confirmed => State::Confirmed,
            Status::Shipped(_) => State::Shipped,
            Status::Delivered(_) => State::Delivered,
            Status::Cancelled(CancelReason::PaymentTimeout) if !self.refund_requested() => State::TimedOut,
            Status::Cancelled(_) => State::Cancelled,
        }
    }

    /// Returns the position in a list.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.0 }
    }

    fn refund_requested(&self) -> bool {
        self.payment.as_ref().is_some_and(|payment| payment.refund_requested)
    }

    /// Applies a reservation of a round. An order without a payment awaits it until `deadline`; a paid one is confirmed.
    pub fn stock_reserved(self, round: i32, deadline: Timestamp, now: Timestamp) -> Transition {
        self.ensure_current_round(round)?.apply(Trigger::StockReserved, now, |order| match order.payment {
            Some(_) => Status::Confirmed,
            None => Status::AwaitingPayment { deadline },
        })
    }

    /// Applies a rejected reservation of a round.
    pub fn stock_rejected(self, round: i32, now: Timestamp) -> Transition {
        self.ensure_current_round(round)?
            .apply(Trigger::StockRejected, now, |_| Status::Cancelled(CancelReason::NoStock))
    }

    /// Applies an expired reservation of a round.
    pub fn reservation_expired(self, round: i32, now: Timestamp) -> Transition {
        self.ensure_current_round(round)?
            .apply(Trigger::ReservationExpired, now, |_| Status::Cancelled(CancelReason::PaymentTimeout))
    }

    /// Cancels the order if its payment deadline has passed.
    pub fn expire_if_overdue(self, now: Timestamp) -> Transition {
        match self.status {
            Status::AwaitingPayment { deadline } if deadline <= now => {
                self.apply(Trigger::DeadlinePassed, now, |_| Status::Cancelled(CancelReason::PaymentTimeout))
            }
            _ => Err(TransitionError::NoEffect),
        }
    }

    /// Applies a captured payment, before or after the deadline. A payment that is already applied has no effect.
    pub fn payment_captured(mut self, payment_id: String, amount: Money, now: Timestamp) -> Transition {
        if self.payment.as_ref().is_some_and(|payment| payment.id == payment_id) {
            return Err(TransitionError::NoEffect);
        }
        let state = self.state();
        let payment = Payment { id: payment_id, amount, refund_requested: false };
        match state_machine::transition(state, Trigger::PaymentCaptured) {
            Action::Reinstate => self.reservation_round += 1,
            Action::Confirm | Action::Refund => {}
            _ => return self.apply(Trigger::PaymentCaptured, now, |order| order.status.clone()),
        }
        self.payment = Some(payment);
        self.apply_from(state, Trigger::PaymentCaptured, now, |order| match state {
            State::TimedOut => Status::Placed,
            State::AwaitingPayment => Status::Confirmed,
            _ => order.status.clone(),
        })
    }

    /// Cancels the order for a customer or an admin. Cancelling it again has no effect.
    pub fn cancel(self, reason: CancelReason, now: Timestamp) -> Transition {
        self.apply(Trigger::Cancel, now, |_| Status::Cancelled(reason))
    }

    /// Changes address and contact. Omitted or equal values stay.
    pub fn change(mut self, address: Option<Address>, contact: Option<Contact>, now: Timestamp) -> Transition {
        let (address, contact) =
            (address.unwrap_or_else(|| self.address.clone()), contact.unwrap_or_else(|| self.contact.clone()));
        if state_machine::transition(self.state(), Trigger::Change) == Action::Change
            && (&address, &contact) == (&self.address, &self.contact)
        {
            return Err(TransitionError::NoEffect);
        }
        (self.address, self.contact) = (address, contact);
        self.apply(Trigger::Change, now, |order| order.status.clone())
    }

    /// Ships the order.
    pub fn ship(self, shipment: Shipment, now: Timestamp) -> Transition {
        self.apply(Trigger::Ship, now, |_| Status::Shipped(shipment))
    }

    /// Delivers the order.
    pub fn deliver(self, now: Timestamp) -> Transition {
        self.apply(Trigger::Deliver, now, |order| match &order.status {
            Status::Shipped(shipment) => Status::Delivered(shipment.clone()),
            other => other.clone(),
        })
    }

    /// Returns an error unless the round is the current one: an earlier one has no effect, a later one is too early.
    fn ensure_current_round(self, round: i32) -> Result<Self, TransitionError> {
        match round.cmp(&self.reservation_round) {
            std::cmp::Ordering::Less => Err(TransitionError::NoEffect),
            std::cmp::Ordering::Equal => Ok(self),
            std::cmp::Ordering::Greater => Err(TransitionError::TooEarly),
        }
    }

    fn apply(self, trigger: Trigger, now: Timestamp, to: impl FnOnce(&Self) -> Status) -> Transition {
        let state = self.state();
        self.apply_from(state, trigger, now, to)
    }

    /// Applies a trigger by the state machine and records its event.
    fn apply_from(
        mut self,
        state: State,
        trigger: Trigger,
        now: Timestamp,
        to: impl FnOnce(&Self) -> Status,
    ) -> Transition {
        let action = state_machine::transition(state, trigger);
        match action {
            Action::Ignore => return Err(TransitionError::NoEffect),
            Action::Wait => return Err(TransitionError::TooEarly),
            Action::Reject => return Err(TransitionError::NotAllowed),
            _ => self.status = to(&self),
        }
        let mut events = Vec::new();
        let record_event: fn(Self) -> OrderEvent = match action {
            Action::Await => |order| OrderEvent::OrderAwaitingPayment(OrderAwaitingPayment { order }),
            Action::Confirm => |order| OrderEvent::OrderConfirmed(OrderConfirmed { order }),
            Action::CancelNoStock | Action::CancelTimeout | Action::CancelRequested => {
                |order| OrderEvent::OrderCancelled(OrderCancelled { order })
            }
            Action::Reinstate => |order| OrderEvent::OrderReinstated(OrderReinstated { order }),
            Action::Change => |order| OrderEvent::OrderChanged(OrderChanged { order }),
            Action::Ship => |order| OrderEvent::OrderShipped(OrderShipped { order }),
            Action::Deliver => |order| OrderEvent::OrderDelivered(OrderDelivered { order }),
            Action::Refund | Action::Ignore | Action::Wait | Action::Reject => {
                self.refund(now, &mut events);
                return Ok((self, events));
            }
        };
        self.record_event(now, &mut events, record_event);
        if matches!(self.status, Status::Cancelled(_)) {
            self.refund(now, &mut events);
        }
        Ok((self, events))
    }

    /// Requests the refund of the payment, if there is one.
    fn refund(&mut self, now: Timestamp, events: &mut Vec<OrderEvent>) {
        let Some(payment) = self.payment.as_mut().filter(|payment| !payment.refund_requested) else { return };
        payment.refund_requested = true;
        let payment = payment.clone();
        self.record_event(now, events, |order| OrderEvent::RefundRequested(RefundRequested { order, payment }));
    }

    /// Records an event with the next version and the order after it.
    fn record_event(&mut self, now: Timestamp, events: &mut Vec<OrderEvent>, event: impl FnOnce(Self) -> OrderEvent) {
        self.version = self.version.next();
        self.updated_at = now;
        events.push(event(self.clone()));
    }
}
