// Rendered by `cargo martgen generate` from proto/mart/inventory/v1; changes are made there.

//! The operations of the inventory service over HTTP.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Router, routing};
use mart_chassis::http::{Api, ApiError, AppState, Auth, Body, Created, Operation, Problem, RequestContext};
use mart_proto::inventory::v1;

/// Stock: available and reserved units and the ledger of their changes.
pub(crate) trait InventoryService: Send + Sync + 'static {
    /// Returns the number of units that can be ordered, for up to 100 products. An unknown product has 0.
    fn get_availability(
        &self,
        context: RequestContext,
        request: v1::GetAvailabilityRequest,
    ) -> impl Future<Output = Result<v1::GetAvailabilityResponse, GetAvailabilityError>> + Send;

    /// Returns the stock of a product.
    fn get_stock_item(
        &self,
        context: RequestContext,
        request: v1::GetStockItemRequest,
    ) -> impl Future<Output = Result<v1::GetStockItemResponse, GetStockItemError>> + Send;

    /// Lists the stock of all products, newest first.
    fn list_stock_items(
        &self,
        context: RequestContext,
        request: v1::ListStockItemsRequest,
    ) -> impl Future<Output = Result<v1::ListStockItemsResponse, ListStockItemsError>> + Send;

    /// Adds received units to the stock. Send an Idempotency-Key, so that a retry adds them once.
    fn receive_stock(
        &self,
        context: RequestContext,
        request: v1::ReceiveStockRequest,
    ) -> impl Future<Output = Result<v1::ReceiveStockResponse, ReceiveStockError>> + Send;

    /// Corrects the count, with a reason for the ledger. Send an Idempotency-Key, so that a retry corrects it once.
    fn adjust_stock(
        &self,
        context: RequestContext,
        request: v1::AdjustStockRequest,
    ) -> impl Future<Output = Result<v1::AdjustStockResponse, AdjustStockError>> + Send;

    /// Sets the number of available units at which the stock of a product is low.
    fn set_low_stock_threshold(
        &self,
        context: RequestContext,
        request: v1::SetLowStockThresholdRequest,
    ) -> impl Future<Output = Result<v1::SetLowStockThresholdResponse, SetLowStockThresholdError>> + Send;

    /// Returns a ledger entry.
    fn get_ledger_entry(
        &self,
        context: RequestContext,
        request: v1::GetLedgerEntryRequest,
    ) -> impl Future<Output = Result<v1::GetLedgerEntryResponse, GetLedgerEntryError>> + Send;

    /// Lists the ledger of a product, newest first.
    fn list_ledger_entries(
        &self,
        context: RequestContext,
        request: v1::ListLedgerEntriesRequest,
    ) -> impl Future<Output = Result<v1::ListLedgerEntriesResponse, ListLedgerEntriesError>> + Send;

    /// Returns the reservation of an order.
    fn get_reservation(
        &self,
        context: RequestContext,
        request: v1::GetReservationRequest,
    ) -> impl Future<Output = Result<v1::GetReservationResponse, GetReservationError>> + Send;

    /// Publishes StockItemRepublished for one page of all stock items, so that read models can be rebuilt. Call it again
    /// with the returned page token until that is empty.
    fn republish_stock_items(
        &self,
        context: RequestContext,
        request: v1::RepublishStockItemsRequest,
    ) -> impl Future<Output = Result<v1::RepublishStockItemsResponse, RepublishStockItemsError>> + Send;
}

/// Returns the routes of the service.
pub(crate) fn router<S: InventoryService>(service: Arc<S>, api: Arc<Api>) -> Router {
    Router::new()
        .route("/v1/availability", routing::get(get_availability::<S>))
        .route("/v1/admin/stock-items/{product_id}", routing::get(get_stock_item::<S>))
        .route("/v1/admin/stock-items", routing::get(list_stock_items::<S>))
        .route("/v1/admin/stock-items/{product_id}/receive", routing::post(receive_stock::<S>))
        .route("/v1/admin/stock-items/{product_id}/adjust", routing::post(adjust_stock::<S>))
        .route("/v1/admin/stock-items/{product_id}/low-stock-threshold", routing::put(set_low_stock_threshold::<S>))
        .route("/v1/admin/ledger-entries/{ledger_entry_id}", routing::get(get_ledger_entry::<S>))
        .route("/v1/admin/stock-items/{product_id}/ledger-entries", routing::get(list_ledger_entries::<S>))
        .route("/v1/admin/reservations/{order_id}", routing::get(get_reservation::<S>))
        .route("/v1/admin/stock-items/republish", routing::post(republish_stock_items::<S>))
        .with_state(AppState { service, api })
}

