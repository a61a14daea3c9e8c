//! Decisions about accounts: pure, over rows that somebody else has locked.

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

/// The rows that a decision finds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rows {
    /// Users: those of an address, those that are named, those of the link or the session.
    pub users: Vec<User>,
    /// The link that was shown.
    pub link: Option<Link>,
    /// The refresh token that was shown, with its session.
    pub token: Option<(RefreshToken, Session)>,
    /// The throttle that were named and have counted.
    pub throttle: Vec<Throttle>,
    /// The addresses that were asked for.
    pub addresses: AddressBook,
}

/// All that a decision has to have kept, at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Users as they shall be, new ones among them.
    pub users: Vec<User>,
    /// Registrations that are void, with their links.
    pub dropped: Vec<UserId>,
    /// New links.
    pub links: Vec<Link>,
    /// Users whose links of a purpose are good no more.
    pub spent: Vec<(UserId, Purpose)>,
    /// Sessions as they shall be, new ones among them.
    pub sessions: Vec<Session>,
    /// Refresh tokens as they shall be, new ones among them.
    pub tokens: Vec<RefreshToken>,
    /// Users all of whose sessions end, and when.
    pub ended: Vec<(UserId, Timestamp)>,
    /// ThrottlePolicy as they shall be; one that counts nothing is reset_after.
    pub throttle: Vec<Throttle>,
    /// A user's addresses as they shall be.
    pub addresses: Option<(UserId, AddressBook)>,
    /// What is told to others.
    pub events: Vec<EventEnvelope<UserEvent>>,
}

/// Rows that are decided about, and what was decided so far.
pub struct AccountDecider {
    now: Timestamp,
    ids: Arc<dyn IdGenerator>,
    policy: Policy,
    users: BTreeMap<UserId, User>,
    before: BTreeMap<UserId, User>,
    link: Option<Link>,
    token: Option<(RefreshToken, Session)>,
    known_brakes: Vec<Throttle>,
    addresses: AddressBook,
    events: Vec<UserEvent>,
    change: Change,
}

