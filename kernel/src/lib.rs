//! Pure value types that the services' cores share.
//!
//! A core depends on this crate and on value crates only. This crate has no I/O, reads no system clock and uses no source of
//! randomness: time and ids are ports ([`Clock`], [`IdGenerator`]) that an adapter implements.

pub mod change;
pub mod clock;
pub mod commit;
pub mod fingerprint;
pub mod ids;
pub mod money;
pub mod page;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod version;

pub use change::{ChangeError, change, process_each};
pub use clock::{Clock, Timestamp};
pub use commit::{
    Commit, CommitError, CommitOutcome, EventEnvelope, EventOutcome, Receipt, ReceiptBuilder, StoreError,
};
pub use fingerprint::Fingerprint;
pub use ids::IdGenerator;
pub use money::Money;
pub use page::{Cursor, ListError, Page, PageSize, PageTokenSigner, Republished};
pub use version::Version;
