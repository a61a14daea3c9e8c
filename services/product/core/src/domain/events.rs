//! The events of products.

use mart_kernel::Money;
use uuid::Uuid;

use super::Product;

/// An event of a product. It has the product after the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductEvent {
    /// The product was created.
    ProductCreated(ProductCreated),
    /// Details other than prices were changed.
    ProductUpdated(ProductUpdated),
    /// Prices were changed.
    ProductPriceChanged(ProductPriceChanged),
    /// The product was activated.
    ProductActivated(ProductActivated),
    /// The product was archived.
    ProductArchived(ProductArchived),
    /// The current state is published again.
    ProductRepublished(ProductRepublished),
}

/// A product was created, as a draft or active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductCreated {
    /// The new product.
    pub product: Product,
}

/// Details other than prices were changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductUpdated {
    /// The product after the event.
    pub product: Product,
}

/// Prices were changed, added or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPriceChanged {
    /// The product with its new prices.
    pub product: Product,
    /// The prices before the event.
    pub previous_prices: Vec<Money>,
}

/// A draft was activated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductActivated {
    /// The product after the event.
    pub product: Product,
}

/// A product was archived, which is final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductArchived {
    /// The product after the event.
    pub product: Product,
}

/// The current state is published again, so that read models can be rebuilt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRepublished {
    /// The current product.
    pub product: Product,
}

impl ProductEvent {
    /// Returns the product's id, the key of the event. Events with one key keep their order.
    pub fn key(&self) -> Uuid {
        self.product().id.0
    }

    /// Returns the product after the event.
    pub fn product(&self) -> &Product {
        match self {
            Self::ProductCreated(ProductCreated { product })
            | Self::ProductUpdated(ProductUpdated { product })
            | Self::ProductPriceChanged(ProductPriceChanged { product, .. })
            | Self::ProductActivated(ProductActivated { product })
            | Self::ProductArchived(ProductArchived { product })
            | Self::ProductRepublished(ProductRepublished { product }) => product,
        }
    }
}
