//! The product and its rules.

mod details;
pub mod fact;
mod product;
pub mod search;

pub use details::{Attribute, Changes, Details, Draft, Invalid, Prices, Sku, Slug};
pub use fact::Fact;
pub use product::{Archived, NotActive, Product, ProductId, Status, UpdateError};
