//! Maps the contract's operations to use cases.

use mart_chassis::convert::{exact, money, timestamp, uuid};
use mart_chassis::http::{ApiError, IdempotencyKey, Principal, RequestContext};
use mart_kernel::money::Currency;
use mart_kernel::{ListError, PageSize};
use mart_proto::Violation;
use mart_proto::order::v1;
use order_core::UseCases;
use order_core::application::{ChangeError, InvalidStatus, ListOrders, PlaceError, PlaceOrder, Viewer};
use order_core::domain::{CustomerId, OrderId, ProductId, RequestedLine};
use order_core::ports::Store;

use super::proto::{self, address_of, contact_of, line, order, rejected_line, shipment_of};
use crate::generated::http::{
    CancelOrderError, ChangeOrderError, DeliverOrderError, GetOrderError, ListOrdersError, OrderService,
    PlaceOrderError, QuoteOrderError, RepublishOrdersError, ShipOrderError, TrackOrderError,
};

/// The operations over HTTP.
#[derive(Debug)]
pub(crate) struct Http<S> {
    use_cases: UseCases<S>,
}

impl<S> Http<S> {
    /// Creates the operations over these use cases.
    pub(crate) fn new(use_cases: UseCases<S>) -> Self {
        Self { use_cases }
    }
}

impl<S: Store + 'static> OrderService for Http<S> {
    async fn quote_order(
        &self,
        _context: RequestContext,
        request: v1::QuoteOrderRequest,
    ) -> Result<v1::QuoteOrderResponse, QuoteOrderError> {
        let v1::QuoteOrderRequest { lines, currency_code } = request;
        let currency = Currency::from_code(&currency_code).map_err(|error| {
            ApiError::Invalid(vec![Violation::new("currencyCode", "currency.known", error.to_string())])
        })?;
        let quote = self.use_cases.quote_order(&requested_lines(&lines)?, currency).await?;
        Ok(v1::QuoteOrderResponse {
            lines: quote.lines.iter().map(line).collect(),
            total: Some(money(quote.total)),
            rejected: quote.rejected.iter().map(rejected_line).collect(),
        })
    }

    async fn place_order(
        &self,
        context: RequestContext,
        request: v1::PlaceOrderRequest,
    ) -> Result<v1::PlaceOrderResponse, PlaceOrderError> {
        let v1::PlaceOrderRequest { lines, total, shipping_address, contact, payment_method } = request;
        let request = PlaceOrder {
            customer: CustomerId(subject(&context.principal)),
            requested_lines: requested_lines(&lines)?,
            total: exact("total", &total.unwrap_or_default())?,
            address: address_of(shipping_address.unwrap_or_default()),
            contact: contact_of(contact.unwrap_or_default()),
            payment_method,
        };
        let placed =
            self.use_cases.place_order(request, context.idempotency_key.map(IdempotencyKey::receipt_builder)).await?;
        Ok(v1::PlaceOrderResponse { order: Some(order(&placed)) })
    }

    async fn get_order(
        &self,
        context: RequestContext,
        request: v1::GetOrderRequest,
    ) -> Result<v1::GetOrderResponse, GetOrderError> {
        let v1::GetOrderRequest { order_id } = request;
        let found =
            self.use_cases.get_order(&viewer(&context.principal), id(&order_id)?).await.map_err(ApiError::from)?;
        let found = found.ok_or(GetOrderError::OrderNotFound)?;
        Ok(v1::GetOrderResponse { order: Some(order(&found)) })
    }

    async fn list_orders(
        &self,
        context: RequestContext,
        request: v1::ListOrdersRequest,
    ) -> Result<v1::ListOrdersResponse, ListOrdersError> {
        let v1::ListOrdersRequest { customer_id, status, placed_from, placed_before, page_size, page_token } = request;
        let request = ListOrders {
            customer: customer_id,
            status: proto::status_named(status),
            from: timestamp("placedFrom", placed_from)?,
            before: timestamp("placedBefore", placed_before)?,
            page_size: PageSize::requested(page_size),
            page_token,
        };
        let page = self.use_cases.list_orders(&viewer(&context.principal), request).await?;
        let orders = page.items.iter().map(order).collect();
        Ok(v1::ListOrdersResponse { orders, next_page_token: page.next.unwrap_or_default() })
    }

    async fn change_order(
        &self,
        context: RequestContext,
        request: v1::ChangeOrderRequest,
    ) -> Result<v1::ChangeOrderResponse, ChangeOrderError> {
        let v1::ChangeOrderRequest { order_id, shipping_address, contact } = request;
        let (address, contact) = (shipping_address.map(address_of), contact.map(contact_of));
        let (viewer, id) = (viewer(&context.principal), id(&order_id)?);
        let changed = self.use_cases.change_order(&viewer, id, address, contact, context.if_match).await?;
        Ok(v1::ChangeOrderResponse { order: Some(order(&changed)) })
    }

    async fn cancel_order(
        &self,
        context: RequestContext,
        request: v1::CancelOrderRequest,
    ) -> Result<v1::CancelOrderResponse, CancelOrderError> {
        let v1::CancelOrderRequest { order_id } = request;
        let cancelled =
            self.use_cases.cancel_order(&viewer(&context.principal), id(&order_id)?, context.if_match).await?;
        Ok(v1::CancelOrderResponse { order: Some(order(&cancelled)) })
    }

    async fn track_order(
        &self,
        context: RequestContext,
        request: v1::TrackOrderRequest,
    ) -> Result<v1::TrackOrderResponse, TrackOrderError> {
        let v1::TrackOrderRequest { order_id } = request;
        let found =
            self.use_cases.track_order(&viewer(&context.principal), id(&order_id)?).await.map_err(ApiError::from)?;
        let entries = found.ok_or(TrackOrderError::OrderNotFound)?;
        let entry = |(entry, trace_id): (order_core::domain::TimelineEntry, String)| v1::TimelineEntry {
            time: Some(mart_chassis::convert::time(entry.at)),
            text: entry.text,
            status: proto::status(entry.status).into(),
            event_id: entry.event.to_string(),
            trace_id,
        };
        Ok(v1::TrackOrderResponse { entries: entries.into_iter().map(entry).collect() })
    }

    async fn ship_order(
        &self,
        context: RequestContext,
        request: v1::ShipOrderRequest,
    ) -> Result<v1::ShipOrderResponse, ShipOrderError> {
        let v1::ShipOrderRequest { order_id, shipment } = request;
        let shipment = shipment_of(shipment.unwrap_or_default());
        let shipped = self.use_cases.ship_order(id(&order_id)?, shipment, context.if_match).await?;
        Ok(v1::ShipOrderResponse { order: Some(order(&shipped)) })
    }

    async fn deliver_order(
        &self,
        context: RequestContext,
        request: v1::DeliverOrderRequest,
    ) -> Result<v1::DeliverOrderResponse, DeliverOrderError> {
        let v1::DeliverOrderRequest { order_id } = request;
        let delivered = self.use_cases.deliver_order(id(&order_id)?, context.if_match).await?;
        Ok(v1::DeliverOrderResponse { order: Some(order(&delivered)) })
    }

    async fn republish_orders(
        &self,
        _context: RequestContext,
        request: v1::RepublishOrdersRequest,
    ) -> Result<v1::RepublishOrdersResponse, RepublishOrdersError> {
        let v1::RepublishOrdersRequest { page_size, page_token } = request;
        let done = self.use_cases.republish_orders(PageSize::requested(page_size), &page_token).await?;
        let republished_count = i32::try_from(done.count).unwrap_or(i32::MAX);
        Ok(v1::RepublishOrdersResponse { republished_count, next_page_token: done.next.unwrap_or_default() })
    }
}

