//! The product and what can happen to it: draft, then active, then archived, and never back.

use mart_kernel::{Timestamp, Version};
use uuid::Uuid;

use super::events::{ProductActivated, ProductArchived, ProductCreated, ProductPriceChanged, ProductUpdated};
use super::{Changes, Details, Invalid, ProductEvent};

/// The id of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductId(pub Uuid);

/// Where a product is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Being prepared: only admins see it.
    Draft,
    /// On sale.
    Active,
    /// Off sale for good; its SKU and slug stay taken.
    Archived,
}

/// Something that the mart sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// How many events it has published.
    pub version: Version,
    /// Where it is in its life.
    pub status: Status,
    /// What the merchant says of it.
    pub details: Details,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Why a product can't be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateError {
    /// It is archived, which is final.
    Archived,
    /// The changes break rules.
    Invalid(Vec<Invalid>),
}

/// Only an active product can be archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotActive;

/// The product is archived, which is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Archived;

impl Product {
    /// A new product: a draft, or on sale at once. It can't begin archived.
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

    /// Changes details and prices. What is the same already is no change; an archived product takes none.
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
        let others_changed = self.details != details;
        self.details = details;
        if others_changed {
            self.details.prices = previous.clone();
            self.step(now);
            events.push(ProductEvent::ProductUpdated(ProductUpdated { product: self.clone() }));
        }
        if previous != prices {
            self.details.prices = prices;
            self.step(now);
            events.push(ProductEvent::ProductPriceChanged(ProductPriceChanged {
                product: self.clone(),
                previous_prices: previous.all().to_vec(),
            }));
        }
        Ok((self, events))
    }

    /// Puts a draft on sale; an active product stays as it is.
    pub fn activate(mut self, now: Timestamp) -> Result<(Self, Vec<ProductEvent>), Archived> {
        match self.status {
            Status::Active => Ok((self, Vec::new())),
            Status::Archived => Err(Archived),
            Status::Draft => {
                self.status = Status::Active;
                self.step(now);
                Ok((self.clone(), vec![ProductEvent::ProductActivated(ProductActivated { product: self })]))
            }
        }
    }

    /// Takes an active product off sale for good; an archived one stays as it is.
    pub fn archive(mut self, now: Timestamp) -> Result<(Self, Vec<ProductEvent>), NotActive> {
        match self.status {
            Status::Archived => Ok((self, Vec::new())),
            Status::Draft => Err(NotActive),
            Status::Active => {
                self.status = Status::Archived;
                self.step(now);
                Ok((self.clone(), vec![ProductEvent::ProductArchived(ProductArchived { product: self })]))
            }
        }
    }

    /// Every event takes the next version.
    fn step(&mut self, now: Timestamp) {
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
        let details = details.parse().expect("good");
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
        let refused = Product::create(ProductId(Uuid::nil()), details, Status::Archived, at(1));
        assert_eq!(refused.map_err(|invalid| invalid[0].field.clone()).err(), Some("status".to_owned()));
    }

    #[test]
    fn the_life_of_a_product_has_one_direction() {
        let step = |status, archive: bool| {
            let product = product(status);
            let done = if archive { product.archive(at(2)).ok() } else { product.activate(at(2)).ok() };
            done.map(|(product, events)| (product.status, events.len(), product.version.get()))
        };
        assert_eq!(step(Status::Draft, false), Some((Status::Active, 1, 2)));
        assert_eq!(step(Status::Active, false), Some((Status::Active, 0, 1)), "active already");
        assert_eq!(step(Status::Archived, false), None);
        assert_eq!(step(Status::Draft, true), None);
        assert_eq!(step(Status::Active, true), Some((Status::Archived, 1, 2)));
        assert_eq!(step(Status::Archived, true), Some((Status::Archived, 0, 1)), "archived already");
    }

    #[test]
    fn the_events_of_a_life_are_told_apart() {
        let (active, events) = product(Status::Draft).activate(at(2)).expect("allowed");
        assert_eq!(events, [ProductEvent::ProductActivated(ProductActivated { product: active.clone() })]);
        let (archived, events) = active.archive(at(3)).expect("allowed");
        assert_eq!(events, [ProductEvent::ProductArchived(ProductArchived { product: archived.clone() })]);
        assert_eq!((archived.created_at, archived.updated_at), (at(1), at(3)));
    }

    #[test]
    fn details_and_prices_are_two_events_each_with_the_state_after_it() {
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
    fn only_what_changes_is_told() {
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
    fn an_archived_product_takes_no_change() {
        let update = |changes| product(Status::Archived).update(changes, at(2)).map(|(_, events)| events.len());
        assert_eq!(
            update(Changes { name: Some("Blue mug".to_owned()), ..Changes::default() }),
            Err(UpdateError::Archived)
        );
        assert_eq!(update(Changes { name: Some("Red mug".to_owned()), ..Changes::default() }), Ok(0), "no change");
    }

    #[test]
    fn a_status_may_only_be_repeated_by_an_update() {
        let update =
            |status| product(Status::Active).update(Changes { status: Some(status), ..Changes::default() }, at(2));
        assert!(update(Status::Active).is_ok());
        let Err(UpdateError::Invalid(invalid)) = update(Status::Archived) else { panic!("refused") };
        assert_eq!(invalid[0].field, "status");
    }

    proptest! {
        #[test]
        fn the_version_counts_the_events_and_never_goes_back(steps in prop::collection::vec(0..4_u8, 0..20)) {
            let mut product = product(Status::Draft);
            let mut told = product.version.get();
            for (n, step) in steps.into_iter().enumerate() {
                let now = at(i64::try_from(n).expect("small") + 2);
                let done = match step {
                    0 => product.clone().activate(now).ok(),
                    1 => product.clone().archive(now).ok(),
                    2 => product.clone().update(Changes { name: Some(format!("Mug {n}")), ..Changes::default() }, now).ok(),
                    _ => product.clone().update(Changes { prices: Some(prices(&format!("{}.00", n + 1))), name: Some(format!("M {n}")), ..Changes::default() }, now).ok(),
                };
                let Some((after, events)) = done else { continue };
                for event in &events {
                    told += 1;
                    prop_assert_eq!(event.product().version.get(), told);
                }
                prop_assert_eq!(after.version.get(), told);
                if let Some(last) = events.last() {
                    prop_assert_eq!(last.product(), &after);
                }
                product = after;
            }
        }
    }
}
