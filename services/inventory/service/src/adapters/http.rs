//! Maps the contract's operations to use cases.

use inventory_core::UseCases;
use inventory_core::application::{CountError, ThresholdError};
use inventory_core::domain::{LedgerEntryId, OrderId, ProductId, StockChangeError};
use inventory_core::ports::Store;
use mart_chassis::convert::uuid;
use mart_chassis::http::{ApiError, IdempotencyKey, RequestContext};
use mart_kernel::{ListError, PageSize};
use mart_proto::inventory::v1;

use super::proto::{ledger_entry, reservation, stock_item};
use crate::generated::http::{
    AdjustStockError, GetAvailabilityError, GetLedgerEntryError, GetReservationError, GetStockItemError,
    InventoryService, ListLedgerEntriesError, ListStockItemsError, ReceiveStockError, RepublishStockItemsError,
    SetLowStockThresholdError,
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

impl<S: Store + 'static> InventoryService for Http<S> {
    async fn get_availability(
        &self,
        _context: RequestContext,
        request: v1::GetAvailabilityRequest,
    ) -> Result<v1::GetAvailabilityResponse, GetAvailabilityError> {
        let v1::GetAvailabilityRequest { product_ids } = request;
        let parse = |id: &String| uuid("productIds", id).map(ProductId);
        let ids: Vec<ProductId> = product_ids.iter().map(parse).collect::<Result<_, _>>()?;
        let found = self.use_cases.get_availability(&ids).await.map_err(ApiError::from)?;
        let availability =
            |(id, available): (ProductId, i32)| v1::Availability { product_id: id.0.to_string(), available };
        Ok(v1::GetAvailabilityResponse { availability: found.into_iter().map(availability).collect() })
    }

    async fn get_stock_item(
        &self,
        _context: RequestContext,
        request: v1::GetStockItemRequest,
    ) -> Result<v1::GetStockItemResponse, GetStockItemError> {
        let v1::GetStockItemRequest { product_id } = request;
        let id = ProductId(uuid("productId", &product_id)?);
        let item = self.use_cases.get_stock_item(id).await.map_err(ApiError::from)?;
        let item = item.ok_or(GetStockItemError::StockItemNotFound)?;
        Ok(v1::GetStockItemResponse { stock_item: Some(stock_item(&item)) })
    }

    async fn list_stock_items(
        &self,
        _context: RequestContext,
        request: v1::ListStockItemsRequest,
    ) -> Result<v1::ListStockItemsResponse, ListStockItemsError> {
        let v1::ListStockItemsRequest { low, page_size, page_token } = request;
        let page = self.use_cases.list_stock_items(low, PageSize::requested(page_size), &page_token).await?;
        let stock_items = page.items.iter().map(stock_item).collect();
        Ok(v1::ListStockItemsResponse { stock_items, next_page_token: page.next.unwrap_or_default() })
    }

    async fn republish_stock_items(
        &self,
        _context: RequestContext,
        request: v1::RepublishStockItemsRequest,
    ) -> Result<v1::RepublishStockItemsResponse, RepublishStockItemsError> {
        let v1::RepublishStockItemsRequest { page_size, page_token } = request;
        let done = self.use_cases.republish_stock_items(PageSize::requested(page_size), &page_token).await?;
        let republished_count = i32::try_from(done.count).unwrap_or(i32::MAX);
        Ok(v1::RepublishStockItemsResponse { republished_count, next_page_token: done.next.unwrap_or_default() })
    }

    async fn receive_stock(
        &self,
        context: RequestContext,
        request: v1::ReceiveStockRequest,
    ) -> Result<v1::ReceiveStockResponse, ReceiveStockError> {
        let v1::ReceiveStockRequest { product_id, quantity, reason } = request;
        let (id, receipt) =
            (ProductId(uuid("productId", &product_id)?), context.idempotency_key.map(IdempotencyKey::receipt_builder));
        let counted = self.use_cases.receive_stock(id, quantity, reason, receipt).await?;
        Ok(v1::ReceiveStockResponse {
            ledger_entry: Some(ledger_entry(&counted.ledger_entry)),
            stock_item: Some(stock_item(&counted.stock_item)),
        })
    }

    async fn adjust_stock(
        &self,
        context: RequestContext,
        request: v1::AdjustStockRequest,
    ) -> Result<v1::AdjustStockResponse, AdjustStockError> {
        let v1::AdjustStockRequest { product_id, delta, reason } = request;
        let (id, receipt) =
            (ProductId(uuid("productId", &product_id)?), context.idempotency_key.map(IdempotencyKey::receipt_builder));
        let counted = self.use_cases.adjust_stock(id, delta, reason, receipt).await?;
        Ok(v1::AdjustStockResponse {
            ledger_entry: Some(ledger_entry(&counted.ledger_entry)),
            stock_item: Some(stock_item(&counted.stock_item)),
        })
    }

    async fn set_low_stock_threshold(
        &self,
        _context: RequestContext,
        request: v1::SetLowStockThresholdRequest,
    ) -> Result<v1::SetLowStockThresholdResponse, SetLowStockThresholdError> {
        let v1::SetLowStockThresholdRequest { product_id, low_stock_threshold } = request;
        let id = ProductId(uuid("productId", &product_id)?);
        let item = self.use_cases.set_low_stock_threshold(id, low_stock_threshold).await?;
        Ok(v1::SetLowStockThresholdResponse { stock_item: Some(stock_item(&item)) })
    }

    async fn get_ledger_entry(
        &self,
        _context: RequestContext,
        request: v1::GetLedgerEntryRequest,
    ) -> Result<v1::GetLedgerEntryResponse, GetLedgerEntryError> {
        let v1::GetLedgerEntryRequest { ledger_entry_id } = request;
        let id = LedgerEntryId(uuid("ledgerEntryId", &ledger_entry_id)?);
        let entry = self.use_cases.get_ledger_entry(id).await.map_err(ApiError::from)?;
        let entry = entry.ok_or(GetLedgerEntryError::LedgerEntryNotFound)?;
        Ok(v1::GetLedgerEntryResponse { ledger_entry: Some(ledger_entry(&entry)) })
    }

    async fn list_ledger_entries(
        &self,
        _context: RequestContext,
        request: v1::ListLedgerEntriesRequest,
    ) -> Result<v1::ListLedgerEntriesResponse, ListLedgerEntriesError> {
        let v1::ListLedgerEntriesRequest { product_id, page_size, page_token } = request;
        let (id, size) = (ProductId(uuid("productId", &product_id)?), PageSize::requested(page_size));
        let page = self.use_cases.list_ledger_entries(id, size, &page_token).await?;
        let ledger_entries = page.items.iter().map(ledger_entry).collect();
        Ok(v1::ListLedgerEntriesResponse { ledger_entries, next_page_token: page.next.unwrap_or_default() })
    }

    async fn get_reservation(
        &self,
        _context: RequestContext,
        request: v1::GetReservationRequest,
    ) -> Result<v1::GetReservationResponse, GetReservationError> {
        let v1::GetReservationRequest { order_id } = request;
        let id = OrderId(uuid("orderId", &order_id)?);
        let found = self.use_cases.get_reservation(id).await.map_err(ApiError::from)?;
        let found = found.ok_or(GetReservationError::ReservationNotFound)?;
        Ok(v1::GetReservationResponse { reservation: Some(reservation(&found)) })
    }
}

