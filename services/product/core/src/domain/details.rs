//! The details of a product. A value of these types satisfies the rules, because it is only created by parsing.
//!
//! The contract limits the lengths of texts; these rules are not repeated here.

use std::collections::HashSet;

use mart_kernel::Money;
use mart_kernel::money::Currency;

use super::search::fold;
use super::{Product, Status};

/// A violation of a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct Invalid {
    /// The member of the product, such as `prices[1]`.
    pub field: String,
    /// The rule.
    pub rule: &'static str,
}

impl Invalid {
    pub(crate) fn new(field: impl Into<String>, rule: &'static str) -> Self {
        Self { field: field.into(), rule }
    }
}

/// The merchant's own number of a product, never empty. A product without one has `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sku(String);

impl Sku {
    /// Parses a SKU. Returns `None` if the text is blank.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Returns the merchant's spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the case-folded form, which is unique.
    pub fn key(&self) -> String {
        fold(&self.0)
    }
}

/// A product's part of a page's URL: ASCII letters, digits and single hyphens, never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slug(String);

impl Slug {
    /// Parses a slug. Returns `None` if it breaks the rule.
    pub fn parse(text: &str) -> Option<Self> {
        let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
        text.split('-').all(part).then(|| Self(text.to_owned()))
    }

    /// Returns the merchant's spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the case-folded form, which is unique and by which a product is found.
    pub fn key(&self) -> String {
        fold(&self.0)
    }
}

/// The prices of one unit: at least one, each above zero, one per currency, sorted by currency code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices(Vec<Money>);

impl Prices {
    /// Validates and sorts prices.
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

    /// Returns all prices.
    pub fn all(&self) -> &[Money] {
        &self.0
    }

    /// Returns the price in a currency.
    pub fn of(&self, currency: Currency) -> Option<Money> {
        self.0.iter().copied().find(|price| price.currency() == currency)
    }
}

/// An additional property of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The key, unique within a product.
    pub key: String,
    /// The value.
    pub value: String,
}

/// The details of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// The merchant's own number.
    pub sku: Option<Sku>,
    /// The product's part of a page's URL.
    pub slug: Slug,
    /// The name, not blank.
    pub name: String,
    /// The description as plain text.
    pub description: String,
    /// The category's name; empty if there is none.
    pub category: String,
    /// The URLs of images, the main one first.
    pub image_urls: Vec<String>,
    /// The attributes.
    pub attributes: Vec<Attribute>,
    /// The prices of one unit.
    pub prices: Prices,
}

/// Details that have not been validated yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnvalidatedDetails {
    /// See [`Sku`]; blank for none.
    pub sku: String,
    /// See [`Slug`].
    pub slug: String,
    /// The name, not blank.
    pub name: String,
    /// The description as plain text.
    pub description: String,
    /// The category's name; empty for none.
    pub category: String,
    /// The URLs of images.
    pub image_urls: Vec<String>,
    /// The attributes, with unique keys.
    pub attributes: Vec<Attribute>,
    /// See [`Prices`].
    pub prices: Vec<Money>,
}

impl UnvalidatedDetails {
    /// Validates the details. Returns every violation, not only the first.
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
                invalid.push(Invalid::new(format!("attributes[{index}].key"), "an attribute's key is unique"));
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

/// The changes of a product. `None` leaves a member unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// See [`Sku`]; blank removes it.
    pub sku: Option<String>,
    /// See [`Slug`].
    pub slug: Option<String>,
    /// The name, not blank.
    pub name: Option<String>,
    /// The description as plain text.
    pub description: Option<String>,
    /// The category's name; empty for none.
    pub category: Option<String>,
    /// The URLs of images.
    pub image_urls: Option<Vec<String>>,
    /// The attributes, with unique keys.
    pub attributes: Option<Vec<Attribute>>,
    /// See [`Prices`].
    pub prices: Option<Vec<Money>>,
    /// The current status. Another one is a violation.
    pub status: Option<Status>,
}

impl Changes {
    /// Returns the product's details after the changes.
    pub fn apply(self, product: &Product) -> Result<Details, Vec<Invalid>> {
        let old = product.details.clone();
        let details = UnvalidatedDetails {
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
        match (details.parse(), status) {
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

    fn details() -> UnvalidatedDetails {
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
    fn a_blank_sku_is_none_and_keys_ignore_case() {
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
        let invalid = Prices::new(prices).expect_err("three violations");
        assert_eq!(fields(&invalid), ["prices[0].amount", "prices[1].amount", "prices[2].currencyCode"]);
        assert!(Prices::new(vec![price("0.01", "USD")]).is_ok(), "the smallest unit is a price");
    }

    #[test]
    fn prices_are_sorted_by_currency_code() {
        let prices = Prices::new(vec![price("9.00", "USD"), price("1500.00", "PKR")]).expect("valid");
        assert_eq!(prices.all(), [price("1500.00", "PKR"), price("9.00", "USD")]);
        assert_eq!(prices.of(price("1.00", "USD").currency()), Some(price("9.00", "USD")));
        assert_eq!(prices.of(price("1", "JPY").currency()), None);
    }

    #[test]
    fn all_violations_are_returned_at_once() {
        let attribute = |key: &str| Attribute { key: key.to_owned(), value: String::new() };
        let unvalidated = UnvalidatedDetails {
            slug: "no good".to_owned(),
            name: " \t".to_owned(),
            attributes: vec![attribute("size"), attribute("colour"), attribute("size")],
            prices: vec![],
            ..details()
        };
        let invalid = unvalidated.parse().expect_err("four violations");
        assert_eq!(fields(&invalid), ["slug", "name", "attributes[2].key", "prices"]);
    }

    #[test]
    fn surrounding_space_of_a_name_is_removed() {
        let details = UnvalidatedDetails { name: " Red mug ".to_owned(), ..details() }.parse().expect("valid");
        assert_eq!(details.name, "Red mug");
    }
}
