//! Payment providers, the choice of a provider, and their events.

use mart_kernel::{Money, Timestamp};

use super::RefundId;

/// A payment provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// Our own for development. It takes no money.
    Sandbox,
    /// Stripe: cards of all countries.
    Stripe,
    /// PayFast of Pakistan (gopayfast.com): rupees only.
    PayFast,
}

impl Provider {
    /// All providers.
    pub const ALL: [Self; 3] = [Self::Sandbox, Self::Stripe, Self::PayFast];

    /// Returns the name that the API and the events use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Stripe => "stripe",
            Self::PayFast => "payfast",
        }
    }

    /// Returns the provider with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == name)
    }
}

/// A rule that chooses a provider by currency and country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The currency; `None` matches every currency.
    pub currency: Option<String>,
    /// The country; `None` matches every country.
    pub country: Option<String>,
    /// The provider.
    pub provider: Provider,
}

impl Rule {
    /// Parses `<currency>/<country>=<provider>`, such as `PKR/PK=payfast` or `EUR=stripe`. `*` matches everything, and `/*` may be
    /// omitted.
    pub fn parse(text: &str) -> Option<Self> {
        let (pattern, provider) = text.split_once('=')?;
        let (currency, country) = pattern.split_once('/').unwrap_or((pattern, "*"));
        let code = |code: &str, letters: usize| {
            let valid = code.len() == letters && code.bytes().all(|letter| letter.is_ascii_uppercase());
            if code == "*" { Some(None) } else { valid.then(|| Some(code.to_owned())) }
        };
        Some(Self {
            currency: code(currency, 3)?,
            country: code(country, 2)?,
            provider: Provider::from_name(provider)?,
        })
    }

    fn matches(&self, currency: &str, country: &str) -> bool {
        self.currency.as_deref().is_none_or(|required| required == currency)
            && self.country.as_deref().is_none_or(|required| required == country)
    }
}

/// The offered providers and the rules that choose one of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routing {
    /// The providers that open new checkouts.
    pub offered: Vec<Provider>,
    /// The rules, which precede the default. The first match wins.
    pub rules: Vec<Rule>,
}

impl Routing {
    /// Returns the provider for a currency and a country, or `None` if no offered provider accepts the currency.
    ///
    /// If the customer requests a provider, only that one is considered. Otherwise the first matching rule decides. The default is
    /// PayFast for rupees to Pakistan, then Stripe, then any other provider that accepts the currency.
    pub fn choose(&self, requested: Option<Provider>, currency: &str, country: &str) -> Option<Provider> {
        let accepts = |provider: &Provider| {
            self.offered.contains(provider) && (*provider != Provider::PayFast || currency == "PKR")
        };
        if requested.is_some() {
            return requested.filter(accepts);
        }
        let by_rule = self.rules.iter().filter(|rule| rule.matches(currency, country)).map(|rule| rule.provider);
        // If the country is unknown, rupees are most likely Pakistan's.
        let default = if matches!(country, "" | "PK") { Provider::PayFast } else { Provider::Stripe };
        by_rule.chain([default, Provider::Stripe, Provider::PayFast, Provider::Sandbox]).find(accepts)
    }
}

/// A provider's webhook event, stored before it is processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The provider and its id of the event.
    pub id: CallbackId,
    /// The event.
    pub event: ProviderEvent,
    /// When it was received.
    pub at: Timestamp,
}

/// A provider and its id of an event. The same event is processed once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallbackId {
    /// The provider.
    pub provider: Provider,
    /// The provider's id of the event.
    pub event: String,
}

/// A provider's event about an attempt or its captured money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    /// The provider.
    pub provider: Provider,
    /// The attempt or the money that the event is about.
    pub subject: Subject,
    /// The kind of event.
    pub kind: ProviderEventKind,
}

/// The subject of an event, as the provider's reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An attempt.
    Attempt(String),
    /// Captured money.
    Money(String),
}

