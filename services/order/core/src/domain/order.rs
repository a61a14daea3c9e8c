//! The order: what was ordered, by whom, and where it is in its life.

use mart_kernel::{Money, Cursor, Timestamp, Version};
use uuid::Uuid;

use super::Fact;
use super::fact::{
    OrderAwaitingPayment, OrderCancelled, OrderChanged, OrderConfirmed, OrderDelivered, OrderPlaced, OrderReinstated,
    OrderShipped, RefundRequested,
};
use super::table::{self, Stage, Step, Trigger};

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
    /// Whom to tell.
    pub contact: Contact,
    /// How the customer wants to pay; empty for the mart's choice.
    pub payment_method: String,
    /// The money that came in for it.
    pub payment: Option<Payment>,
    /// How often it was reinstated: what inventory says of an earlier round is old.
    pub round: i32,
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

/// Whom to tell.
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
    Cancelled(Why),
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
pub enum Why {
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
pub enum Stopped {
    /// It is no news, or comes too late to matter.
    Ignored,
    /// What it follows has not been heard of yet.
    Early,
    /// The stage does not allow it.
    Forbidden,
}

/// An order after a step, and what it tells.
pub(crate) type Stepped = Result<(Order, Vec<Fact>), Stopped>;

impl Order {
    /// A new order, which waits for stock.
    pub fn place(mut self, now: Timestamp) -> (Self, Vec<Fact>) {
        let mut facts = Vec::new();
        self.tell(now, &mut facts, |order| Fact::OrderPlaced(OrderPlaced { order }));
        (self, facts)
    }

    /// Its stage in the [table].
    pub fn stage(&self) -> Stage {
        match &self.status {
            Status::Placed if self.payment.is_some() => Stage::Reinstated,
            Status::Placed => Stage::Placed,
            Status::AwaitingPayment { .. } => Stage::AwaitingPayment,
            Status::Confirmed => Stage::Confirmed,
            Status::Shipped(_) => Stage::Shipped,
            Status::Delivered(_) => Stage::Delivered,
            Status::Cancelled(Why::PaymentTimeout) if !self.refund_requested() => Stage::TimedOut,
            Status::Cancelled(_) => Stage::Cancelled,
        }
    }

    /// Its place in a list.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.created_at, id: self.id.0 }
    }

    fn refund_requested(&self) -> bool {
        self.payment.as_ref().is_some_and(|payment| payment.refund_requested)
    }

    /// Inventory promised the units of a round: the customer has until `deadline` to pay, unless he has paid already.
    pub fn stock_reserved(self, round: i32, deadline: Timestamp, now: Timestamp) -> Stepped {
        self.of_round(round)?.take(Trigger::StockReserved, now, |order| match order.payment {
            Some(_) => Status::Confirmed,
            None => Status::AwaitingPayment { deadline },
        })
    }

    /// Inventory lacks units for a round.
    pub fn stock_rejected(self, round: i32, now: Timestamp) -> Stepped {
        self.of_round(round)?.take(Trigger::StockRejected, now, |_| Status::Cancelled(Why::NoStock))
    }

    /// Inventory's promise of a round is over.
    pub fn reservation_expired(self, round: i32, now: Timestamp) -> Stepped {
        self.of_round(round)?.take(Trigger::ReservationExpired, now, |_| Status::Cancelled(Why::PaymentTimeout))
    }

    /// Looks whether the payment deadline has passed.
    pub fn look_at_deadline(self, now: Timestamp) -> Stepped {
        match self.status {
            Status::AwaitingPayment { deadline } if deadline <= now => {
                self.take(Trigger::DeadlinePassed, now, |_| Status::Cancelled(Why::PaymentTimeout))
            }
            _ => Err(Stopped::Ignored),
        }
    }

    /// Money came in, in time or late. A payment that is known already is no news.
    pub fn payment_captured(mut self, payment_id: String, amount: Money, now: Timestamp) -> Stepped {
        if self.payment.as_ref().is_some_and(|payment| payment.id == payment_id) {
            return Err(Stopped::Ignored);
        }
        let stage = self.stage();
        let payment = Payment { id: payment_id, amount, refund_requested: false };
        match table::step(stage, Trigger::PaymentCaptured) {
            Step::Reinstate => self.round += 1,
            Step::Confirm | Step::Refund => {}
            _ => return self.take(Trigger::PaymentCaptured, now, |order| order.status.clone()),
        }
        self.payment = Some(payment);
        self.take_from(stage, Trigger::PaymentCaptured, now, |order| match stage {
            Stage::TimedOut => Status::Placed,
            Stage::AwaitingPayment => Status::Confirmed,
            _ => order.status.clone(),
        })
    }

