// Rendered by `cargo martgen generate` from proto/mart/product/v1; changes are made there.

//! A valid request of every operation of the product service, so that tests can send it as any caller.

use std::future::Future;

use mart_proto::{DynamicMessage, dynamic, product::v1};

/// Makes valid requests for existing resources of the customer `owner`. A new operation of the contract adds a required method.
pub trait Fixtures {
    /// A request of `CreateProduct`.
    fn create_product(&mut self) -> impl Future<Output = v1::CreateProductRequest>;
    /// A request of `GetProduct`.
    fn get_product(&mut self) -> impl Future<Output = v1::GetProductRequest>;
    /// A request of `GetProductBySlug`.
    fn get_product_by_slug(&mut self) -> impl Future<Output = v1::GetProductBySlugRequest>;
    /// A request of `ListProducts`.
    fn list_products(&mut self) -> impl Future<Output = v1::ListProductsRequest>;
    /// A request of `UpdateProduct`.
    fn update_product(&mut self) -> impl Future<Output = v1::UpdateProductRequest>;
    /// A request of `ActivateProduct`.
    fn activate_product(&mut self) -> impl Future<Output = v1::ActivateProductRequest>;
    /// A request of `ArchiveProduct`.
    fn archive_product(&mut self) -> impl Future<Output = v1::ArchiveProductRequest>;
    /// A request of `AdminGetProduct`.
    fn admin_get_product(&mut self) -> impl Future<Output = v1::AdminGetProductRequest>;
    /// A request of `AdminListProducts`.
    fn admin_list_products(&mut self) -> impl Future<Output = v1::AdminListProductsRequest>;
    /// A request of `RepublishProducts`.
    fn republish_products(&mut self) -> impl Future<Output = v1::RepublishProductsRequest>;
}

/// Returns a request of every operation with the operation's name.
pub async fn requests(of: &mut impl Fixtures) -> Vec<(&'static str, DynamicMessage)> {
    vec![
        ("CreateProduct", dynamic(&of.create_product().await)),
        ("GetProduct", dynamic(&of.get_product().await)),
        ("GetProductBySlug", dynamic(&of.get_product_by_slug().await)),
        ("ListProducts", dynamic(&of.list_products().await)),
        ("UpdateProduct", dynamic(&of.update_product().await)),
        ("ActivateProduct", dynamic(&of.activate_product().await)),
        ("ArchiveProduct", dynamic(&of.archive_product().await)),
        ("AdminGetProduct", dynamic(&of.admin_get_product().await)),
        ("AdminListProducts", dynamic(&of.admin_list_products().await)),
        ("RepublishProducts", dynamic(&of.republish_products().await)),
    ]
}
