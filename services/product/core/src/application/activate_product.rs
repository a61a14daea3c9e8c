//! Activates a product.

use mart_kernel::Version;

use super::{ChangeError, Product, ProductId, Store, UseCases};
use crate::domain::Archived;

/// The errors of activating a product.
pub type ActivateError = ChangeError<Archived>;

impl<S: Store> UseCases<S> {
    /// Activates a draft. An active product is not changed.
    pub async fn activate_product(&self, id: ProductId, expected: Option<Version>) -> Result<Product, ActivateError> {
        self.change(id, expected, Product::activate).await
    }
}
