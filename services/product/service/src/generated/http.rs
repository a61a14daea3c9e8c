// Rendered by `cargo martgen generate` from proto/mart/product/v1; changes are made there.

//! The operations of the product service over HTTP.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Router, routing};
use mart_chassis::http::{Api, ApiError, AppState, Auth, Body, Created, Operation, Problem, RequestContext};
use mart_proto::product::v1;

/// The catalog: what the mart sells and at which price.
pub(crate) trait ProductService: Send + Sync + 'static {
    /// Creates a product as a draft or on sale.
    fn create_product(
        &self,
        context: RequestContext,
        request: v1::CreateProductRequest,
    ) -> impl Future<Output = Result<v1::CreateProductResponse, CreateProductError>> + Send;

    /// Reads a product on sale.
    fn get_product(
        &self,
        context: RequestContext,
        request: v1::GetProductRequest,
    ) -> impl Future<Output = Result<v1::GetProductResponse, GetProductError>> + Send;

    /// Reads a product on sale by the name in its page's address.
    fn get_product_by_slug(
        &self,
        context: RequestContext,
        request: v1::GetProductBySlugRequest,
    ) -> impl Future<Output = Result<v1::GetProductBySlugResponse, GetProductBySlugError>> + Send;

    /// Lists products on sale.
    fn list_products(
        &self,
        context: RequestContext,
        request: v1::ListProductsRequest,
    ) -> impl Future<Output = Result<v1::ListProductsResponse, ListProductsError>> + Send;

    /// Changes the fields that the mask or, without one, the body names.
    fn update_product(
        &self,
        context: RequestContext,
        request: v1::UpdateProductRequest,
    ) -> impl Future<Output = Result<v1::UpdateProductResponse, UpdateProductError>> + Send;

    /// Puts a draft on sale. An active product stays as it is.
    fn activate_product(
        &self,
        context: RequestContext,
        request: v1::ActivateProductRequest,
    ) -> impl Future<Output = Result<v1::ActivateProductResponse, ActivateProductError>> + Send;

    /// Takes an active product off sale for good. An archived product stays as it is.
    fn archive_product(
        &self,
        context: RequestContext,
        request: v1::ArchiveProductRequest,
    ) -> impl Future<Output = Result<v1::ArchiveProductResponse, ArchiveProductError>> + Send;

    /// Reads a product in any status.
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
    /// the page token of the answer until that is empty.
    fn republish_products(
        &self,
        context: RequestContext,
        request: v1::RepublishProductsRequest,
    ) -> impl Future<Output = Result<v1::RepublishProductsResponse, RepublishProductsError>> + Send;
}

/// The routes of the service.
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

/// Why `CreateProduct` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum CreateProductError {
    /// Another product, perhaps an archived one, has this SKU.
    SkuTaken,
    /// Another product, perhaps an archived one, has this slug.
    SlugTaken,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for CreateProductError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<CreateProductError> for Problem {
    fn from(error: CreateProductError) -> Self {
        match error {
            CreateProductError::SkuTaken => {
                Self::new(409, "SKU_TAKEN", "Another product, perhaps an archived one, has this SKU.")
            }
            CreateProductError::SlugTaken => {
                Self::new(409, "SLUG_TAKEN", "Another product, perhaps an archived one, has this slug.")
            }
            CreateProductError::ApiError(fault) => fault.into(),
        }
    }
}

const GET_PRODUCT: Operation =
    Operation { name: "GetProduct", auth: Auth::Public, body: Body::None, creates: None, etag: Some("product.etag") };

async fn get_product<S: ProductService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&GET_PRODUCT, request, |context, request| state.service.get_product(context, request)).await
}

