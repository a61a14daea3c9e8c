//! The product and its rules.

mod details;
pub mod events;
mod product;
pub mod search;

pub use details::{Attribute, Changes, Details, Invalid, Prices, Sku, Slug, UnvalidatedDetails};
pub use events::ProductEvent;
pub use product::{Archived, NotActive, Product, ProductId, Status, UpdateError};
