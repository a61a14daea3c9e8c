//! The rows of the database, and their mappings to the values of the core.

use mart_chassis::db::read::{self, decode_error};
use mart_chassis::table_row;
use mart_kernel::Timestamp;
use time::OffsetDateTime;
use user_core::domain::{
    Address, AddressBook, Digest, Email, Link, PasswordHash, Profile, Purpose, RefreshToken, Role, Session, SessionId,
    Throttle, User, UserId,
};
use uuid::Uuid;

table_row! {
    /// A row of `account`.
    pub struct AccountRow in account (user_id) {
        user_id: Uuid,
        version: i64,
        email: String,
        role: String,
        password: String,
        name: String,
        locale: String,
        time_zone: String,
        phone: String,
        verified: bool,
        disabled: bool,
        created_at: OffsetDateTime,
        updated_at: OffsetDateTime,
    }
}

table_row! {
    /// A row of `link`.
    pub struct LinkRow in link (digest) {
        digest: Vec<u8>,
        purpose: String,
        user_id: Uuid,
        expires_at: OffsetDateTime,
    }
}

table_row! {
    /// A row of `session`.
    pub struct SessionRow in session (session_id) {
        session_id: Uuid,
        user_id: Uuid,
        expires_at: OffsetDateTime,
        ended_at: Option<OffsetDateTime>,
    }
}

table_row! {
    /// A row of `refresh_token`.
    pub struct RefreshTokenRow in refresh_token (digest) {
        digest: Vec<u8>,
        session_id: Uuid,
        exchanged_at: Option<OffsetDateTime>,
    }
}

table_row! {
    /// A row of `throttle`.
    pub struct ThrottleRow in throttle (subject) {
        subject: String,
        count: i32,
        last_at: OffsetDateTime,
    }
}

table_row! {
    /// A row of `address`.
    pub struct AddressRow in address (user_id, label) {
        user_id: Uuid,
        label: String,
        recipient: String,
        lines: Vec<String>,
        city: String,
        postal_code: String,
        country_code: String,
    }
}

impl From<User> for AccountRow {
    fn from(user: User) -> Self {
        let User { id, version, email, role, password, profile, verified, disabled, created_at, updated_at } = user;
        let Profile { name, locale, time_zone, phone } = profile;
        let role = match role {
            Role::Customer => "customer",
            Role::Admin => "admin",
        };
        Self {
            user_id: id.0,
            version: version.get(),
            email: email.as_str().to_owned(),
            role: role.to_owned(),
            password: password.0,
            name,
            locale,
            time_zone,
            phone,
            verified,
            disabled,
            created_at: created_at.get(),
            updated_at: updated_at.get(),
        }
    }
}

impl TryFrom<AccountRow> for User {
    type Error = sqlx::Error;

    fn try_from(row: AccountRow) -> Result<Self, sqlx::Error> {
        let AccountRow {
            user_id,
            version,
            email,
            role,
            password,
            name,
            locale,
            time_zone,
            phone,
            verified,
            disabled,
            created_at,
            updated_at,
        } = row;
        let role = match role.as_str() {
            "customer" => Role::Customer,
            "admin" => Role::Admin,
            other => return Err(decode_error(format!("unknown role: {other}"))),
        };
        Ok(Self {
            id: UserId(user_id),
            version: read::version(version)?,
            email: Email::of(&email),
            role,
            password: PasswordHash(password),
            profile: Profile { name, locale, time_zone, phone },
            verified,
            disabled,
            created_at: Timestamp::new(created_at),
            updated_at: Timestamp::new(updated_at),
        })
    }
}

impl From<Link> for LinkRow {
    fn from(link: Link) -> Self {
        let Link { digest, purpose, user, expires_at } = link;
        let purpose = purpose_name(purpose).to_owned();
        Self { digest: digest.0.to_vec(), purpose, user_id: user.0, expires_at: expires_at.get() }
    }
}

impl TryFrom<LinkRow> for Link {
    type Error = sqlx::Error;

    fn try_from(row: LinkRow) -> Result<Self, sqlx::Error> {
        let LinkRow { digest: bytes, purpose, user_id, expires_at } = row;
        let purpose = match purpose.as_str() {
            "verify" => Purpose::Verify,
            "reset" => Purpose::Reset,
            other => return Err(decode_error(format!("unknown purpose of a link: {other}"))),
        };
        Ok(Self { digest: digest(bytes)?, purpose, user: UserId(user_id), expires_at: Timestamp::new(expires_at) })
    }
}

impl From<Session> for SessionRow {
    fn from(session: Session) -> Self {
        let Session { id, user, expires_at, ended_at } = session;
        Self { session_id: id.0, user_id: user.0, expires_at: expires_at.get(), ended_at: ended_at.map(Timestamp::get) }
    }
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        let SessionRow { session_id, user_id, expires_at, ended_at } = row;
        Self {
            id: SessionId(session_id),
            user: UserId(user_id),
            expires_at: Timestamp::new(expires_at),
            ended_at: ended_at.map(Timestamp::new),
        }
    }
}

impl From<RefreshToken> for RefreshTokenRow {
    fn from(token: RefreshToken) -> Self {
        let RefreshToken { digest, session, exchanged_at } = token;
        Self { digest: digest.0.to_vec(), session_id: session.0, exchanged_at: exchanged_at.map(Timestamp::get) }
    }
}

impl TryFrom<RefreshTokenRow> for RefreshToken {
    type Error = sqlx::Error;

    fn try_from(row: RefreshTokenRow) -> Result<Self, sqlx::Error> {
        let RefreshTokenRow { digest: bytes, session_id, exchanged_at } = row;
        let exchanged_at = exchanged_at.map(Timestamp::new);
        Ok(Self { digest: digest(bytes)?, session: SessionId(session_id), exchanged_at })
    }
}

impl From<Throttle> for ThrottleRow {
    fn from(throttle: Throttle) -> Self {
        let Throttle { subject, count, last_at } = throttle;
        Self { subject, count, last_at: last_at.get() }
    }
}

impl TryFrom<ThrottleRow> for Throttle {
    type Error = sqlx::Error;

    fn try_from(row: ThrottleRow) -> Result<Self, sqlx::Error> {
        let ThrottleRow { subject, count, last_at } = row;
        Ok(Self { subject, count, last_at: Timestamp::new(last_at) })
    }
}

impl AddressRow {
    /// Maps the saved addresses of a user.
    pub fn all(user: UserId, book: AddressBook) -> Vec<Self> {
        let row = |(label, address): (String, Address)| {
            let Address { recipient, lines, city, postal_code, country_code } = address;
            Self { user_id: user.0, label, recipient, lines, city, postal_code, country_code }
        };
        book.0.into_iter().map(row).collect()
    }
}

impl TryFrom<AddressRow> for (String, Address) {
    type Error = sqlx::Error;

    fn try_from(row: AddressRow) -> Result<Self, sqlx::Error> {
        let AddressRow { user_id: _, label, recipient, lines, city, postal_code, country_code } = row;
        Ok((label, Address { recipient, lines, city, postal_code, country_code }))
    }
}

/// Returns the stored name of a link's purpose.
pub fn purpose_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Verify => "verify",
        Purpose::Reset => "reset",
    }
}

fn digest(bytes: Vec<u8>) -> Result<Digest, sqlx::Error> {
    bytes.try_into().map(Digest).map_err(|_| decode_error("a digest has 32 bytes"))
}