    /// Customer or admin cancels. A cancelled order stays as it is.
    pub fn cancel(self, why: Why, now: Timestamp) -> Stepped {
        self.take(Trigger::Cancel, now, |_| Status::Cancelled(why))
    }

    /// Changes where it goes and whom to tell; what is left out, or is the same, stays.
    pub fn change(mut self, address: Option<Address>, contact: Option<Contact>, now: Timestamp) -> Stepped {
        let (address, contact) =
            (address.unwrap_or_else(|| self.address.clone()), contact.unwrap_or_else(|| self.contact.clone()));
        if table::step(self.stage(), Trigger::Change) == Step::Change
            && (&address, &contact) == (&self.address, &self.contact)
        {
            return Err(Stopped::Ignored);
        }
        (self.address, self.contact) = (address, contact);
        self.take(Trigger::Change, now, |order| order.status.clone())
    }

    /// It is on its way.
    pub fn ship(self, shipment: Shipment, now: Timestamp) -> Stepped {
        self.take(Trigger::Ship, now, |_| Status::Shipped(shipment))
    }

    /// It has arrived.
    pub fn deliver(self, now: Timestamp) -> Stepped {
        self.take(Trigger::Deliver, now, |order| match &order.status {
            Status::Shipped(shipment) => Status::Delivered(shipment.clone()),
            other => other.clone(),
        })
    }

    /// What inventory says has to be of the current round: an earlier one is old, a later one is early.
    fn of_round(self, round: i32) -> Result<Self, Stopped> {
        match round.cmp(&self.round) {
            std::cmp::Ordering::Less => Err(Stopped::Ignored),
            std::cmp::Ordering::Equal => Ok(self),
            std::cmp::Ordering::Greater => Err(Stopped::Early),
        }
    }

    fn take(self, trigger: Trigger, now: Timestamp, to: impl FnOnce(&Self) -> Status) -> Stepped {
        let stage = self.stage();
        self.take_from(stage, trigger, now, to)
    }

    /// Takes the step that the table names, and tells what it is.
    fn take_from(
        mut self,
        stage: Stage,
        trigger: Trigger,
        now: Timestamp,
        to: impl FnOnce(&Self) -> Status,
    ) -> Stepped {
        let step = table::step(stage, trigger);
        match step {
            Step::Ignore => return Err(Stopped::Ignored),
            Step::Wait => return Err(Stopped::Early),
            Step::Forbid => return Err(Stopped::Forbidden),
            _ => self.status = to(&self),
        }
        let mut facts = Vec::new();
        let tell: fn(Self) -> Fact = match step {
            Step::Await => |order| Fact::OrderAwaitingPayment(OrderAwaitingPayment { order }),
            Step::Confirm => |order| Fact::OrderConfirmed(OrderConfirmed { order }),
            Step::CancelNoStock | Step::CancelTimeout | Step::CancelAsked => {
                |order| Fact::OrderCancelled(OrderCancelled { order })
            }
            Step::Reinstate => |order| Fact::OrderReinstated(OrderReinstated { order }),
            Step::Change => |order| Fact::OrderChanged(OrderChanged { order }),
            Step::Ship => |order| Fact::OrderShipped(OrderShipped { order }),
            Step::Deliver => |order| Fact::OrderDelivered(OrderDelivered { order }),
            Step::Refund | Step::Ignore | Step::Wait | Step::Forbid => {
                self.refund(now, &mut facts);
                return Ok((self, facts));
            }
        };
        self.tell(now, &mut facts, tell);
        if matches!(self.status, Status::Cancelled(_)) {
            self.refund(now, &mut facts);
        }
        Ok((self, facts))
    }

    /// Asks for the money to go back, where there is some.
    fn refund(&mut self, now: Timestamp, facts: &mut Vec<Fact>) {
        let Some(payment) = self.payment.as_mut().filter(|payment| !payment.refund_requested) else { return };
        payment.refund_requested = true;
        let payment = payment.clone();
        self.tell(now, facts, |order| Fact::RefundRequested(RefundRequested { order, payment }));
    }

    /// Every event takes the next version and carries the order as it is then.
    fn tell(&mut self, now: Timestamp, facts: &mut Vec<Fact>, fact: impl FnOnce(Self) -> Fact) {
        self.version = self.version.next();
        self.updated_at = now;
        facts.push(fact(self.clone()));
    }
}