impl From<CountError> for ReceiveStockError {
    fn from(error: CountError) -> Self {
        match error {
            CountError::Rejected(StockChangeError::NotFound) => Self::StockItemNotFound,
            CountError::Rejected(StockChangeError::TooLarge) => Self::StockTooLarge,
            // Received units never make the stock smaller than the reserved units.
            CountError::Rejected(StockChangeError::TooSmall) => ApiError::Internal.into(),
            CountError::KeyReused => ApiError::KeyReused.into(),
            CountError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

impl From<CountError> for AdjustStockError {
    fn from(error: CountError) -> Self {
        match error {
            CountError::Rejected(StockChangeError::NotFound) => Self::StockItemNotFound,
            CountError::Rejected(StockChangeError::TooLarge) => Self::StockTooLarge,
            CountError::Rejected(StockChangeError::TooSmall) => Self::InsufficientStock,
            CountError::KeyReused => ApiError::KeyReused.into(),
            CountError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

impl From<ThresholdError> for SetLowStockThresholdError {
    fn from(error: ThresholdError) -> Self {
        match error {
            ThresholdError::NotFound => Self::StockItemNotFound,
            ThresholdError::Unavailable(error) => ApiError::from(error).into(),
        }
    }
}

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

list_errors!(ListStockItemsError ListLedgerEntriesError RepublishStockItemsError);
