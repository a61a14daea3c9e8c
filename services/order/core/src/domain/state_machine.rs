//! The state machine of an order: the action of each trigger in each state.
//!
//! [`to_markdown`] renders it; `docs/order-life.md` has the result, and a test compares both.

use std::fmt::Write;

/// A state of the state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The order awaits stock.
    Placed,
    /// The order was paid late and awaits stock again.
    Reinstated,
    /// The order awaits its payment.
    AwaitingPayment,
    /// The order is paid and can be shipped.
    Confirmed,
    /// The order was shipped.
    Shipped,
    /// The order was delivered.
    Delivered,
    /// The order was cancelled because its deadline passed.
    TimedOut,
    /// The order was cancelled for another reason.
    Cancelled,
}

/// A trigger of the state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Inventory reserved the stock.
    StockReserved,
    /// Inventory rejected the reservation.
    StockRejected,
    /// The reservation expired.
    ReservationExpired,
    /// The payment deadline passed.
    DeadlinePassed,
    /// A payment was captured.
    PaymentCaptured,
    /// A customer or an admin cancels.
    Cancel,
    /// A customer or an admin changes address or contact.
    Change,
    /// An admin ships.
    Ship,
    /// An admin reports the delivery.
    Deliver,
}

/// The action of a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Await the payment.
    Await,
    /// Confirm the order.
    Confirm,
    /// Cancel it because stock is missing.
    CancelNoStock,
    /// Cancel it because a deadline passed.
    CancelTimeout,
    /// Cancel it at the caller's request.
    CancelRequested,
    /// Await stock again, with the payment.
    Reinstate,
    /// Stay cancelled and refund the payment.
    Refund,
    /// Set the new address and contact.
    Change,
    /// Ship it.
    Ship,
    /// Deliver it.
    Deliver,
    /// Do nothing: the trigger has no effect in this state.
    Ignore,
    /// Retry later: an earlier event is missing.
    Wait,
    /// Return an error to the caller and change nothing.
    Reject,
}

/// All states, in the order of the table.
pub const STATES: [State; 8] = [
    State::Placed,
    State::Reinstated,
    State::AwaitingPayment,
    State::Confirmed,
    State::Shipped,
    State::Delivered,
    State::TimedOut,
    State::Cancelled,
];

/// All triggers, in the order of the table.
pub const TRIGGERS: [Trigger; 9] = [
    Trigger::StockReserved,
    Trigger::StockRejected,
    Trigger::ReservationExpired,
    Trigger::DeadlinePassed,
    Trigger::PaymentCaptured,
    Trigger::Cancel,
    Trigger::Change,
    Trigger::Ship,
    Trigger::Deliver,
];

/// Returns the action of a trigger in a state. If a paid order is cancelled, its payment is refunded too.
pub fn transition(state: State, trigger: Trigger) -> Action {
    use State::{AwaitingPayment, Cancelled, Confirmed, Delivered, Placed, Reinstated, Shipped, TimedOut};
    match (trigger, state) {
        (Trigger::StockReserved, Placed) => Action::Await,
        (Trigger::StockRejected, Placed | Reinstated | Confirmed) => Action::CancelNoStock,
        (Trigger::ReservationExpired, Placed | Reinstated | AwaitingPayment)
        | (Trigger::DeadlinePassed, AwaitingPayment) => Action::CancelTimeout,
        (Trigger::PaymentCaptured, Placed) => Action::Wait,
        (Trigger::StockReserved, Reinstated) | (Trigger::PaymentCaptured, AwaitingPayment) => Action::Confirm,
        (Trigger::PaymentCaptured, TimedOut) => Action::Reinstate,
        (Trigger::PaymentCaptured, Cancelled) => Action::Refund,
        (Trigger::Cancel, Placed | Reinstated | AwaitingPayment | Confirmed) => Action::CancelRequested,
        (Trigger::Change, Placed | Reinstated | AwaitingPayment | Confirmed) => Action::Change,
        (Trigger::Ship, Confirmed) => Action::Ship,
        (Trigger::Deliver, Shipped) => Action::Deliver,
        (Trigger::Cancel, Shipped | Delivered) | (Trigger::Change | Trigger::Ship | Trigger::Deliver, _) => {
            Action::Reject
        }
        (
            Trigger::StockReserved
            | Trigger::StockRejected
            | Trigger::ReservationExpired
            | Trigger::DeadlinePassed
            | Trigger::PaymentCaptured
            | Trigger::Cancel,
            _,
        ) => Action::Ignore,
    }
}

/// Returns the state machine as a Markdown table.
pub fn to_markdown() -> String {
    let cell = |action| match action {
        Action::Ignore => "·".to_owned(),
        action => format!("{action:?}"),
    };
    let mut text = String::from("| |");
    for trigger in TRIGGERS {
        let _ = write!(text, " {trigger:?} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(TRIGGERS.len()));
    for state in STATES {
        let _ = write!(text, "\n| **{state:?}** |");
        for trigger in TRIGGERS {
            let _ = write!(text, " {} |", cell(transition(state, trigger)));
        }
    }
    text.push('\n');
    text
}
