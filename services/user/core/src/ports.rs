//! What user needs from a store, a hasher and a source of secrets.

use std::future::Future;

use mart_kernel::{Cursor, StoreError, Timestamp};

use crate::domain::events::Token;
use crate::domain::{
    AddressBook, Change, Digest, Email, PasswordHash, Role, Rows, Throttle, ThrottlePolicy, User, UserId,
};

/// Keeps users, links, sessions, throttle and events.
///
/// Every implementation passes [`conformance`](mod@crate::conformance). Each method fails with [`Unavailable`] where the store can't be reached; the implementation logs why.
pub trait Store: Send + Sync {
    /// Decides about some rows and keeps what was decided.
    ///
    /// The users of the scope, those of its link and of its session are locked in the order of their ids until the decision is
    /// kept, and so is the address itself, so that decisions about the same address follow one another although it has no row
    /// yet. `decide` is called at most once.
    fn decide<T: Send + 'static>(
        &self,
        scope: Scope,
        decide: impl FnOnce(Rows) -> (Change, T) + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;

    /// The user of an address whose mailbox is proved.
    fn proved(&self, email: &Email) -> impl Future<Output = Result<Option<User>, StoreError>> + Send;

    /// Finds a user whose mailbox is proved.
    fn find(&self, id: UserId) -> impl Future<Output = Result<Option<User>, StoreError>> + Send;

    /// Up to `limit` users whose mailboxes are proved, newest first, beginning after the cursor.
    fn list(&self, after: Option<Cursor>, limit: usize) -> impl Future<Output = Result<Vec<User>, StoreError>> + Send;

    /// The addresses of a user.
    fn addresses(&self, id: UserId) -> impl Future<Output = Result<AddressBook, StoreError>> + Send;

    /// Those of these throttle that have counted.
    fn throttle(&self, subjects: &[String]) -> impl Future<Output = Result<Vec<Throttle>, StoreError>> + Send;

    /// Forgets registrations that nobody proved while their links were good, and links, sessions and throttle that are of no use
    /// any more; how many.
    fn forget(
        &self,
        now: Timestamp,
        throttle: &ThrottlePolicy,
    ) -> impl Future<Output = Result<usize, StoreError>> + Send;
}

/// What a decision is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// All users of an address, proved or not.
    pub email: Option<Email>,
    /// Users.
    pub users: Vec<UserId>,
    /// A link, with its user and all others of the same address.
    pub link: Option<Digest>,
    /// A refresh token, with its session and user.
    pub token: Option<Digest>,
    /// ThrottlePolicy.
    pub throttle: Vec<String>,
    /// The user whose addresses it is about, who is locked too.
    pub addresses_of: Option<UserId>,
}

/// Hashes passwords, slowly and with a salt; a bounded number of them at a time.
pub trait Hasher: Send + Sync {
    /// The hash of a password; fails where too many wait.
    fn hash(&self, password: String) -> impl Future<Output = Result<PasswordHash, Overloaded>> + Send;

    /// Whether a password has this hash. Without one the work is the same and the answer is no.
    fn verify(
        &self,
        password: String,
        hash: Option<PasswordHash>,
    ) -> impl Future<Output = Result<bool, Overloaded>> + Send;
}

/// Too many passwords wait to be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overloaded;

/// Signs access tokens.
pub trait Signer: Send + Sync {
    /// A token for a user, and until when it is good; nothing where it could not be signed, which the implementation logs.
    fn sign(&self, user: UserId, role: Role, now: Timestamp) -> Option<(String, Timestamp)>;
}

/// Makes secrets that nobody can guess.
pub trait Secrets: Send + Sync {
    /// A new one, of 256 random bits.
    fn next(&self) -> Token;
}
