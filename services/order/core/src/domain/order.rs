//! The order: what was ordered, by whom, and where it is in its life.

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

/// More units of one product than this can't be ordered at once.
pub const MAX_QUANTITY: i32 = 10_000;

/// What a customer ordered. Names and prices are copies: later changes of a product alter nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Counts its events.
    pub version: Version,
    /// Who ordered.
    pub customer: CustomerId,
    /// Where it is in its life.
    pub status: Status,
    /// What was ordered, one line per product.
    pub lines: Vec<Line>,
    /// The sum of the lines.
    pub total: Money,
    /// Where it goes.
    pub address: Address,
    /// Whom to record_event.
    pub contact: Contact,
    /// How the customer wants to pay; empty for the mart's choice.
    pub payment_method: String,
    /// The money that came in for it.
    pub payment: Option<Payment>,
    /// How often it was reinstated: what inventory says of an earlier round is old.
    pub reservation_round: i32,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The product.
    pub product: ProductId,
    /// Its name when it was ordered.
    pub name: String,
    /// How many units.
    pub quantity: i32,
    /// The price of one when it was ordered.
    pub unit_price: Money,
    /// Quantity times unit price.
    pub sum: Money,
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Who lives there.
    pub recipient: String,
    /// Street and whatever the place needs.
    pub lines: Vec<String>,
    /// The city.
    pub city: String,
    /// The postal code; empty where there is none.
    pub postal_code: String,
    /// ISO 3166-1, two letters.
    pub country_code: String,
}

/// Whom to record_event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Where mails go.
    pub email: String,
    /// E.164; empty for none.
    pub phone: String,
    /// The language; empty for English.
    pub locale: String,
}

/// Where an order is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Waits for stock.
    Placed,
    /// Waits for money.
    AwaitingPayment {
        /// Until then.
        deadline: Timestamp,
    },
    /// Paid, waits to be shipped.
    Confirmed,
    /// On its way.
    Shipped(Shipment),
    /// Arrived.
    Delivered(Shipment),
    /// Ended without a delivery.
    Cancelled(CancelReason),
}

/// A status without what it carries, for lists and timelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusKind {
    /// Waits for stock.
    Placed,
    /// Waits for money.
    AwaitingPayment,
    /// Paid, waits to be shipped.
    Confirmed,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
    /// Ended without a delivery.
    Cancelled,
}

impl Status {
    /// Which it is.
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

/// Why an order was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// The customer wanted it.
    Customer,
    /// An admin wanted it.
    Admin,
    /// A product lacked.
    NoStock,
    /// It was not paid in time.
    PaymentTimeout,
}

/// How an order travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    /// Who carries it.
    pub carrier: String,
    /// The carrier's number for it.
    pub tracking_number: String,
}

/// Money that came in for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The payment's id.
    pub id: String,
    /// How much.
    pub amount: Money,
    /// Whether it was asked to go back.
    pub refund_requested: bool,
}

/// Why a step was not taken. Nothing is changed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransitionError {
    /// It is no news, or comes too late to matter.
    NoEffect,
    /// What it follows has not been heard of yet.
    TooEarly,
    /// The state does not allow it.
    NotAllowed,
}

/// An order after a step, and what it tells.
pub(crate) type Transition = Result<(Order, Vec<OrderEvent>), TransitionError>;

impl Order {
    /// A new order, which waits for stock.
    pub fn place(mut self, now: Timestamp) -> (Self, Vec<OrderEvent>) {
        let mut events = Vec::new();
        self.record_event(now, &mut events, |order| OrderEvent::OrderPlaced(OrderPlaced { order }));
        (self, events)
    }

    /// Its state in the [state_machine].
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

