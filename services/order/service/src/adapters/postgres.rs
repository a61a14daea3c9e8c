//! Stores orders, their timelines and the read model of products in PostgreSQL.

use std::convert::Infallible;

use mart_chassis::db::read::decode;
use mart_chassis::db::{EventDatabase, Statement};
use mart_chassis::{newest_first, sql, trace};
use mart_kernel::{Commit, CommitError, CommitOutcome, Cursor, EventEnvelope, Receipt, StoreError, Timestamp};
use order_core::domain::{CatalogProduct, Order, OrderEvent, OrderId, ProductId, TimelineEntry};
use order_core::ports::{Filter, Store, Write};
use sqlx::Row;
use uuid::Uuid;

use super::rows::{CatalogProductRow, OrderRow, TimelineRow, status_name};

const FIND: &str = "select * from orders where order_id = $order_id";

const LIST: &str = concat!(
    "select * from orders where ($customer_id::text is null or customer_id = $customer_id) \
     and ($status::text is null or status = $status) \
     and created_at >= coalesce($from, '-infinity'::timestamptz) and created_at < coalesce($before, 'infinity'::timestamptz) and ",
    newest_first!("created_at", "order_id")
);

const DUE: &str =
    "select order_id from orders where payment_deadline <= $now order by payment_deadline, order_id limit $limit";

const TIMELINE: &str = "select * from order_timeline where order_id = $order_id order by position";

/// Selects products by their ids.
pub const PRODUCTS: &str = "select * from catalog_product where product_id = any($ids)";

/// Stores orders in PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresStore(pub EventDatabase<OrderEvent>);

impl Store for PostgresStore {
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.0.fetch::<OrderRow, _>(sql!(FIND, order_id = id.0)).await?.pop())
    }

    async fn list(&self, filter: &Filter, after: Option<Cursor>, limit: usize) -> Result<Vec<Order>, StoreError> {
        let Filter { customer, status, from, before } = filter;
        let query = |limit: i64| {
            sql!(
                LIST,
                page(after, limit),
                customer_id = customer.as_ref().map(|customer| customer.0.as_str()),
                status = status.map(status_name),
                from = from.map(Timestamp::get),
                before = before.map(Timestamp::get),
            )
        };
        self.0.list(limit, query, decode::<OrderRow, _>).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<OrderId>, StoreError> {
        let query = sql!(DUE, now = now.get(), limit = i64::try_from(limit).unwrap_or(i64::MAX));
        self.0.fetch_all(query, |row| row.try_get("order_id").map(OrderId)).await
    }

    async fn find_timeline(&self, id: OrderId) -> Result<Vec<(TimelineEntry, String)>, StoreError> {
        self.0.fetch::<TimelineRow, _>(sql!(TIMELINE, order_id = id.0)).await
    }

    async fn find_products(&self, ids: &[ProductId]) -> Result<Vec<CatalogProduct>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        self.0.fetch::<CatalogProductRow, _>(sql!(PRODUCTS, ids = ids)).await
    }

    async fn find_receipt(&self, receipt: &Receipt) -> Result<Option<(String, bool)>, StoreError> {
        match self.0.find_receipt(receipt).await? {
            Some(CommitOutcome::AlreadyProcessed { subject, same_request }) => Ok(Some((subject, same_request))),
            Some(CommitOutcome::Committed) | None => Ok(None),
        }
    }

    async fn commit(&self, commit: Commit<Write, OrderEvent>) -> Result<CommitOutcome, CommitError<Infallible>> {
        let Commit { write, events, receipt } = commit;
        self.0.commit(statement(write, &events), receipt.as_ref(), &events).await
    }
}

/// Returns the statement of a write, with the timeline entries of its events.
pub fn statement(write: Option<Write>, events: &[EventEnvelope<OrderEvent>]) -> Statement {
    let trace = trace::current().trace_id();
    let timeline = |order: OrderId| {
        let entries = events.iter().filter_map(TimelineEntry::from_event);
        entries.map(|entry| TimelineRow::new(order, entry, trace.clone())).collect()
    };
    match write {
        Some(Write::Insert(order)) => {
            let timeline = timeline(order.id);
            Statement::insert(OrderRow::from(order)).then_insert(timeline)
        }
        Some(Write::Update { order, expected }) => {
            let timeline = timeline(order.id);
            Statement::update(OrderRow::from(order), expected).then_insert(timeline)
        }
        Some(Write::AppendTimeline { order, entry }) => {
            let entry = TimelineRow::new(order, entry, trace);
            Statement::if_exists::<OrderRow>(order.0).then_insert(vec![entry])
        }
        Some(Write::Product(product)) => Statement::upsert_newer(CatalogProductRow::from(product)),
        None => Statement::events_only(),
    }
}
