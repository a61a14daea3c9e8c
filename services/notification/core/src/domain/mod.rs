//! Notifications: what a customer is told, whether he wants it, and what became of it.

mod contact;
mod content;
pub mod events;
pub(crate) mod notification;
mod policy;
mod preference;

pub use contact::{Contact, CustomerId, OrderId};
pub use content::{CancelReason, Kind, Line, Link, Locale, NotificationContent, Order, RenderedMessage};
pub use events::NotificationEvent;
pub use notification::{Change, NotFailed, Notification, NotificationId, Status, StatusKind, Subject};
pub use policy::Policy;
pub use preference::{Channel, Fixed, Preference, Preferences};
