//! Handles the events of user, order and payment.

use std::sync::Arc;

use mart_kernel::{Money, Receipt, StoreError, Timestamp};

use super::UseCases;
use crate::domain::notification::NotificationBuilder;
use crate::domain::{
    Change, Channel, Contact, Locale, Notification, NotificationContent, Order, OrderId, Preferences, Subject,
};
use crate::ports::{DecisionData, DecisionKeys, MessageRenderer, Store};

/// The receipt and the time of a received event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventContext {
    /// The handler's receipt.
    pub receipt: Receipt,
    /// When the event happened.
    pub at: Timestamp,
}

/// A change of a payment. Its events have only the order's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentUpdate {
    /// An attempt failed, with its reason.
    Failed(String),
    /// This amount was refunded.
    Refunded(Option<Money>),
}

/// The addresses of a customer, and their language.
struct Recipients {
    email: String,
    phone: String,
    locale: Locale,
}

impl<S: Store> UseCases<S> {
    /// Creates the notification of a link.
    pub async fn on_link(
        &self,
        event: EventContext,
        subject: Subject,
        email: String,
        locale: Locale,
        content: NotificationContent,
    ) -> Result<(), StoreError> {
        let to = Recipients { email, phone: String::new(), locale };
        let build = self.notifications(subject, event.at, content);
        let decide = move |data: DecisionData| Change { contact: None, notifications: build(&to, &data.preferences) };
        self.store.decide(DecisionKeys::default(), event.receipt, decide).await
    }

    /// Stores the contact of an order and creates the notifications of `content`, if there is one.
    pub async fn on_order(
        &self,
        event: EventContext,
        contact: Contact,
        content: Option<(Subject, NotificationContent)>,
    ) -> Result<(), StoreError> {
        let keys = DecisionKeys { order: Some(contact.order), customer: Some(contact.customer.clone()) };
        let build = content.map(|(subject, content)| self.notifications(subject, event.at, content));
        let decide = move |data: DecisionData| {
            let newest = Contact::newer(contact, data.contact);
            let notifications = build.map(|build| build(&recipients(&newest), &data.preferences)).unwrap_or_default();
            Change { contact: Some(newest), notifications }
        };
        self.store.decide(keys, event.receipt, decide).await
    }

    /// Creates the notifications of a change of a payment. Returns `false` and stores no receipt if the order's contact is not
    /// stored yet, so that the event is retried.
    pub async fn on_payment(
        &self,
        event: EventContext,
        order: OrderId,
        subject: Subject,
        update: PaymentUpdate,
    ) -> Result<bool, StoreError> {
        let Some(contact) = self.store.contact(order).await? else { return Ok(false) };
        let order_content = Order { id: order, name: contact.name.clone(), lines: Vec::new(), total: None };
        let content = match update {
            PaymentUpdate::Failed(reason) => NotificationContent::Failed { order: order_content, reason },
            PaymentUpdate::Refunded(amount) => NotificationContent::Refunded { order: order_content, amount },
        };
        let build = self.notifications(subject, event.at, content);
        let decide = move |data: DecisionData| {
            let newest = data.contact.unwrap_or(contact);
            Change { contact: None, notifications: build(&recipients(&newest), &data.preferences) }
        };
        self.store.decide(DecisionKeys { order: Some(order), customer: None }, event.receipt, decide).await?;
        Ok(true)
    }

    /// Returns a function that builds a notification for each channel with a recipient.
    fn notifications(
        &self,
        subject: Subject,
        happened_at: Timestamp,
        content: NotificationContent,
    ) -> impl FnOnce(&Recipients, &Preferences) -> Vec<Notification> + Send + 'static {
        let (renderer, ids, now): (Arc<dyn MessageRenderer>, _, _) =
            (self.renderer.clone(), self.ids.clone(), self.clock.now());
        let until = content.expires_at().unwrap_or(Timestamp::new(happened_at.get() + self.policy.max_age));
        move |to, preferences| {
            let (kind, order, locale) = (content.kind(), content.order(), to.locale);
            let builder = NotificationBuilder { ids, now, subject, kind, order, locale, until };
            let recipients = [(Channel::Mail, &to.email), (Channel::Sms, &to.phone)];
            let recipients = recipients.into_iter().filter(|(_, recipient)| !recipient.is_empty());
            let notifications = recipients.filter_map(|(channel, recipient)| {
                let preference = preferences.get(kind, channel);
                // A channel that never sends the kind has no row; a suppressed notification has one.
                (preference.enabled || !preference.fixed).then(|| {
                    let message = preference.enabled.then(|| renderer.render(&content, channel, to.locale));
                    builder.build(channel, recipient.clone(), message)
                })
            });
            notifications.collect()
        }
    }
}

fn recipients(contact: &Contact) -> Recipients {
    Recipients { email: contact.email.clone(), phone: contact.phone.clone(), locale: contact.locale }
}
