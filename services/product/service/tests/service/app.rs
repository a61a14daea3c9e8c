//! Starts the product service for tests, creates products and checks problems.

use devstack::testing::{Answer, App};
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

/// Checks that a response is this problem.
pub(crate) fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{}", answer.body);
    assert_eq!(answer.kind, "application/problem+json");
    assert_eq!(answer.body["status"], status);
    assert_eq!(answer.body["traceId"].as_str().map(str::len), Some(32));
}

/// Returns the fields of a problem's violations.
pub(crate) fn fields(answer: &Answer) -> Vec<&str> {
    let violations = answer.body["violations"].as_array().map(Vec::as_slice).unwrap_or_default();
    violations.iter().filter_map(|violation| violation["field"].as_str()).collect()
}
