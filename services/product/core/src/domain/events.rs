//! What can have happened to a product.

use mart_kernel::Money;
use uuid::Uuid;

use super::Product;

/// Something that happened to a product; each event carries the product as it is after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductEvent {
    /// It was created.
    ProductCreated(ProductCreated),
    /// Something other than prices was changed.
    ProductUpdated(ProductUpdated),
    /// Prices were changed.
    ProductPriceChanged(ProductPriceChanged),
    /// It went on sale.
    ProductActivated(ProductActivated),
    /// It went off sale for good.
    ProductArchived(ProductArchived),
    /// Nothing: its state is told again.
    ProductRepublished(ProductRepublished),
}

/// A product was created, as a draft or on sale at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductCreated {
    /// The new product.
    pub product: Product,
}

/// Something other than the prices was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductUpdated {
    /// The product after it.
    pub product: Product,
}

/// Prices were changed, added or taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPriceChanged {
    /// The product with its new prices.
    pub product: Product,
    /// The prices before.
    pub previous_prices: Vec<Money>,
}

/// A draft went on sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductActivated {
    /// The product after it.
    pub product: Product,
}

/// A product was taken off sale for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductArchived {
    /// The product after it.
    pub product: Product,
}

/// The current state is told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRepublished {
    /// The product as it is.
    pub product: Product,
}

impl ProductEvent {
    /// The id of its product: events of one product keep their order.
    pub fn key(&self) -> Uuid {
        self.product().id.0
    }

    /// The product as it is after the event.
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
