//! Providers, and their news.

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

/// Which providers are switched on, and which of them an order is paid with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routing(pub Vec<Provider>);

impl Routing {
    /// The provider for a currency: the one that is named where it is on and takes that currency; without a name PayFast for
    /// rupees, else Stripe, and the sandbox where neither is on.
    pub fn choose(&self, named: Option<Provider>, currency: &str) -> Option<Provider> {
        let able =
            |provider: &Provider| self.0.contains(provider) && (*provider != Provider::PayFast || currency == "PKR");
        match named {
            Some(provider) => Some(provider).filter(able),
            None => [Provider::PayFast, Provider::Stripe, Provider::Sandbox].into_iter().find(able),
        }
    }
}

/// A word of a provider's, kept before anything is done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The provider's own id of it.
    pub id: CallbackId,
    /// What it says.
    pub news: News,
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

/// What a provider says of one of its checkouts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Who says it.
    pub provider: Provider,
    /// What the provider calls the attempt.
    pub attempt: String,
    /// What it says.
    pub what: What,
}

/// What can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Money came in.
    Captured {
        /// The provider's id of it.
        reference: String,
        /// How much, as it was told.
        told: String,
        /// The same, where it is an amount of a known currency.
        amount: Option<Money>,
    },
    /// The customer could not pay; why.
    Failed(String),
    /// The checkout is over, without money.
    Ended,
    /// Money went back.
    Refunded {
        /// Our id of the refund.
        refund: RefundId,
        /// The provider's id of it.
        reference: String,
    },
    /// Money did not go back; why.
    RefundFailed {
        /// Our id of the refund.
        refund: RefundId,
        /// In the provider's words.
        why: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rupees_go_to_payfast_and_the_rest_to_stripe_where_they_are_on() {
        let (sandbox, stripe, payfast) = (Provider::Sandbox, Provider::Stripe, Provider::PayFast);
        let all = Routing(Provider::ALL.to_vec());
        assert_eq!([all.choose(None, "PKR"), all.choose(None, "USD")], [Some(payfast), Some(stripe)]);
        let only_stripe = Routing(vec![sandbox, stripe]);
        assert_eq!([only_stripe.choose(None, "PKR"), only_stripe.choose(None, "USD")], [Some(stripe); 2]);
        let only_payfast = Routing(vec![sandbox, payfast]);
        assert_eq!(
            [only_payfast.choose(None, "PKR"), only_payfast.choose(None, "USD")],
            [Some(payfast), Some(sandbox)]
        );
        assert_eq!(Routing::default().choose(None, "PKR"), None);
    }

    #[test]
    fn a_customer_may_name_one_that_is_on_and_takes_the_currency() {
        let all = Routing(Provider::ALL.to_vec());
        assert_eq!(all.choose(Some(Provider::Sandbox), "PKR"), Some(Provider::Sandbox));
        assert_eq!(all.choose(Some(Provider::PayFast), "USD"), None);
        assert_eq!(Routing(vec![Provider::Sandbox]).choose(Some(Provider::Stripe), "USD"), None);
    }

    #[test]
    fn every_provider_is_found_by_its_name() {
        assert_eq!(Provider::ALL.map(|provider| Provider::named(provider.name())), Provider::ALL.map(Some));
        assert_eq!(Provider::named("nobody"), None);
    }
}
