//! Handles the events of payment.

use mart_kernel::{EventOutcome, Money, StoreError};

use super::{EventContext, Recipients, UseCases};
use crate::domain::{Change, NotificationContent, Order, OrderId, Subject};
use crate::ports::{DecisionData, DecisionKeys, Store};

/// A change of a payment. Its events have only the order's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentUpdate {
    /// An attempt failed, with its reason.
    Failed(String),
    /// This amount was refunded.
    Refunded(Option<Money>),
}

impl<S: Store> UseCases<S> {
    /// Creates the notifications of a change of a payment. Returns `NotReady` and stores no receipt if the order's contact is
    /// not stored yet.
    pub async fn on_payment(
        &self,
        event: EventContext,
        order: OrderId,
        subject: Subject,
        update: PaymentUpdate,
    ) -> Result<EventOutcome, StoreError> {
        let Some(contact) = self.store.find_contact(order).await? else {
            return Ok(EventOutcome::NotReady("no event of the order has been processed yet"));
        };
        let order_content = Order { id: order, name: contact.name.clone(), lines: Vec::new(), total: None };
        let content = match update {
            PaymentUpdate::Failed(reason) => NotificationContent::Failed { order: order_content, reason },
            PaymentUpdate::Refunded(amount) => NotificationContent::Refunded { order: order_content, amount },
        };
        let build = self.notifications(subject, event.at, content);
        let decide = move |data: DecisionData| {
            let newest = data.contact.unwrap_or(contact);
            Change { contact: None, notifications: build(&Recipients::from(&newest), &data.preferences) }
        };
        self.store.decide(DecisionKeys { order: Some(order), customer: None }, event.receipt, decide).await?;
        Ok(EventOutcome::Applied)
    }
}
