//! Handles the events of user's links.

use mart_kernel::{EventOutcome, StoreError};

use super::{EventContext, Recipients, UseCases};
use crate::domain::{Change, Locale, NotificationContent, Subject};
use crate::ports::{DecisionData, DecisionKeys, Store};

impl<S: Store> UseCases<S> {
    /// Creates the notification of a link.
    pub async fn on_link(
        &self,
        event: EventContext,
        subject: Subject,
        email: String,
        locale: Locale,
        content: NotificationContent,
    ) -> Result<EventOutcome, StoreError> {
        let to = Recipients { email, phone: String::new(), locale };
        let build = self.notifications(subject, event.at, content);
        let decide = move |data: DecisionData| Change { contact: None, notifications: build(&to, &data.preferences) };
        self.store.decide(DecisionKeys::default(), event.receipt, decide).await?;
        Ok(EventOutcome::Applied)
    }
}
