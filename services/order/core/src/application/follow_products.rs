//! What the product service tells: the read model that orders are priced by.

use mart_kernel::{Receipt, StoreError};

use super::{Followed, Store, UseCases, Write};
use crate::domain::KnownProduct;

impl<S: Store> UseCases<S> {
    /// A product is as it is at its version; an older one changes nothing.
    pub async fn hear_of_product(&self, product: KnownProduct, receipt: Receipt) -> Result<Followed, StoreError> {
        self.keep(Write::Product(product), receipt).await
    }
}
