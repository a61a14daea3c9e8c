//! Pure value types that the services' cores share.
//!
//! A core depends on this crate and on value crates only. There is deliberately no I/O here, no clock that reads the
//! machine's time and no source of randomness: both are ports ([`Clock`], [`Ids`]) that an adapter implements.

pub mod clock;
pub mod commit;
pub mod fingerprint;
pub mod ids;
pub mod money;
pub mod page;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod version;

pub use clock::{Clock, Timestamp};
pub use commit::{Commit, CommitError, Done, Event, Receipt, ReceiptFor, Unavailable};
pub use fingerprint::Fingerprint;
pub use ids::Ids;
pub use money::Money;
pub use page::{Newest, Page, PageSeal, PageSize};
pub use version::Version;
