// Rendered by `cargo martgen generate` from proto/mart/inventory/v1; changes are made there.

//! A valid request of every operation of the inventory service, so that tests can send it as any caller.

use std::future::Future;

use mart_proto::{DynamicMessage, dynamic, inventory::v1};

/// Makes valid requests for existing resources of the customer `owner`. A new operation of the contract adds a required method.
pub trait Fixtures {
    /// A request of `GetAvailability`.
    fn get_availability(&mut self) -> impl Future<Output = v1::GetAvailabilityRequest>;
    /// A request of `GetStockItem`.
    fn get_stock_item(&mut self) -> impl Future<Output = v1::GetStockItemRequest>;
    /// A request of `ListStockItems`.
    fn list_stock_items(&mut self) -> impl Future<Output = v1::ListStockItemsRequest>;
    /// A request of `ReceiveStock`.
    fn receive_stock(&mut self) -> impl Future<Output = v1::ReceiveStockRequest>;
    /// A request of `AdjustStock`.
    fn adjust_stock(&mut self) -> impl Future<Output = v1::AdjustStockRequest>;
    /// A request of `SetLowStockThreshold`.
    fn set_low_stock_threshold(&mut self) -> impl Future<Output = v1::SetLowStockThresholdRequest>;
    /// A request of `GetLedgerEntry`.
    fn get_ledger_entry(&mut self) -> impl Future<Output = v1::GetLedgerEntryRequest>;
    /// A request of `ListLedgerEntries`.
    fn list_ledger_entries(&mut self) -> impl Future<Output = v1::ListLedgerEntriesRequest>;
    /// A request of `GetReservation`.
    fn get_reservation(&mut self) -> impl Future<Output = v1::GetReservationRequest>;
    /// A request of `RepublishStockItems`.
    fn republish_stock_items(&mut self) -> impl Future<Output = v1::RepublishStockItemsRequest>;
}

/// Returns a request of every operation with the operation's name.
pub async fn requests(of: &mut impl Fixtures) -> Vec<(&'static str, DynamicMessage)> {
    vec![
        ("GetAvailability", dynamic(&of.get_availability().await)),
        ("GetStockItem", dynamic(&of.get_stock_item().await)),
        ("ListStockItems", dynamic(&of.list_stock_items().await)),
        ("ReceiveStock", dynamic(&of.receive_stock().await)),
        ("AdjustStock", dynamic(&of.adjust_stock().await)),
        ("SetLowStockThreshold", dynamic(&of.set_low_stock_threshold().await)),
        ("GetLedgerEntry", dynamic(&of.get_ledger_entry().await)),
        ("ListLedgerEntries", dynamic(&of.list_ledger_entries().await)),
        ("GetReservation", dynamic(&of.get_reservation().await)),
        ("RepublishStockItems", dynamic(&of.republish_stock_items().await)),
    ]
}
