//! Implements the contract's operations with the core's use cases.

use mart_chassis::http::{ApiError, IdempotencyKey, RequestContext};
use mart_kernel::{ListError, PageSize};
use mart_proto::Violation;
use mart_proto::product::v1;
use product_core::UseCases;
use product_core::application::{
    self, ActivateError, ArchiveError, ChangeError, CreateError, CreateProduct, ListProducts, OrderBy,
    UpdateProductError as UpdateError,
};
use product_core::domain::{self, Changes, ProductId, Status, UnvalidatedDetails};
use product_core::ports::{Store, Unique};

use super::proto;
use crate::generated::http::{
    ActivateProductError, AdminGetProductError, AdminListProductsError, ArchiveProductError, CreateProductError,
    GetProductBySlugError, GetProductError, ListProductsError, ProductService, RepublishProductsError,
    UpdateProductError,
};

/// Serves the operations over HTTP.
#[derive(Debug)]
pub(crate) struct Http<S> {
    use_cases: UseCases<S>,
}

impl<S> Http<S> {
    /// Creates the operations of these use cases.
    pub(crate) fn new(use_cases: UseCases<S>) -> Self {
        Self { use_cases }
    }
}

impl<S: Store + 'static> ProductService for Http<S> {
    async fn create_product(
        &self,
        context: RequestContext,
        request: v1::CreateProductRequest,
    ) -> Result<v1::CreateProductResponse, CreateProductError> {
        let v1::CreateProductRequest { product } = request;
        let request = create(product.unwrap_or_default())?;
        let created = self
            .use_cases
            .create_product(request, context.idempotency_key.map(IdempotencyKey::receipt_builder))
            .await?;
        Ok(v1::CreateProductResponse { product: Some(proto::product(&created)) })
    }

    async fn get_product(
        &self,
        _context: RequestContext,
        request: v1::GetProductRequest,
    ) -> Result<v1::GetProductResponse, GetProductError> {
        let v1::GetProductRequest { product_id } = request;
        let found = self.use_cases.get_product(id(&product_id)?).await.map_err(ApiError::from)?;
        let product = found.ok_or(GetProductError::ProductNotFound)?;
        Ok(v1::GetProductResponse { product: Some(proto::product(&product)) })
    }

    async fn get_product_by_slug(
        &self,
        _context: RequestContext,
        request: v1::GetProductBySlugRequest,
    ) -> Result<v1::GetProductBySlugResponse, GetProductBySlugError> {
        let v1::GetProductBySlugRequest { slug } = request;
        let found = self.use_cases.get_product_by_slug(&slug).await.map_err(ApiError::from)?;
        let product = found.ok_or(GetProductBySlugError::ProductNotFound)?;
        Ok(v1::GetProductBySlugResponse { product: Some(proto::product(&product)) })
    }

    async fn list_products(
        &self,
        _context: RequestContext,
        request: v1::ListProductsRequest,
    ) -> Result<v1::ListProductsResponse, ListProductsError> {
        let v1::ListProductsRequest {
            category,
            currency_code,
            min_price,
            max_price,
            query,
            order_by,
            page_size,
            page_token,
        } = request;
        let (status, order_by, page_size) = (None, order(order_by), PageSize::requested(page_size));
        let request = ListProducts {
            status,
            category,
            currency_code,
            min_price,
            max_price,
            query,
            order_by,
            page_size,
            page_token,
        };
        let page = self.use_cases.list_products(request).await?;
        let products = page.items.iter().map(proto::product).collect();
        Ok(v1::ListProductsResponse { products, next_page_token: page.next.unwrap_or_default() })
    }

    async fn update_product(
        &self,
        context: RequestContext,
        request: v1::UpdateProductRequest,
    ) -> Result<v1::UpdateProductResponse, UpdateProductError> {
        let v1::UpdateProductRequest { product_id, product, update_mask } = request;
        let product = product.unwrap_or_default();
        let expected = context.expected(&product.etag)?;
        let changes = changes(product, &update_mask.unwrap_or_default().paths)?;
        let product = self.use_cases.update_product(id(&product_id)?, changes, expected).await?;
        Ok(v1::UpdateProductResponse { product: Some(proto::product(&product)) })
    }

    async fn activate_product(
        &self,
        context: RequestContext,
        request: v1::ActivateProductRequest,
    ) -> Result<v1::ActivateProductResponse, ActivateProductError> {
        let v1::ActivateProductRequest { product_id } = request;
        let product = self.use_cases.activate_product(id(&product_id)?, context.if_match).await?;
        Ok(v1::ActivateProductResponse { product: Some(proto::product(&product)) })
    }

    async fn archive_product(
        &self,
        context: RequestContext,
        request: v1::ArchiveProductRequest,
    ) -> Result<v1::ArchiveProductResponse, ArchiveProductError> {
        let v1::ArchiveProductRequest { product_id } = request;
        let product = self.use_cases.archive_product(id(&product_id)?, context.if_match).await?;
        Ok(v1::ArchiveProductResponse { product: Some(proto::product(&product)) })
    }

    async fn admin_get_product(
        &self,
        _context: RequestContext,
        request: v1::AdminGetProductRequest,
    ) -> Result<v1::AdminGetProductResponse, AdminGetProductError> {
        let v1::AdminGetProductRequest { product_id } = request;
        let found = self.use_cases.admin_get_product(id(&product_id)?).await.map_err(ApiError::from)?;
        let product = found.ok_or(AdminGetProductError::ProductNotFound)?;
        Ok(v1::AdminGetProductResponse { product: Some(proto::product(&product)) })
    }

    async fn admin_list_products(
        &self,
        _context: RequestContext,
        request: v1::AdminListProductsRequest,
    ) -> Result<v1::AdminListProductsResponse, AdminListProductsError> {
        let v1::AdminListProductsRequest {
            category,
            currency_code,
            min_price,
            max_price,
            query,
            order_by,
            page_size,
            page_token,
            status,
        } = request;
        let (status, order_by, page_size) =
            (proto::requested_status(status), order(order_by), PageSize::requested(page_size));
        let request = ListProducts {
            status,
            category,
            currency_code,
            min_price,
            max_price,
            query,
            order_by,
            page_size,
            page_token,
        };
        let page = self.use_cases.admin_list_products(request).await?;
        let products = page.items.iter().map(proto::product).collect();
        Ok(v1::AdminListProductsResponse { products, next_page_token: page.next.unwrap_or_default() })
    }

    async fn republish_products(
        &self,
        _context: RequestContext,
        request: v1::RepublishProductsRequest,
    ) -> Result<v1::RepublishProductsResponse, RepublishProductsError> {
        let v1::RepublishProductsRequest { page_size, page_token } = request;
        let done = self.use_cases.republish_products(PageSize::requested(page_size), &page_token).await?;
        let republished_count = i32::try_from(done.count).unwrap_or(i32::MAX);
        Ok(v1::RepublishProductsResponse { republished_count, next_page_token: done.next.unwrap_or_default() })
    }
}