const GET_AVAILABILITY: Operation =
    Operation { name: "GetAvailability", auth: Auth::Public, body: Body::None, creates: None, etag: None };

async fn get_availability<S: InventoryService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&GET_AVAILABILITY, request, |context, request| state.service.get_availability(context, request))
        .await
}

/// The errors of `GetAvailability`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum GetAvailabilityError {
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for GetAvailabilityError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<GetAvailabilityError> for Problem {
    fn from(error: GetAvailabilityError) -> Self {
        match error {
            GetAvailabilityError::ApiError(error) => error.into(),
        }
    }
}

const GET_STOCK_ITEM: Operation =
    Operation { name: "GetStockItem", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn get_stock_item<S: InventoryService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&GET_STOCK_ITEM, request, |context, request| state.service.get_stock_item(context, request)).await
}

/// The errors of `GetStockItem`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum GetStockItemError {
    /// The product has no stock item.
    StockItemNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for GetStockItemError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<GetStockItemError> for Problem {
    fn from(error: GetStockItemError) -> Self {
        match error {
            GetStockItemError::StockItemNotFound => {
                Self::new(404, "STOCK_ITEM_NOT_FOUND", "The product has no stock item.")
            }
            GetStockItemError::ApiError(error) => error.into(),
        }
    }
}

const LIST_STOCK_ITEMS: Operation =
    Operation { name: "ListStockItems", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn list_stock_items<S: InventoryService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&LIST_STOCK_ITEMS, request, |context, request| state.service.list_stock_items(context, request))
        .await
}

/// The errors of `ListStockItems`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ListStockItemsError {
    /// The page token was not issued by this list for this filter.
    InvalidPageToken,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ListStockItemsError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ListStockItemsError> for Problem {
    fn from(error: ListStockItemsError) -> Self {
        match error {
            ListStockItemsError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token was not issued by this list for this filter.")
            }
            ListStockItemsError::ApiError(error) => error.into(),
        }
    }
}

const RECEIVE_STOCK: Operation = Operation {
    name: "ReceiveStock",
    auth: Auth::Roles(&["admin"]),
    body: Body::Whole,
    creates: Some(Created { location: "/v1/admin/ledger-entries/", id: "ledger_entry.ledger_entry_id" }),
    etag: None,
};

async fn receive_stock<S: InventoryService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&RECEIVE_STOCK, request, |context, request| state.service.receive_stock(context, request)).await
}

/// The errors of `ReceiveStock`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ReceiveStockError {
    /// The product has no stock item.
    StockItemNotFound,
    /// The stock would exceed 1,000,000,000 units.
    StockTooLarge,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ReceiveStockError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ReceiveStockError> for Problem {
    fn from(error: ReceiveStockError) -> Self {
        match error {
            ReceiveStockError::StockItemNotFound => {
                Self::new(404, "STOCK_ITEM_NOT_FOUND", "The product has no stock item.")
            }
            ReceiveStockError::StockTooLarge => {
                Self::new(409, "STOCK_TOO_LARGE", "The stock would exceed 1,000,000,000 units.")
            }
            ReceiveStockError::ApiError(error) => error.into(),
        }
    }
}

const ADJUST_STOCK: Operation = Operation {
    name: "AdjustStock",
    auth: Auth::Roles(&["admin"]),
    body: Body::Whole,
    creates: Some(Created { location: "/v1/admin/ledger-entries/", id: "ledger_entry.ledger_entry_id" }),
    etag: None,
};

async fn adjust_stock<S: InventoryService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&ADJUST_STOCK, request, |context, request| state.service.adjust_stock(context, request)).await
}

/// The errors of `AdjustStock`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum AdjustStockError {
    /// The product has no stock item.
    StockItemNotFound,
    /// The stock would exceed 1,000,000,000 units.
    StockTooLarge,
    /// The stock would fall below the reserved units or below zero.
    InsufficientStock,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for AdjustStockError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<AdjustStockError> for Problem {
    fn from(error: AdjustStockError) -> Self {
        match error {
            AdjustStockError::StockItemNotFound => {
                Self::new(404, "STOCK_ITEM_NOT_FOUND", "The product has no stock item.")
            }
            AdjustStockError::StockTooLarge => {
                Self::new(409, "STOCK_TOO_LARGE", "The stock would exceed 1,000,000,000 units.")
            }
            AdjustStockError::InsufficientStock => {
                Self::new(409, "INSUFFICIENT_STOCK", "The stock would fall below the reserved units or below zero.")
            }
            AdjustStockError::ApiError(error) => error.into(),
        }
    }
}

