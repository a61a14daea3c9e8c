//! Putting a draft on sale.

use mart_kernel::Version;

use super::{ChangeError, Product, ProductId, Store, UseCases};
use crate::domain::Archived;

/// Why a product was not put on sale.
pub type ActivateError = ChangeError<Archived>;

impl<P: Store> UseCases<P> {
    /// Puts a draft on sale; an active product stays as it is.
    pub async fn activate_product(&self, id: ProductId, expected: Option<Version>) -> Result<Product, ActivateError> {
        self.change(id, expected, Product::activate).await
    }
}
