//! Handles the events of user, order and payment.

use std::sync::Arc;

use mart_kernel::{Money, Receipt, StoreError, Timestamp};

use super::UseCases;
use crate::domain::notification::NotificationBuilder;
use crate::domain::{
    Change, Channel, Contact, Locale, Notification, NotificationContent, Order, OrderId, Preferences, Subject,
};
use crate::ports::{About, Known, MessageRenderer, Store};

/// A received event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedEvent {
    /// The handler's receipt.
    pub receipt: Receipt,
    /// When the event happened.
    pub at: Timestamp,
}

/// An event of payment, which has only the order's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentUpdate {
    /// An attempt failed, with its reason.
    Failed(String),
    /// This amount was refunded.
    Refunded(Option<Money>),
}

/// The recipients of a content.
struct Recipients {
    email: String,
    phone: String,
    locale: Locale,
}

impl<S: Store> UseCases<S> {
    /// Sends a link to its mailbox.
    pub async fn on_link(
        &self,
        heard: ReceivedEvent,
        subject: Subject,
        email: String,
        locale: Locale,
        content: NotificationContent,
    ) -> Result<(), StoreError> {
        let to = Recipients { email, phone: String::new(), locale };
        let write = self.writing(subject, heard.at, content);
        let decide = move |known: Known| Change { contact: None, notifications: write(&to, &known.preferences) };
        self.store.decide(About::default(), heard.receipt, decide).await
    }

    /// Stores the contact of an order and sends a content, if there is one.
    pub async fn on_order(
        &self,
        heard: ReceivedEvent,
        contact: Contact,
        told: Option<(Subject, NotificationContent)>,
    ) -> Result<(), StoreError> {
        let about = About { order: Some(contact.order), customer: Some(contact.customer.clone()) };
        let write = told.map(|(subject, content)| self.writing(subject, heard.at, content));
        let decide = move |known: Known| {
            let newest = Contact::newer(contact, known.contact);
            let notifications = write.map(|write| write(&recipients(&newest), &known.preferences)).unwrap_or_default();
            Change { contact: Some(newest), notifications }
        };
        self.store.decide(about, heard.receipt, decide).await
    }

    /// Sends an event of payment. Returns whether the order's contact is known yet.
    pub async fn on_payment(
        &self,
        heard: ReceivedEvent,
        order: OrderId,
        subject: Subject,
        news: PaymentUpdate,
    ) -> Result<bool, StoreError> {
        // Without a receipt, so that the event is delivered again.
        let Some(contact) = self.store.contact(order).await? else { return Ok(false) };
        let told = Order { id: order, name: contact.name.clone(), lines: Vec::new(), total: None };
        let content = match news {
            PaymentUpdate::Failed(reason) => NotificationContent::Failed { order: told, reason },
            PaymentUpdate::Refunded(amount) => NotificationContent::Refunded { order: told, amount },
        };
        let write = self.writing(subject, heard.at, content);
        let decide = move |known: Known| {
            let newest = known.contact.unwrap_or(contact);
            Change { contact: None, notifications: write(&recipients(&newest), &known.preferences) }
        };
        self.store.decide(About { order: Some(order), customer: None }, heard.receipt, decide).await?;
        Ok(true)
    }

    /// Creates a notification for each channel with a recipient.
    fn writing(
        &self,
        subject: Subject,
        happened: Timestamp,
        content: NotificationContent,
    ) -> impl FnOnce(&Recipients, &Preferences) -> Vec<Notification> + Send + 'static {
        let (renderer, ids, now): (Arc<dyn MessageRenderer>, _, _) =
            (self.renderer.clone(), self.ids.clone(), self.clock.now());
        let until = content.good_until().unwrap_or(Timestamp::new(happened.get() + self.policy.max_age));
        move |to, preferences| {
            let (kind, order, locale) = (content.kind(), content.order(), to.locale);
            let making = NotificationBuilder { ids, now, subject, kind, order, locale, until };
            let ways = [(Channel::Mail, &to.email), (Channel::Sms, &to.phone)];
            let made =
                ways.into_iter().filter(|(_, recipient)| !recipient.is_empty()).filter_map(|(channel, recipient)| {
                    let wanted = preferences.of(kind, channel);
                    // A channel that never sends the kind has no row; a suppressed notification has one.
                    (wanted.enabled || !wanted.fixed).then(|| {
                        let letter = wanted.enabled.then(|| renderer.write(&content, channel, to.locale));
                        making.make(channel, recipient.clone(), letter)
                    })
                });
            made.collect()
        }
    }
}

fn recipients(contact: &Contact) -> Recipients {
    Recipients { email: contact.email.clone(), phone: contact.phone.clone(), locale: contact.locale }
}
