//! The prices of an order's lines, and the lines that cannot be ordered.

use std::collections::BTreeMap;

use mart_kernel::money::Currency;
use mart_kernel::{Money, Version};

use super::{Line, MAX_QUANTITY, ProductId};

/// A product in the read model of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogProduct {
    /// The product's id.
    pub id: ProductId,
    /// The version of the product's latest event.
    pub version: Version,
    /// The product's name.
    pub name: String,
    /// Whether the product can be ordered.
    pub on_sale: bool,
    /// The prices, one per currency.
    pub prices: Vec<Money>,
}

/// A line that a customer requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestedLine {
    /// The product.
    pub product: ProductId,
    /// The number of units, at least one.
    pub quantity: i32,
}

/// The current price of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The lines that can be ordered, one per product, in the requested order.
    pub lines: Vec<Line>,
    /// The sum of these lines.
    pub total: Money,
    /// The lines that cannot be ordered.
    pub rejected: Vec<RejectedLine>,
}

/// A line that cannot be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectedLine {
    /// The product.
    pub product: ProductId,
    /// The reason.
    pub reason: LineRejectionReason,
}

/// The reason why a line can't be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineRejectionReason {
    /// The product does not exist or is not on sale.
    NotOnSale,
    /// The product has no price in this currency.
    NotPriced,
    /// The quantity exceeds [`MAX_QUANTITY`].
    TooMany,
}

/// The errors of a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// The total exceeds the largest amount.
    #[error("the total exceeds the largest amount")]
    TooLarge,
}

impl Quote {
    /// Merges the lines of each product and calculates their prices. Nothing is rounded; an overflow is an error.
    pub fn calculate(
        requested: &[RequestedLine],
        currency: Currency,
        known: &[CatalogProduct],
    ) -> Result<Self, QuoteError> {
        let known: BTreeMap<ProductId, &CatalogProduct> = known.iter().map(|product| (product.id, product)).collect();
        let mut merged: Vec<RequestedLine> = Vec::new();
        for line in requested {
            match merged.iter_mut().find(|other| other.product == line.product) {
                Some(other) => other.quantity = other.quantity.saturating_add(line.quantity),
                None => merged.push(*line),
            }
        }
        let mut quote = Self { lines: Vec::new(), total: Money::from_minor(0, currency), rejected: Vec::new() };
        for RequestedLine { product, quantity } in merged {
            let rejected = |reason| RejectedLine { product, reason };
            let Some(found) = known.get(&product).filter(|found| found.on_sale) else {
                quote.rejected.push(rejected(LineRejectionReason::NotOnSale));
                continue;
            };
            let Some(unit_price) = found.prices.iter().copied().find(|price| price.currency() == currency) else {
                quote.rejected.push(rejected(LineRejectionReason::NotPriced));
                continue;
            };
            if quantity > MAX_QUANTITY {
                quote.rejected.push(rejected(LineRejectionReason::TooMany));
                continue;
            }
            let sum = unit_price.checked_mul(quantity).map_err(|_| QuoteError::TooLarge)?;
            quote.total = quote.total.checked_add(sum).map_err(|_| QuoteError::TooLarge)?;
            quote.lines.push(Line { product, name: found.name.clone(), quantity, unit_price, sum });
        }
        Ok(quote)
    }
}
