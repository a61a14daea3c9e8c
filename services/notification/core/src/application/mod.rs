//! The use cases. Each commits at most once. Messages are sent after the commit, never inside a transaction.

mod get_notification;
mod get_preferences;
mod list_notifications;
mod on_link;
mod on_order;
mod on_payment;
mod resend_notification;
mod send_due_notifications;
mod set_preference;

use std::sync::Arc;

use mart_kernel::{Clock, IdGenerator, PageTokenSigner, Receipt, Timestamp};

use crate::domain::notification::NotificationBuilder;
use crate::domain::{Channel, Contact, Locale, Notification, NotificationContent, Policy, Preferences, Subject};
use crate::ports::{MessageRenderer, MessageSender};

pub use on_payment::PaymentUpdate;
pub use resend_notification::ResendError;
pub use set_preference::PreferenceError;

/// The sender of each channel.
#[derive(Clone)]
pub struct MessageSenders {
    /// Sends mails.
    pub mail: Arc<dyn MessageSender>,
    /// Sends text messages.
    pub sms: Arc<dyn MessageSender>,
}

/// The receipt and the time of a received event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventContext {
    /// The handler's receipt.
    pub receipt: Receipt,
    /// When the event happened.
    pub at: Timestamp,
}

/// The addresses of a customer, and their language.
struct Recipients {
    email: String,
    phone: String,
    locale: Locale,
}

impl From<&Contact> for Recipients {
    fn from(contact: &Contact) -> Self {
        Self { email: contact.email.clone(), phone: contact.phone.clone(), locale: contact.locale }
    }
}

/// The use cases with their ports.
#[derive(Clone)]
pub struct UseCases<S> {
    store: S,
    renderer: Arc<dyn MessageRenderer>,
    senders: MessageSenders,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    page_tokens: PageTokenSigner,
    policy: Policy,
}

impl<S> UseCases<S> {
    /// Creates the use cases. `page_tokens` signs page tokens; `policy` has the retries.
    pub fn new(
        store: S,
        renderer: Arc<dyn MessageRenderer>,
        senders: MessageSenders,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
        page_tokens: PageTokenSigner,
        policy: Policy,
    ) -> Self {
        Self { store, renderer, senders, clock, ids, page_tokens, policy }
    }

    /// Returns a function that builds a notification for each channel with a recipient.
    fn notifications(
        &self,
        subject: Subject,
        happened_at: Timestamp,
        content: NotificationContent,
    ) -> impl FnOnce(&Recipients, &Preferences) -> Vec<Notification> + Send + 'static {
        let (renderer, ids, now) = (self.renderer.clone(), self.ids.clone(), self.clock.now());
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

impl<S> std::fmt::Debug for UseCases<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UseCases")
    }
}
