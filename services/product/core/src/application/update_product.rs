//! Changing what is said of a product.

use mart_kernel::Version;

use super::{ChangeError, Product, ProductId, Store, UseCases};
use crate::domain::{Changes, UpdateError};

/// Why a product was not changed.
pub type UpdateProductError = ChangeError<UpdateError>;

impl<P: Store> UseCases<P> {
    /// Changes a product; what is the same already is no change and raises no version.
    pub async fn update_product(
        &self,
        id: ProductId,
        changes: Changes,
        expected: Option<Version>,
    ) -> Result<Product, UpdateProductError> {
        self.change(id, expected, |product, now| product.update(changes.clone(), now)).await
    }
}
