//! The contact of an order.

use mart_kernel::Version;
use uuid::Uuid;

use super::Locale;

/// An order's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub Uuid);

/// A customer's id: the subject of their tokens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerId(pub String);

/// The contact of an order, by its latest event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The order.
    pub order: OrderId,
    /// The version of the order that it is from.
    pub version: Version,
    /// The customer.
    pub customer: CustomerId,
    /// The customer's name; empty if it is unknown.
    pub name: String,
    /// The email address; empty if there is none.
    pub email: String,
    /// The phone number in E.164 form; empty if there is none.
    pub phone: String,
    /// The language of messages.
    pub locale: Locale,
}

impl Contact {
    /// Returns the newer contact, or the received one if both have the same version.
    #[must_use]
    pub fn newer(received: Self, stored: Option<Self>) -> Self {
        match stored {
            Some(stored) if stored.version > received.version => stored,
            _ => received,
        }
    }
}
