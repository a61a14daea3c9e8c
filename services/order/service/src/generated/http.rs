// Rendered by `cargo martgen generate` from proto/mart/order/v1; changes are made there.

//! The operations of the order service over HTTP.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::{Router, routing};
use mart_chassis::http::{Auth, Body, Call, Created, Edge, Fault, Operation, Problem, Served};
use mart_proto::order::v1;

/// Orders: from the basket to the door.
pub(crate) trait OrderService: Send + Sync + 'static {
    /// Says what an order would cost and which of its lines can't be ordered. Nothing is kept.
    fn quote_order(
        &self,
        call: Call,
        request: v1::QuoteOrderRequest,
    ) -> impl Future<Output = Result<v1::QuoteOrderResponse, QuoteOrderError>> + Send;

    /// Places an order for the total that the customer saw. Send an Idempotency-Key, so that a repeat places it once.
    fn place_order(
        &self,
        call: Call,
        request: v1::PlaceOrderRequest,
    ) -> impl Future<Output = Result<v1::PlaceOrderResponse, PlaceOrderError>> + Send;

    /// Reads an order: a customer his own, an admin any.
    fn get_order(
        &self,
        call: Call,
        request: v1::GetOrderRequest,
    ) -> impl Future<Output = Result<v1::GetOrderResponse, GetOrderError>> + Send;

    /// Lists orders, newest first: a customer his own, an admin all.
    fn list_orders(
        &self,
        call: Call,
        request: v1::ListOrdersRequest,
    ) -> impl Future<Output = Result<v1::ListOrdersResponse, ListOrdersError>> + Send;

    /// Changes where an order goes and whom to tell, until it is shipped. What the request leaves out stays.
    fn change_order(
        &self,
        call: Call,
        request: v1::ChangeOrderRequest,
    ) -> impl Future<Output = Result<v1::ChangeOrderResponse, ChangeOrderError>> + Send;

    /// Cancels an order that is not shipped. A cancelled order stays as it is.
    fn cancel_order(
        &self,
        call: Call,
        request: v1::CancelOrderRequest,
    ) -> impl Future<Output = Result<v1::CancelOrderResponse, CancelOrderError>> + Send;

    /// Tells what happened to an order, in the customer's words, oldest first.
    fn track_order(
        &self,
        call: Call,
        request: v1::TrackOrderRequest,
    ) -> impl Future<Output = Result<v1::TrackOrderResponse, TrackOrderError>> + Send;

    /// Says that a confirmed order is on its way.
    fn ship_order(
        &self,
        call: Call,
        request: v1::ShipOrderRequest,
    ) -> impl Future<Output = Result<v1::ShipOrderResponse, ShipOrderError>> + Send;

    /// Says that a shipped order has arrived.
    fn deliver_order(
        &self,
        call: Call,
        request: v1::DeliverOrderRequest,
    ) -> impl Future<Output = Result<v1::DeliverOrderResponse, DeliverOrderError>> + Send;

    /// Publishes OrderRepublished for one page of all orders, so that read models can be rebuilt. Call it again with the
    /// page token of the answer until that is empty.
    fn republish_orders(
        &self,
        call: Call,
        request: v1::RepublishOrdersRequest,
    ) -> impl Future<Output = Result<v1::RepublishOrdersResponse, RepublishOrdersError>> + Send;
}

/// The routes of the service.
pub(crate) fn router<S: OrderService>(service: Arc<S>, edge: Arc<Edge>) -> Router {
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
        .with_state(Served { service, edge })
}

const QUOTE_ORDER: Operation =
    Operation { name: "QuoteOrder", auth: Auth::Public, body: Body::Whole, creates: None, etag: None };

async fn quote_order<S: OrderService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&QUOTE_ORDER, request, |call, request| at.service.quote_order(call, request)).await
}