/// A report of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderEventKind {
    /// Money was captured.
    Captured {
        /// The provider's reference.
        reference: String,
        /// The amount as the provider wrote it.
        reported_amount: String,
        /// The parsed amount; `None` if it is not an amount of a known currency.
        amount: Option<Money>,
    },
    /// The payment failed, for this reason.
    Failed(String),
    /// The checkout ended without money.
    CheckoutExpired,
    /// Money was refunded.
    Refunded {
        /// Our id of the refund.
        refund: RefundId,
        /// The provider's reference.
        reference: String,
    },
    /// Money was refunded without our request, for instance by an operator in the provider's dashboard.
    ExternalRefund {
        /// Our id of the refund, derived from the provider's.
        refund: RefundId,
        /// The provider's reference.
        reference: String,
        /// The amount as the provider wrote it.
        reported_amount: String,
        /// The parsed amount; `None` if it is not an amount of a known currency.
        amount: Option<Money>,
    },
    /// A refund failed.
    RefundFailed {
        /// Our id of the refund.
        refund: RefundId,
        /// The provider's reason.
        reason: String,
    },
    /// An operator has to act, for this reason.
    NeedsReview(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    const SANDBOX: Provider = Provider::Sandbox;
    const STRIPE: Provider = Provider::Stripe;
    const PAYFAST: Provider = Provider::PayFast;

    fn routing(offered: &[Provider], rules: &[&str]) -> Routing {
        Routing {
            offered: offered.to_vec(),
            rules: rules.iter().map(|rule| Rule::parse(rule).expect("a rule")).collect(),
        }
    }

    #[test]
    fn payfast_takes_rupees_to_pakistan_and_stripe_the_rest() {
        for (offered, currency, country, expected) in [
            (&Provider::ALL[..], "PKR", "PK", Some(PAYFAST)),
            (&Provider::ALL, "PKR", "", Some(PAYFAST)),
            (&Provider::ALL, "PKR", "DE", Some(STRIPE)),
            (&Provider::ALL, "USD", "PK", Some(STRIPE)),
            (&[SANDBOX, STRIPE], "PKR", "PK", Some(STRIPE)),
            (&[SANDBOX, PAYFAST], "PKR", "DE", Some(PAYFAST)),
            (&[SANDBOX, PAYFAST], "USD", "DE", Some(SANDBOX)),
            (&[PAYFAST], "USD", "PK", None),
            (&[], "PKR", "PK", None),
        ] {
            assert_eq!(routing(offered, &[]).choose(None, currency, country), expected, "{currency} to {country}");
        }
    }

    #[test]
    fn rules_precede_the_default_if_their_provider_accepts() {
        let all = routing(&Provider::ALL, &["PKR/PK=sandbox", "*/DE=payfast", "EUR=sandbox", "*/FR=stripe"]);
        for (currency, country, expected) in [
            ("PKR", "PK", SANDBOX),
            ("PKR", "DE", PAYFAST),
            ("USD", "DE", STRIPE),
            ("EUR", "DE", SANDBOX),
            ("EUR", "FR", SANDBOX),
            ("PKR", "FR", STRIPE),
            ("PKR", "", PAYFAST),
        ] {
            assert_eq!(all.choose(None, currency, country), Some(expected), "{currency} to {country}");
        }
        assert_eq!(routing(&[STRIPE], &["PKR=payfast"]).choose(None, "PKR", "PK"), Some(STRIPE));
        for invalid in [
            "",
            "PKR",
            "PKR=",
            "PKR=paypal",
            "pkr=stripe",
            "PKRS=stripe",
            "PKR/pk=stripe",
            "PKR/PAK=stripe",
            "/PK=stripe",
        ] {
            assert_eq!(Rule::parse(invalid), None, "{invalid}");
        }
    }

    #[test]
    fn a_requested_provider_must_be_offered_and_accept_currency() {
        let all = routing(&Provider::ALL, &["PKR=payfast"]);
        assert_eq!(all.choose(Some(SANDBOX), "PKR", "PK"), Some(SANDBOX));
        assert_eq!(all.choose(Some(PAYFAST), "USD", "PK"), None);
        assert_eq!(routing(&[SANDBOX], &[]).choose(Some(STRIPE), "USD", "DE"), None);
    }

    #[test]
    fn every_provider_is_found_by_its_name() {
        assert_eq!(Provider::ALL.map(|provider| Provider::from_name(provider.name())), Provider::ALL.map(Some));
        assert_eq!(Provider::from_name("paypal"), None);
    }
}
