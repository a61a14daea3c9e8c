//! The content of messages before and after rendering.

use mart_kernel::{Money, Timestamp};

use super::OrderId;

/// The kind of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A registration, with the link that verifies the email address.
    Registration,
    /// A forgotten password, with the link that resets it.
    Reset,
    /// An order was placed.
    Placed,
    /// The order is paid.
    Paid,
    /// An attempt to pay failed.
    Failed,
    /// The order was shipped.
    Shipped,
    /// The order was delivered.
    Delivered,
    /// The order was cancelled.
    Cancelled,
    /// A payment was refunded.
    Refunded,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Registration,
        Self::Reset,
        Self::Placed,
        Self::Paid,
        Self::Failed,
        Self::Shipped,
        Self::Delivered,
        Self::Cancelled,
        Self::Refunded,
    ];

    /// Returns the stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Reset => "reset",
            Self::Placed => "placed",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Refunded => "refunded",
        }
    }

    /// Returns the kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A language of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Locale {
    /// English, the default.
    #[default]
    English,
    /// Urdu, written from right to left.
    Urdu,
}

impl Locale {
    /// Returns the language of a locale such as `ur-PK`: Urdu, or English for every other locale and for none.
    pub fn of(tag: &str) -> Self {
        match tag.split(['-', '_']).next() {
            Some(language) if language.eq_ignore_ascii_case("ur") => Self::Urdu,
            _ => Self::English,
        }
    }

    /// Returns the BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Urdu => "ur",
        }
    }
}

/// The content of a message. Unknown values are empty or absent, and the message is complete without them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationContent {
    /// A registration.
    Registration(Link),
    /// A forgotten password.
    Reset(Link),
    /// An order was placed.
    Placed(Order),
    /// The order is paid.
    Paid(Order),
    /// An attempt to pay the order failed.
    Failed {
        /// The order.
        order: Order,
        /// The provider's reason.
        reason: String,
    },
    /// The order was shipped.
    Shipped {
        /// The order.
        order: Order,
        /// The carrier's name.
        carrier: String,
        /// The carrier's tracking number.
        tracking: String,
    },
    /// The order was delivered.
    Delivered(Order),
    /// The order was cancelled.
    Cancelled {
        /// The order.
        order: Order,
        /// The reason, if it is known.
        reason: Option<CancelReason>,
    },
    /// A payment was refunded.
    Refunded {
        /// The order.
        order: Order,
        /// The refunded amount.
        amount: Option<Money>,
    },
}

/// A link that can be used once.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// The user's name.
    pub name: String,
    /// The secret token.
    pub token: String,
    /// When the link expires.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// The values of an order that messages contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The order's id.
    pub id: OrderId,
    /// The customer's name.
    pub name: String,
    /// The lines.
    pub lines: Vec<Line>,
    /// The total.
    pub total: Option<Money>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The product's name.
    pub name: String,
    /// The number of units.
    pub quantity: i32,
    /// The price of these units.
    pub sum: Option<Money>,
}

/// The reason for the cancellation of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// The customer cancelled it.
    Customer,
    /// The shop cancelled it.
    Shop,
    /// Not all products are in stock.
    NoStock,
    /// The order was not paid in time.
    NotPaid,
}

impl NotificationContent {
    /// Returns the kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Registration(_) => Kind::Registration,
            Self::Reset(_) => Kind::Reset,
            Self::Placed(_) => Kind::Placed,
            Self::Paid(_) => Kind::Paid,
            Self::Failed { .. } => Kind::Failed,
            Self::Shipped { .. } => Kind::Shipped,
            Self::Delivered(_) => Kind::Delivered,
            Self::Cancelled { .. } => Kind::Cancelled,
            Self::Refunded { .. } => Kind::Refunded,
        }
    }

    /// Returns when the link expires, if the content has one.
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Registration(link) | Self::Reset(link) => Some(link.expires_at),
            _ => None,
        }
    }

    /// Returns the id of the order, if the content is about one.
    pub fn order(&self) -> Option<OrderId> {
        match self {
            Self::Registration(_) | Self::Reset(_) => None,
            Self::Placed(order)
            | Self::Paid(order)
            | Self::Delivered(order)
            | Self::Failed { order, .. }
            | Self::Shipped { order, .. }
            | Self::Cancelled { order, .. }
            | Self::Refunded { order, .. } => Some(order.id),
        }
    }
}

/// A rendered message. A text message uses only the text.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RenderedMessage {
    /// The subject line.
    pub title: String,
    /// The plain text.
    pub text: String,
    /// The same content as HTML; empty for a text message.
    pub html: String,
}

impl std::fmt::Debug for RenderedMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text and the HTML may contain a link with its secret.
        f.debug_struct("RenderedMessage").field("title", &self.title).finish_non_exhaustive()
    }
}
