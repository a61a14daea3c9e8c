//! The product and its transitions: draft, then active, then archived, never back.

use mart_kernel::{Timestamp, Version};
use uuid::Uuid;

use super::events::{ProductActivated, ProductArchived, ProductCreated, ProductPriceChanged, ProductUpdated};
use super::{Changes, Details, Invalid, ProductEvent};

/// The id of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductId(pub Uuid);

/// The status of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// In preparation; visible to admins only.
    Draft,
    /// On sale; visible to customers.
    Active,
    /// No longer on sale, which is final. Its SKU and slug stay reserved.
    Archived,
}

/// A product of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The id.
    pub id: ProductId,
    /// The number of published events.
    pub version: Version,
    /// The status.
    pub status: Status,
    /// The details.
    pub details: Details,
    /// When the product was created.
    pub created_at: Timestamp,
    /// When the product was last changed.
    pub updated_at: Timestamp,
}

/// The reasons why a product can't be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// The product is archived, which is final.
    #[error("the product is archived")]
    Archived,
    /// The changed details are invalid.
    #[error("the changed details are invalid")]
    Invalid(Vec<Invalid>),
}

/// The product is a draft; only an active product can be archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the product is not active")]
pub struct NotActive;

/// The product is archived, which is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the product is archived")]
pub struct Archived;

impl Product {
    /// Creates a draft or an active product. The status archived is a violation.
    pub fn create(
        id: ProductId,
        details: Details,
        status: Status,
        now: Timestamp,
    ) -> Result<(Self, Vec<ProductEvent>), Vec<Invalid>> {
        if status == Status::Archived {
            return Err(vec![Invalid::new("status", "a product is created as a draft or active")]);
        }
        let version = Version::NONE.next();
        let product = Self { id, version, status, details, created_at: now, updated_at: now };
        Ok((product.clone(), vec![ProductEvent::ProductCreated(ProductCreated { product })]))
    }

    /// Changes details and prices. Equal values are no change. An archived product cannot be changed.
    pub fn update(mut self, changes: Changes, now: Timestamp) -> Result<(Self, Vec<ProductEvent>), UpdateError> {
        let details = changes.apply(&self).map_err(UpdateError::Invalid)?;
        if details == self.details {
            return Ok((self, Vec::new()));
        }
        if self.status == Status::Archived {
            return Err(UpdateError::Archived);
        }
        let mut events = Vec::new();
        let prices = details.prices.clone();
        let previous = std::mem::replace(&mut self.details.prices, prices.clone());
        let details_changed = self.details != details;
        self.details = details;
        if details_changed {
            self.details.prices = previous.clone();
            self.advance(now);
            events.push(ProductEvent::ProductUpdated(ProductUpdated { product: self.clone() }));
        }
        if previous != prices {
            self.details.prices = prices;
            self.advance(now);
            events.push(ProductEvent::ProductPriceChanged(ProductPriceChanged {
                product: self.clone(),
                previous_prices: previous.all().to_vec(),
            }));
        }
        Ok((self, events))
    }

    /// Activates a draft. An active product is not changed.
    pub fn activate(mut self, now: Timestamp) -> Result<(Self, Vec<ProductEvent>), Archived> {
        match self.status {
            Status::Active => Ok((self, Vec::new())),
            Status::Archived => Err(Archived),
            Status::Draft => {
                self.status = Status::Active;
                self.advance(now);
                Ok((self.clone(), vec![ProductEvent::ProductActivated(ProductActivated { product: self })]))
            }
        }
    }

    /// Archives an active product. An archived product is not changed.
    pub fn archive(mut self, now: Timestamp) -> Result<(Self, Vec<ProductEvent>), NotActive> {
        match self.status {
            Status::Archived => Ok((self, Vec::new())),
            Status::Draft => Err(NotActive),
            Status::Active => {
                self.status = Status::Archived;
                self.advance(now);
                Ok((self.clone(), vec![ProductEvent::ProductArchived(ProductArchived { product: self })]))
            }
        }
    }

