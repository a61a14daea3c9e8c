//! A valid request of every operation of the product service, for tests of authorization and rules.

use features::{DynamicMessage, InProcess, LocalBoxFuture};
use mart_proto::product::v1::{
    ActivateProductRequest, AdminGetProductRequest, AdminListProductsRequest, ArchiveProductRequest,
    CreateProductRequest, GetProductBySlugRequest, GetProductRequest, ListProductsRequest, Product, ProductStatus,
    RepublishProductsRequest, UpdateProductRequest,
};
use mart_proto::r#type::v1::Money;
use product_service::generated::fixtures::{Fixtures, requests};
use serde_json::json;

/// Creates the requests in a mart.
pub(crate) fn fixtures(mart: &mut InProcess) -> LocalBoxFuture<'_, Vec<(&'static str, DynamicMessage)>> {
    Box::pin(async { requests(&mut Products { mart, count: 0 }).await })
}

struct Products<'a> {
    mart: &'a mut InProcess,
    count: usize,
}

impl Products<'_> {
    /// Creates a product and returns its id and slug.
    async fn product(&mut self, status: &str) -> (String, String) {
        self.count += 1;
        let slug = format!("mug-{}", self.count);
        let prices = json!([{ "amount": "1500.00", "currencyCode": "PKR" }]);
        let body = json!({ "name": "Mug", "slug": slug, "prices": prices, "status": status });
        let created = self.mart.send(Some(("admin", "admin")), "POST", "/v1/products", Some(body), &[]).await;
        (created.body["product"]["productId"].as_str().unwrap_or_default().to_owned(), slug)
    }

    async fn active(&mut self) -> String {
        self.product("PRODUCT_STATUS_ACTIVE").await.0
    }
}

impl Fixtures for Products<'_> {
    async fn create_product(&mut self) -> CreateProductRequest {
        let prices = vec![Money { amount: "1500.00".to_owned(), currency_code: "PKR".to_owned() }];
        let (name, slug, status) = ("Kite".to_owned(), "kite".to_owned(), ProductStatus::Active.into());
        CreateProductRequest { product: Some(Product { name, slug, prices, status, ..Product::default() }) }
    }

    async fn get_product(&mut self) -> GetProductRequest {
        GetProductRequest { product_id: self.active().await }
    }

    async fn get_product_by_slug(&mut self) -> GetProductBySlugRequest {
        GetProductBySlugRequest { slug: self.product("PRODUCT_STATUS_ACTIVE").await.1 }
    }

    async fn list_products(&mut self) -> ListProductsRequest {
        ListProductsRequest::default()
    }

    async fn update_product(&mut self) -> UpdateProductRequest {
        let product = Some(Product { name: "Red mug".to_owned(), ..Product::default() });
        UpdateProductRequest { product_id: self.active().await, product, update_mask: None }
    }

    async fn activate_product(&mut self) -> ActivateProductRequest {
        ActivateProductRequest { product_id: self.product("PRODUCT_STATUS_DRAFT").await.0 }
    }

    async fn archive_product(&mut self) -> ArchiveProductRequest {
        ArchiveProductRequest { product_id: self.active().await }
    }

    async fn admin_get_product(&mut self) -> AdminGetProductRequest {
        AdminGetProductRequest { product_id: self.active().await }
    }

    async fn admin_list_products(&mut self) -> AdminListProductsRequest {
        AdminListProductsRequest::default()
    }

    async fn republish_products(&mut self) -> RepublishProductsRequest {
        RepublishProductsRequest::default()
    }
}
