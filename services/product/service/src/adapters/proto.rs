//! Maps the core's values to the contract's messages and back.

use mart_chassis::convert::{exact, money, time};
use mart_chassis::http::ApiError;
use mart_kernel::Money;
use mart_proto::Violation;
use mart_proto::product::v1;
use mart_proto::r#type::v1::Money as Price;
use product_core::domain::{Attribute, Invalid, Product, Status};

pub(super) fn product(product: &Product) -> v1::Product {
    let details = &product.details;
    v1::Product {
        product_id: product.id.0.to_string(),
        sku: details.sku.as_ref().map(|sku| sku.as_str().to_owned()).unwrap_or_default(),
        slug: details.slug.as_str().to_owned(),
        name: details.name.clone(),
        description: details.description.clone(),
        category: details.category.clone(),
        image_urls: details.image_urls.clone(),
        attributes: details.attributes.iter().map(attribute).collect(),
        prices: details.prices.all().iter().copied().map(money).collect(),
        status: status(product.status).into(),
        create_time: Some(time(product.created_at)),
        update_time: Some(time(product.updated_at)),
        etag: product.version.to_string(),
    }
}

fn attribute(attribute: &Attribute) -> v1::Attribute {
    v1::Attribute { key: attribute.key.clone(), value: attribute.value.clone() }
}

fn status(status: Status) -> v1::ProductStatus {
    match status {
        Status::Draft => v1::ProductStatus::Draft,
        Status::Active => v1::ProductStatus::Active,
        Status::Archived => v1::ProductStatus::Archived,
    }
}

/// Returns the status that a client sent, or `None` if it sent none.
pub(super) fn requested_status(number: i32) -> Option<Status> {
    match v1::ProductStatus::try_from(number) {
        Ok(v1::ProductStatus::Draft) => Some(Status::Draft),
        Ok(v1::ProductStatus::Active) => Some(Status::Active),
        Ok(v1::ProductStatus::Archived) => Some(Status::Archived),
        Ok(v1::ProductStatus::Unspecified) | Err(_) => None,
    }
}

pub(super) fn attributes(attributes: Vec<v1::Attribute>) -> Vec<Attribute> {
    let attribute = |v1::Attribute { key, value }| Attribute { key, value };
    attributes.into_iter().map(attribute).collect()
}

/// Returns the prices of a request. The contract's rules were checked before; an amount that breaks them is a violation again.
pub(super) fn prices(prices: &[Price]) -> Result<Vec<Money>, ApiError> {
    let parse = |(index, price): (usize, &Price)| exact(&format!("prices[{index}]"), price);
    prices.iter().enumerate().map(parse).collect()
}

/// Maps the core's violations to an error with the contract's violations.
pub(super) fn invalid(invalid: Vec<Invalid>) -> ApiError {
    let violation = |invalid: Invalid| Violation::new(invalid.field, "product", invalid.rule);
    ApiError::Invalid(invalid.into_iter().map(violation).collect())
}
