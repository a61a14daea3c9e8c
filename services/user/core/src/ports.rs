//! The ports of user: the store, the hasher, the signer and the source of secrets.

use std::future::Future;

use mart_kernel::{Cursor, StoreError, Timestamp};

use crate::domain::events::Token;
use crate::domain::{
    AddressBook, Change, Digest, Email, PasswordHash, Role, Rows, Throttle, ThrottlePolicy, User, UserId,
};

/// Stores users, links, sessions, throttles and events.
///
/// Every implementation passes [`conformance`](mod@crate::conformance). Each method returns [`StoreError`] if the store fails; the
/// implementation logs the cause.
pub trait Store: Send + Sync {
    /// Decides a change of the rows of a scope and commits it.
    ///
    /// The users of the scope, of its link and of its session are locked in the order of their ids until the commit, and so is the
    /// address, even if it has no row yet, so that decisions about one address are sequential. `decide` is called at most once.
    fn decide<T: Send + 'static>(
        &self,
        scope: Scope,
        decide: impl FnOnce(Rows) -> (Change, T) + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;

    /// Returns the verified user with this address.
    fn find_by_email(&self, email: &Email) -> impl Future<Output = Result<Option<User>, StoreError>> + Send;

    /// Returns a verified user.
    fn find(&self, id: UserId) -> impl Future<Output = Result<Option<User>, StoreError>> + Send;

    /// Returns up to `limit` verified users, newest first, after the cursor.
    fn list(&self, after: Option<Cursor>, limit: usize) -> impl Future<Output = Result<Vec<User>, StoreError>> + Send;

    /// Returns the addresses of a user.
    fn find_addresses(&self, id: UserId) -> impl Future<Output = Result<AddressBook, StoreError>> + Send;

    /// Returns the throttles of these subjects.
    fn find_throttles(&self, subjects: &[String]) -> impl Future<Output = Result<Vec<Throttle>, StoreError>> + Send;

    /// Deletes registrations that were not verified while their links were valid, and expired links, sessions and throttles.
    /// Returns the number of rows.
    fn purge_expired(
        &self,
        now: Timestamp,
        policy: &ThrottlePolicy,
    ) -> impl Future<Output = Result<usize, StoreError>> + Send;
}

/// The rows that a decision needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// All users with an address, verified or not.
    pub email: Option<Email>,
    /// The users.
    pub users: Vec<UserId>,
    /// A link, with its user and all others of the same address.
    pub link: Option<Digest>,
    /// A refresh token, with its session and user.
    pub token: Option<Digest>,
    /// The throttles.
    pub throttle: Vec<String>,
    /// The user whose addresses are needed, who is locked too.
    pub addresses_of: Option<UserId>,
}

/// Hashes passwords slowly and with a salt, a bounded number concurrently.
pub trait Hasher: Send + Sync {
    /// Returns the hash of a password, or an error if too many passwords wait.
    fn hash(&self, password: String) -> impl Future<Output = Result<PasswordHash, Overloaded>> + Send;

    /// Returns whether a password has this hash. Without a hash, the work is the same and the result is `false`.
    fn verify(
        &self,
        password: String,
        hash: Option<PasswordHash>,
    ) -> impl Future<Output = Result<bool, Overloaded>> + Send;
}

/// Too many passwords wait to be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords wait to be hashed")]
pub struct Overloaded;

/// Signs access tokens.
pub trait Signer: Send + Sync {
    /// Returns a token for a user and its expiry, or `None` if it could not be signed; the implementation logs the cause.
    fn sign(&self, user: UserId, role: Role, now: Timestamp) -> Option<(String, Timestamp)>;
}

/// Generates secrets.
pub trait Secrets: Send + Sync {
    /// Returns a new secret of 256 random bits.
    fn next(&self) -> Token;
}
