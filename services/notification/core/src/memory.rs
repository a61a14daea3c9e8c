//! The in-memory store, and senders that record messages, for scenarios and tests.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use mart_kernel::{Cursor, Receipt, StoreError, Timestamp};

use crate::domain::{
    Change, Channel, Contact, CustomerId, Kind, Notification, NotificationId, OrderId, Preferences, RenderedMessage,
    Status, StatusKind,
};
use crate::ports::{About, Filter, Known, MessageSender, SendError, Store};

/// All committed data. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    notifications: BTreeMap<NotificationId, Notification>,
    contacts: BTreeMap<OrderId, Contact>,
    preferences: BTreeMap<CustomerId, Preferences>,
    receipts: HashSet<(String, String)>,
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    async fn decide(
        &self,
        about: About,
        receipt: Receipt,
        decide: impl FnOnce(Known) -> Change + Send + 'static,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        if !state.receipts.insert((receipt.scope, receipt.key)) {
            return Ok(());
        }
        let contact = about.order.and_then(|order| state.contacts.get(&order).cloned());
        let customer = about.customer.or_else(|| contact.as_ref().map(|contact| contact.customer.clone()));
        let preferences = customer.and_then(|customer| state.preferences.get(&customer).cloned()).unwrap_or_default();
        let Change { contact, notifications } = decide(Known { contact, preferences });
        if let Some(told) = contact {
            let known = state.contacts.remove(&told.order);
            state.contacts.insert(told.order, Contact::newer(told, known));
        }
        for made in notifications {
            let same = |known: &Notification| {
                (&known.subject, known.kind, known.channel) == (&made.subject, made.kind, made.channel)
            };
            if !state.notifications.values().any(same) {
                state.notifications.insert(made.id, made);
            }
        }
        Ok(())
    }

    async fn contact(&self, order: OrderId) -> Result<Option<Contact>, StoreError> {
        Ok(self.state().contacts.get(&order).cloned())
    }

    async fn claim(
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

    async fn change(&self, seen: StatusKind, changed: &Notification) -> Result<bool, StoreError> {
        let mut state = self.state();
        let Some(known) = state.notifications.get_mut(&changed.id) else { return Ok(false) };
        if (known.status.name(), known.attempts) != (seen, changed.attempts) {
            return Ok(false);
        }
        *known = changed.clone();
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
        let listed = |notification: &&Notification| {
            filter.order.is_none_or(|order| notification.order == Some(order))
                && filter.recipient.as_ref().is_none_or(|recipient| notification.recipient == *recipient)
                && filter.status.is_none_or(|status| notification.status.name() == status)
                && after.is_none_or(|after| notification.cursor() < after)
        };
        let mut found: Vec<Notification> = state.notifications.values().filter(listed).cloned().collect();
        found.sort_by_key(|notification| std::cmp::Reverse(notification.cursor()));
        found.truncate(limit);
        Ok(found)
    }

    async fn preferences(&self, customer: &CustomerId) -> Result<Preferences, StoreError> {
        Ok(self.state().preferences.get(customer).cloned().unwrap_or_default())
    }

    async fn prefer(
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

/// Records the messages that it sends. It rejects recipients at `refused.example` and phone numbers `+10…`, and can be made
/// unavailable.
#[derive(Debug, Clone, Default)]
pub struct MemoryCourier(Arc<Mutex<Carried>>);

#[derive(Debug, Default)]
struct Carried {
    away: bool,
    letters: Vec<(NotificationId, String, RenderedMessage)>,
}

impl MemoryCourier {
    /// Makes the sender unavailable or available.
    pub fn set_unavailable(&self, away: bool) {
        self.carried().away = away;
    }

    /// Returns the sent messages with their recipients, in order.
    pub fn messages(&self) -> Vec<(NotificationId, String, RenderedMessage)> {
        self.carried().letters.clone()
    }

    fn carried(&self) -> MutexGuard<'_, Carried> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl MessageSender for MemoryCourier {
    async fn send(&self, id: NotificationId, recipient: &str, letter: &RenderedMessage) -> Result<String, SendError> {
        let mut carried = self.carried();
        if carried.away {
            return Err(SendError::Unavailable("nobody answers".to_owned()));
        }
        if recipient.ends_with("@refused.example") || recipient.starts_with("+10") {
            return Err(SendError::Rejected("there is no such recipient".to_owned()));
        }
        carried.letters.push((id, recipient.to_owned(), letter.clone()));
        Ok(format!("taken {}", carried.letters.len()))
    }
}
