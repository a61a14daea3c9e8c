//! The in-memory store, and a sender that records messages, for scenarios and tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use mart_kernel::testing::Receipts;
use mart_kernel::{Cursor, Receipt, StoreError, Timestamp};

use crate::domain::{
    Change, Channel, Contact, CustomerId, Kind, Notification, NotificationId, OrderId, Preferences, RenderedMessage,
    Status, StatusKind,
};
use crate::ports::{DecisionData, DecisionKeys, Filter, MessageSender, SendError, Store};

/// All committed data. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    notifications: BTreeMap<NotificationId, Notification>,
    contacts: BTreeMap<OrderId, Contact>,
    preferences: BTreeMap<CustomerId, Preferences>,
    receipts: Receipts,
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    async fn decide(
        &self,
        keys: DecisionKeys,
        receipt: Receipt,
        decide: impl FnOnce(DecisionData) -> Change + Send + 'static,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        if !state.receipts.insert(receipt) {
            return Ok(());
        }
        let contact = keys.order.and_then(|order| state.contacts.get(&order).cloned());
        let customer = keys.customer.or_else(|| contact.as_ref().map(|contact| contact.customer.clone()));
        let preferences = customer.and_then(|customer| state.preferences.get(&customer).cloned()).unwrap_or_default();
        let Change { contact, notifications } = decide(DecisionData { contact, preferences });
        if let Some(received) = contact {
            let stored = state.contacts.remove(&received.order);
            state.contacts.insert(received.order, Contact::newer(received, stored));
        }
        for new in notifications {
            let duplicate = |stored: &Notification| {
                (&stored.subject, stored.kind, stored.channel) == (&new.subject, new.kind, new.channel)
            };
            if !state.notifications.values().any(duplicate) {
                state.notifications.insert(new.id, new);
            }
        }
        Ok(())
    }

    async fn find_contact(&self, order: OrderId) -> Result<Option<Contact>, StoreError> {
        Ok(self.state().contacts.get(&order).cloned())
    }

    async fn claim_due(
        &self,
        channel: Channel,
        now: Timestamp,
        lease: Timestamp,
        limit: usize,
    ) -> Result<Vec<Notification>, StoreError> {
        let mut state = self.state();
        let due = |notification: &Notification| match notification.status {
            Status::Pending { due, .. } if notification.channel == channel && due <= now => {
                Some((due, notification.id))
            }
            _ => None,
        };
        let mut ids: Vec<(Timestamp, NotificationId)> = state.notifications.values().filter_map(due).collect();
        ids.sort();
        let mut claimed = Vec::new();
        for (_, id) in ids.into_iter().take(limit) {
            if let Some(notification) = state.notifications.get_mut(&id) {
                notification.attempts += 1;
                if let Status::Pending { due, .. } = &mut notification.status {
                    *due = lease;
                }
                claimed.push(notification.clone());
            }
        }
        Ok(claimed)
    }

    async fn update(&self, expected: StatusKind, updated: &Notification) -> Result<bool, StoreError> {
        let mut state = self.state();
        let Some(stored) = state.notifications.get_mut(&updated.id) else { return Ok(false) };
        if (stored.status.kind(), stored.attempts) != (expected, updated.attempts) {
            return Ok(false);
        }
        *stored = updated.clone();
        Ok(true)
    }

    async fn find(&self, id: NotificationId) -> Result<Option<Notification>, StoreError> {
        Ok(self.state().notifications.get(&id).cloned())
    }

    async fn list(
        &self,
        filter: &Filter,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Vec<Notification>, StoreError> {
        let state = self.state();
        let matches = |notification: &&Notification| {
            filter.order.is_none_or(|order| notification.order == Some(order))
                && filter.recipient.as_ref().is_none_or(|recipient| notification.recipient == *recipient)
                && filter.status.is_none_or(|status| notification.status.kind() == status)
                && after.is_none_or(|after| notification.cursor() < after)
        };
        let mut found: Vec<Notification> = state.notifications.values().filter(matches).cloned().collect();
        found.sort_by_key(|notification| std::cmp::Reverse(notification.cursor()));
        found.truncate(limit);
        Ok(found)
    }

    async fn find_preferences(&self, customer: &CustomerId) -> Result<Preferences, StoreError> {
        Ok(self.state().preferences.get(customer).cloned().unwrap_or_default())
    }

    async fn set_preference(
        &self,
        customer: &CustomerId,
        kind: Kind,
        channel: Channel,
        enabled: bool,
    ) -> Result<(), StoreError> {
        self.state().preferences.entry(customer.clone()).or_default().0.insert((kind, channel), enabled);
        Ok(())
    }
}

/// A sender that records messages. It rejects recipients at `refused.example` and phone numbers `+10…`, and can be made
/// unavailable.
#[derive(Debug, Clone, Default)]
pub struct MemorySender(Arc<Mutex<SenderState>>);

#[derive(Debug, Default)]
struct SenderState {
    unavailable: bool,
    messages: Vec<(NotificationId, String, RenderedMessage)>,
}

impl MemorySender {
    /// Makes the sender unavailable or available.
    pub fn set_unavailable(&self, unavailable: bool) {
        self.state().unavailable = unavailable;
    }

    /// Returns the sent messages with their ids and recipients, in order.
    pub fn messages(&self) -> Vec<(NotificationId, String, RenderedMessage)> {
        self.state().messages.clone()
    }

    fn state(&self) -> MutexGuard<'_, SenderState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl MessageSender for MemorySender {
    async fn send(&self, id: NotificationId, recipient: &str, message: &RenderedMessage) -> Result<String, SendError> {
        let mut state = self.state();
        if state.unavailable {
            return Err(SendError::Unavailable("connection refused".to_owned()));
        }
        if recipient.ends_with("@refused.example") || recipient.starts_with("+10") {
            return Err(SendError::Rejected("no such recipient".to_owned()));
        }
        state.messages.push((id, recipient.to_owned(), message.clone()));
        Ok(format!("accepted {}", state.messages.len()))
    }
}
