// Rendered by `cargo martgen generate` from proto/mart/order/v1; changes are made there.

//! The operations of the order service over HTTP.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Router, routing};
use mart_chassis::http::{Api, ApiError, AppState, Auth, Body, Created, Operation, Problem, RequestContext};
use mart_proto::order::v1;

/// Orders, from the quote to the delivery.
pub(crate) trait OrderService: Send + Sync + 'static {
    /// Returns the cost of an order and the lines that can't be ordered. Stores nothing.
    fn quote_order(
        &self,
        context: RequestContext,
        request: v1::QuoteOrderRequest,
    ) -> impl Future<Output = Result<v1::QuoteOrderResponse, QuoteOrderError>> + Send;

    /// Places an order for the total that the customer saw. Send an Idempotency-Key, so that a retry places it once.
    fn place_order(
        &self,
        context: RequestContext,
        request: v1::PlaceOrderRequest,
    ) -> impl Future<Output = Result<v1::PlaceOrderResponse, PlaceOrderError>> + Send;

    /// Returns an order: customers their own, admins any.
    fn get_order(
        &self,
        context: RequestContext,
        request: v1::GetOrderRequest,
    ) -> impl Future<Output = Result<v1::GetOrderResponse, GetOrderError>> + Send;

    /// Lists orders, newest first: customers their own, admins all.
    fn list_orders(
        &self,
        context: RequestContext,
        request: v1::ListOrdersRequest,
    ) -> impl Future<Output = Result<v1::ListOrdersResponse, ListOrdersError>> + Send;

    /// Changes the shipping address or the contact of an order until it is shipped. Fields that the request omits stay
    /// unchanged.
    fn change_order(
        &self,
        context: RequestContext,
        request: v1::ChangeOrderRequest,
    ) -> impl Future<Output = Result<v1::ChangeOrderResponse, ChangeOrderError>> + Send;

    /// Cancels an order that is not shipped. A cancelled order stays unchanged.
    fn cancel_order(
        &self,
        context: RequestContext,
        request: v1::CancelOrderRequest,
    ) -> impl Future<Output = Result<v1::CancelOrderResponse, CancelOrderError>> + Send;

    /// Returns the timeline of an order in words for the customer, oldest entry first.
    fn track_order(
        &self,
        context: RequestContext,
        request: v1::TrackOrderRequest,
    ) -> impl Future<Output = Result<v1::TrackOrderResponse, TrackOrderError>> + Send;

    /// Marks a confirmed order as shipped.
    fn ship_order(
        &self,
        context: RequestContext,
        request: v1::ShipOrderRequest,
    ) -> impl Future<Output = Result<v1::ShipOrderResponse, ShipOrderError>> + Send;

    /// Marks a shipped order as delivered.
    fn deliver_order(
        &self,
        context: RequestContext,
        request: v1::DeliverOrderRequest,
    ) -> impl Future<Output = Result<v1::DeliverOrderResponse, DeliverOrderError>> + Send;

    /// Publishes OrderRepublished for one page of all orders, so that read models can be rebuilt. Call it again with the
    /// returned page token until that is empty.
    fn republish_orders(
        &self,
        context: RequestContext,
        request: v1::RepublishOrdersRequest,
    ) -> impl Future<Output = Result<v1::RepublishOrdersResponse, RepublishOrdersError>> + Send;
}

/// Returns the routes of the service.
pub(crate) fn router<S: OrderService>(service: Arc<S>, api: Arc<Api>) -> Router {
    Router::new()
        .route("/v1/orders/quote", routing::post(quote_order::<S>))
        .route("/v1/orders", routing::get(list_orders::<S>).post(place_order::<S>))
        .route("/v1/orders/{order_id}", routing::get(get_order::<S>))
        .route("/v1/orders/{order_id}/change", routing::post(change_order::<S>))
        .route("/v1/orders/{order_id}/cancel", routing::post(cancel_order::<S>))
        .route("/v1/orders/{order_id}/timeline", routing::get(track_order::<S>))
        .route("/v1/orders/{order_id}/ship", routing::post(ship_order::<S>))
        .route("/v1/orders/{order_id}/deliver", routing::post(deliver_order::<S>))
        .route("/v1/admin/orders/republish", routing::post(republish_orders::<S>))
        .with_state(AppState { service, api })
}

const QUOTE_ORDER: Operation =
    Operation { name: "QuoteOrder", auth: Auth::Public, body: Body::Whole, creates: None, etag: None };

async fn quote_order<S: OrderService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&QUOTE_ORDER, request, |context, request| state.service.quote_order(context, request)).await
}

/// The errors of `QuoteOrder`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum QuoteOrderError {
    /// The sum is larger than can be stored.
    AmountTooLarge,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for QuoteOrderError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<QuoteOrderError> for Problem {
    fn from(error: QuoteOrderError) -> Self {
        match error {
            QuoteOrderError::AmountTooLarge => {
                Self::new(409, "AMOUNT_TOO_LARGE", "The sum is larger than can be stored.")
            }
            QuoteOrderError::ApiError(error) => error.into(),
        }
    }
}