impl AccountDecider {
    /// Opens the rows that a decision is about.
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
            known_brakes: rows.throttle,
            addresses: rows.addresses,
            events: Vec::new(),
            change: Change::default(),
        }
    }

    /// Closes them: what changed, and what is told of it.
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

    /// The user of an id.
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id)
    }

    /// The one user of an address whose mailbox is proved.
    pub fn proved(&self, email: &Email) -> Option<&User> {
        self.users.values().find(|user| user.verified && user.email == *email)
    }

    /// Somebody registers. Where the address has a user already he is sent a link to reset his password instead, and nobody is
    /// told which of both it was.
    pub fn register(&mut self, email: Email, password: PasswordHash, profile: Profile, token: &Token) {
        if self.proved(&email).is_some() {
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
        let link = self.sent(&user, Purpose::Verify, token);
        self.events.push(UserEvent::VerificationRequested(VerificationRequested { link }));
        self.users.insert(user.id, user);
    }

    /// An operator makes an admin, whose mailbox he vouches for. Whether he did: an address has one user.
    pub fn create_admin(&mut self, email: Email, password: PasswordHash, profile: Profile) -> bool {
        if self.proved(&email).is_some() {
            return false;
        }
        let unproved: Vec<UserId> = self.users.keys().copied().collect();
        self.change.dropped.extend(unproved);
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

    /// Whose registration the link that was shown would prove, where it would: his password is asked for before it does.
    pub fn proves(&self) -> Option<&User> {
        let link = self.link.as_ref().filter(|link| link.is_good(Purpose::Verify, self.now))?;
        let user = self.users.get(&link.user).filter(|user| !user.verified)?;
        self.proved(&user.email).is_none().then_some(user)
    }

    /// The link was shown that proves a mailbox, by who knew the password; whether it does. It voids every other registration
    /// of the address.
    pub fn verify(&mut self) -> bool {
        let Some(user) = self.proves().cloned() else { return false };
        self.change.throttle.extend(self.known_brakes.iter().map(Throttle::released));
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

    /// Somebody asks for a link to reset the password. Nothing happens where there is nobody who may log in.
    pub fn request_reset(&mut self, email: &Email, token: &Token) {
        if let Some(user) = self.proved(email).filter(|user| user.may_log_in()).cloned() {
            let link = self.sent(&user, Purpose::Reset, token);
            self.events.push(UserEvent::PasswordResetRequested(PasswordResetRequested { link }));
        }
    }

    /// The link was shown that resets the password; whether it does.
    pub fn reset(&mut self, password: PasswordHash) -> bool {
        let Some(user) = self.resets().cloned() else { return false };
        self.set_password(user, password, true);
        true
    }

    /// Whose reset link was shown, where it is good: his new password is held against his address before it is set.
    pub fn resets(&self) -> Option<&User> {
        let link = self.link.as_ref().filter(|link| link.is_good(Purpose::Reset, self.now))?;
        self.users.get(&link.user).filter(|user| user.may_log_in())
    }

    /// The user knew his password and sets another; whether it is still the one that he knew.
    pub fn change_password(&mut self, id: UserId, known: &PasswordHash, password: PasswordHash) -> bool {
        let Some(user) = self.users.get(&id).filter(|user| user.may_log_in() && user.password == *known).cloned()
        else {
            return false;
        };
        self.change.throttle.extend(self.known_brakes.iter().map(Throttle::released));
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

    /// The user knew his password: a session begins, unless he was disabled or the password was changed meanwhile. Who he is,
    /// and until when it ttl.
    pub fn log_in(&mut self, id: UserId, known: &PasswordHash, token: &Token) -> Option<(User, Timestamp)> {
        let user = self.users.get(&id).filter(|user| user.may_log_in() && user.password == *known).cloned()?;
        let session = Session::begun(SessionId(self.ids.next()), user.id, self.now, self.policy.session);
        let until = session.expires_at;
        self.give(&session, token);
        self.change.sessions.push(session);
        self.change.throttle.extend(self.known_brakes.iter().map(Throttle::released));
        Some((user, until))
    }

    /// Somebody tries a password, or asks for a mail: until when those who are named have to wait, where they do. Else it counts,
    /// before anything is done about it, so that of many at once no more go on than of as many one after the other.
    pub fn attempt(&mut self, subjects: &[String]) -> Result<(), Timestamp> {
        let until =
            self.known_brakes.iter().filter_map(|throttle| throttle.until(self.now, &self.policy.throttle)).max();
        if let Some(until) = until {
            return Err(until);
        }
        self.count(subjects);
        Ok(())
    }

    /// A password could not be looked at.
    pub fn take_back(&mut self) {
        self.change.throttle.extend(self.known_brakes.iter().map(Throttle::taken_back));
    }

    fn count(&mut self, subjects: &[String]) {
        for subject in subjects {
            let known = self.known_brakes.iter().find(|throttle| throttle.subject == *subject).cloned();
            let throttle = known.unwrap_or(Throttle { subject: subject.clone(), count: 0, last_at: self.now });
            self.change.throttle.push(throttle.counted(self.now, &self.policy.throttle));
        }
    }

    /// A refresh token was shown. Whose session goes on with this new one, and until when; nobody's where it ended, now or
    /// before.
    pub fn refresh(&mut self, token: &Token) -> Option<(User, Timestamp)> {
        let (shown, session) = self.token.clone()?;
        match session.shown(&shown, self.now, self.policy.grace) {
            RefreshTokenUse::SessionEnded => return None,
            RefreshTokenUse::Replayed => {
                self.change.sessions.push(Session { ended_at: Some(self.now), ..session });
                return None;
            }
            RefreshTokenUse::Valid => self.change.tokens.push(RefreshToken { exchanged_at: Some(self.now), ..shown }),
            RefreshTokenUse::GraceReuse => {}
        }
        let user = self.users.get(&session.user).filter(|user| user.may_log_in()).cloned()?;
        self.give(&session, token);
        Some((user, session.expires_at))
    }

    /// The session of the refresh token that was shown ends, where it has not yet; whether there is one.
    pub fn log_out(&mut self) -> bool {
        let Some((_, session)) = self.token.clone() else { return false };
        if session.ended_at.is_none() {
            self.change.sessions.push(Session { ended_at: Some(self.now), ..session });
        }
        true
    }

    /// All sessions of a user end.
    pub fn log_out_everywhere(&mut self, id: UserId) {
        self.change.ended.push((id, self.now));
    }

    /// The user says something else of himself; what is the same already is no change.
    pub fn update(&mut self, id: UserId, profile: Profile) {
        let Some(user) = self.users.get(&id).filter(|user| user.profile != profile).cloned() else { return };
        let user = User { profile, version: user.version.next(), updated_at: self.now, ..user };
        self.events.push(UserEvent::ProfileUpdated(ProfileUpdated { user: user.clone() }));
        self.users.insert(id, user);
    }

    /// The user keeps an address under a label; the label as it is kept, or `None` where he has too many.
    pub fn set_address(&mut self, id: UserId, label: &str, address: Address) -> Option<String> {
        let label = self.addresses.set(label, address)?;
        self.change.addresses = Some((id, self.addresses.clone()));
        Some(label)
    }

    /// The user forgets an address, where there is one of this label.
    pub fn remove_address(&mut self, id: UserId, label: &str) {
        if self.addresses.remove(label) {
            self.change.addresses = Some((id, self.addresses.clone()));
        }
    }

    /// An admin takes the right to log in away, or gives it back; what is so already is no change.
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

    /// Tells the state of every open user again.
    pub fn republish(&mut self) {
        let proved = self.users.values().filter(|user| user.verified);
        self.events.extend(proved.map(|user| UserEvent::UserRepublished(UserRepublished { user: user.clone() })));
    }

    /// A new link, kept by its digest.
    fn sent(&mut self, user: &User, purpose: Purpose, token: &Token) -> SentLink {
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

    fn give(&mut self, session: &Session, token: &Token) {
        let digest = Digest::of(&token.0);
        self.change.tokens.push(RefreshToken { digest, session: session.id, exchanged_at: None });
    }
}
