//! The preferences of a customer: which kinds are sent on which channel.

use std::collections::BTreeMap;

use super::Kind;

/// A channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Email.
    Mail,
    /// Text message.
    Sms,
}

impl Channel {
    /// All channels.
    pub const ALL: [Self; 2] = [Self::Mail, Self::Sms];

    /// Returns the stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Sms => "sms",
        }
    }

    /// Returns the channel with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// The default of a kind and channel, and whether the customer can change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Mandatory for the account or by law.
    Mandatory,
    /// Never sent: links are sent by mail only.
    Unsupported,
    /// Optional, with this default.
    Optional(bool),
}

fn rule(kind: Kind, channel: Channel) -> Rule {
    match (channel, kind) {
        (Channel::Mail, Kind::Failed | Kind::Shipped | Kind::Delivered) => Rule::Optional(true),
        (Channel::Mail, _) => Rule::Mandatory,
        (Channel::Sms, Kind::Registration | Kind::Reset) => Rule::Unsupported,
        (Channel::Sms, kind) => Rule::Optional(matches!(kind, Kind::Shipped | Kind::Cancelled)),
    }
}

/// Whether a kind is sent on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preference {
    /// The kind.
    pub kind: Kind,
    /// The channel.
    pub channel: Channel,
    /// Whether it is sent.
    pub enabled: bool,
    /// Whether the customer cannot change it.
    pub fixed: bool,
}

/// The preference is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the preference is fixed")]
pub struct Fixed;

/// The preferences that a customer has set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preferences(pub BTreeMap<(Kind, Channel), bool>);

impl Preferences {
    /// Returns whether a kind is sent on a channel. A stored value is ignored if the preference has become fixed.
    pub fn get(&self, kind: Kind, channel: Channel) -> Preference {
        let (enabled, fixed) = match rule(kind, channel) {
            Rule::Mandatory => (true, true),
            Rule::Unsupported => (false, true),
            Rule::Optional(default) => (self.0.get(&(kind, channel)).copied().unwrap_or(default), false),
        };
        Preference { kind, channel, enabled, fixed }
    }

    /// Returns the preferences of all kinds and channels.
    pub fn all(&self) -> Vec<Preference> {
        let kinds = Kind::ALL.into_iter();
        kinds.flat_map(|kind| Channel::ALL.map(|channel| self.get(kind, channel))).collect()
    }

    /// Returns the preference with a new value, or an error if it is fixed to another one.
    pub fn changed(&self, kind: Kind, channel: Channel, enabled: bool) -> Result<Preference, Fixed> {
        match self.get(kind, channel) {
            current if current.enabled == enabled => Ok(current),
            Preference { fixed: true, .. } => Err(Fixed),
            current => Ok(Preference { enabled, ..current }),
        }
    }
}
