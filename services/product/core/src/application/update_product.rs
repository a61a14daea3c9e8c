//! Changes the details of a product.

use mart_kernel::Version;

use super::{ChangeError, Product, ProductId, Store, UseCases};
use crate::domain::{Changes, UpdateError};

/// The errors of updating a product.
pub type UpdateProductError = ChangeError<UpdateError>;

impl<S: Store> UseCases<S> {
    /// Changes a product. Equal values are no change and do not increase the version.
    pub async fn update_product(
        &self,
        id: ProductId,
        changes: Changes,
        expected: Option<Version>,
    ) -> Result<Product, UpdateProductError> {
        self.change(id, expected, |product, now| product.update(changes.clone(), now)).await
    }
}