/// Why `GetProduct` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum GetProductError {
    /// There is no such product, or the caller may not see it.
    ProductNotFound,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for GetProductError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<GetProductError> for Problem {
    fn from(error: GetProductError) -> Self {
        match error {
            GetProductError::ProductNotFound => {
                Self::new(404, "PRODUCT_NOT_FOUND", "There is no such product, or the caller may not see it.")
            }
            GetProductError::ApiError(fault) => fault.into(),
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

/// Why `GetProductBySlug` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum GetProductBySlugError {
    /// There is no such product, or the caller may not see it.
    ProductNotFound,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for GetProductBySlugError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<GetProductBySlugError> for Problem {
    fn from(error: GetProductBySlugError) -> Self {
        match error {
            GetProductBySlugError::ProductNotFound => {
                Self::new(404, "PRODUCT_NOT_FOUND", "There is no such product, or the caller may not see it.")
            }
            GetProductBySlugError::ApiError(fault) => fault.into(),
        }
    }
}

const LIST_PRODUCTS: Operation =
    Operation { name: "ListProducts", auth: Auth::Public, body: Body::None, creates: None, etag: None };

async fn list_products<S: ProductService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&LIST_PRODUCTS, request, |context, request| state.service.list_products(context, request)).await
}

/// Why `ListProducts` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ListProductsError {
    /// The page token is not one that this list gave for this filter.
    InvalidPageToken,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for ListProductsError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<ListProductsError> for Problem {
    fn from(error: ListProductsError) -> Self {
        match error {
            ListProductsError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token is not one that this list gave for this filter.")
            }
            ListProductsError::ApiError(fault) => fault.into(),
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

/// Why `UpdateProduct` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum UpdateProductError {
    /// There is no such product, or the caller may not see it.
    ProductNotFound,
    /// The product is archived, which is final.
    ProductArchived,
    /// Another product, perhaps an archived one, has this SKU.
    SkuTaken,
    /// Another product, perhaps an archived one, has this slug.
    SlugTaken,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for UpdateProductError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
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
                Self::new(409, "SKU_TAKEN", "Another product, perhaps an archived one, has this SKU.")
            }
            UpdateProductError::SlugTaken => {
                Self::new(409, "SLUG_TAKEN", "Another product, perhaps an archived one, has this slug.")
            }
            UpdateProductError::ApiError(fault) => fault.into(),
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

/// Why `ActivateProduct` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ActivateProductError {
    /// There is no such product, or the caller may not see it.
    ProductNotFound,
    /// The product is archived, which is final.
    ProductArchived,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for ActivateProductError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
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
            ActivateProductError::ApiError(fault) => fault.into(),
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

/// Why `ArchiveProduct` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ArchiveProductError {
    /// There is no such product, or the caller may not see it.
    ProductNotFound,
    /// Only an active product can be archived.
    ProductNotActive,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for ArchiveProductError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
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
            ArchiveProductError::ApiError(fault) => fault.into(),
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

/// Why `AdminGetProduct` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum AdminGetProductError {
    /// There is no such product, or the caller may not see it.
    ProductNotFound,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for AdminGetProductError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<AdminGetProductError> for Problem {
    fn from(error: AdminGetProductError) -> Self {
        match error {
            AdminGetProductError::ProductNotFound => {
                Self::new(404, "PRODUCT_NOT_FOUND", "There is no such product, or the caller may not see it.")
            }
            AdminGetProductError::ApiError(fault) => fault.into(),
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

/// Why `AdminListProducts` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum AdminListProductsError {
    /// The page token is not one that this list gave for this filter.
    InvalidPageToken,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for AdminListProductsError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<AdminListProductsError> for Problem {
    fn from(error: AdminListProductsError) -> Self {
        match error {
            AdminListProductsError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token is not one that this list gave for this filter.")
            }
            AdminListProductsError::ApiError(fault) => fault.into(),
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

/// Why `RepublishProducts` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum RepublishProductsError {
    /// The page token is not one that this list gave for this filter.
    InvalidPageToken,
    /// What can go wrong in every operation.
    ApiError(ApiError),
}

impl From<ApiError> for RepublishProductsError {
    fn from(fault: ApiError) -> Self {
        Self::ApiError(fault)
    }
}

impl From<RepublishProductsError> for Problem {
    fn from(error: RepublishProductsError) -> Self {
        match error {
            RepublishProductsError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token is not one that this list gave for this filter.")
            }
            RepublishProductsError::ApiError(fault) => fault.into(),
        }
    }
}
