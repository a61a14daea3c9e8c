//! Products: order's read model has the versions that product has.

use std::collections::BTreeMap;

use anyhow::Result;

use super::databases::{Databases, pairs};

/// Order's read model of products.
const CATALOG_PRODUCTS: &str = "select product_id::text, version::text from catalog_product";

/// Returns the products of which order has another version than product.
pub(super) async fn stale(databases: &Databases) -> Result<Vec<String>> {
    let (Some(products), Some(orders)) = (databases.get("product"), databases.get("order")) else {
        return Ok(Vec::new());
    };
    let products: BTreeMap<String, String> =
        pairs(products, "select product_id::text, version::text from product").await?.into_iter().collect();
    let mut violations = Vec::new();
    for (id, known) in pairs(orders, CATALOG_PRODUCTS).await? {
        let version = products.get(&id).map_or("missing", String::as_str);
        if version != known {
            violations.push(format!(
                "the read model of products is current: order has {id} at version {known}, product at {version}"
            ));
        }
    }
    Ok(violations)
}