const PLACE_ORDER: Operation = Operation {
    name: "PlaceOrder",
    auth: Auth::Roles(&["customer"]),
    body: Body::Whole,
    creates: Some(Created { location: "/v1/orders/", id: "order.order_id" }),
    etag: Some("order.etag"),
};

async fn place_order<S: OrderService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&PLACE_ORDER, request, |context, request| state.service.place_order(context, request)).await
}

/// The errors of `PlaceOrder`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum PlaceOrderError {
    /// Some lines can't be ordered.
    LinesRejected(v1::LinesRejected),
    /// The total differs from the one that the customer saw.
    TotalChanged(v1::TotalChanged),
    /// The sum is larger than can be stored.
    AmountTooLarge,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for PlaceOrderError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<PlaceOrderError> for Problem {
    fn from(error: PlaceOrderError) -> Self {
        match error {
            PlaceOrderError::LinesRejected(details) => {
                Self::new(409, "LINES_REJECTED", "Some lines can't be ordered.").details(&details)
            }
            PlaceOrderError::TotalChanged(details) => {
                Self::new(409, "TOTAL_CHANGED", "The total differs from the one that the customer saw.")
                    .details(&details)
            }
            PlaceOrderError::AmountTooLarge => {
                Self::new(409, "AMOUNT_TOO_LARGE", "The sum is larger than can be stored.")
            }
            PlaceOrderError::ApiError(error) => error.into(),
        }
    }
}

const GET_ORDER: Operation = Operation {
    name: "GetOrder",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::None,
    creates: None,
    etag: Some("order.etag"),
};

async fn get_order<S: OrderService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&GET_ORDER, request, |context, request| state.service.get_order(context, request)).await
}

/// The errors of `GetOrder`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum GetOrderError {
    /// There is no such order, or it belongs to another customer.
    OrderNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for GetOrderError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<GetOrderError> for Problem {
    fn from(error: GetOrderError) -> Self {
        match error {
            GetOrderError::OrderNotFound => {
                Self::new(404, "ORDER_NOT_FOUND", "There is no such order, or it belongs to another customer.")
            }
            GetOrderError::ApiError(error) => error.into(),
        }
    }
}

const LIST_ORDERS: Operation = Operation {
    name: "ListOrders",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::None,
    creates: None,
    etag: None,
};

async fn list_orders<S: OrderService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&LIST_ORDERS, request, |context, request| state.service.list_orders(context, request)).await
}

/// The errors of `ListOrders`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ListOrdersError {
    /// The page token was not issued by this list for this filter.
    InvalidPageToken,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ListOrdersError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ListOrdersError> for Problem {
    fn from(error: ListOrdersError) -> Self {
        match error {
            ListOrdersError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token was not issued by this list for this filter.")
            }
            ListOrdersError::ApiError(error) => error.into(),
        }
    }
}

const CHANGE_ORDER: Operation = Operation {
    name: "ChangeOrder",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::Whole,
    creates: None,
    etag: Some("order.etag"),
};

async fn change_order<S: OrderService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&CHANGE_ORDER, request, |context, request| state.service.change_order(context, request)).await
}

/// The errors of `ChangeOrder`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ChangeOrderError {
    /// There is no such order, or it belongs to another customer.
    OrderNotFound,
    /// The status of the order does not allow this operation.
    InvalidOrderStatus(v1::InvalidOrderStatus),
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ChangeOrderError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ChangeOrderError> for Problem {
    fn from(error: ChangeOrderError) -> Self {
        match error {
            ChangeOrderError::OrderNotFound => {
                Self::new(404, "ORDER_NOT_FOUND", "There is no such order, or it belongs to another customer.")
            }
            ChangeOrderError::InvalidOrderStatus(details) => {
                Self::new(409, "INVALID_ORDER_STATUS", "The status of the order does not allow this operation.")
                    .details(&details)
            }
            ChangeOrderError::ApiError(error) => error.into(),
        }
    }
}

const CANCEL_ORDER: Operation = Operation {
    name: "CancelOrder",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::Whole,
    creates: None,
    etag: Some("order.etag"),
};

async fn cancel_order<S: OrderService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&CANCEL_ORDER, request, |context, request| state.service.cancel_order(context, request)).await
}

/// The errors of `CancelOrder`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum CancelOrderError {
    /// There is no such order, or it belongs to another customer.
    OrderNotFound,
    /// The status of the order does not allow this operation.
    InvalidOrderStatus(v1::InvalidOrderStatus),
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for CancelOrderError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<CancelOrderError> for Problem {
    fn from(error: CancelOrderError) -> Self {
        match error {
            CancelOrderError::OrderNotFound => {
                Self::new(404, "ORDER_NOT_FOUND", "There is no such order, or it belongs to another customer.")
            }
            CancelOrderError::InvalidOrderStatus(details) => {
                Self::new(409, "INVALID_ORDER_STATUS", "The status of the order does not allow this operation.")
                    .details(&details)
            }
            CancelOrderError::ApiError(error) => error.into(),
        }
    }
}