    /// Its place in a list.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.0 }
    }

    fn refund_requested(&self) -> bool {
        self.payment.as_ref().is_some_and(|payment| payment.refund_requested)
    }

    /// Inventory promised the units of a reservation_round: the customer has until `deadline` to pay, unless he has paid already.
    pub fn stock_reserved(self, round: i32, deadline: Timestamp, now: Timestamp) -> Transition {
        self.ensure_current_round(round)?.apply(Trigger::StockReserved, now, |order| match order.payment {
            Some(_) => Status::Confirmed,
            None => Status::AwaitingPayment { deadline },
        })
    }

    /// Inventory lacks units for a round.
    pub fn stock_rejected(self, round: i32, now: Timestamp) -> Transition {
        self.ensure_current_round(round)?
            .apply(Trigger::StockRejected, now, |_| Status::Cancelled(CancelReason::NoStock))
    }

    /// Inventory's promise of a round is over.
    pub fn reservation_expired(self, round: i32, now: Timestamp) -> Transition {
        self.ensure_current_round(round)?
            .apply(Trigger::ReservationExpired, now, |_| Status::Cancelled(CancelReason::PaymentTimeout))
    }

    /// Looks whether the payment deadline has passed.
    pub fn expire_if_overdue(self, now: Timestamp) -> Transition {
        match self.status {
            Status::AwaitingPayment { deadline } if deadline <= now => {
                self.apply(Trigger::DeadlinePassed, now, |_| Status::Cancelled(CancelReason::PaymentTimeout))
            }
            _ => Err(TransitionError::NoEffect),
        }
    }

    /// Money came in, in time or late. A payment that is known already is no news.
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

    /// Customer or admin cancels. A cancelled order stays as it is.
    pub fn cancel(self, reason: CancelReason, now: Timestamp) -> Transition {
        self.apply(Trigger::Cancel, now, |_| Status::Cancelled(reason))
    }

    /// Changes where it goes and whom to record_event; what is left out, or is the same, stays.
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

    /// It is on its way.
    pub fn ship(self, shipment: Shipment, now: Timestamp) -> Transition {
        self.apply(Trigger::Ship, now, |_| Status::Shipped(shipment))
    }

    /// It has arrived.
    pub fn deliver(self, now: Timestamp) -> Transition {
        self.apply(Trigger::Deliver, now, |order| match &order.status {
            Status::Shipped(shipment) => Status::Delivered(shipment.clone()),
            other => other.clone(),
        })
    }

    /// What inventory says has to be of the current reservation_round: an earlier one is old, a later one is early.
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

    /// Takes the step that the state_machine names, and tells what it is.
    fn apply_from(
        mut self,
        state: State,
        trigger: Trigger,
        now: Timestamp,
        to: impl FnOnce(&Self) -> Status,
    ) -> Transition {
        let step = state_machine::transition(state, trigger);
        match step {
            Action::Ignore => return Err(TransitionError::NoEffect),
            Action::Wait => return Err(TransitionError::TooEarly),
            Action::Forbid => return Err(TransitionError::NotAllowed),
            _ => self.status = to(&self),
        }
        let mut events = Vec::new();
        let record_event: fn(Self) -> OrderEvent = match step {
            Action::Await => |order| OrderEvent::OrderAwaitingPayment(OrderAwaitingPayment { order }),
            Action::Confirm => |order| OrderEvent::OrderConfirmed(OrderConfirmed { order }),
            Action::CancelNoStock | Action::CancelTimeout | Action::CancelAsked => {
                |order| OrderEvent::OrderCancelled(OrderCancelled { order })
            }
            Action::Reinstate => |order| OrderEvent::OrderReinstated(OrderReinstated { order }),
            Action::Change => |order| OrderEvent::OrderChanged(OrderChanged { order }),
            Action::Ship => |order| OrderEvent::OrderShipped(OrderShipped { order }),
            Action::Deliver => |order| OrderEvent::OrderDelivered(OrderDelivered { order }),
            Action::Refund | Action::Ignore | Action::Wait | Action::Forbid => {
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

    /// Asks for the money to go back, where there is some.
    fn refund(&mut self, now: Timestamp, events: &mut Vec<OrderEvent>) {
        let Some(payment) = self.payment.as_mut().filter(|payment| !payment.refund_requested) else { return };
        payment.refund_requested = true;
        let payment = payment.clone();
        self.record_event(now, events, |order| OrderEvent::RefundRequested(RefundRequested { order, payment }));
    }

    /// Every event takes the next version and carries the order as it is then.
    fn record_event(&mut self, now: Timestamp, events: &mut Vec<OrderEvent>, event: impl FnOnce(Self) -> OrderEvent) {
        self.version = self.version.next();
        self.updated_at = now;
        events.push(event(self.clone()));
    }
}
