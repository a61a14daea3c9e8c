//! What an order would cost, and which of its lines can't be ordered.

use std::collections::BTreeMap;

use mart_kernel::money::Currency;
use mart_kernel::{Money, Version};

use super::{Line, MAX_QUANTITY, ProductId};

/// A product as the read model has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogProduct {
    /// Its id.
    pub id: ProductId,
    /// The version of the product that was heard of.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// Whether it can be ordered.
    pub on_sale: bool,
    /// Its prices, one per currency.
    pub prices: Vec<Money>,
}

/// What a customer wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestedLine {
    /// The product.
    pub product: ProductId,
    /// How many units, one or more.
    pub quantity: i32,
}

/// What an order costs now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The lines that can be ordered, one per product, in the order in which they were wanted.
    pub lines: Vec<Line>,
    /// Their sum.
    pub total: Money,
    /// The lines that can't.
    pub rejected: Vec<RejectedLine>,
}

/// A line that can't be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RejectedLine {
    /// The product.
    pub product: ProductId,
    /// Why.
    pub reason: LineRejectionReason,
}

/// Why a line can't be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineRejectionReason {
    /// No such product is on sale.
    NotOnSale,
    /// It has no price in this currency.
    NotPriced,
    /// More than [`MAX_QUANTITY`] units of it.
    TooMany,
}

/// Why there is no sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuoteError {
    /// It is larger than can be kept.
    TooLarge,
}

impl Quote {
    /// Sums the lines of each product and prices them. Nothing is rounded; what would overflow is rejected.
    pub fn calculate(
        wanted: &[RequestedLine],
        currency: Currency,
        known: &[CatalogProduct],
    ) -> Result<Self, QuoteError> {
        let known: BTreeMap<ProductId, &CatalogProduct> = known.iter().map(|product| (product.id, product)).collect();
        let mut summed: Vec<RequestedLine> = Vec::new();
        for want in wanted {
            match summed.iter_mut().find(|line| line.product == want.product) {
                Some(line) => line.quantity = line.quantity.saturating_add(want.quantity),
                None => summed.push(*want),
            }
        }
        let mut quote = Self { lines: Vec::new(), total: Money::from_minor(0, currency), rejected: Vec::new() };
        for RequestedLine { product, quantity } in summed {
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
