//! What there is to tell, and the letter that tells it.

use mart_kernel::{Money, Timestamp};

use super::OrderId;

/// What a notification tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Somebody registered: the link that proves the mailbox.
    Registration,
    /// Somebody forgot a password: the link that resets it.
    Reset,
    /// An order was placed.
    Placed,
    /// It is paid.
    Paid,
    /// An attempt to pay failed.
    Failed,
    /// It is on its way.
    Shipped,
    /// It has arrived.
    Delivered,
    /// It was cancelled.
    Cancelled,
    /// Money went back.
    Refunded,
}

impl Kind {
    /// All of them.
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

    /// Its name, as it is stored.
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

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A language that letters are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Locale {
    /// English, for everybody whose language is not written.
    #[default]
    English,
    /// Urdu, written from the right to the left.
    Urdu,
}

impl Locale {
    /// The language for a locale such as `ur-PK`: Urdu for Urdu, English for every other and for none.
    pub fn of(tag: &str) -> Self {
        match tag.split(['-', '_']).next() {
            Some(language) if language.eq_ignore_ascii_case("ur") => Self::Urdu,
            _ => Self::English,
        }
    }

    /// Its tag of BCP 47.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Urdu => "ur",
        }
    }
}

/// What there is to tell. What is not known is empty or absent, and the letter is whole without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationContent {
    /// Somebody registered.
    Registration(Link),
    /// Somebody forgot a password.
    Reset(Link),
    /// An order was placed.
    Placed(Order),
    /// It is paid.
    Paid(Order),
    /// An attempt to pay it failed.
    Failed {
        /// The order.
        order: Order,
        /// Why, in the provider's words.
        reason: String,
    },
    /// It is on its way.
    Shipped {
        /// The order.
        order: Order,
        /// Who carries it.
        carrier: String,
        /// The carrier's number for it.
        tracking: String,
    },
    /// It has arrived.
    Delivered(Order),
    /// It was cancelled.
    Cancelled {
        /// The order.
        order: Order,
        /// Why.
        why: Option<CancelReason>,
    },
    /// Money went back.
    Refunded {
        /// The order.
        order: Order,
        /// How much.
        amount: Option<Money>,
    },
}

/// A link that is good once, for whoever reads the mailbox.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// How the user wants to be called.
    pub name: String,
    /// What proves the mailbox.
    pub token: String,
    /// Until when it is good.
    pub until: Timestamp,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("until", &self.until).finish_non_exhaustive()
    }
}

/// What an order's letters tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// How the customer is called.
    pub name: String,
    /// What was ordered.
    pub lines: Vec<Line>,
    /// What it costs.
    pub total: Option<Money>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The product's name.
    pub name: String,
    /// How many units.
    pub quantity: i32,
    /// What they cost.
    pub sum: Option<Money>,
}

/// Why an order was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// The customer wanted it.
    Customer,
    /// The shop wanted it.
    Shop,
    /// A product lacked.
    NoStock,
    /// It was not paid in time.
    NotPaid,
}

impl NotificationContent {
    /// What it tells.
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

    /// Until when its link is good, where it has one.
    pub fn good_until(&self) -> Option<Timestamp> {
        match self {
            Self::Registration(link) | Self::Reset(link) => Some(link.until),
            _ => None,
        }
    }

    /// The order that it is about.
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

/// What is sent. A message to a phone has a text only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RenderedMessage {
    /// One line that says what it is about.
    pub title: String,
    /// All of it, for people who read text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

impl std::fmt::Debug for RenderedMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The rest may have a link in it.
        f.debug_struct("RenderedMessage").field("title", &self.title).finish_non_exhaustive()
    }
}
