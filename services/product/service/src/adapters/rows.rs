//! The rows of the database, and their mappings to the values of the core.

use mart_chassis::db::read::{self, decode_error};
use mart_chassis::table_row;
use mart_kernel::money::{Currency, MoneyError};
use mart_kernel::{Money, Timestamp};
use product_core::domain::{Attribute, Details, Product, ProductId, Sku, Status, UnvalidatedDetails, search};
use time::OffsetDateTime;
use uuid::Uuid;

table_row! {
    /// A row of `product`. The keys and the haystack are derived from the texts beside them.
    pub struct ProductRow in product (product_id) {
        product_id: Uuid,
        version: i64,
        status: String,
        sku: Option<String>,
        sku_key: Option<String>,
        slug: String,
        slug_key: String,
        name: String,
        name_key: String,
        description: String,
        category: String,
        image_urls: Vec<String>,
        attribute_keys: Vec<String>,
        attribute_values: Vec<String>,
        haystack: String,
        created_at: OffsetDateTime,
        updated_at: OffsetDateTime,
    }
}

table_row! {
    /// A row of `product_price`.
    pub struct PriceRow in product_price (product_id, currency) {
        product_id: Uuid,
        currency: String,
        minor: i64,
    }
}

impl ProductRow {
    /// Maps a product and its prices.
    pub fn new(product: Product) -> (Self, Vec<PriceRow>) {
        let Product { id, version, status, details, created_at, updated_at } = product;
        let Details { sku, slug, name, description, category, image_urls, attributes, prices } = details;
        let (attribute_keys, attribute_values) =
            attributes.into_iter().map(|Attribute { key, value }| (key, value)).unzip();
        let price = |price: &Money| PriceRow {
            product_id: id.0,
            currency: price.currency().code().to_owned(),
            minor: price.minor(),
        };
        let row = Self {
            product_id: id.0,
            version: version.get(),
            status: status_name(status).to_owned(),
            sku_key: sku.as_ref().map(Sku::key),
            slug: slug.as_str().to_owned(),
            slug_key: slug.key(),
            name_key: search::fold(&name),
            haystack: search::haystack(&name, sku.as_ref().map_or("", Sku::as_str)),
            sku: sku.map(|sku| sku.as_str().to_owned()),
            name,
            description,
            category,
            image_urls,
            attribute_keys,
            attribute_values,
            created_at: created_at.get(),
            updated_at: updated_at.get(),
        };
        (row, prices.all().iter().map(price).collect())
    }

    /// Returns the product with its prices: their currencies and their amounts in minor units.
    pub fn product(self, currencies: Vec<String>, minors: Vec<i64>) -> Result<Product, sqlx::Error> {
        let Self {
            product_id,
            version,
            status,
            sku,
            sku_key: _,
            slug,
            slug_key: _,
            name,
            name_key: _,
            description,
            category,
            image_urls,
            attribute_keys,
            attribute_values,
            haystack: _,
            created_at,
            updated_at,
        } = self;
        let price = |(code, minor): (String, i64)| Ok(Money::from_minor(minor, Currency::from_code(&code)?));
        let prices: Result<Vec<Money>, MoneyError> = currencies.into_iter().zip(minors).map(price).collect();
        let attributes = attribute_keys.into_iter().zip(attribute_values);
        let details = UnvalidatedDetails {
            sku: sku.unwrap_or_default(),
            slug,
            name,
            description,
            category,
            image_urls,
            attributes: attributes.map(|(key, value)| Attribute { key, value }).collect(),
            prices: prices.map_err(decode_error)?,
        };
        Ok(Product {
            id: ProductId(product_id),
            version: read::version(version)?,
            status: parse_status(&status)?,
            details: details.parse().map_err(|rules| decode_error(format!("invalid product: {rules:?}")))?,
            created_at: Timestamp::new(created_at),
            updated_at: Timestamp::new(updated_at),
        })
    }
}

/// Returns the stored name of a status.
pub fn status_name(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft",
        Status::Active => "active",
        Status::Archived => "archived",
    }
}

fn parse_status(name: &str) -> Result<Status, sqlx::Error> {
    match name {
        "draft" => Ok(Status::Draft),
        "active" => Ok(Status::Active),
        "archived" => Ok(Status::Archived),
        other => Err(decode_error(format!("unknown status: {other}"))),
    }
}
