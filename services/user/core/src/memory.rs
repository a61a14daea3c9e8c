//! The in-memory store, and a fast hasher and predictable secrets, for scenarios and tests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mart_kernel::{Cursor, EventEnvelope, StoreError, Timestamp};

use crate::domain::events::Token;
use crate::domain::{
    AddressBook, Change, Digest, Email, Link, PasswordHash, Purpose, RefreshToken, Rows, Session, SessionId, Throttle,
    ThrottlePolicy, User, UserEvent, UserId,
};
use crate::ports::{Hasher, Overloaded, Scope, Secrets, Store};

/// All committed data. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    users: BTreeMap<UserId, User>,
    links: BTreeMap<Digest, Link>,
    sessions: BTreeMap<SessionId, Session>,
    tokens: BTreeMap<Digest, RefreshToken>,
    throttle: BTreeMap<String, Throttle>,
    addresses: BTreeMap<UserId, AddressBook>,
    events: Vec<EventEnvelope<UserEvent>>,
}

impl MemoryStore {
    /// Returns the committed events in their order.
    pub fn events(&self) -> Vec<EventEnvelope<UserEvent>> {
        self.state().events.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn rows(&self, scope: &Scope) -> Rows {
        let link = scope.link.and_then(|digest| self.links.get(&digest).cloned());
        let token = scope.token.and_then(|digest| {
            let token = self.tokens.get(&digest)?.clone();
            let session = self.sessions.get(&token.session)?.clone();
            Some((token, session))
        });
        let linked = link.as_ref().and_then(|link| self.users.get(&link.user));
        let emails: Vec<&Email> = scope.email.iter().chain(linked.map(|user| &user.email)).collect();
        let holder = token.as_ref().map(|(_, session)| session.user);
        let ids: Vec<UserId> = scope.users.iter().copied().chain(holder).chain(scope.addresses_of).collect();
        let in_scope = |user: &&User| emails.contains(&&user.email) || ids.contains(&user.id);
        let users = self.users.values().filter(in_scope).cloned().collect();
        let throttle = scope.throttle.iter().filter_map(|subject| self.throttle.get(subject).cloned()).collect();
        let addresses = scope.addresses_of.and_then(|id| self.addresses.get(&id).cloned()).unwrap_or_default();
        Rows { users, link, token, throttle, addresses }
    }

    fn apply(&mut self, change: Change) {
        let Change { users, dropped, links, spent, sessions, tokens, ended, throttle, addresses, events } = change;
        self.addresses.extend(addresses);
        self.users.extend(users.into_iter().map(|user| (user.id, user)));
        self.users.retain(|id, _| !dropped.contains(id));
        self.links.retain(|_, link| !dropped.contains(&link.user) && !spent.contains(&(link.user, link.purpose)));
        self.links.extend(links.into_iter().map(|link| (link.digest, link)));
        for (user, at) in ended {
            for session in self.sessions.values_mut().filter(|session| session.user == user) {
                session.ended_at = session.ended_at.or(Some(at));
            }
        }
        self.sessions.extend(sessions.into_iter().map(|session| (session.id, session)));
        self.tokens.extend(tokens.into_iter().map(|token| (token.digest, token)));
        for throttle in throttle {
            if throttle.count == 0 {
                self.throttle.remove(&throttle.subject);
            } else {
                self.throttle.insert(throttle.subject.clone(), throttle);
            }
        }
        self.events.extend(events);
    }
}

impl Store for MemoryStore {
    async fn decide<T: Send + 'static>(
        &self,
        scope: Scope,
        decide: impl FnOnce(Rows) -> (Change, T) + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut state = self.state();
        let (change, outcome) = decide(state.rows(&scope));
        state.apply(change);
        Ok(outcome)
    }

    async fn find_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        Ok(self.state().users.values().find(|user| user.verified && user.email == *email).cloned())
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.state().users.get(&id).filter(|user| user.verified).cloned())
    }

    async fn list(&self, after: Option<Cursor>, limit: usize) -> Result<Vec<User>, StoreError> {
        let state = self.state();
        let follows = |user: &&User| user.verified && after.is_none_or(|after| user.cursor() < after);
        let mut found: Vec<User> = state.users.values().filter(follows).cloned().collect();
        found.sort_by_key(|user| std::cmp::Reverse(user.cursor()));
        found.truncate(limit);
        Ok(found)
    }

    async fn find_addresses(&self, id: UserId) -> Result<AddressBook, StoreError> {
        Ok(self.state().addresses.get(&id).cloned().unwrap_or_default())
    }

    async fn find_throttles(&self, subjects: &[String]) -> Result<Vec<Throttle>, StoreError> {
        let state = self.state();
        Ok(subjects.iter().filter_map(|subject| state.throttle.get(subject).cloned()).collect())
    }

    async fn purge_expired(&self, now: Timestamp, policy: &ThrottlePolicy) -> Result<usize, StoreError> {
        let mut state = self.state();
        let State { users, links, sessions, tokens, throttle, .. } = &mut *state;
        let before = users.len() + links.len() + sessions.len() + throttle.len();
        links.retain(|_, link| link.expires_at > now);
        let verifies = |link: &Link, user: UserId| link.user == user && link.purpose == Purpose::Verify;
        users.retain(|id, user| user.verified || links.values().any(|link| verifies(link, *id)));
        sessions.retain(|_, session| session.expires_at > now);
        tokens.retain(|_, token| sessions.contains_key(&token.session));
        throttle.retain(|_, throttle| !throttle.is_expired(now, policy));
        Ok(before - users.len() - links.len() - sessions.len() - throttle.len())
    }
}

/// A hasher that stores passwords as they are. For tests only.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainHasher;

impl Hasher for PlainHasher {
    async fn hash(&self, password: String) -> Result<PasswordHash, Overloaded> {
        Ok(PasswordHash(format!("plain {password}")))
    }

    async fn verify(&self, password: String, hash: Option<PasswordHash>) -> Result<bool, Overloaded> {
        Ok(hash.is_some_and(|hash| hash.0 == format!("plain {password}")))
    }
}

/// Predictable secrets. For tests only.
#[derive(Debug, Default)]
pub struct CountingSecrets(AtomicU64);

impl Secrets for CountingSecrets {
    fn next(&self) -> Token {
        Token(format!("secret-{}", self.0.fetch_add(1, Ordering::Relaxed)))
    }
}
