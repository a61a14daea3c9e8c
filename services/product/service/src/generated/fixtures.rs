// Rendered by `cargo martgen generate` from proto/mart/product/v1; changes are made there.

//! A request of every operation of the product service that is right, so that tests can ask it as anybody.

use std::future::Future;

use mart_proto::{DynamicMessage, dynamic, product::v1};

/// Makes requests about things that are there and belong to the customer `owner`. An operation that is new in the contract
/// is a method that is missing here.
pub trait Fixtures {
    /// For `CreateProduct`.
    fn create_product(&mut self) -> impl Future<Output = v1::CreateProductRequest>;
    /// For `GetProduct`.
    fn get_product(&mut self) -> impl Future<Output = v1::GetProductRequest>;
    /// For `GetProductBySlug`.
    fn get_product_by_slug(&mut self) -> impl Future<Output = v1::GetProductBySlugRequest>;
    /// For `ListProducts`.
    fn list_products(&mut self) -> impl Future<Output = v1::ListProductsRequest>;
    /// For `UpdateProduct`.
    fn update_product(&mut self) -> impl Future<Output = v1::UpdateProductRequest>;
    /// For `ActivateProduct`.
    fn activate_product(&mut self) -> impl Future<Output = v1::ActivateProductRequest>;
    /// For `ArchiveProduct`.
    fn archive_product(&mut self) -> impl Future<Output = v1::ArchiveProductRequest>;
    /// For `AdminGetProduct`.
    fn admin_get_product(&mut self) -> impl Future<Output = v1::AdminGetProductRequest>;
    /// For `AdminListProducts`.
    fn admin_list_products(&mut self) -> impl Future<Output = v1::AdminListProductsRequest>;
    /// For `RepublishProducts`.
    fn republish_products(&mut self) -> impl Future<Output = v1::RepublishProductsRequest>;
}

/// A request of every operation, by its name.
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
