// Rendered by `cargo martgen generate` from proto/mart/inventory/v1; changes are made there.

//! A request of every operation of the inventory service that is right, so that tests can ask it as anybody.

use std::future::Future;

use mart_proto::{DynamicMessage, dynamic, inventory::v1};

/// Makes requests about things that are there and belong to the customer `owner`. An operation that is new in the contract
/// is a method that is missing here.
pub trait Fixtures {
    /// For `GetAvailability`.
    fn get_availability(&mut self) -> impl Future<Output = v1::GetAvailabilityRequest>;
    /// For `GetStockItem`.
    fn get_stock_item(&mut self) -> impl Future<Output = v1::GetStockItemRequest>;
    /// For `ListStockItems`.
    fn list_stock_items(&mut self) -> impl Future<Output = v1::ListStockItemsRequest>;
    /// For `ReceiveStock`.
    fn receive_stock(&mut self) -> impl Future<Output = v1::ReceiveStockRequest>;
    /// For `AdjustStock`.
    fn adjust_stock(&mut self) -> impl Future<Output = v1::AdjustStockRequest>;
    /// For `SetLowStockThreshold`.
    fn set_low_stock_threshold(&mut self) -> impl Future<Output = v1::SetLowStockThresholdRequest>;
    /// For `GetLedgerEntry`.
    fn get_ledger_entry(&mut self) -> impl Future<Output = v1::GetLedgerEntryRequest>;
    /// For `ListLedgerEntries`.
    fn list_ledger_entries(&mut self) -> impl Future<Output = v1::ListLedgerEntriesRequest>;
    /// For `GetReservation`.
    fn get_reservation(&mut self) -> impl Future<Output = v1::GetReservationRequest>;
    /// For `RepublishStockItems`.
    fn republish_stock_items(&mut self) -> impl Future<Output = v1::RepublishStockItemsRequest>;
}

/// A request of every operation, by its name.
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
