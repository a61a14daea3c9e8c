//! The one state_machine of an order's life: what each trigger does in each state.
//!
//! [`to_markdown`] draws it; `docs/order-life.md` is that drawing, held by a test.

use std::fmt::Write;

/// Where an order is in its life, as far as the state_machine tells stages apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for stock.
    Placed,
    /// Paid late: waits for stock once more.
    Reinstated,
    /// Waits for money.
    AwaitingPayment,
    /// Paid, waits to be shipped.
    Confirmed,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
    /// Cancelled because its time was over.
    TimedOut,
    /// Cancelled for another reason.
    Cancelled,
}

/// What can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Inventory promised its units.
    StockReserved,
    /// Inventory lacks some.
    StockRejected,
    /// Inventory's promise is over.
    ReservationExpired,
    /// The payment deadline has passed.
    DeadlinePassed,
    /// Money came in.
    PaymentCaptured,
    /// Customer or admin cancels.
    Cancel,
    /// Customer or admin changes address or contact.
    Change,
    /// An admin ships.
    Ship,
    /// An admin says that it arrived.
    Deliver,
}

/// What a trigger does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Awaits payment from now on.
    Await,
    /// Is confirmed.
    Confirm,
    /// Is cancelled, for shortage of stock.
    CancelNoStock,
    /// Is cancelled, because its time is over.
    CancelTimeout,
    /// Is cancelled by who asked.
    CancelAsked,
    /// Waits for stock once more, paid.
    Reinstate,
    /// Stays cancelled, and its money goes back.
    Refund,
    /// Gets its new address and contact.
    Change,
    /// Is on its way.
    Ship,
    /// Has arrived.
    Deliver,
    /// Stays as it is: this is no news, or comes too late to matter.
    Ignore,
    /// Can't be told yet: what it follows has not been heard of.
    Wait,
    /// Stays as it is, and who asked is told that it can't be.
    Forbid,
}

/// All stages, in the order of the state_machine.
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

/// All triggers, in the order of the state_machine.
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

/// What a trigger does in a state. Where an order that is paid is cancelled, its money goes back too.
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
        (Trigger::Cancel, Placed | Reinstated | AwaitingPayment | Confirmed) => Action::CancelAsked,
        (Trigger::Change, Placed | Reinstated | AwaitingPayment | Confirmed) => Action::Change,
        (Trigger::Ship, Confirmed) => Action::Ship,
        (Trigger::Deliver, Shipped) => Action::Deliver,
        (Trigger::Cancel, Shipped | Delivered) | (Trigger::Change | Trigger::Ship | Trigger::Deliver, _) => {
            Action::Forbid
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

/// The state_machine in Markdown.
pub fn to_markdown() -> String {
    let cell = |step| match step {
        Action::Ignore => "·".to_owned(),
        step => format!("{step:?}"),
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
