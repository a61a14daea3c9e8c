// Rendered by `cargo martgen generate` from proto/mart/product/v1; changes are made there.

//! The operations of the product service over HTTP.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Router, routing};
use mart_chassis::http::{Api, ApiError, AppState, Auth, Body, Created, Operation, Problem, RequestContext};
use mart_proto::product::v1;

/// The catalog: products and their prices.
pub(crate) trait ProductService: Send + Sync + 'static {
    /// Creates a product as a draft or on sale.
    fn create_product(
        &self,
        context: RequestContext,
        request: v1::CreateProductRequest,
    ) -> impl Future<Output = Result<v1::CreateProductResponse, CreateProductError>> + Send;

    /// Returns a product on sale.
    fn get_product(
        &self,
        context: RequestContext,
        request: v1::GetProductRequest,
    ) -> impl Future<Output = Result<v1::GetProductResponse, GetProductError>> + Send;

    /// Returns a product on sale by its slug.
    fn get_product_by_slug(
        &self,
        context: RequestContext,
        request: v1::GetProductBySlugRequest,
    ) -> impl Future<Output = Result<v1::GetProductBySlugResponse, GetProductBySlugError>> + Send;

    /// Lists the products on sale.
    fn list_products(
        &self,
        context: RequestContext,
        request: v1::ListProductsRequest,
    ) -> impl Future<Output = Result<v1::ListProductsResponse, ListProductsError>> + Send;

    /// Changes a product: the fields in the update mask or, without one, those in the body.
    fn update_product(
        &self,
        context: RequestContext,
        request: v1::UpdateProductRequest,
    ) -> impl Future<Output = Result<v1::UpdateProductResponse, UpdateProductError>> + Send;

    /// Puts a draft on sale. An active product stays unchanged.
    fn activate_product(
        &self,
        context: RequestContext,
        request: v1::ActivateProductRequest,
    ) -> impl Future<Output = Result<v1::ActivateProductResponse, ActivateProductError>> + Send;

    /// Takes an active product off sale for good. An archived product stays unchanged.
    fn archive_product(
        &self,
        context: RequestContext,
        request: v1::ArchiveProductRequest,
    ) -> impl Future<Output = Result<v1::ArchiveProductResponse, ArchiveProductError>> + Send;

    /// Returns a product in any status.
    fn admin_get_product(
        &self,
        context: RequestContext,
        request: v1::AdminGetProductRequest,
    ) -> impl Future<Output = Result<v1::AdminGetProductResponse, AdminGetProductError>> + Send;

    /// Lists products in any status.
    fn admin_list_products(
        &self,
        context: RequestContext,
        request: v1::AdminListProductsRequest,
    ) -> impl Future<Output = Result<v1::AdminListProductsResponse, AdminListProductsError>> + Send;

    /// Publishes ProductRepublished for one page of all products, so that read models can be rebuilt. Call it again with
    /// the returned page token until that is empty.
    fn republish_products(
        &self,
        context: RequestContext,
        request: v1::RepublishProductsRequest,
    ) -> impl Future<Output = Result<v1::RepublishProductsResponse, RepublishProductsError>> + Send;
}

/// Returns the routes of the service.
pub(crate) fn router<S: ProductService>(service: Arc<S>, api: Arc<Api>) -> Router {
    Router::new()
        .route("/v1/products", routing::get(list_products::<S>).post(create_product::<S>))
        .route("/v1/products/{product_id}", routing::get(get_product::<S>).patch(update_product::<S>))
        .route("/v1/product-slugs/{slug}", routing::get(get_product_by_slug::<S>))
        .route("/v1/products/{product_id}/activate", routing::post(activate_product::<S>))
        .route("/v1/products/{product_id}/archive", routing::post(archive_product::<S>))
        .route("/v1/admin/products/{product_id}", routing::get(admin_get_product::<S>))
        .route("/v1/admin/products", routing::get(admin_list_products::<S>))
        .route("/v1/admin/products/republish", routing::post(republish_products::<S>))
        .with_state(AppState { service, api })
}

const CREATE_PRODUCT: Operation = Operation {
    name: "CreateProduct",
    auth: Auth::Roles(&["admin"]),
    body: Body::Field { name: "product", mask: None },
    creates: Some(Created { location: "/v1/admin/products/", id: "product.product_id" }),
    etag: Some("product.etag"),
};

async fn create_product<S: ProductService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&CREATE_PRODUCT, request, |context, request| state.service.create_product(context, request)).await
}