fn requested_lines(lines: &[v1::RequestedLine]) -> Result<Vec<RequestedLine>, ApiError> {
    let parse = |(nth, line): (usize, &v1::RequestedLine)| {
        let v1::RequestedLine { product_id, quantity } = line;
        let product = uuid(&format!("lines[{nth}].productId"), product_id)?;
        Ok(RequestedLine { product: ProductId(product), quantity: *quantity })
    };
    lines.iter().enumerate().map(parse).collect()
}

fn subject(principal: &Principal) -> String {
    match principal {
        Principal::Authenticated { subject, .. } => subject.clone(),
        Principal::Anonymous => String::new(),
    }
}

/// Returns the caller's view. Only an admin's token reads all orders.
fn viewer(principal: &Principal) -> Viewer {
    match principal {
        Principal::Authenticated { role, .. } if role == "admin" => Viewer::Admin,
        principal => Viewer::Customer(CustomerId(subject(principal))),
    }
}

fn id(text: &str) -> Result<OrderId, ApiError> {
    uuid("orderId", text).map(OrderId)
}

impl From<PlaceError> for QuoteOrderError {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::TooLarge(_) => Self::AmountTooLarge,
            // A quote stores nothing.
            PlaceError::Rejected(_) | PlaceError::TotalChanged(_) | PlaceError::KeyReused => ApiError::Internal.into(),
            PlaceError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

impl From<PlaceError> for PlaceOrderError {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::Rejected(lines) => {
                Self::LinesRejected(v1::LinesRejected { lines: lines.iter().map(rejected_line).collect() })
            }
            PlaceError::TotalChanged(total) => Self::TotalChanged(v1::TotalChanged { total: Some(money(total)) }),
            PlaceError::TooLarge(_) => Self::AmountTooLarge,
            PlaceError::KeyReused => ApiError::KeyReused.into(),
            PlaceError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

/// Maps the errors of a change to those of the operations, which have the same variants.
macro_rules! change_errors {
    ($($error:ident)*) => {
        $(
            impl From<ChangeError> for $error {
                fn from(error: ChangeError) -> Self {
                    match error {
                        ChangeError::NotFound => Self::OrderNotFound,
                        ChangeError::Rejected(InvalidStatus(status)) => {
                            Self::InvalidOrderStatus(v1::InvalidOrderStatus { status: proto::status(status.kind()).into() })
                        }
                        ChangeError::PreconditionFailed => ApiError::PreconditionFailed.into(),
                        ChangeError::Contention => ApiError::Contention.into(),
                        ChangeError::Unavailable(error) => ApiError::from(error).into(),
                    }
                }
            }
        )*
    };
}

change_errors!(ChangeOrderError CancelOrderError ShipOrderError DeliverOrderError);

/// Maps `ListError` to the error types of the operations, which have the same variants.
macro_rules! list_errors {
    ($($error:ident)*) => {
        $(
            impl From<ListError> for $error {
                fn from(error: ListError) -> Self {
                    match error {
                        ListError::InvalidPageToken(_) => Self::InvalidPageToken,
                        ListError::Unavailable(error) => ApiError::from(error).into(),
                    }
                }
            }
        )*
    };
}

list_errors!(ListOrdersError RepublishOrdersError);
