//! What a product says of itself, parsed once: a value of these types keeps the rules.
//!
//! The lengths of texts are the contract's rules and are not repeated here.

use std::collections::HashSet;

use mart_kernel::Money;
use mart_kernel::money::Currency;

use super::search::fold;
use super::{Product, Status};

/// A rule that a value breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The member of the product, such as `prices[1]`.
    pub field: String,
    /// What has to be true.
    pub rule: &'static str,
}

impl Invalid {
    pub(crate) fn new(field: impl Into<String>, rule: &'static str) -> Self {
        Self { field: field.into(), rule }
    }
}

/// The merchant's own number of a product. Never empty: a product without one has `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sku(String);

impl Sku {
    /// Reads a SKU; blank is none.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// As the merchant spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is unique.
    pub fn key(&self) -> String {
        fold(&self.0)
    }
}

/// A product's part of a page's address: letters, digits and single hyphens, never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slug(String);

impl Slug {
    /// Reads a slug.
    pub fn parse(text: &str) -> Option<Self> {
        let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
        text.split('-').all(part).then(|| Self(text.to_owned()))
    }

    /// As the merchant spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is unique and that a product is found by.
    pub fn key(&self) -> String {
        fold(&self.0)
    }
}

/// What one unit costs: at least one price, each above zero, one per currency, in the order of the currencies' codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices(Vec<Money>);

impl Prices {
    /// Takes prices in any order.
    pub fn new(mut prices: Vec<Money>) -> Result<Self, Vec<Invalid>> {
        let mut invalid = Vec::new();
        if prices.is_empty() {
            invalid.push(Invalid::new("prices", "a product has at least one price"));
        }
        let mut currencies = HashSet::new();
        for (index, price) in prices.iter().enumerate() {
            if price.minor() <= 0 {
                invalid.push(Invalid::new(format!("prices[{index}].amount"), "a price is above zero"));
            }
            if !currencies.insert(price.currency()) {
                invalid.push(Invalid::new(
                    format!("prices[{index}].currencyCode"),
                    "a product has one price per currency",
                ));
            }
        }
        if !invalid.is_empty() {
            return Err(invalid);
        }
        prices.sort_by_key(|price| price.currency());
        Ok(Self(prices))
    }

    /// All of them.
    pub fn all(&self) -> &[Money] {
        &self.0
    }

    /// The price in one currency.
    pub fn of(&self, currency: Currency) -> Option<Money> {
        self.0.iter().copied().find(|price| price.currency() == currency)
    }
}

/// A further event about a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// What it is about; unique within a product.
    pub key: String,
    /// What is so.
    pub value: String,
}

/// What a merchant says of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// The merchant's own number.
    pub sku: Option<Sku>,
    /// The part of the page's address.
    pub slug: Slug,
    /// What customers call it; not blank.
    pub name: String,
    /// Plain text.
    pub description: String,
    /// The category's name; empty for none.
    pub category: String,
    /// Addresses of pictures, the main one first.
    pub image_urls: Vec<String>,
    /// Further events.
    pub attributes: Vec<Attribute>,
    /// What one unit costs.
    pub prices: Prices,
}

/// A product as a merchant describes it, not yet held against the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnvalidatedDetails {
    /// Blank for none.
    pub sku: String,
    /// See [`Slug`].
    pub slug: String,
    /// Not blank.
    pub name: String,
    /// Plain text.
    pub description: String,
    /// Empty for none.
    pub category: String,
    /// Addresses of pictures.
    pub image_urls: Vec<String>,
    /// Each key once.
    pub attributes: Vec<Attribute>,
    /// See [`Prices`].
    pub prices: Vec<Money>,
}

impl UnvalidatedDetails {
    /// Holds the description against the rules, all at once.
    pub fn parse(self) -> Result<Details, Vec<Invalid>> {
        let mut invalid = Vec::new();
        let slug = Slug::parse(&self.slug);
        if slug.is_none() {
            invalid.push(Invalid::new("slug", "a slug has letters, digits and single hyphens"));
        }
        if self.name.trim().is_empty() {
            invalid.push(Invalid::new("name", "a name is not blank"));
        }
        let mut keys = HashSet::new();
        for (index, attribute) in self.attributes.iter().enumerate() {
            if !keys.insert(attribute.key.as_str()) {
                invalid.push(Invalid::new(format!("attributes[{index}].key"), "an attribute is said once"));
            }
        }
        let prices = Prices::new(self.prices).map_err(|more| invalid.extend(more));
        match (slug, prices) {
            (Some(slug), Ok(prices)) if invalid.is_empty() => Ok(Details {
                sku: Sku::parse(&self.sku),
                slug,
                name: self.name.trim().to_owned(),
                description: self.description,
                category: self.category,
                image_urls: self.image_urls,
                attributes: self.attributes,
                prices,
            }),
            _ => Err(invalid),
        }
    }
}

