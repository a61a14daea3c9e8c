//! Starts the product service for tests and creates products.

use devstack::testing::App;
use reqwest::Method;
use serde_json::{Value, json};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_product-service");

/// Starts the service with its defaults.
pub(crate) async fn start() -> App {
    with(&[]).await
}

/// Starts the service with additional environment variables.
pub(crate) async fn with(more: &[(&str, &str)]) -> App {
    App::start("product", PROGRAM, more).await
}

/// Creates an active product and returns it.
pub(crate) async fn create(app: &App, slug: &str) -> Value {
    let answer = app.admin(Method::POST, "/v1/products", Some(product(slug))).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["product"].clone()
}

/// Returns a body that creates an active product.
pub(crate) fn product(slug: &str) -> Value {
    json!({
        "slug": slug, "name": format!("Product {slug}"), "status": "PRODUCT_STATUS_ACTIVE",
        "prices": [{"amount": "1500.00", "currencyCode": "PKR"}],
    })
}