/// The errors of `CreateProduct`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum CreateProductError {
    /// Another product, which may be archived, has this SKU.
    SkuTaken,
    /// Another product, which may be archived, has this slug.
    SlugTaken,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for CreateProductError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<CreateProductError> for Problem {
    fn from(error: CreateProductError) -> Self {
        match error {
            CreateProductError::SkuTaken => {
                Self::new(409, "SKU_TAKEN", "Another product, which may be archived, has this SKU.")
            }
            CreateProductError::SlugTaken => {
                Self::new(409, "SLUG_TAKEN", "Another product, which may be archived, has this slug.")
            }
            CreateProductError::ApiError(error) => error.into(),
        }
    }
}

const GET_PRODUCT: Operation =
    Operation { name: "GetProduct", auth: Auth::Public, body: Body::None, creates: None, etag: Some("product.etag") };

async fn get_product<S: ProductService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&GET_PRODUCT, request, |context, request| state.service.get_product(context, request)).await
}

/// The errors of `GetProduct`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum GetProductError {
    /// There is no such product, or the caller may not see it.
    ProductNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for GetProductError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<GetProductError> for Problem {
    fn from(error: GetProductError) -> Self {
        match error {
            GetProductError::ProductNotFound => {
                Self::new(404, "PRODUCT_NOT_FOUND", "There is no such product, or the caller may not see it.")
            }
            GetProductError::ApiError(error) => error.into(),
        }
    }
}

const GET_PRODUCT_BY_SLUG: Operation = Operation {
    name: "GetProductBySlug",
    auth: Auth::Public,
    body: Body::None,
    creates: None,
    etag: Some("product.etag"),
};

async fn get_product_by_slug<S: ProductService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&GET_PRODUCT_BY_SLUG, request, |context, request| state.service.get_product_by_slug(context, request))
        .await
}

/// The errors of `GetProductBySlug`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum GetProductBySlugError {
    /// There is no such product, or the caller may not see it.
    ProductNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for GetProductBySlugError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<GetProductBySlugError> for Problem {
    fn from(error: GetProductBySlugError) -> Self {
        match error {
            GetProductBySlugError::ProductNotFound => {
                Self::new(404, "PRODUCT_NOT_FOUND", "There is no such product, or the caller may not see it.")
            }
            GetProductBySlugError::ApiError(error) => error.into(),
        }
    }
}

const LIST_PRODUCTS: Operation =
    Operation { name: "ListProducts", auth: Auth::Public, body: Body::None, creates: None, etag: None };

async fn list_products<S: ProductService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&LIST_PRODUCTS, request, |context, request| state.service.list_products(context, request)).await
}

/// The errors of `ListProducts`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ListProductsError {
    /// The page token was not issued by this list for this filter.
    InvalidPageToken,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ListProductsError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ListProductsError> for Problem {
    fn from(error: ListProductsError) -> Self {
        match error {
            ListProductsError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token was not issued by this list for this filter.")
            }
            ListProductsError::ApiError(error) => error.into(),
        }
    }
}

const UPDATE_PRODUCT: Operation = Operation {
    name: "UpdateProduct",
    auth: Auth::Roles(&["admin"]),
    body: Body::Field { name: "product", mask: Some("update_mask") },
    creates: None,
    etag: Some("product.etag"),
};

async fn update_product<S: ProductService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&UPDATE_PRODUCT, request, |context, request| state.service.update_product(context, request)).await
}

/// The errors of `UpdateProduct`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum UpdateProductError {
    /// There is no such product, or the caller may not see it.
    ProductNotFound,
    /// The product is archived, which is final.
    ProductArchived,
    /// Another product, which may be archived, has this SKU.
    SkuTaken,
    /// Another product, which may be archived, has this slug.
    SlugTaken,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for UpdateProductError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<UpdateProductError> for Problem {
    fn from(error: UpdateProductError) -> Self {
        match error {
            UpdateProductError::ProductNotFound => {
                Self::new(404, "PRODUCT_NOT_FOUND", "There is no such product, or the caller may not see it.")
            }
            UpdateProductError::ProductArchived => {
                Self::new(409, "PRODUCT_ARCHIVED", "The product is archived, which is final.")
            }
            UpdateProductError::SkuTaken => {
                Self::new(409, "SKU_TAKEN", "Another product, which may be archived, has this SKU.")
            }
            UpdateProductError::SlugTaken => {
                Self::new(409, "SLUG_TAKEN", "Another product, which may be archived, has this slug.")
            }
            UpdateProductError::ApiError(error) => error.into(),
        }
    }
}

