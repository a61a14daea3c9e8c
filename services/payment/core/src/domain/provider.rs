//! Providers, and their event.

use mart_kernel::{Money, Timestamp};

use super::RefundId;

/// Who takes money for the mart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// Our own, for development: it takes no money.
    Sandbox,
    /// Cards, all over the world.
    Stripe,
    /// PayFast of Pakistan (gopayfast.com): rupees.
    PayFast,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sandbox, Self::Stripe, Self::PayFast];

    /// Its name, as customers and events have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Stripe => "stripe",
            Self::PayFast => "payfast",
        }
    }

    /// The provider of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == name)
    }
}

/// Whom orders of a currency, or to a country, are paid with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The currency; any where it is absent.
    pub currency: Option<String>,
    /// The country; any where it is absent.
    pub country: Option<String>,
    /// The provider.
    pub provider: Provider,
}

impl Rule {
    /// Reads `<currency>/<country>=<provider>`, where `*` is any and `/*` may be left out, such as `PKR/PK=payfast` or
    /// `EUR=stripe`.
    pub fn read(text: &str) -> Option<Self> {
        let (of, provider) = text.split_once('=')?;
        let (currency, country) = of.split_once('/').unwrap_or((of, "*"));
        let any = |code: &str, letters: usize| {
            let good = code.len() == letters && code.bytes().all(|letter| letter.is_ascii_uppercase());
            if code == "*" { Some(None) } else { good.then(|| Some(code.to_owned())) }
        };
        Some(Self { currency: any(currency, 3)?, country: any(country, 2)?, provider: Provider::named(provider)? })
    }

    fn is_of(&self, currency: &str, country: &str) -> bool {
        self.currency.as_deref().is_none_or(|of| of == currency)
            && self.country.as_deref().is_none_or(|of| of == country)
    }
}

/// Which providers are offered, and which of them an order is paid with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routing {
    /// Those that open new checkouts.
    pub offered: Vec<Provider>,
    /// What goes before the mart's own choice; the first that fits.
    pub rules: Vec<Rule>,
}

impl Routing {
    /// The provider for a currency and a country: the one that the customer names where it is offered and takes that currency;
    /// without a name the first rule's, else PayFast for rupees to Pakistan, else Stripe, then any that is able.
    pub fn choose(&self, named: Option<Provider>, currency: &str, country: &str) -> Option<Provider> {
        let able = |provider: &Provider| {
            self.offered.contains(provider) && (*provider != Provider::PayFast || currency == "PKR")
        };
        if named.is_some() {
            return named.filter(able);
        }
        let ruled = self.rules.iter().filter(|rule| rule.is_of(currency, country)).map(|rule| rule.provider);
        // Where nobody knows the country, rupees are most likely Pakistan's.
        let first = if matches!(country, "" | "PK") { Provider::PayFast } else { Provider::Stripe };
        ruled.chain([first, Provider::Stripe, Provider::PayFast, Provider::Sandbox]).find(able)
    }
}

/// A word of a provider's, kept before anything is done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The provider's own id of it.
    pub id: CallbackId,
    /// What it says.
    pub event: ProviderEvent,
    /// When it came.
    pub at: Timestamp,
}

/// A provider and its id of a callback: the same one is heard once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallbackId {
    /// Whose.
    pub provider: Provider,
    /// Its id.
    pub event: String,
}

/// What a provider says of an attempt or of the money that it brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    /// Who says it.
    pub provider: Provider,
    /// What it is about.
    pub subject: Subject,
    /// What it says.
    pub kind: ProviderEventKind,
}

/// What event is about, as its provider calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An attempt.
    Attempt(String),
    /// Money that came in by one.
    Money(String),
}

/// What can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderEventKind {
    /// Money came in.
    Captured {
        /// The provider's id of it.
        reference: String,
        /// How much, as it was told.
        reported_amount: String,
        /// The same, where it is an amount of a known currency.
        amount: Option<Money>,
    },
    /// The customer could not pay; reason.
    Failed(String),
    /// The checkout is over, without money.
    CheckoutExpired,
    /// Money went back.
    Refunded {
        /// Our id of the refund.
        refund: RefundId,
        /// The provider's id of it.
        reference: String,
    },
    /// Money went back that nobody here asked for: somebody did it at the provider.
    ExternalRefund {
        /// Our id of the refund, made from the provider's.
        refund: RefundId,
        /// The provider's id of it.
        reference: String,
        /// How much, as it was told.
        reported_amount: String,
        /// The same, where it is an amount of a known currency.
        amount: Option<Money>,
    },
    /// Money did not go back; reason.
    RefundFailed {
        /// Our id of the refund.
        refund: RefundId,
        /// In the provider's words.
        reason: String,
    },
    /// What a person has to see to; in words.
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
            rules: rules.iter().map(|rule| Rule::read(rule).expect("a rule")).collect(),
        }
    }

    #[test]
    fn rupees_to_pakistan_go_to_payfast_and_the_rest_to_stripe_where_they_are_on() {
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
    fn rules_go_first_where_their_provider_is_able() {
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
        for bad in [
            "",
            "PKR",
            "PKR=",
            "PKR=nobody",
            "pkr=stripe",
            "PKRS=stripe",
            "PKR/pk=stripe",
            "PKR/PAK=stripe",
            "/PK=stripe",
        ] {
            assert_eq!(Rule::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_customer_may_name_one_that_is_on_and_takes_the_currency() {
        let all = routing(&Provider::ALL, &["PKR=payfast"]);
        assert_eq!(all.choose(Some(SANDBOX), "PKR", "PK"), Some(SANDBOX));
        assert_eq!(all.choose(Some(PAYFAST), "USD", "PK"), None);
        assert_eq!(routing(&[SANDBOX], &[]).choose(Some(STRIPE), "USD", "DE"), None);
    }

    #[test]
    fn every_provider_is_found_by_its_name() {
        assert_eq!(Provider::ALL.map(|provider| Provider::named(provider.name())), Provider::ALL.map(Some));
        assert_eq!(Provider::named("nobody"), None);
    }
}
