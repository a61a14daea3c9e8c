//! The contact of an order.

use mart_kernel::Version;
use uuid::Uuid;

use super::Locale;

/// An order's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub Uuid);

/// A customer: the subject of their tokens.
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
    /// The customer's language.
    pub locale: Locale,
}

impl Contact {
    /// Returns the newer contact; the received one if both are of the same version.
    #[must_use]
    pub fn newer(told: Self, known: Option<Self>) -> Self {
        match known {
            Some(known) if known.version > told.version => known,
            _ => told,
        }
    }
}