const ACTIVATE_PRODUCT: Operation = Operation {
    name: "ActivateProduct",
    auth: Auth::Roles(&["admin"]),
    body: Body::Whole,
    creates: None,
    etag: Some("product.etag"),
};

async fn activate_product<S: ProductService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&ACTIVATE_PRODUCT, request, |context, request| state.service.activate_product(context, request))
        .await
}

/// The errors of `ActivateProduct`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ActivateProductError {
    /// There is no such product, or the caller may not see it.
    ProductNotFound,
    /// The product is archived, which is final.
    ProductArchived,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ActivateProductError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ActivateProductError> for Problem {
    fn from(error: ActivateProductError) -> Self {
        match error {
            ActivateProductError::ProductNotFound => {
                Self::new(404, "PRODUCT_NOT_FOUND", "There is no such product, or the caller may not see it.")
            }
            ActivateProductError::ProductArchived => {
                Self::new(409, "PRODUCT_ARCHIVED", "The product is archived, which is final.")
            }
            ActivateProductError::ApiError(error) => error.into(),
        }
    }
}

const ARCHIVE_PRODUCT: Operation = Operation {
    name: "ArchiveProduct",
    auth: Auth::Roles(&["admin"]),
    body: Body::Whole,
    creates: None,
    etag: Some("product.etag"),
};

async fn archive_product<S: ProductService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&ARCHIVE_PRODUCT, request, |context, request| state.service.archive_product(context, request))
        .await
}

/// The errors of `ArchiveProduct`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ArchiveProductError {
    /// There is no such product, or the caller may not see it.
    ProductNotFound,
    /// Only an active product can be archived.
    ProductNotActive,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ArchiveProductError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ArchiveProductError> for Problem {
    fn from(error: ArchiveProductError) -> Self {
        match error {
            ArchiveProductError::ProductNotFound => {
                Self::new(404, "PRODUCT_NOT_FOUND", "There is no such product, or the caller may not see it.")
            }
            ArchiveProductError::ProductNotActive => {
                Self::new(409, "PRODUCT_NOT_ACTIVE", "Only an active product can be archived.")
            }
            ArchiveProductError::ApiError(error) => error.into(),
        }
    }
}

const ADMIN_GET_PRODUCT: Operation = Operation {
    name: "AdminGetProduct",
    auth: Auth::Roles(&["admin"]),
    body: Body::None,
    creates: None,
    etag: Some("product.etag"),
};

async fn admin_get_product<S: ProductService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&ADMIN_GET_PRODUCT, request, |context, request| state.service.admin_get_product(context, request))
        .await
}

/// The errors of `AdminGetProduct`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum AdminGetProductError {
    /// There is no such product, or the caller may not see it.
    ProductNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for AdminGetProductError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<AdminGetProductError> for Problem {
    fn from(error: AdminGetProductError) -> Self {
        match error {
            AdminGetProductError::ProductNotFound => {
                Self::new(404, "PRODUCT_NOT_FOUND", "There is no such product, or the caller may not see it.")
            }
            AdminGetProductError::ApiError(error) => error.into(),
        }
    }
}

const ADMIN_LIST_PRODUCTS: Operation =
    Operation { name: "AdminListProducts", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn admin_list_products<S: ProductService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&ADMIN_LIST_PRODUCTS, request, |context, request| state.service.admin_list_products(context, request))
        .await
}

/// The errors of `AdminListProducts`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum AdminListProductsError {
    /// The page token was not issued by this list for this filter.
    InvalidPageToken,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for AdminListProductsError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<AdminListProductsError> for Problem {
    fn from(error: AdminListProductsError) -> Self {
        match error {
            AdminListProductsError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token was not issued by this list for this filter.")
            }
            AdminListProductsError::ApiError(error) => error.into(),
        }
    }
}

const REPUBLISH_PRODUCTS: Operation = Operation {
    name: "RepublishProducts",
    auth: Auth::Roles(&["admin"]),
    body: Body::Whole,
    creates: None,
    etag: None,
};

async fn republish_products<S: ProductService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&REPUBLISH_PRODUCTS, request, |context, request| state.service.republish_products(context, request))
        .await
}

/// The errors of `RepublishProducts`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum RepublishProductsError {
    /// The page token was not issued by this list for this filter.
    InvalidPageToken,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for RepublishProductsError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<RepublishProductsError> for Problem {
    fn from(error: RepublishProductsError) -> Self {
        match error {
            RepublishProductsError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token was not issued by this list for this filter.")
            }
            RepublishProductsError::ApiError(error) => error.into(),
        }
    }
}
