//! Taking a product off sale.

use mart_kernel::Version;

use super::{ChangeError, Product, ProductId, Store, UseCases};
use crate::domain::NotActive;

/// Why a product was not taken off sale.
pub type ArchiveError = ChangeError<NotActive>;

impl<P: Store> UseCases<P> {
    /// Takes an active product off sale for good; an archived one stays as it is.
    pub async fn archive_product(&self, id: ProductId, expected: Option<Version>) -> Result<Product, ArchiveError> {
        self.change(id, expected, Product::archive).await
    }
}
