//! Decides changes of locked accounts, without I/O.

use std::collections::BTreeMap;
use std::sync::Arc;

use mart_kernel::{EventEnvelope, IdGenerator, Timestamp, Version};

use super::events::{
    EmailVerified, PasswordChanged, PasswordResetRequested, ProfileUpdated, SentLink, Token, UserDisabled, UserEnabled,
    UserRegistered, UserRepublished, VerificationRequested,
};
use super::{
    Address, AddressBook, Digest, Email, Link, PasswordHash, Policy, Profile, Purpose, RefreshToken, RefreshTokenUse,
    Role, Session, SessionId, Throttle, User, UserEvent, UserId,
};

/// The rows that a decision reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rows {
    /// The users: those with the address, those in the scope, and those of the link or the session.
    pub users: Vec<User>,
    /// The presented link.
    pub link: Option<Link>,
    /// The presented refresh token with its session.
    pub token: Option<(RefreshToken, Session)>,
    /// The throttles in the scope.
    pub throttle: Vec<Throttle>,
    /// The addresses in the scope.
    pub addresses: AddressBook,
}

/// Everything that a decision stores, at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// The users after the change, including new ones.
    pub users: Vec<User>,
    /// Registrations to delete with their links.
    pub dropped: Vec<UserId>,
    /// New links.
    pub links: Vec<Link>,
    /// Users whose links of a purpose are void.
    pub spent: Vec<(UserId, Purpose)>,
    /// The sessions after the change, including new ones.
    pub sessions: Vec<Session>,
    /// The refresh tokens after the change, including new ones.
    pub tokens: Vec<RefreshToken>,
    /// Users whose sessions all end, and when.
    pub ended: Vec<(UserId, Timestamp)>,
    /// The throttles after the change; one with a count of zero is deleted.
    pub throttle: Vec<Throttle>,
    /// A user's addresses after the change.
    pub addresses: Option<(UserId, AddressBook)>,
    /// The events to publish.
    pub events: Vec<EventEnvelope<UserEvent>>,
}

/// Locked rows and the changes that were decided so far.
pub struct AccountDecider {
    now: Timestamp,
    ids: Arc<dyn IdGenerator>,
    policy: Policy,
    users: BTreeMap<UserId, User>,
    before: BTreeMap<UserId, User>,
    link: Option<Link>,
    token: Option<(RefreshToken, Session)>,
    throttles: Vec<Throttle>,
    addresses: AddressBook,
    events: Vec<UserEvent>,
    change: Change,
}

impl AccountDecider {
    /// Begins a decision about these rows.
    pub fn open(rows: Rows, now: Timestamp, ids: Arc<dyn IdGenerator>, policy: Policy) -> Self {
        let users: BTreeMap<UserId, User> = rows.users.into_iter().map(|user| (user.id, user)).collect();
        Self {
            now,
            ids,
            policy,
            before: users.clone(),
            users,
            link: rows.link,
            token: rows.token,
            throttles: rows.throttle,
            addresses: rows.addresses,
            events: Vec::new(),
            change: Change::default(),
        }
    }

    /// Ends the decision and returns its change.
    #[must_use]
    pub fn close(self) -> Change {
        let Self { now, ids, users, before, events, mut change, .. } = self;
        for (id, user) in users {
            if before.get(&id) != Some(&user) && !change.dropped.contains(&id) {
                change.users.push(user);
            }
        }
        let event =
            |event: UserEvent| EventEnvelope { id: ids.next(), at: now, version: event.version(), payload: event };
        change.events = events.into_iter().map(event).collect();
        change
    }

