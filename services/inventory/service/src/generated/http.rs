// Rendered by `cargo martgen generate` from proto/mart/inventory/v1; changes are made there.

//! The operations of the inventory service over HTTP.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Router, routing};
use mart_chassis::http::{Auth, Body, Call, Created, Edge, Fault, Operation, Problem, Served};
use mart_proto::inventory::v1;

/// Stock: what can be sold, what is promised, and how it came to be so.
pub(crate) trait InventoryService: Send + Sync + 'static {
    /// Says of up to 100 products how many units can be ordered. An unknown product has none.
    fn get_availability(
        &self,
        call: Call,
        request: v1::GetAvailabilityRequest,
    ) -> impl Future<Output = Result<v1::GetAvailabilityResponse, GetAvailabilityError>> + Send;

    /// Reads the stock of a product.
    fn get_stock_item(
        &self,
        call: Call,
        request: v1::GetStockItemRequest,
    ) -> impl Future<Output = Result<v1::GetStockItemResponse, GetStockItemError>> + Send;

    /// Lists the stock of all products, newest first.
    fn list_stock_items(
        &self,
        call: Call,
        request: v1::ListStockItemsRequest,
    ) -> impl Future<Output = Result<v1::ListStockItemsResponse, ListStockItemsError>> + Send;

    /// Books units in. Send an Idempotency-Key, so that a repeat books them once.
    fn receive_stock(
        &self,
        call: Call,
        request: v1::ReceiveStockRequest,
    ) -> impl Future<Output = Result<v1::ReceiveStockResponse, ReceiveStockError>> + Send;

    /// Corrects the count, for a reason that is kept. Send an Idempotency-Key, so that a repeat corrects it once.
    fn adjust_stock(
        &self,
        call: Call,
        request: v1::AdjustStockRequest,
    ) -> impl Future<Output = Result<v1::AdjustStockResponse, AdjustStockError>> + Send;

    /// Says from when on the stock of a product is low.
    fn set_low_stock_threshold(
        &self,
        call: Call,
        request: v1::SetLowStockThresholdRequest,
    ) -> impl Future<Output = Result<v1::SetLowStockThresholdResponse, SetLowStockThresholdError>> + Send;

    /// Reads one ledger entry.
    fn get_ledger_entry(
        &self,
        call: Call,
        request: v1::GetLedgerEntryRequest,
    ) -> impl Future<Output = Result<v1::GetLedgerEntryResponse, GetLedgerEntryError>> + Send;

    /// Lists the ledger of a product, newest first.
    fn list_ledger_entries(
        &self,
        call: Call,
        request: v1::ListLedgerEntriesRequest,
    ) -> impl Future<Output = Result<v1::ListLedgerEntriesResponse, ListLedgerEntriesError>> + Send;

    /// Reads what is promised to an order.
    fn get_reservation(
        &self,
        call: Call,
        request: v1::GetReservationRequest,
    ) -> impl Future<Output = Result<v1::GetReservationResponse, GetReservationError>> + Send;

    /// Publishes StockItemRepublished for one page of all stock items, so that read models can be rebuilt. Call it again with
    /// the page token of the answer until that is empty.
    fn republish_stock_items(
        &self,
        call: Call,
        request: v1::RepublishStockItemsRequest,
    ) -> impl Future<Output = Result<v1::RepublishStockItemsResponse, RepublishStockItemsError>> + Send;
}

/// The routes of the service.
pub(crate) fn router<S: InventoryService>(service: Arc<S>, edge: Arc<Edge>) -> Router {
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
        .with_state(Served { service, edge })
}

const GET_AVAILABILITY: Operation =
    Operation { name: "GetAvailability", auth: Auth::Public, body: Body::None, creates: None, etag: None };

async fn get_availability<S: InventoryService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&GET_AVAILABILITY, request, |call, request| at.service.get_availability(call, request)).await
}

