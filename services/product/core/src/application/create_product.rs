//! Creates a product, once per Idempotency-Key.

use mart_kernel::{Commit, CommitError, CommitOutcome, ReceiptBuilder, StoreError};

use super::{Invalid, Product, ProductId, Status, Store, Unique, UseCases, Write};
use crate::domain::UnvalidatedDetails;

/// The product to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateProduct {
    /// The unvalidated details.
    pub details: UnvalidatedDetails,
    /// The status: draft or active.
    pub status: Status,
}

/// The errors of creating a product.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// The details are invalid.
    #[error("the product is invalid")]
    Invalid(Vec<Invalid>),
    /// Another product has this value.
    #[error("another product has this value")]
    Taken(Unique),
    /// The Idempotency-Key was used with another request.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl<S: Store> UseCases<S> {
    /// Creates a product. If the receipt already exists, a repeated request creates nothing and returns the first product in its
    /// current state.
    pub async fn create_product(
        &self,
        request: CreateProduct,
        receipt: Option<ReceiptBuilder>,
    ) -> Result<Product, CreateError> {
        let details = request.details.parse().map_err(CreateError::Invalid)?;
        let (id, now) = (ProductId(self.ids.next()), self.clock.now());
        let created = Product::create(id, details, request.status, now);
        let (product, events) = created.map_err(CreateError::Invalid)?;
        let commit = Commit {
            write: Some(Write::Insert(product.clone())),
            events: self.envelopes(events, now),
            receipt: receipt.map(|receipt| receipt(id.0.to_string())),
        };
        match self.store.commit(commit).await {
            Ok(CommitOutcome::Committed) => Ok(product),
            Ok(CommitOutcome::AlreadyProcessed { subject, same_request: true }) => {
                let id = subject.parse().map_err(|_| StoreError::Internal)?;
                Ok(self.store.find(ProductId(id)).await?.ok_or(StoreError::Internal)?)
            }
            Ok(CommitOutcome::AlreadyProcessed { same_request: false, .. }) => Err(CreateError::KeyReused),
            Err(CommitError::Duplicate(unique)) => Err(CreateError::Taken(unique)),
            // A new row has no version that could conflict.
            Err(CommitError::Conflict) => Err(CreateError::Unavailable(StoreError::Internal)),
            Err(CommitError::Unavailable(error)) => Err(CreateError::Unavailable(error)),
        }
    }
}
