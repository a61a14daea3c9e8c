//! Returns the current prices of lines.

use mart_kernel::money::Currency;

use super::{PlaceError, Store, UseCases};
use crate::domain::{ProductId, Quote, RequestedLine};

impl<S: Store> UseCases<S> {
    /// Returns the current prices of lines.
    pub async fn quote_order(
        &self,
        requested_lines: &[RequestedLine],
        currency: Currency,
    ) -> Result<Quote, PlaceError> {
        let ids: Vec<ProductId> = requested_lines.iter().map(|line| line.product).collect();
        let known = self.store.find_products(&ids).await?;
        Ok(Quote::calculate(requested_lines, currency, &known)?)
    }
}
