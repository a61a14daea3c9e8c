//! What a customer wants to be told, by which channel.

use std::collections::BTreeMap;

use super::Kind;

/// How a notification travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// By mail.
    Mail,
    /// To a phone.
    Sms,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Mail, Self::Sms];

    /// Its name, as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Sms => "sms",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// What is done where a customer has said nothing, and whether he may say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// The account or the law needs it.
    Always,
    /// Links are for mailboxes: a phone is never asked for one.
    Never,
    /// As the customer says; this where he says nothing.
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

/// Whether a kind of notification is sent on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preference {
    /// What it tells.
    pub kind: Kind,
    /// How it travels.
    pub channel: Channel,
    /// Whether it is sent.
    pub enabled: bool,
    /// Whether the customer can't change that.
    pub fixed: bool,
}

/// That can't be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixed;

/// What one customer has said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preferences(pub BTreeMap<(Kind, Channel), bool>);

impl Preferences {
    /// Whether a kind is sent on a channel. What was said once about something that is fixed by now counts for nothing.
    pub fn of(&self, kind: Kind, channel: Channel) -> Preference {
        let (enabled, fixed) = match rule(kind, channel) {
            Rule::Always => (true, true),
            Rule::Never => (false, true),
            Rule::Usually(usual) => (self.0.get(&(kind, channel)).copied().unwrap_or(usual), false),
        };
        Preference { kind, channel, enabled, fixed }
    }

    /// For every kind and channel.
    pub fn all(&self) -> Vec<Preference> {
        let kinds = Kind::ALL.into_iter();
        kinds.flat_map(|kind| Channel::ALL.map(|channel| self.of(kind, channel))).collect()
    }

    /// What it becomes when the customer says so. To say what is fixed as it is changes nothing.
    pub fn choose(&self, kind: Kind, channel: Channel, enabled: bool) -> Result<Preference, Fixed> {
        match self.of(kind, channel) {
            now if now.enabled == enabled => Ok(now),
            Preference { fixed: true, .. } => Err(Fixed),
            now => Ok(Preference { enabled, ..now }),
        }
    }
}
