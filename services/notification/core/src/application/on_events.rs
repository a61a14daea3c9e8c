//! What users, orders and payments tell, and whom that concerns.

use std::sync::Arc;

use mart_kernel::{Money, Receipt, StoreError, Timestamp};

use super::UseCases;
use crate::domain::notification::NotificationBuilder;
use crate::domain::{
    Change, Channel, Contact, Locale, Notification, NotificationContent, Order, OrderId, Preferences, Subject,
};
use crate::ports::{About, Known, MessageRenderer, Store};

/// An event that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The receipt of its handler.
    pub receipt: Receipt,
    /// When it happened.
    pub at: Timestamp,
}

/// What payment tells of an order that it knows by its id only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentNews {
    /// An attempt failed; why.
    Failed(String),
    /// So much went back.
    Refunded(Option<Money>),
}

/// Where renderer about a content go.
struct Recipients {
    email: String,
    phone: String,
    locale: Locale,
}

impl<S: Store> UseCases<S> {
    /// A link is to be sent to the mailbox that it is for.
    pub async fn on_link(
        &self,
        heard: Heard,
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

    /// An order tells whom to tell about it, and maybe what.
    pub async fn on_order(
        &self,
        heard: Heard,
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

    /// Payment tells something of an order; whether it is known by now whom that concerns.
    pub async fn on_payment(
        &self,
        heard: Heard,
        order: OrderId,
        subject: Subject,
        news: PaymentNews,
    ) -> Result<bool, StoreError> {
        // No receipt is kept where it is not: it is told again.
        let Some(contact) = self.store.contact(order).await? else { return Ok(false) };
        let told = Order { id: order, name: contact.name.clone(), lines: Vec::new(), total: None };
        let content = match news {
            PaymentNews::Failed(reason) => NotificationContent::Failed { order: told, reason },
            PaymentNews::Refunded(amount) => NotificationContent::Refunded { order: told, amount },
        };
        let write = self.writing(subject, heard.at, content);
        let decide = move |known: Known| {
            let newest = known.contact.unwrap_or(contact);
            Change { contact: None, notifications: write(&recipients(&newest), &known.preferences) }
        };
        self.store.decide(About { order: Some(order), customer: None }, heard.receipt, decide).await?;
        Ok(true)
    }

    /// Writes about a content to every channel that there is a way to, once it is known which.
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
                    // What a channel never carries leaves no trace; what a customer does not want does.
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
