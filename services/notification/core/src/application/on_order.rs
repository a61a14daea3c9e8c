//! Handles the events of order.

use mart_kernel::{EventOutcome, StoreError};

use super::{EventContext, Recipients, UseCases};
use crate::domain::{Change, Contact, NotificationContent, Subject};
use crate::ports::{DecisionData, DecisionKeys, Store};

impl<S: Store> UseCases<S> {
    /// Stores the contact of an order and creates the notifications of `content`, if there is one.
    pub async fn on_order(
        &self,
        event: EventContext,
        contact: Contact,
        content: Option<(Subject, NotificationContent)>,
    ) -> Result<EventOutcome, StoreError> {
        let keys = DecisionKeys { order: Some(contact.order), customer: Some(contact.customer.clone()) };
        let build = content.map(|(subject, content)| self.notifications(subject, event.at, content));
        let decide = move |data: DecisionData| {
            let newest = Contact::newer(contact, data.contact);
            let notifications =
                build.map(|build| build(&Recipients::from(&newest), &data.preferences)).unwrap_or_default();
            Change { contact: Some(newest), notifications }
        };
        self.store.decide(keys, event.receipt, decide).await?;
        Ok(EventOutcome::Applied)
    }
}
