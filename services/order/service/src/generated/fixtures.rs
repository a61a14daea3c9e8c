// Rendered by `cargo martgen generate` from proto/mart/order/v1; changes are made there.

//! A request of every operation of the order service that is right, so that tests can ask it as anybody.

use std::future::Future;

use mart_proto::{DynamicMessage, dynamic, order::v1};

/// Makes requests about things that are there and belong to the customer `owner`. An operation that is new in the contract
/// is a method that is missing here.
pub trait Fixtures {
    /// For `QuoteOrder`.
    fn quote_order(&mut self) -> impl Future<Output = v1::QuoteOrderRequest>;
    /// For `PlaceOrder`.
    fn place_order(&mut self) -> impl Future<Output = v1::PlaceOrderRequest>;
    /// For `GetOrder`.
    fn get_order(&mut self) -> impl Future<Output = v1::GetOrderRequest>;
    /// For `ListOrders`.
    fn list_orders(&mut self) -> impl Future<Output = v1::ListOrdersRequest>;
    /// For `ChangeOrder`.
    fn change_order(&mut self) -> impl Future<Output = v1::ChangeOrderRequest>;
    /// For `CancelOrder`.
    fn cancel_order(&mut self) -> impl Future<Output = v1::CancelOrderRequest>;
    /// For `TrackOrder`.
    fn track_order(&mut self) -> impl Future<Output = v1::TrackOrderRequest>;
    /// For `ShipOrder`.
    fn ship_order(&mut self) -> impl Future<Output = v1::ShipOrderRequest>;
    /// For `DeliverOrder`.
    fn deliver_order(&mut self) -> impl Future<Output = v1::DeliverOrderRequest>;
    /// For `RepublishOrders`.
    fn republish_orders(&mut self) -> impl Future<Output = v1::RepublishOrdersRequest>;
}

/// A request of every operation, by its name.
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
