//! Whom to tell about an order.

use mart_kernel::Version;
use uuid::Uuid;

use super::Locale;

/// An order's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub Uuid);

/// A customer: the subject of his token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerId(pub String);

/// Whom to tell about an order, as the order said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The order.
    pub order: OrderId,
    /// The version of the order that said so.
    pub version: Version,
    /// Who ordered.
    pub customer: CustomerId,
    /// How he is called; empty where that is not known.
    pub name: String,
    /// His mailbox; empty for none.
    pub email: String,
    /// His phone as E.164; empty for none.
    pub phone: String,
    /// The language that he reads.
    pub locale: Locale,
}

impl Contact {
    /// The newer of what is known and what is told; of one version what is told.
    #[must_use]
    pub fn newer(told: Self, known: Option<Self>) -> Self {
        match known {
            Some(known) if known.version > told.version => known,
            _ => told,
        }
    }
}
