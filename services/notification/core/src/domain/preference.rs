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
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// The default of a kind and channel, and whether the customer can change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Mandatory for the account or by law.
    Always,
    /// Never sent: links go to mailboxes only.
    Never,
    /// Optional, with this default.
    Usually(bool),
}

fn rule(kind: Kind, channel: Channel) -> Rule {
    match (channel, kind) {
        (Channel::Mail, Kind::Failed | Kind::Shipped | Kind::Delivered) => Rule::Usually(true),
        (Channel::Mail, _) => Rule::Always,
        (Channel::Sms, Kind::Registration | Kind::Reset) => Rule::Never,
        (Channel::Sms, kind) => Rule::Usually(matches!(kind, Kind::Shipped | Kind::Cancelled)),
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

/// The preference cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixed;

/// The preferences that a customer has set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preferences(pub BTreeMap<(Kind, Channel), bool>);

impl Preferences {
    /// Returns whether a kind is sent on a channel. A stored preference that became mandatory is ignored.
    pub fn of(&self, kind: Kind, channel: Channel) -> Preference {
        let (enabled, fixed) = match rule(kind, channel) {
            Rule::Always => (true, true),
            Rule::Never => (false, true),
            Rule::Usually(usual) => (self.0.get(&(kind, channel)).copied().unwrap_or(usual), false),
        };
        Preference { kind, channel, enabled, fixed }
    }

    /// Returns the preferences of all kinds and channels.
    pub fn all(&self) -> Vec<Preference> {
        let kinds = Kind::ALL.into_iter();
        kinds.flat_map(|kind| Channel::ALL.map(|channel| self.of(kind, channel))).collect()
    }

    /// Returns a changed preference, or an error if it is fixed. Setting a fixed one to its value has no effect.
    pub fn choose(&self, kind: Kind, channel: Channel, enabled: bool) -> Result<Preference, Fixed> {
        match self.of(kind, channel) {
            now if now.enabled == enabled => Ok(now),
            Preference { fixed: true, .. } => Err(Fixed),
            now => Ok(Preference { enabled, ..now }),
        }
    }
}
