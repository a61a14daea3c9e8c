//! The one table of an order's life: what each trigger does in each stage.
//!
//! [`drawn`] draws it; `docs/order-life.md` is that drawing, held by a test.

use std::fmt::Write;

/// Where an order is in its life, as far as the table tells stages apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
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
pub enum Step {
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

/// All stages, in the order of the table.
pub const STAGES: [Stage; 8] = [
    Stage::Placed,
    Stage::Reinstated,
    Stage::AwaitingPayment,
    Stage::Confirmed,
    Stage::Shipped,
    Stage::Delivered,
    Stage::TimedOut,
    Stage::Cancelled,
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

/// What a trigger does in a stage. Where an order that is paid is cancelled, its money goes back too.
pub fn step(stage: Stage, trigger: Trigger) -> Step {
    use Stage::{AwaitingPayment, Cancelled, Confirmed, Delivered, Placed, Reinstated, Shipped, TimedOut};
    match (trigger, stage) {
        (Trigger::StockReserved, Placed) => Step::Await,
        (Trigger::StockRejected, Placed | Reinstated | Confirmed) => Step::CancelNoStock,
        (Trigger::ReservationExpired, Placed | Reinstated | AwaitingPayment)
        | (Trigger::DeadlinePassed, AwaitingPayment) => Step::CancelTimeout,
        (Trigger::PaymentCaptured, Placed) => Step::Wait,
        (Trigger::StockReserved, Reinstated) | (Trigger::PaymentCaptured, AwaitingPayment) => Step::Confirm,
        (Trigger::PaymentCaptured, TimedOut) => Step::Reinstate,
        (Trigger::PaymentCaptured, Cancelled) => Step::Refund,
        (Trigger::Cancel, Placed | Reinstated | AwaitingPayment | Confirmed) => Step::CancelAsked,
        (Trigger::Change, Placed | Reinstated | AwaitingPayment | Confirmed) => Step::Change,
        (Trigger::Ship, Confirmed) => Step::Ship,
        (Trigger::Deliver, Shipped) => Step::Deliver,
        (Trigger::Cancel, Shipped | Delivered) | (Trigger::Change | Trigger::Ship | Trigger::Deliver, _) => {
            Step::Forbid
        }
        (
            Trigger::StockReserved
            | Trigger::StockRejected
            | Trigger::ReservationExpired
            | Trigger::DeadlinePassed
            | Trigger::PaymentCaptured
            | Trigger::Cancel,
            _,
        ) => Step::Ignore,
    }
}

/// The table in Markdown.
pub fn drawn() -> String {
    let cell = |step| match step {
        Step::Ignore => "·".to_owned(),
        step => format!("{step:?}"),
    };
    let mut text = String::from("| |");
    for trigger in TRIGGERS {
        let _ = write!(text, " {trigger:?} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(TRIGGERS.len()));
    for stage in STAGES {
        let _ = write!(text, "\n| **{stage:?}** |");
        for trigger in TRIGGERS {
            let _ = write!(text, " {} |", cell(step(stage, trigger)));
        }
    }
    text.push('\n');
    text
}