    /// Returns the user with this id.
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id)
    }

    /// Returns the verified user with this address.
    pub fn verified(&self, email: &Email) -> Option<&User> {
        self.users.values().find(|user| user.verified && user.email == *email)
    }

    /// Registers a user. If the address has a verified user, that user is sent a reset link instead. The caller cannot
    /// distinguish the two cases.
    pub fn register(&mut self, email: Email, password: PasswordHash, profile: Profile, token: &Token) {
        if self.verified(&email).is_some() {
            self.request_reset(&email, token);
            return;
        }
        let user = User {
            id: UserId(self.ids.next()),
            version: Version::NONE,
            email,
            role: Role::Customer,
            password,
            profile,
            verified: false,
            disabled: false,
            created_at: self.now,
            updated_at: self.now,
        };
        let link = self.new_link(&user, Purpose::Verify, token);
        self.events.push(UserEvent::VerificationRequested(VerificationRequested { link }));
        self.users.insert(user.id, user);
    }

    /// Creates a verified admin without a link. Returns `false` if the address already has a verified user.
    pub fn create_admin(&mut self, email: Email, password: PasswordHash, profile: Profile) -> bool {
        if self.verified(&email).is_some() {
            return false;
        }
        let unverified: Vec<UserId> = self.users.keys().copied().collect();
        self.change.dropped.extend(unverified);
        let user = User {
            id: UserId(self.ids.next()),
            version: Version::NONE.next(),
            email,
            role: Role::Admin,
            password,
            profile,
            verified: true,
            disabled: false,
            created_at: self.now,
            updated_at: self.now,
        };
        self.events.push(UserEvent::UserRegistered(UserRegistered { user: user.clone() }));
        self.users.insert(user.id, user);
        true
    }

    /// Returns the unverified user for the presented link, if it is valid. Check their password before calling `verify`.
    pub fn pending_verification(&self) -> Option<&User> {
        let link = self.link.as_ref().filter(|link| link.is_valid(Purpose::Verify, self.now))?;
        let user = self.users.get(&link.user).filter(|user| !user.verified)?;
        self.verified(&user.email).is_none().then_some(user)
    }

    /// Verifies the mailbox of the presented link, whose password was checked. Returns whether it did. Other registrations of the
    /// address are deleted.
    pub fn verify(&mut self) -> bool {
        let Some(user) = self.pending_verification().cloned() else { return false };
        self.change.throttle.extend(self.throttles.iter().map(Throttle::after_success));
        let others = self.users.values().filter(|other| other.id != user.id && other.email == user.email);
        let others: Vec<UserId> = others.map(|other| other.id).collect();
        self.change.dropped.extend(others);
        self.change.spent.push((user.id, Purpose::Verify));
        let user = User { verified: true, version: user.version.next(), updated_at: self.now, ..user };
        self.events.push(UserEvent::UserRegistered(UserRegistered { user: user.clone() }));
        let user = User { version: user.version.next(), ..user };
        self.events.push(UserEvent::EmailVerified(EmailVerified { user: user.clone() }));
        self.users.insert(user.id, user);
        true
    }

    /// Sends a reset link, if the address has a user who may log in.
    pub fn request_reset(&mut self, email: &Email, token: &Token) {
        if let Some(user) = self.verified(email).filter(|user| user.may_log_in()).cloned() {
            let link = self.new_link(&user, Purpose::Reset, token);
            self.events.push(UserEvent::PasswordResetRequested(PasswordResetRequested { link }));
        }
    }

    /// Sets the password of the presented reset link. Returns whether the link was valid.
    pub fn reset(&mut self, password: PasswordHash) -> bool {
        let Some(user) = self.pending_reset().cloned() else { return false };
        self.set_password(user, password, true);
        true
    }

    /// Returns the user of the presented reset link, if it is valid. Check the new password against their address first.
    pub fn pending_reset(&self) -> Option<&User> {
        let link = self.link.as_ref().filter(|link| link.is_valid(Purpose::Reset, self.now))?;
        self.users.get(&link.user).filter(|user| user.may_log_in())
    }

    /// Changes the password of a user whose current one was checked. Returns whether the current one is still the same.
    pub fn change_password(&mut self, id: UserId, known: &PasswordHash, password: PasswordHash) -> bool {
        let Some(user) = self.users.get(&id).filter(|user| user.may_log_in() && user.password == *known).cloned()
        else {
            return false;
        };
        self.change.throttle.extend(self.throttles.iter().map(Throttle::after_success));
        self.set_password(user, password, false);
        true
    }

    fn set_password(&mut self, user: User, password: PasswordHash, reset: bool) {
        self.change.ended.push((user.id, self.now));
        self.change.spent.push((user.id, Purpose::Reset));
        let user = User { password, version: user.version.next(), updated_at: self.now, ..user };
        self.events.push(UserEvent::PasswordChanged(PasswordChanged { user: user.clone(), reset }));
        self.users.insert(user.id, user);
    }

    /// Opens a session for a user whose password was checked, unless they were disabled or the password changed meanwhile. Returns
    /// the user and the session's end.
    pub fn log_in(&mut self, id: UserId, known: &PasswordHash, token: &Token) -> Option<(User, Timestamp)> {
        let user = self.users.get(&id).filter(|user| user.may_log_in() && user.password == *known).cloned()?;
        let session = Session::open(SessionId(self.ids.next()), user.id, self.now, self.policy.session);
        let until = session.expires_at;
        self.add_token(&session, token);
        self.change.sessions.push(session);
        self.change.throttle.extend(self.throttles.iter().map(Throttle::after_success));
        Some((user, until))
    }

    /// Counts an attempt to log in or to send a mail before it is carried out, so that concurrent attempts are throttled like
    /// sequential ones. If a subject is throttled, the error is the time until which the caller has to wait.
    pub fn attempt(&mut self, subjects: &[String]) -> Result<(), Timestamp> {
        let until = self.throttles.iter().filter_map(|throttle| throttle.until(self.now, &self.policy.throttle)).max();
        if let Some(until) = until {
            return Err(until);
        }
        self.count(subjects);
        Ok(())
    }

    /// Removes an attempt whose password could not be checked from the count.
    pub fn uncount(&mut self) {
        self.change.throttle.extend(self.throttles.iter().map(Throttle::uncounted));
    }

    fn count(&mut self, subjects: &[String]) {
        for subject in subjects {
            let known = self.throttles.iter().find(|throttle| throttle.subject == *subject).cloned();
            let throttle = known.unwrap_or(Throttle { subject: subject.clone(), count: 0, last_at: self.now });
            self.change.throttle.push(throttle.counted(self.now, &self.policy.throttle));
        }
    }

    /// Exchanges the presented refresh token for this new one. Returns the user and the session's end, or `None` if the session has
    /// ended, now or before.
    pub fn refresh(&mut self, token: &Token) -> Option<(User, Timestamp)> {
        let (presented, session) = self.token.clone()?;
        match session.token_use(&presented, self.now, self.policy.grace) {
            RefreshTokenUse::SessionEnded => return None,
            RefreshTokenUse::Replayed => {
                self.change.sessions.push(Session { ended_at: Some(self.now), ..session });
                return None;
            }
            RefreshTokenUse::Valid => {
                self.change.tokens.push(RefreshToken { exchanged_at: Some(self.now), ..presented });
            }
            RefreshTokenUse::GraceReuse => {}
        }
        let user = self.users.get(&session.user).filter(|user| user.may_log_in()).cloned()?;
        self.add_token(&session, token);
        Some((user, session.expires_at))
    }

    /// Ends the session of the presented refresh token. Returns whether there is one.
    pub fn log_out(&mut self) -> bool {
        let Some((_, session)) = self.token.clone() else { return false };
        if session.ended_at.is_none() {
            self.change.sessions.push(Session { ended_at: Some(self.now), ..session });
        }
        true
    }

    /// Ends all sessions of a user.
    pub fn log_out_everywhere(&mut self, id: UserId) {
        self.change.ended.push((id, self.now));
    }

    /// Changes the profile. Equal values are no change.
    pub fn update(&mut self, id: UserId, profile: Profile) {
        let Some(user) = self.users.get(&id).filter(|user| user.profile != profile).cloned() else { return };
        let user = User { profile, version: user.version.next(), updated_at: self.now, ..user };
        self.events.push(UserEvent::ProfileUpdated(ProfileUpdated { user: user.clone() }));
        self.users.insert(id, user);
    }

    /// Saves an address with a label. Returns the stored label, or `None` if there are too many addresses.
    pub fn set_address(&mut self, id: UserId, label: &str, address: Address) -> Option<String> {
        let label = self.addresses.set(label, address)?;
        self.change.addresses = Some((id, self.addresses.clone()));
        Some(label)
    }

    /// Deletes the address with a label, if there is one.
    pub fn remove_address(&mut self, id: UserId, label: &str) {
        if self.addresses.remove(label) {
            self.change.addresses = Some((id, self.addresses.clone()));
        }
    }

    /// Disables or enables a user. An equal value is no change.
    pub fn set_disabled(&mut self, id: UserId, disabled: bool) {
        let Some(user) = self.users.get(&id).filter(|user| user.verified && user.disabled != disabled).cloned() else {
            return;
        };
        let user = User { disabled, version: user.version.next(), updated_at: self.now, ..user };
        self.events.push(if disabled {
            UserEvent::UserDisabled(UserDisabled { user: user.clone() })
        } else {
            UserEvent::UserEnabled(UserEnabled { user: user.clone() })
        });
        if disabled {
            self.change.ended.push((id, self.now));
            self.change.spent.push((id, Purpose::Reset));
        }
        self.users.insert(id, user);
    }

    /// Publishes the current state of every verified user.
    pub fn republish(&mut self) {
        let verified = self.users.values().filter(|user| user.verified);
        self.events.extend(verified.map(|user| UserEvent::UserRepublished(UserRepublished { user: user.clone() })));
    }

    /// Creates a link, stored by its digest.
    fn new_link(&mut self, user: &User, purpose: Purpose, token: &Token) -> SentLink {
        let expires_at = Timestamp::new(self.now.get() + self.policy.link(purpose));
        self.change.links.push(Link { digest: Digest::of(&token.0), purpose, user: user.id, expires_at });
        SentLink {
            id: self.ids.next(),
            email: user.email.clone(),
            name: user.profile.name.clone(),
            locale: user.profile.locale.clone(),
            token: token.clone(),
            expires_at,
        }
    }

    fn add_token(&mut self, session: &Session, token: &Token) {
        let digest = Digest::of(&token.0);
        self.change.tokens.push(RefreshToken { digest, session: session.id, exchanged_at: None });
    }
}
