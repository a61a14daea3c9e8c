//! Notifications: their content, the customers' preferences and their delivery.

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