    /// Returns whether customers may see the product: only an active one is on sale.
    pub fn is_on_sale(&self) -> bool {
        self.status == Status::Active
    }

    /// Increases the version, once per event.
    fn advance(&mut self, now: Timestamp) {
        self.version = self.version.next();
        self.updated_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Attribute, UnvalidatedDetails};
    use mart_kernel::Money;
    use proptest::prelude::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_unix_micros(micros).expect("in range")
    }

    fn product(status: Status) -> Product {
        let details = UnvalidatedDetails {
            sku: "M-1".to_owned(),
            slug: "red-mug".to_owned(),
            name: "Red mug".to_owned(),
            description: String::new(),
            category: "mugs".to_owned(),
            image_urls: Vec::new(),
            attributes: Vec::new(),
            prices: vec![Money::parse("1500.00", "PKR").expect("money")],
        };
        let details = details.parse().expect("valid");
        Product {
            id: ProductId(Uuid::nil()),
            version: Version::NONE.next(),
            status,
            details,
            created_at: at(1),
            updated_at: at(1),
        }
    }

    fn prices(amount: &str) -> Vec<Money> {
        vec![Money::parse(amount, "PKR").expect("money")]
    }

    #[test]
    fn a_product_begins_as_a_draft_or_active() {
        let details = product(Status::Draft).details;
        for status in [Status::Draft, Status::Active] {
            let (created, events) =
                Product::create(ProductId(Uuid::nil()), details.clone(), status, at(1)).expect("allowed");
            assert_eq!((created.version.get(), created.status), (1, status));
            assert_eq!(events, [ProductEvent::ProductCreated(ProductCreated { product: created })]);
        }
        let rejected = Product::create(ProductId(Uuid::nil()), details, Status::Archived, at(1));
        assert_eq!(rejected.map_err(|invalid| invalid[0].field.clone()).err(), Some("status".to_owned()));
    }

    #[test]
    fn the_status_changes_in_one_direction_only() {
        let transition = |status, archive: bool| {
            let product = product(status);
            let changed = if archive { product.archive(at(2)).ok() } else { product.activate(at(2)).ok() };
            changed.map(|(product, events)| (product.status, events.len(), product.version.get()))
        };
        assert_eq!(transition(Status::Draft, false), Some((Status::Active, 1, 2)));
        assert_eq!(transition(Status::Active, false), Some((Status::Active, 0, 1)), "active already");
        assert_eq!(transition(Status::Archived, false), None);
        assert_eq!(transition(Status::Draft, true), None);
        assert_eq!(transition(Status::Active, true), Some((Status::Archived, 1, 2)));
        assert_eq!(transition(Status::Archived, true), Some((Status::Archived, 0, 1)), "archived already");
    }

    #[test]
    fn only_an_active_product_is_on_sale() {
        let on_sale = [Status::Draft, Status::Active, Status::Archived].map(|status| product(status).is_on_sale());
        assert_eq!(on_sale, [false, true, false]);
    }

    #[test]
    fn each_transition_has_its_own_event() {
        let (active, events) = product(Status::Draft).activate(at(2)).expect("allowed");
        assert_eq!(events, [ProductEvent::ProductActivated(ProductActivated { product: active.clone() })]);
        let (archived, events) = active.archive(at(3)).expect("allowed");
        assert_eq!(events, [ProductEvent::ProductArchived(ProductArchived { product: archived.clone() })]);
        assert_eq!((archived.created_at, archived.updated_at), (at(1), at(3)));
    }

    #[test]
    fn changes_of_details_and_prices_are_two_events() {
        let changes =
            Changes { name: Some("Blue mug".to_owned()), prices: Some(prices("1600.00")), ..Changes::default() };
        let before = product(Status::Active);
        let (after, events) = before.clone().update(changes, at(2)).expect("allowed");
        let [
            ProductEvent::ProductUpdated(ProductUpdated { product: first }),
            ProductEvent::ProductPriceChanged(ProductPriceChanged { product: second, previous_prices }),
        ] = &events[..]
        else {
            panic!("{events:?}")
        };
        assert_eq!(
            (first.details.name.as_str(), first.details.prices.clone()),
            ("Blue mug", before.details.prices.clone())
        );
        assert_eq!((first.version.get(), second.version.get()), (2, 3));
        assert_eq!(previous_prices, before.details.prices.all());
        assert_eq!(second, &after);
    }

    #[test]
    fn only_changed_members_are_published() {
        let update = |changes| product(Status::Active).update(changes, at(2)).expect("allowed").1;
        assert_eq!(update(Changes::default()), []);
        assert_eq!(
            update(Changes { name: Some("Red mug".to_owned()), prices: Some(prices("1500.00")), ..Changes::default() }),
            []
        );
        let events = update(Changes { prices: Some(prices("1.00")), ..Changes::default() });
        assert!(matches!(events[..], [ProductEvent::ProductPriceChanged(ProductPriceChanged { .. })]), "{events:?}");
        let events = update(Changes { sku: Some(String::new()), ..Changes::default() });
        assert!(
            matches!(&events[..], [ProductEvent::ProductUpdated(ProductUpdated { product })] if product.details.sku.is_none()),
            "{events:?}"
        );
        let attribute = Attribute { key: "size".to_owned(), value: "small".to_owned() };
        let changes = Changes {
            slug: Some("blue-mug".to_owned()),
            description: Some("d".to_owned()),
            category: Some("c".to_owned()),
            image_urls: Some(vec!["https://a.example".to_owned()]),
            attributes: Some(vec![attribute.clone()]),
            ..Changes::default()
        };
        let events = update(changes);
        let details = &events[0].product().details;
        assert_eq!(
            (details.slug.as_str(), details.description.as_str(), details.category.as_str()),
            ("blue-mug", "d", "c")
        );
        assert_eq!(
            (&details.image_urls[..], &details.attributes[..]),
            (&["https://a.example".to_owned()][..], &[attribute][..])
        );
    }

    #[test]
    fn an_archived_product_cannot_be_changed() {
        let update = |changes| product(Status::Archived).update(changes, at(2)).map(|(_, events)| events.len());
        assert_eq!(
            update(Changes { name: Some("Blue mug".to_owned()), ..Changes::default() }),
            Err(UpdateError::Archived)
        );
        assert_eq!(update(Changes { name: Some("Red mug".to_owned()), ..Changes::default() }), Ok(0), "no change");
    }

    #[test]
    fn an_update_cannot_change_the_status() {
        let update =
            |status| product(Status::Active).update(Changes { status: Some(status), ..Changes::default() }, at(2));
        assert!(update(Status::Active).is_ok());
        let Err(UpdateError::Invalid(invalid)) = update(Status::Archived) else { panic!("invalid") };
        assert_eq!(invalid[0].field, "status");
    }

    proptest! {
        #[test]
        fn the_version_counts_the_events(steps in prop::collection::vec(0..4_u8, 0..20)) {
            let mut product = product(Status::Draft);
            let mut version = product.version.get();
            for (n, step) in steps.into_iter().enumerate() {
                let now = at(i64::try_from(n).expect("small") + 2);
                let changed = match step {
                    0 => product.clone().activate(now).ok(),
                    1 => product.clone().archive(now).ok(),
                    2 => product.clone().update(Changes { name: Some(format!("Mug {n}")), ..Changes::default() }, now).ok(),
                    _ => product.clone().update(Changes { prices: Some(prices(&format!("{}.00", n + 1))), name: Some(format!("M {n}")), ..Changes::default() }, now).ok(),
                };
                let Some((after, events)) = changed else { continue };
                for event in &events {
                    version += 1;
                    prop_assert_eq!(event.product().version.get(), version);
                }
                prop_assert_eq!(after.version.get(), version);
                if let Some(last) = events.last() {
                    prop_assert_eq!(last.product(), &after);
                }
                product = after;
            }
        }
    }
}
