// Rendered by `cargo martgen generate` from proto/mart/order/v1; changes are made there.

//! A valid request of every operation of the order service, so that tests can send it as any caller.

use std::future::Future;

use mart_proto::{DynamicMessage, dynamic, order::v1};

/// Makes valid requests for existing resources of the customer `owner`. A new operation of the contract adds a required method.
pub trait Fixtures {
    /// A request of `QuoteOrder`.
    fn quote_order(&mut self) -> impl Future<Output = v1::QuoteOrderRequest>;
    /// A request of `PlaceOrder`.
    fn place_order(&mut self) -> impl Future<Output = v1::PlaceOrderRequest>;
    /// A request of `GetOrder`.
    fn get_order(&mut self) -> impl Future<Output = v1::GetOrderRequest>;
    /// A request of `ListOrders`.
    fn list_orders(&mut self) -> impl Future<Output = v1::ListOrdersRequest>;
    /// A request of `ChangeOrder`.
    fn change_order(&mut self) -> impl Future<Output = v1::ChangeOrderRequest>;
    /// A request of `CancelOrder`.
    fn cancel_order(&mut self) -> impl Future<Output = v1::CancelOrderRequest>;
    /// A request of `TrackOrder`.
    fn track_order(&mut self) -> impl Future<Output = v1::TrackOrderRequest>;
    /// A request of `ShipOrder`.
    fn ship_order(&mut self) -> impl Future<Output = v1::ShipOrderRequest>;
    /// A request of `DeliverOrder`.
    fn deliver_order(&mut self) -> impl Future<Output = v1::DeliverOrderRequest>;
    /// A request of `RepublishOrders`.
    fn republish_orders(&mut self) -> impl Future<Output = v1::RepublishOrdersRequest>;
}

/// Returns a request of every operation with the operation's name.
pub async fn requests(of: &mut impl Fixtures) -> Vec<(&'static str, DynamicMessage)> {
    vec![
        ("QuoteOrder", dynamic(&of.quote_order().await)),
        ("PlaceOrder", dynamic(&of.place_order().await)),
        ("GetOrder", dynamic(&of.get_order().await)),
        ("ListOrders", dynamic(&of.list_orders().await)),
        ("ChangeOrder", dynamic(&of.change_order().await)),
        ("CancelOrder", dynamic(&of.cancel_order().await)),
        ("TrackOrder", dynamic(&of.track_order().await)),
        ("ShipOrder", dynamic(&of.ship_order().await)),
        ("DeliverOrder", dynamic(&of.deliver_order().await)),
        ("RepublishOrders", dynamic(&of.republish_orders().await)),
    ]
}
