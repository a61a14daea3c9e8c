//! Notifications: what a customer is told, whether he wants it, and what became of it.

mod contact;
pub mod fact;
mod matter;
pub(crate) mod notification;
mod policy;
mod preference;

pub use contact::{Contact, CustomerId, OrderId};
pub use fact::Fact;
pub use matter::{CancelReason, Kind, Letter, Line, Link, Locale, Matter, Order};
pub use notification::{Change, NotFailed, Notification, NotificationId, Status, StatusName, Subject};
pub use policy::Policy;
pub use preference::{Channel, Fixed, Preference, Preferences};
