//! Archives a product.

use mart_kernel::Version;

use super::{ChangeError, Product, ProductId, Store, UseCases};
use crate::domain::NotActive;

/// The errors of archiving a product.
pub type ArchiveError = ChangeError<NotActive>;

impl<S: Store> UseCases<S> {
    /// Archives an active product. An archived product is not changed.
    pub async fn archive_product(&self, id: ProductId, expected: Option<Version>) -> Result<Product, ArchiveError> {
        self.change(id, expected, Product::archive).await
    }
}