/// Why `QuoteOrder` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum QuoteOrderError {
    /// The sum is larger than can be kept.
    AmountTooLarge,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for QuoteOrderError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<QuoteOrderError> for Problem {
    fn from(error: QuoteOrderError) -> Self {
        match error {
            QuoteOrderError::AmountTooLarge => {
                Self::new(409, "AMOUNT_TOO_LARGE", "The sum is larger than can be kept.")
            }
            QuoteOrderError::Fault(fault) => fault.into(),
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

async fn place_order<S: OrderService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&PLACE_ORDER, request, |call, request| at.service.place_order(call, request)).await
}

/// Why `PlaceOrder` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum PlaceOrderError {
    /// Some lines can't be ordered.
    LinesRefused(v1::LinesRefused),
    /// The order costs something else than the customer saw.
    TotalChanged(v1::TotalChanged),
    /// The sum is larger than can be kept.
    AmountTooLarge,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for PlaceOrderError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<PlaceOrderError> for Problem {
    fn from(error: PlaceOrderError) -> Self {
        match error {
            PlaceOrderError::LinesRefused(details) => {
                Self::new(409, "LINES_REFUSED", "Some lines can't be ordered.").details(&details)
            }
            PlaceOrderError::TotalChanged(details) => {
                Self::new(409, "TOTAL_CHANGED", "The order costs something else than the customer saw.")
                    .details(&details)
            }
            PlaceOrderError::AmountTooLarge => {
                Self::new(409, "AMOUNT_TOO_LARGE", "The sum is larger than can be kept.")
            }
            PlaceOrderError::Fault(fault) => fault.into(),
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

async fn get_order<S: OrderService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&GET_ORDER, request, |call, request| at.service.get_order(call, request)).await
}

/// Why `GetOrder` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum GetOrderError {
    /// There is no such order, or it is somebody else's.
    OrderNotFound,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for GetOrderError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<GetOrderError> for Problem {
    fn from(error: GetOrderError) -> Self {
        match error {
            GetOrderError::OrderNotFound => {
                Self::new(404, "ORDER_NOT_FOUND", "There is no such order, or it is somebody else's.")
            }
            GetOrderError::Fault(fault) => fault.into(),
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

async fn list_orders<S: OrderService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&LIST_ORDERS, request, |call, request| at.service.list_orders(call, request)).await
}

/// Why `ListOrders` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ListOrdersError {
    /// The page token is not one that this list gave for this filter.
    PageTokenInvalid,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for ListOrdersError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ListOrdersError> for Problem {
    fn from(error: ListOrdersError) -> Self {
        match error {
            ListOrdersError::PageTokenInvalid => {
                Self::new(400, "PAGE_TOKEN_INVALID", "The page token is not one that this list gave for this filter.")
            }
            ListOrdersError::Fault(fault) => fault.into(),
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

async fn change_order<S: OrderService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&CHANGE_ORDER, request, |call, request| at.service.change_order(call, request)).await
}

/// Why `ChangeOrder` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ChangeOrderError {
    /// There is no such order, or it is somebody else's.
    OrderNotFound,
    /// The order is in a status that does not allow this step.
    StepForbidden(v1::StepForbidden),
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for ChangeOrderError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ChangeOrderError> for Problem {
    fn from(error: ChangeOrderError) -> Self {
        match error {
            ChangeOrderError::OrderNotFound => {
                Self::new(404, "ORDER_NOT_FOUND", "There is no such order, or it is somebody else's.")
            }
            ChangeOrderError::StepForbidden(details) => {
                Self::new(409, "STEP_FORBIDDEN", "The order is in a status that does not allow this step.")
                    .details(&details)
            }
            ChangeOrderError::Fault(fault) => fault.into(),
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

async fn cancel_order<S: OrderService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&CANCEL_ORDER, request, |call, request| at.service.cancel_order(call, request)).await
}

/// Why `CancelOrder` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum CancelOrderError {
    /// There is no such order, or it is somebody else's.
    OrderNotFound,
    /// The order is in a status that does not allow this step.
    StepForbidden(v1::StepForbidden),
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for CancelOrderError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<CancelOrderError> for Problem {
    fn from(error: CancelOrderError) -> Self {
        match error {
            CancelOrderError::OrderNotFound => {
                Self::new(404, "ORDER_NOT_FOUND", "There is no such order, or it is somebody else's.")
            }
            CancelOrderError::StepForbidden(details) => {
                Self::new(409, "STEP_FORBIDDEN", "The order is in a status that does not allow this step.")
                    .details(&details)
            }
            CancelOrderError::Fault(fault) => fault.into(),
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

async fn track_order<S: OrderService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&TRACK_ORDER, request, |call, request| at.service.track_order(call, request)).await
}

/// Why `TrackOrder` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum TrackOrderError {
    /// There is no such order, or it is somebody else's.
    OrderNotFound,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for TrackOrderError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<TrackOrderError> for Problem {
    fn from(error: TrackOrderError) -> Self {
        match error {
            TrackOrderError::OrderNotFound => {
                Self::new(404, "ORDER_NOT_FOUND", "There is no such order, or it is somebody else's.")
            }
            TrackOrderError::Fault(fault) => fault.into(),
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

async fn ship_order<S: OrderService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&SHIP_ORDER, request, |call, request| at.service.ship_order(call, request)).await
}

/// Why `ShipOrder` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum ShipOrderError {
    /// There is no such order, or it is somebody else's.
    OrderNotFound,
    /// The order is in a status that does not allow this step.
    StepForbidden(v1::StepForbidden),
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for ShipOrderError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ShipOrderError> for Problem {
    fn from(error: ShipOrderError) -> Self {
        match error {
            ShipOrderError::OrderNotFound => {
                Self::new(404, "ORDER_NOT_FOUND", "There is no such order, or it is somebody else's.")
            }
            ShipOrderError::StepForbidden(details) => {
                Self::new(409, "STEP_FORBIDDEN", "The order is in a status that does not allow this step.")
                    .details(&details)
            }
            ShipOrderError::Fault(fault) => fault.into(),
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

async fn deliver_order<S: OrderService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&DELIVER_ORDER, request, |call, request| at.service.deliver_order(call, request)).await
}

/// Why `DeliverOrder` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum DeliverOrderError {
    /// There is no such order, or it is somebody else's.
    OrderNotFound,
    /// The order is in a status that does not allow this step.
    StepForbidden(v1::StepForbidden),
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for DeliverOrderError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<DeliverOrderError> for Problem {
    fn from(error: DeliverOrderError) -> Self {
        match error {
            DeliverOrderError::OrderNotFound => {
                Self::new(404, "ORDER_NOT_FOUND", "There is no such order, or it is somebody else's.")
            }
            DeliverOrderError::StepForbidden(details) => {
                Self::new(409, "STEP_FORBIDDEN", "The order is in a status that does not allow this step.")
                    .details(&details)
            }
            DeliverOrderError::Fault(fault) => fault.into(),
        }
    }
}

const REPUBLISH_ORDERS: Operation =
    Operation { name: "RepublishOrders", auth: Auth::Roles(&["admin"]), body: Body::Whole, creates: None, etag: None };

async fn republish_orders<S: OrderService>(State(at): State<Served<S>>, request: Request) -> Response {
    at.edge.answer(&REPUBLISH_ORDERS, request, |call, request| at.service.republish_orders(call, request)).await
}

/// Why `RepublishOrders` failed.
#[derive(Debug)]
#[deny(dead_code, reason = "src/adapters/http.rs has to give every reason of the contract somewhere")]
pub(crate) enum RepublishOrdersError {
    /// The page token is not one that this list gave for this filter.
    PageTokenInvalid,
    /// What can go wrong in every operation.
    Fault(Fault),
}

impl From<Fault> for RepublishOrdersError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<RepublishOrdersError> for Problem {
    fn from(error: RepublishOrdersError) -> Self {
        match error {
            RepublishOrdersError::PageTokenInvalid => {
                Self::new(400, "PAGE_TOKEN_INVALID", "The page token is not one that this list gave for this filter.")
            }
            RepublishOrdersError::Fault(fault) => fault.into(),
        }
    }
}