fn create(product: v1::Product) -> Result<CreateProduct, ApiError> {
    let v1::Product {
        sku,
        slug,
        name,
        description,
        category,
        image_urls,
        attributes,
        prices,
        status,
        product_id: _,
        create_time: _,
        update_time: _,
        etag: _,
    } = product;
    let (attributes, prices) = (proto::attributes(attributes), proto::prices(&prices)?);
    let details = UnvalidatedDetails { sku, slug, name, description, category, image_urls, attributes, prices };
    Ok(CreateProduct { details, status: proto::requested_status(status).unwrap_or(Status::Draft) })
}

fn changes(product: v1::Product, paths: &[String]) -> Result<Changes, ApiError> {
    let v1::Product {
        sku,
        slug,
        name,
        description,
        category,
        image_urls,
        attributes,
        prices,
        status,
        product_id: _,
        create_time: _,
        update_time: _,
        etag: _,
    } = product;
    let named = |path: &str| paths.iter().any(|named| named == path);
    Ok(Changes {
        sku: named("sku").then_some(sku),
        slug: named("slug").then_some(slug),
        name: named("name").then_some(name),
        description: named("description").then_some(description),
        category: named("category").then_some(category),
        image_urls: named("image_urls").then_some(image_urls),
        attributes: named("attributes").then(|| proto::attributes(attributes)),
        prices: named("prices").then(|| proto::prices(&prices)).transpose()?,
        status: proto::requested_status(status).filter(|_| named("status")),
    })
}