const SET_LOW_STOCK_THRESHOLD: Operation = Operation {
    name: "SetLowStockThreshold",
    auth: Auth::Roles(&["admin"]),
    body: Body::Whole,
    creates: None,
    etag: None,
};

async fn set_low_stock_threshold<S: InventoryService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&SET_LOW_STOCK_THRESHOLD, request, |context, request| {
            state.service.set_low_stock_threshold(context, request)
        })
        .await
}

/// The errors of `SetLowStockThreshold`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum SetLowStockThresholdError {
    /// The product has no stock item.
    StockItemNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for SetLowStockThresholdError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<SetLowStockThresholdError> for Problem {
    fn from(error: SetLowStockThresholdError) -> Self {
        match error {
            SetLowStockThresholdError::StockItemNotFound => {
                Self::new(404, "STOCK_ITEM_NOT_FOUND", "The product has no stock item.")
            }
            SetLowStockThresholdError::ApiError(error) => error.into(),
        }
    }
}

const GET_LEDGER_ENTRY: Operation =
    Operation { name: "GetLedgerEntry", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn get_ledger_entry<S: InventoryService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&GET_LEDGER_ENTRY, request, |context, request| state.service.get_ledger_entry(context, request))
        .await
}

/// The errors of `GetLedgerEntry`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum GetLedgerEntryError {
    /// There is no such ledger entry.
    LedgerEntryNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for GetLedgerEntryError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<GetLedgerEntryError> for Problem {
    fn from(error: GetLedgerEntryError) -> Self {
        match error {
            GetLedgerEntryError::LedgerEntryNotFound => {
                Self::new(404, "LEDGER_ENTRY_NOT_FOUND", "There is no such ledger entry.")
            }
            GetLedgerEntryError::ApiError(error) => error.into(),
        }
    }
}

const LIST_LEDGER_ENTRIES: Operation =
    Operation { name: "ListLedgerEntries", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn list_ledger_entries<S: InventoryService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&LIST_LEDGER_ENTRIES, request, |context, request| state.service.list_ledger_entries(context, request))
        .await
}

/// The errors of `ListLedgerEntries`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ListLedgerEntriesError {
    /// The page token was not issued by this list for this filter.
    InvalidPageToken,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ListLedgerEntriesError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ListLedgerEntriesError> for Problem {
    fn from(error: ListLedgerEntriesError) -> Self {
        match error {
            ListLedgerEntriesError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token was not issued by this list for this filter.")
            }
            ListLedgerEntriesError::ApiError(error) => error.into(),
        }
    }
}

const GET_RESERVATION: Operation =
    Operation { name: "GetReservation", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn get_reservation<S: InventoryService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&GET_RESERVATION, request, |context, request| state.service.get_reservation(context, request))
        .await
}

/// The errors of `GetReservation`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum GetReservationError {
    /// The order has no reservation.
    ReservationNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for GetReservationError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<GetReservationError> for Problem {
    fn from(error: GetReservationError) -> Self {
        match error {
            GetReservationError::ReservationNotFound => {
                Self::new(404, "RESERVATION_NOT_FOUND", "The order has no reservation.")
            }
            GetReservationError::ApiError(error) => error.into(),
        }
    }
}

const REPUBLISH_STOCK_ITEMS: Operation = Operation {
    name: "RepublishStockItems",
    auth: Auth::Roles(&["admin"]),
    body: Body::Whole,
    creates: None,
    etag: None,
};

async fn republish_stock_items<S: InventoryService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&REPUBLISH_STOCK_ITEMS, request, |context, request| {
            state.service.republish_stock_items(context, request)
        })
        .await
}

/// The errors of `RepublishStockItems`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum RepublishStockItemsError {
    /// The page token was not issued by this list for this filter.
    InvalidPageToken,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for RepublishStockItemsError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<RepublishStockItemsError> for Problem {
    fn from(error: RepublishStockItemsError) -> Self {
        match error {
            RepublishStockItemsError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token was not issued by this list for this filter.")
            }
            RepublishStockItemsError::ApiError(error) => error.into(),
        }
    }
}