const TRACK_ORDER: Operation = Operation {
    name: "TrackOrder",
    auth: Auth::Roles(&["customer", "admin"]),
    body: Body::None,
    creates: None,
    etag: None,
};

async fn track_order<S: OrderService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&TRACK_ORDER, request, |context, request| state.service.track_order(context, request)).await
}

/// The errors of `TrackOrder`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum TrackOrderError {
    /// There is no such order, or it belongs to another customer.
    OrderNotFound,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for TrackOrderError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<TrackOrderError> for Problem {
    fn from(error: TrackOrderError) -> Self {
        match error {
            TrackOrderError::OrderNotFound => {
                Self::new(404, "ORDER_NOT_FOUND", "There is no such order, or it belongs to another customer.")
            }
            TrackOrderError::ApiError(error) => error.into(),
        }
    }
}

const SHIP_ORDER: Operation = Operation {
    name: "ShipOrder",
    auth: Auth::Roles(&["admin"]),
    body: Body::Field { name: "shipment", mask: None },
    creates: None,
    etag: Some("order.etag"),
};

async fn ship_order<S: OrderService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&SHIP_ORDER, request, |context, request| state.service.ship_order(context, request)).await
}

/// The errors of `ShipOrder`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum ShipOrderError {
    /// There is no such order, or it belongs to another customer.
    OrderNotFound,
    /// The status of the order does not allow this operation.
    InvalidOrderStatus(v1::InvalidOrderStatus),
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for ShipOrderError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<ShipOrderError> for Problem {
    fn from(error: ShipOrderError) -> Self {
        match error {
            ShipOrderError::OrderNotFound => {
                Self::new(404, "ORDER_NOT_FOUND", "There is no such order, or it belongs to another customer.")
            }
            ShipOrderError::InvalidOrderStatus(details) => {
                Self::new(409, "INVALID_ORDER_STATUS", "The status of the order does not allow this operation.")
                    .details(&details)
            }
            ShipOrderError::ApiError(error) => error.into(),
        }
    }
}

const DELIVER_ORDER: Operation = Operation {
    name: "DeliverOrder",
    auth: Auth::Roles(&["admin"]),
    body: Body::Whole,
    creates: None,
    etag: Some("order.etag"),
};

async fn deliver_order<S: OrderService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state.api.handle(&DELIVER_ORDER, request, |context, request| state.service.deliver_order(context, request)).await
}

/// The errors of `DeliverOrder`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum DeliverOrderError {
    /// There is no such order, or it belongs to another customer.
    OrderNotFound,
    /// The status of the order does not allow this operation.
    InvalidOrderStatus(v1::InvalidOrderStatus),
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for DeliverOrderError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<DeliverOrderError> for Problem {
    fn from(error: DeliverOrderError) -> Self {
        match error {
            DeliverOrderError::OrderNotFound => {
                Self::new(404, "ORDER_NOT_FOUND", "There is no such order, or it belongs to another customer.")
            }
            DeliverOrderError::InvalidOrderStatus(details) => {
                Self::new(409, "INVALID_ORDER_STATUS", "The status of the order does not allow this operation.")
                    .details(&details)
            }
            DeliverOrderError::ApiError(error) => error.into(),
        }
    }
}

const REPUBLISH_ORDERS: Operation =
    Operation { name: "RepublishOrders", auth: Auth::Roles(&["admin"]), body: Body::Whole, creates: None, etag: None };

async fn republish_orders<S: OrderService>(State(state): State<AppState<S>>, request: Request) -> Response {
    state
        .api
        .handle(&REPUBLISH_ORDERS, request, |context, request| state.service.republish_orders(context, request))
        .await
}

/// The errors of `RepublishOrders`.
#[derive(Debug)]
#[deny(dead_code, reason = "the HTTP adapter must return every reason of the contract")]
pub(crate) enum RepublishOrdersError {
    /// The page token was not issued by this list for this filter.
    InvalidPageToken,
    /// An error that any operation can return.
    ApiError(ApiError),
}

impl From<ApiError> for RepublishOrdersError {
    fn from(error: ApiError) -> Self {
        Self::ApiError(error)
    }
}

impl From<RepublishOrdersError> for Problem {
    fn from(error: RepublishOrdersError) -> Self {
        match error {
            RepublishOrdersError::InvalidPageToken => {
                Self::new(400, "INVALID_PAGE_TOKEN", "The page token was not issued by this list for this filter.")
            }
            RepublishOrdersError::ApiError(error) => error.into(),
        }
    }
}