/// Why `GetAvailability` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum GetAvailabilityError {
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for GetAvailabilityError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<GetAvailabilityError> for Problem {
    fn from(error: GetAvailabilityError) -> Self {
        match error {
            GetAvailabilityError::Fault(fault) => fault.into(),
        }
    }
}

const GET_STOCK_ITEM: Operation =
    Operation { name: "GetStockItem", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn get_stock_item<S: InventoryService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&GET_STOCK_ITEM, request, |call, request| at.service.get_stock_item(call, request)).await
}

/// Why `GetStockItem` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum GetStockItemError {
    /// Nothing is known of such a product.
    StockItemNotFound,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for GetStockItemError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<GetStockItemError> for Problem {
    fn from(error: GetStockItemError) -> Self {
        match error {
            GetStockItemError::StockItemNotFound => {
                Self::new(404, "STOCK_ITEM_NOT_FOUND", "Nothing is known of such a product.")
            }
            GetStockItemError::Fault(fault) => fault.into(),
        }
    }
}

const LIST_STOCK_ITEMS: Operation =
    Operation { name: "ListStockItems", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn list_stock_items<S: InventoryService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&LIST_STOCK_ITEMS, request, |call, request| at.service.list_stock_items(call, request)).await
}

/// Why `ListStockItems` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ListStockItemsError {
    /// The page token is not one that this list gave for this filter.
    PageTokenInvalid,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for ListStockItemsError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ListStockItemsError> for Problem {
    fn from(error: ListStockItemsError) -> Self {
        match error {
            ListStockItemsError::PageTokenInvalid => {
                Self::new(400, "PAGE_TOKEN_INVALID", "The page token is not one that this list gave for this filter.")
            }
            ListStockItemsError::Fault(fault) => fault.into(),
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

async fn receive_stock<S: InventoryService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&RECEIVE_STOCK, request, |call, request| at.service.receive_stock(call, request)).await
}

/// Why `ReceiveStock` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ReceiveStockError {
    /// Nothing is known of such a product.
    StockItemNotFound,
    /// There would be more than 1,000,000,000 units.
    StockTooLarge,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for ReceiveStockError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ReceiveStockError> for Problem {
    fn from(error: ReceiveStockError) -> Self {
        match error {
            ReceiveStockError::StockItemNotFound => {
                Self::new(404, "STOCK_ITEM_NOT_FOUND", "Nothing is known of such a product.")
            }
            ReceiveStockError::StockTooLarge => {
                Self::new(409, "STOCK_TOO_LARGE", "There would be more than 1,000,000,000 units.")
            }
            ReceiveStockError::Fault(fault) => fault.into(),
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

async fn adjust_stock<S: InventoryService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&ADJUST_STOCK, request, |call, request| at.service.adjust_stock(call, request)).await
}

/// Why `AdjustStock` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum AdjustStockError {
    /// Nothing is known of such a product.
    StockItemNotFound,
    /// There would be more than 1,000,000,000 units.
    StockTooLarge,
    /// There would be fewer units than are promised to orders, or fewer than none.
    StockTooSmall,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for AdjustStockError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<AdjustStockError> for Problem {
    fn from(error: AdjustStockError) -> Self {
        match error {
            AdjustStockError::StockItemNotFound => {
                Self::new(404, "STOCK_ITEM_NOT_FOUND", "Nothing is known of such a product.")
            }
            AdjustStockError::StockTooLarge => {
                Self::new(409, "STOCK_TOO_LARGE", "There would be more than 1,000,000,000 units.")
            }
            AdjustStockError::StockTooSmall => Self::new(
                409,
                "STOCK_TOO_SMALL",
                "There would be fewer units than are promised to orders, or fewer than none.",
            ),
            AdjustStockError::Fault(fault) => fault.into(),
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

async fn set_low_stock_threshold<S: InventoryService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge
        .answer(&SET_LOW_STOCK_THRESHOLD, request, |call, request| at.service.set_low_stock_threshold(call, request))
        .await
}

/// Why `SetLowStockThreshold` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum SetLowStockThresholdError {
    /// Nothing is known of such a product.
    StockItemNotFound,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for SetLowStockThresholdError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<SetLowStockThresholdError> for Problem {
    fn from(error: SetLowStockThresholdError) -> Self {
        match error {
            SetLowStockThresholdError::StockItemNotFound => {
                Self::new(404, "STOCK_ITEM_NOT_FOUND", "Nothing is known of such a product.")
            }
            SetLowStockThresholdError::Fault(fault) => fault.into(),
        }
    }
}

const GET_LEDGER_ENTRY: Operation =
    Operation { name: "GetLedgerEntry", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn get_ledger_entry<S: InventoryService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&GET_LEDGER_ENTRY, request, |call, request| at.service.get_ledger_entry(call, request)).await
}

/// Why `GetLedgerEntry` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum GetLedgerEntryError {
    /// There is no such ledger entry.
    LedgerEntryNotFound,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for GetLedgerEntryError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<GetLedgerEntryError> for Problem {
    fn from(error: GetLedgerEntryError) -> Self {
        match error {
            GetLedgerEntryError::LedgerEntryNotFound => {
                Self::new(404, "LEDGER_ENTRY_NOT_FOUND", "There is no such ledger entry.")
            }
            GetLedgerEntryError::Fault(fault) => fault.into(),
        }
    }
}

const LIST_LEDGER_ENTRIES: Operation =
    Operation { name: "ListLedgerEntries", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn list_ledger_entries<S: InventoryService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&LIST_LEDGER_ENTRIES, request, |call, request| at.service.list_ledger_entries(call, request)).await
}

/// Why `ListLedgerEntries` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ListLedgerEntriesError {
    /// The page token is not one that this list gave for this filter.
    PageTokenInvalid,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for ListLedgerEntriesError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ListLedgerEntriesError> for Problem {
    fn from(error: ListLedgerEntriesError) -> Self {
        match error {
            ListLedgerEntriesError::PageTokenInvalid => {
                Self::new(400, "PAGE_TOKEN_INVALID", "The page token is not one that this list gave for this filter.")
            }
            ListLedgerEntriesError::Fault(fault) => fault.into(),
        }
    }
}

const GET_RESERVATION: Operation =
    Operation { name: "GetReservation", auth: Auth::Roles(&["admin"]), body: Body::None, creates: None, etag: None };

async fn get_reservation<S: InventoryService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&GET_RESERVATION, request, |call, request| at.service.get_reservation(call, request)).await
}

/// Why `GetReservation` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum GetReservationError {
    /// Nothing was ever reserved for such an order.
    ReservationNotFound,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for GetReservationError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<GetReservationError> for Problem {
    fn from(error: GetReservationError) -> Self {
        match error {
            GetReservationError::ReservationNotFound => {
                Self::new(404, "RESERVATION_NOT_FOUND", "Nothing was ever reserved for such an order.")
            }
            GetReservationError::Fault(fault) => fault.into(),
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

async fn republish_stock_items<S: InventoryService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge
        .answer(&REPUBLISH_STOCK_ITEMS, request, |call, request| at.service.republish_stock_items(call, request))
        .await
}

/// Why `RepublishStockItems` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum RepublishStockItemsError {
    /// The page token is not one that this list gave for this filter.
    PageTokenInvalid,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for RepublishStockItemsError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<RepublishStockItemsError> for Problem {
    fn from(error: RepublishStockItemsError) -> Self {
        match error {
            RepublishStockItemsError::PageTokenInvalid => {
                Self::new(400, "PAGE_TOKEN_INVALID", "The page token is not one that this list gave for this filter.")
            }
            RepublishStockItemsError::Fault(fault) => fault.into(),
        }
    }
}
