//! A valid request of every operation of order, for the authorization checks.

use features::{DynamicMessage, InProcess, LocalBoxFuture, OWNER};
use mart_proto::inventory::v1::{Reservation, StockReserved};
use mart_proto::order::v1::{
    CancelOrderRequest, ChangeOrderRequest, Contact, DeliverOrderRequest, GetOrderRequest, ListOrdersRequest,
    PlaceOrderRequest, QuoteOrderRequest, RepublishOrdersRequest, RequestedLine, ShipOrderRequest, Shipment,
    TrackOrderRequest,
};
use mart_proto::payment::v1::PaymentCaptured;
use mart_proto::product::v1::{Product, ProductRepublished, ProductStatus};
use mart_proto::r#type::v1::{Address, Money};
use order_service::generated::fixtures::{Fixtures, requests};
use serde_json::json;
use uuid::Uuid;

/// Creates the requests and the data that they need.
pub(crate) fn fixtures(mart: &mut InProcess) -> LocalBoxFuture<'_, Vec<(&'static str, DynamicMessage)>> {
    Box::pin(async {
        let mut orders = Orders { mart, product: Uuid::new_v4().to_string() };
        orders.publish_product().await;
        requests(&mut orders).await
    })
}

struct Orders<'a> {
    mart: &'a mut InProcess,
    product: String,
}

fn total() -> Money {
    Money { amount: "1500.00".to_owned(), currency_code: "PKR".to_owned() }
}

impl Orders<'_> {
    /// Publishes the product, so that it can be ordered.
    async fn publish_product(&mut self) {
        let (product_id, status) = (self.product.clone(), ProductStatus::Active.into());
        let product = Product { product_id, status, prices: vec![total()], ..Product::default() };
        let message = ProductRepublished { product: Some(product) };
        self.mart.publish(&features::record("mart.product.v1", &self.product, 1, &message));
        self.mart.settle().await;
    }

    /// Places an order of the owner and returns its id.
    async fn placed(&mut self) -> String {
        let body = json!({
            "lines": [{ "productId": self.product, "quantity": 1 }],
            "total": { "amount": "1500.00", "currencyCode": "PKR" },
            "shippingAddress": { "recipient": "A", "lines": ["House 7"], "city": "Lahore", "countryCode": "PK" },
            "contact": { "email": "a@example.com" },
        });
        let placed = self.mart.send(Some(("customer", OWNER)), "POST", "/v1/orders", Some(body), &[]).await;
        placed.body["order"]["orderId"].as_str().unwrap_or_default().to_owned()
    }

    /// Places and pays an order and returns its id.
    async fn paid(&mut self) -> String {
        let order_id = self.placed().await;
        let reservation = Some(Reservation { order_id: order_id.clone(), ..Reservation::default() });
        self.mart.publish(&features::record("mart.reservation.v1", &order_id, 1, &StockReserved { reservation }));
        let (payment_id, provider) = ("pay-1".to_owned(), "sandbox".to_owned());
        let captured = PaymentCaptured { order_id: order_id.clone(), payment_id, amount: Some(total()), provider };
        self.mart.publish(&features::record("mart.payment.v1", &order_id, 1, &captured));
        self.mart.settle().await;
        order_id
    }

    fn lines(&self) -> Vec<RequestedLine> {
        vec![RequestedLine { product_id: self.product.clone(), quantity: 1 }]
    }
}

fn address() -> Address {
    Address {
        recipient: "B".to_owned(),
        lines: vec!["House 8".to_owned()],
        city: "Karachi".to_owned(),
        country_code: "PK".to_owned(),
        ..Address::default()
    }
}

impl Fixtures for Orders<'_> {
    async fn quote_order(&mut self) -> QuoteOrderRequest {
        QuoteOrderRequest { lines: self.lines(), currency_code: "PKR".to_owned() }
    }

    async fn place_order(&mut self) -> PlaceOrderRequest {
        PlaceOrderRequest {
            lines: self.lines(),
            total: Some(total()),
            shipping_address: Some(address()),
            contact: Some(Contact { email: "a@example.com".to_owned(), ..Contact::default() }),
            payment_method: String::new(),
        }
    }

    async fn get_order(&mut self) -> GetOrderRequest {
        GetOrderRequest { order_id: self.placed().await }
    }

    async fn list_orders(&mut self) -> ListOrdersRequest {
        ListOrdersRequest::default()
    }

    async fn change_order(&mut self) -> ChangeOrderRequest {
        ChangeOrderRequest { order_id: self.placed().await, shipping_address: Some(address()), contact: None }
    }

    async fn cancel_order(&mut self) -> CancelOrderRequest {
        CancelOrderRequest { order_id: self.placed().await }
    }

    async fn track_order(&mut self) -> TrackOrderRequest {
        TrackOrderRequest { order_id: self.placed().await }
    }

    async fn ship_order(&mut self) -> ShipOrderRequest {
        let shipment = Some(Shipment { carrier: "TCS".to_owned(), tracking_number: "77".to_owned() });
        ShipOrderRequest { order_id: self.paid().await, shipment }
    }

    async fn deliver_order(&mut self) -> DeliverOrderRequest {
        let order_id = self.paid().await;
        let body = Some(json!({ "carrier": "TCS", "trackingNumber": "77" }));
        let path = format!("/v1/orders/{order_id}/ship");
        self.mart.send(Some(("admin", "admin")), "POST", &path, body, &[]).await;
        DeliverOrderRequest { order_id }
    }

    async fn republish_orders(&mut self) -> RepublishOrdersRequest {
        RepublishOrdersRequest::default()
    }
}
