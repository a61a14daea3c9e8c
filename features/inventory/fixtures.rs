//! A valid request of every operation of inventory, for the authorization checks.

use features::{DynamicMessage, InProcess, LocalBoxFuture};
use inventory_service::generated::fixtures::{Fixtures, requests};
use mart_proto::inventory::v1::{
    AdjustStockRequest, GetAvailabilityRequest, GetLedgerEntryRequest, GetReservationRequest, GetStockItemRequest,
    ListLedgerEntriesRequest, ListStockItemsRequest, ReceiveStockRequest, RepublishStockItemsRequest,
    SetLowStockThresholdRequest,
};
use mart_proto::order::v1::{Order, OrderLine, OrderPlaced};
use mart_proto::product::v1::{Product, ProductCreated};
use serde_json::json;
use uuid::Uuid;

/// Creates the requests and the data that they need.
pub(crate) fn fixtures(mart: &mut InProcess) -> LocalBoxFuture<'_, Vec<(&'static str, DynamicMessage)>> {
    Box::pin(async { requests(&mut Warehouse { mart }).await })
}

struct Warehouse<'a> {
    mart: &'a mut InProcess,
}

impl Warehouse<'_> {
    /// Creates a product with 10 units and returns its id and that of the ledger entry.
    async fn stocked(&mut self) -> (String, String) {
        let product_id = Uuid::new_v4().to_string();
        let product = Some(Product { product_id: product_id.clone(), ..Product::default() });
        self.mart.publish(&features::record("mart.product.v1", &product_id, 1, &ProductCreated { product }));
        self.mart.settle().await;
        let path = format!("/v1/admin/stock-items/{product_id}/receive");
        let body = Some(json!({ "quantity": 10, "reason": "delivery" }));
        let booked = self.mart.send(Some(("admin", "admin")), "POST", &path, body, &[]).await;
        let entry = booked.body["ledgerEntry"]["ledgerEntryId"].as_str().unwrap_or_default().to_owned();
        (product_id, entry)
    }

    async fn product(&mut self) -> String {
        self.stocked().await.0
    }
}

impl Fixtures for Warehouse<'_> {
    async fn get_availability(&mut self) -> GetAvailabilityRequest {
        GetAvailabilityRequest { product_ids: vec![self.product().await, self.product().await] }
    }

    async fn get_stock_item(&mut self) -> GetStockItemRequest {
        GetStockItemRequest { product_id: self.product().await }
    }

    async fn list_stock_items(&mut self) -> ListStockItemsRequest {
        ListStockItemsRequest { low: true, ..ListStockItemsRequest::default() }
    }

    async fn receive_stock(&mut self) -> ReceiveStockRequest {
        ReceiveStockRequest { product_id: self.product().await, quantity: 1, reason: "delivery".to_owned() }
    }

    async fn adjust_stock(&mut self) -> AdjustStockRequest {
        AdjustStockRequest { product_id: self.product().await, delta: -1, reason: "breakage".to_owned() }
    }

    async fn set_low_stock_threshold(&mut self) -> SetLowStockThresholdRequest {
        SetLowStockThresholdRequest { product_id: self.product().await, low_stock_threshold: 3 }
    }

    async fn get_ledger_entry(&mut self) -> GetLedgerEntryRequest {
        GetLedgerEntryRequest { ledger_entry_id: self.stocked().await.1 }
    }

    async fn list_ledger_entries(&mut self) -> ListLedgerEntriesRequest {
        ListLedgerEntriesRequest { product_id: self.product().await, ..ListLedgerEntriesRequest::default() }
    }

    async fn get_reservation(&mut self) -> GetReservationRequest {
        let (order_id, product_id) = (Uuid::new_v4().to_string(), self.product().await);
        let lines = vec![OrderLine { product_id, quantity: 1, ..OrderLine::default() }];
        let order = Some(Order { order_id: order_id.clone(), lines, ..Order::default() });
        self.mart.publish(&features::record("mart.order.v1", &order_id, 1, &OrderPlaced { order }));
        self.mart.settle().await;
        GetReservationRequest { order_id }
    }

    async fn republish_stock_items(&mut self) -> RepublishStockItemsRequest {
        RepublishStockItemsRequest::default()
    }
}