/// Parses a product's id. The contract has checked before that it is a UUID.
fn id(text: &str) -> Result<ProductId, ApiError> {
    let invalid = |_| ApiError::Invalid(vec![Violation::new("productId", "string.uuid", "value must be a UUID")]);
    text.parse().map(ProductId).map_err(invalid)
}

fn order(number: i32) -> OrderBy {
    match v1::ProductOrder::try_from(number) {
        Ok(v1::ProductOrder::Name) => OrderBy::Name,
        Ok(v1::ProductOrder::Price) => OrderBy::Price,
        Ok(v1::ProductOrder::Newest | v1::ProductOrder::Unspecified) | Err(_) => OrderBy::Newest,
    }
}

impl From<CreateError> for CreateProductError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::Invalid(invalid) => proto::invalid(invalid).into(),
            CreateError::Taken(Unique::Sku) => Self::SkuTaken,
            CreateError::Taken(Unique::Slug) => Self::SlugTaken,
            CreateError::KeyReused => ApiError::KeyReused.into(),
            CreateError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

impl From<UpdateError> for UpdateProductError {
    fn from(error: UpdateError) -> Self {
        match error {
            ChangeError::NotFound => Self::ProductNotFound,
            ChangeError::Rejected(domain::UpdateError::Archived) => Self::ProductArchived,
            ChangeError::Rejected(domain::UpdateError::Invalid(invalid)) => proto::invalid(invalid).into(),
            ChangeError::Duplicate(Unique::Sku) => Self::SkuTaken,
            ChangeError::Duplicate(Unique::Slug) => Self::SlugTaken,
            ChangeError::PreconditionFailed => ApiError::PreconditionFailed.into(),
            ChangeError::Contention => ApiError::Contention.into(),
            ChangeError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

impl From<ActivateError> for ActivateProductError {
    fn from(error: ActivateError) -> Self {
        match error {
            ChangeError::NotFound => Self::ProductNotFound,
            ChangeError::Rejected(domain::Archived) => Self::ProductArchived,
            other => transition_error(&other).into(),
        }
    }
}

impl From<ArchiveError> for ArchiveProductError {
    fn from(error: ArchiveError) -> Self {
        match error {
            ChangeError::NotFound => Self::ProductNotFound,
            ChangeError::Rejected(domain::NotActive) => Self::ProductNotActive,
            other => transition_error(&other).into(),
        }
    }
}

/// Maps the errors that remain for a transition, which changes no unique value.
fn transition_error<E>(error: &ChangeError<E>) -> ApiError {
    match error {
        ChangeError::PreconditionFailed => ApiError::PreconditionFailed,
        ChangeError::Contention => ApiError::Contention,
        ChangeError::NotFound | ChangeError::Rejected(_) | ChangeError::Duplicate(_) => ApiError::Internal,
        ChangeError::Unavailable(error) => (*error).into(),
    }
}

impl From<ListError> for RepublishProductsError {
    fn from(error: ListError) -> Self {
        match error {
            ListError::InvalidPageToken(_) => Self::InvalidPageToken,
            ListError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

/// Maps the errors of listing products to those of two operations.
macro_rules! list_errors {
    ($($error:ident)*) => {
        $(
            impl From<application::ListProductsError> for $error {
                fn from(error: application::ListProductsError) -> Self {
                    match error {
                        application::ListProductsError::Invalid(invalid) => proto::invalid(invalid).into(),
                        application::ListProductsError::List(ListError::InvalidPageToken(_)) => Self::InvalidPageToken,
                        application::ListProductsError::List(ListError::Unavailable(error)) => {
                            ApiError::from(error).into()
                        }
                    }
                }
            }
        )*
    };
}

list_errors!(ListProductsError AdminListProductsError);