/// What shall change; `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Blank takes it away.
    pub sku: Option<String>,
    /// See [`Slug`].
    pub slug: Option<String>,
    /// Not blank.
    pub name: Option<String>,
    /// Plain text.
    pub description: Option<String>,
    /// Empty for none.
    pub category: Option<String>,
    /// Addresses of pictures.
    pub image_urls: Option<Vec<String>>,
    /// Each key once.
    pub attributes: Option<Vec<Attribute>>,
    /// See [`Prices`].
    pub prices: Option<Vec<Money>>,
    /// May only repeat what is so.
    pub status: Option<Status>,
}

impl Changes {
    /// The product's details after the changes.
    pub fn apply(self, product: &Product) -> Result<Details, Vec<Invalid>> {
        let old = product.details.clone();
        let draft = UnvalidatedDetails {
            sku: self.sku.unwrap_or_else(|| old.sku.map(|sku| sku.0).unwrap_or_default()),
            slug: self.slug.unwrap_or(old.slug.0),
            name: self.name.unwrap_or(old.name),
            description: self.description.unwrap_or(old.description),
            category: self.category.unwrap_or(old.category),
            image_urls: self.image_urls.unwrap_or(old.image_urls),
            attributes: self.attributes.unwrap_or(old.attributes),
            prices: self.prices.unwrap_or(old.prices.0),
        };
        let status = self.status.filter(|status| *status != product.status);
        let status = status.map(|_| Invalid::new("status", "a status is changed by activating and archiving"));
        match (draft.parse(), status) {
            (Ok(details), None) => Ok(details),
            (parsed, status) => Err(parsed.err().into_iter().flatten().chain(status).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(amount: &str, code: &str) -> Money {
        Money::parse(amount, code).expect("money")
    }

    fn draft() -> UnvalidatedDetails {
        UnvalidatedDetails {
            sku: String::new(),
            slug: "red-mug".to_owned(),
            name: "Red mug".to_owned(),
            description: String::new(),
            category: String::new(),
            image_urls: Vec::new(),
            attributes: Vec::new(),
            prices: vec![price("1500.00", "PKR")],
        }
    }

    fn fields(invalid: &[Invalid]) -> Vec<&str> {
        invalid.iter().map(|invalid| invalid.field.as_str()).collect()
    }

    #[test]
    fn a_blank_sku_is_none_and_others_are_compared_without_case() {
        assert_eq!(Sku::parse("  "), None);
        assert_eq!(
            Sku::parse(" Ab-1 ").map(|sku| (sku.as_str().to_owned(), sku.key())),
            Some(("Ab-1".into(), "ab-1".into()))
        );
    }

    #[test]
    fn a_slug_has_letters_digits_and_single_hyphens() {
        for slug in ["a", "Red-Mug-2"] {
            assert!(Slug::parse(slug).is_some(), "{slug}");
        }
        for slug in ["", "-", "a-", "-a", "a--b", "a b", "a_b", "ä", "a/b", "a.b"] {
            assert_eq!(Slug::parse(slug), None, "{slug}");
        }
        assert_eq!(Slug::parse("Red-Mug").map(|slug| slug.key()), Some("red-mug".to_owned()));
    }

    #[test]
    fn prices_are_above_zero_and_one_per_currency() {
        assert_eq!(fields(&Prices::new(vec![]).expect_err("none")), ["prices"]);
        let prices = vec![price("0.00", "PKR"), price("-1.00", "USD"), price("1.00", "PKR")];
        let invalid = Prices::new(prices).expect_err("three faults");
        assert_eq!(fields(&invalid), ["prices[0].amount", "prices[1].amount", "prices[2].currencyCode"]);
        assert!(Prices::new(vec![price("0.01", "USD")]).is_ok(), "the smallest unit is a price");
    }

    #[test]
    fn prices_stand_in_the_order_of_their_currencies() {
        let prices = Prices::new(vec![price("9.00", "USD"), price("1500.00", "PKR")]).expect("good");
        assert_eq!(prices.all(), [price("1500.00", "PKR"), price("9.00", "USD")]);
        assert_eq!(prices.of(price("1.00", "USD").currency()), Some(price("9.00", "USD")));
        assert_eq!(prices.of(price("1", "JPY").currency()), None);
    }

    #[test]
    fn all_broken_rules_are_told_at_once() {
        let attribute = |key: &str| Attribute { key: key.to_owned(), value: String::new() };
        let draft = UnvalidatedDetails {
            slug: "no good".to_owned(),
            name: " \t".to_owned(),
            attributes: vec![attribute("size"), attribute("colour"), attribute("size")],
            prices: vec![],
            ..draft()
        };
        let invalid = draft.parse().expect_err("four faults");
        assert_eq!(fields(&invalid), ["slug", "name", "attributes[2].key", "prices"]);
    }

    #[test]
    fn a_name_is_kept_without_the_space_around_it() {
        let details = UnvalidatedDetails { name: " Red mug ".to_owned(), ..draft() }.parse().expect("good");
        assert_eq!(details.name, "Red mug");
    }
}
