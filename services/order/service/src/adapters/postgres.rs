//! Stores orders, their timelines and the read model of products in PostgreSQL.

use std::convert::Infallible;

use mart_chassis::db::commit::{EVENTS_ONLY, Statement};
use mart_chassis::db::read::{decode_error, time, version};
use mart_chassis::{Database, Record, insert_sql, trace, update_sql};
use mart_kernel::money::Currency;
use mart_kernel::{Commit, CommitError, CommitOutcome, Cursor, EventEnvelope, Money, Receipt, StoreError, Timestamp};
use order_core::domain::{
    Address, CancelReason, CatalogProduct, Contact, CustomerId, Line, Order, OrderEvent, OrderId, Payment, ProductId,
    Shipment, Status, StatusKind, TimelineEntry,
};
use order_core::ports::{Filter, Store, Write};
use sqlx::Row;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;
use uuid::Uuid;

/// Inserts an order. Shared with the update: `$13` to `$16` are the times, texts, statuses and events of the timeline entries,
/// `$17` their trace id, `$18` the id, `$19` the version, then the columns in the table's order up to `$47`.
pub const INSERT: &str = insert_sql!(
    "insert into orders select $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, \
     $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47 from guard returning order_id",
    "timeline_rows as (insert into order_timeline (order_id, at, text, status, event_id, trace_id) \
     select written.order_id, entry.at, entry.text, entry.status, entry.event_id, $17 from written, \
     unnest($13::timestamptz[], $14::text[], $15::text[], $16::uuid[]) with ordinality \
     as entry (at, text, status, event_id, nth) order by nth), "
);

/// Updates an order. `$48` is the version that was read. The customer, the lines and the total never change.
const UPDATE: &str = update_sql!(
    "select order_id from orders where order_id = $18 and version = $48 for update",
    "update orders set version = $19, status = $21, cancel_reason = $22, payment_deadline = $23, carrier = $24, \
     tracking_number = $25, recipient = $32, address_lines = $33, city = $34, postal_code = $35, country_code = $36, \
     email = $37, phone = $38, locale = $39, payment_id = $41, payment_minor = $42, payment_currency = $43, \
     refund_requested = $44, reservation_round = $45, updated_at = $47 \
     from guard where orders.order_id = guard.order_id returning orders.order_id",
    "timeline_rows as (insert into order_timeline (order_id, at, text, status, event_id, trace_id) \
     select written.order_id, entry.at, entry.text, entry.status, entry.event_id, $17 from written, \
     unnest($13::timestamptz[], $14::text[], $15::text[], $16::uuid[]) with ordinality \
     as entry (at, text, status, event_id, nth) order by nth), "
);

/// Appends to a timeline. `$13` is the order, `$14` to `$18` the entry.
const APPEND_TIMELINE: &str = update_sql!(
    "select order_id from orders where order_id = $13",
    "insert into order_timeline (order_id, at, text, status, event_id, trace_id) \
     select order_id, $14, $15, $16, $17, $18 from guard returning order_id"
);

/// Stores a product unless a newer version is stored. `$13` id, `$14` version, `$15` name, `$16` on sale, `$17` and `$18` prices.
const PRODUCT: &str = insert_sql!(
    "insert into catalog_product as known (product_id, version, name, on_sale, currencies, minors) \
     select $13, $14, $15, $16, $17, $18 from guard on conflict (product_id) do update set version = $14, name = $15, \
     on_sale = $16, currencies = $17, minors = $18 where known.version <= $14 returning product_id"
);

const FIND: &str = "select * from orders where order_id = $1";

const LIST: &str = "select * from orders where ($1::text is null or customer_id = $1) and ($2::text is null or status = $2) \
     and created_at >= coalesce($3, '-infinity'::timestamptz) and created_at < coalesce($4, 'infinity'::timestamptz) \
     and (created_at, order_id) < (coalesce($5, 'infinity'::timestamptz), \
     coalesce($6, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)) order by created_at desc, order_id desc limit $7";

const DUE: &str =
    "select order_id from orders where payment_deadline <= $1 order by payment_deadline, order_id limit $2";

const TIMELINE: &str = "select * from order_timeline where order_id = $1 order by position";

/// Selects products. `$1` is the list of ids.
pub const PRODUCTS: &str = "select * from catalog_product where product_id = any($1)";

/// Stores orders in PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    database: Database,
    record: fn(&EventEnvelope<OrderEvent>) -> Record,
}

impl PostgresStore {
    /// Creates the store. `record` maps an event to its record.
    pub fn new(database: Database, record: fn(&EventEnvelope<OrderEvent>) -> Record) -> Self {
        Self { database, record }
    }
}

impl Store for PostgresStore {
    async fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.database.fetch_all(sqlx::query(FIND).bind(id.0), order).await?.pop())
    }

    async fn list(&self, filter: &Filter, after: Option<Cursor>, limit: usize) -> Result<Vec<Order>, StoreError> {
        let Filter { customer, status, from, before } = filter;
        let query = |limit: i64| {
            sqlx::query(LIST)
                .bind(customer.as_ref().map(|customer| customer.0.as_str()))
                .bind(status.map(status_name))
                .bind(from.map(Timestamp::get))
                .bind(before.map(Timestamp::get))
                .bind(after.map(|after| after.at.get()))
                .bind(after.map(|after| after.id))
                .bind(limit)
        };
        self.database.list(limit, query, order).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<OrderId>, StoreError> {
        let query = sqlx::query(DUE).bind(now.get()).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        self.database.fetch_all(query, |row| row.try_get("order_id").map(OrderId)).await
    }

    async fn timeline(&self, id: OrderId) -> Result<Vec<(TimelineEntry, String)>, StoreError> {
        self.database.fetch_all(sqlx::query(TIMELINE).bind(id.0), entry).await
    }

    async fn products(&self, ids: &[ProductId]) -> Result<Vec<CatalogProduct>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        self.database.fetch_all(sqlx::query(PRODUCTS).bind(ids), product).await
    }

    async fn receipt(&self, receipt: &Receipt) -> Result<Option<(String, bool)>, StoreError> {
        match self.database.find_receipt(receipt).await? {
            Some(CommitOutcome::AlreadyProcessed { subject, same_request }) => Ok(Some((subject, same_request))),
            Some(CommitOutcome::Committed) | None => Ok(None),
        }
    }

    async fn commit(&self, commit: Commit<Write, OrderEvent>) -> Result<CommitOutcome, CommitError<Infallible>> {
        let Commit { write, events, receipt } = commit;
        let entries: Vec<TimelineEntry> = events.iter().filter_map(TimelineEntry::from_event).collect();
        let records = events.iter().map(self.record).collect();
        let (database, receipt) = (&self.database, receipt.as_ref());
        let trace = trace::current().trace_id();
        match write {
            Some(Write::Insert(order)) => {
                let bind = |sql| bind_order(bind_entries(sql, entries, trace), order);
                database.commit(INSERT, receipt, records, bind, |_| None).await
            }
            Some(Write::Update { order, seen }) => {
                let bind = |sql| bind_order(bind_entries(sql, entries, trace), order).bind(seen.get());
                database.commit(UPDATE, receipt, records, bind, |_| None).await
            }
            Some(Write::AppendTimeline { order, entry }) => {
                let TimelineEntry { at, text, status, event } = entry;
                let bind = |sql: Statement| {
                    sql.bind(order.0).bind(at.get()).bind(text).bind(status_name(status)).bind(event).bind(trace)
                };
                database.commit(APPEND_TIMELINE, receipt, records, bind, |_| None).await
            }
            Some(Write::Product(product)) => {
                let CatalogProduct { id, version, name, on_sale, prices } = product;
                let (currencies, minors): (Vec<&str>, Vec<i64>) =
                    prices.iter().map(|price| (price.currency().code(), price.minor())).unzip();
                let bind = |sql: Statement| {
                    sql.bind(id.0).bind(version.get()).bind(name).bind(on_sale).bind(currencies).bind(minors)
                };
                database.commit(PRODUCT, receipt, records, bind, |_| None).await
            }
            None => database.commit(EVENTS_ONLY, receipt, records, |sql| sql, |_| None).await,
        }
    }
}

fn bind_entries(sql: Statement, entries: Vec<TimelineEntry>, trace: String) -> Statement {
    let mut times: Vec<OffsetDateTime> = Vec::with_capacity(entries.len());
    let mut texts: Vec<String> = Vec::with_capacity(entries.len());
    let mut statuses: Vec<&'static str> = Vec::with_capacity(entries.len());
    let mut events: Vec<Uuid> = Vec::with_capacity(entries.len());
    for TimelineEntry { at, text, status, event } in entries {
        times.push(at.get());
        texts.push(text);
        statuses.push(status_name(status));
        events.push(event);
    }
    sql.bind(times).bind(texts).bind(statuses).bind(events).bind(trace)
}

fn bind_order(sql: Statement, order: Order) -> Statement {
    let Order {
        id,
        version,
        customer,
        status,
        lines,
        total,
        address,
        contact,
        payment_method,
        payment,
        reservation_round,
        created_at,
        updated_at,
    } = order;
    let name = status_name(status.kind());
    let (reason, deadline, shipment) = match status {
        Status::Placed | Status::Confirmed => (None, None, None),
        Status::AwaitingPayment { deadline } => (None, Some(deadline.get()), None),
        Status::Shipped(shipment) | Status::Delivered(shipment) => (None, None, Some(shipment)),
        Status::Cancelled(reason) => (Some(cancel_reason(reason)), None, None),
    };
    let (carrier, tracking_number) = shipment.map(|shipment| (shipment.carrier, shipment.tracking_number)).unzip();
    let products: Vec<Uuid> = lines.iter().map(|line| line.product.0).collect();
    let quantities: Vec<i32> = lines.iter().map(|line| line.quantity).collect();
    let prices: Vec<i64> = lines.iter().map(|line| line.unit_price.minor()).collect();
    let names: Vec<String> = lines.into_iter().map(|line| line.name).collect();
    let Address { recipient, lines: address_lines, city, postal_code, country_code } = address;
    let Contact { email, phone, locale } = contact;
    let payment = payment.as_ref();
    sql.bind(id.0)
        .bind(version.get())
        .bind(customer.0)
        .bind(name)
        .bind(reason)
        .bind(deadline)
        .bind(carrier)
        .bind(tracking_number)
        .bind(total.currency().code())
        .bind(total.minor())
        .bind(products)
        .bind(names)
        .bind(quantities)
        .bind(prices)
        .bind(recipient)
        .bind(address_lines)
        .bind(city)
        .bind(postal_code)
        .bind(country_code)
        .bind(email)
        .bind(phone)
        .bind(locale)
        .bind(payment_method)
        .bind(payment.map(|payment| payment.id.clone()))
        .bind(payment.map(|payment| payment.amount.minor()))
        .bind(payment.map(|payment| payment.amount.currency().code()))
        .bind(payment.map(|payment| payment.refund_requested))
        .bind(reservation_round)
        .bind(created_at.get())
        .bind(updated_at.get())
}

fn status_name(status: StatusKind) -> &'static str {
    match status {
        StatusKind::Placed => "placed",
        StatusKind::AwaitingPayment => "awaiting_payment",
        StatusKind::Confirmed => "confirmed",
        StatusKind::Shipped => "shipped",
        StatusKind::Delivered => "delivered",
        StatusKind::Cancelled => "cancelled",
    }
}

fn status_kind(name: &str) -> Result<StatusKind, sqlx::Error> {
    match name {
        "placed" => Ok(StatusKind::Placed),
        "awaiting_payment" => Ok(StatusKind::AwaitingPayment),
        "confirmed" => Ok(StatusKind::Confirmed),
        "shipped" => Ok(StatusKind::Shipped),
        "delivered" => Ok(StatusKind::Delivered),
        "cancelled" => Ok(StatusKind::Cancelled),
        other => Err(decode_error(format!("unknown order status: {other}"))),
    }
}

fn cancel_reason(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::Customer => "customer",
        CancelReason::Admin => "admin",
        CancelReason::NoStock => "no_stock",
        CancelReason::PaymentTimeout => "payment_timeout",
    }
}

fn currency(code: &str) -> Result<Currency, sqlx::Error> {
    Currency::from_code(code).map_err(decode_error)
}

fn status(row: &PgRow) -> Result<Status, sqlx::Error> {
    let shipment = || {
        let (carrier, tracking_number) = (row.try_get("carrier")?, row.try_get("tracking_number")?);
        Ok::<_, sqlx::Error>(Shipment { carrier, tracking_number })
    };
    match status_kind(row.try_get("status")?)? {
        StatusKind::Placed => Ok(Status::Placed),
        StatusKind::AwaitingPayment => Ok(Status::AwaitingPayment { deadline: time(row, "payment_deadline")? }),
        StatusKind::Confirmed => Ok(Status::Confirmed),
        StatusKind::Shipped => shipment().map(Status::Shipped),
        StatusKind::Delivered => shipment().map(Status::Delivered),
        StatusKind::Cancelled => match row.try_get("cancel_reason")? {
            "customer" => Ok(Status::Cancelled(CancelReason::Customer)),
            "admin" => Ok(Status::Cancelled(CancelReason::Admin)),
            "no_stock" => Ok(Status::Cancelled(CancelReason::NoStock)),
            "payment_timeout" => Ok(Status::Cancelled(CancelReason::PaymentTimeout)),
            other => Err(decode_error(format!("unknown cancel reason: {other}"))),
        },
    }
}

fn lines(row: &PgRow, currency: Currency) -> Result<Vec<Line>, sqlx::Error> {
    let products: Vec<Uuid> = row.try_get("line_products")?;
    let names: Vec<String> = row.try_get("line_names")?;
    let quantities: Vec<i32> = row.try_get("line_quantities")?;
    let prices: Vec<i64> = row.try_get("line_prices")?;
    let line = |(((product, name), quantity), price): (((Uuid, String), i32), i64)| {
        let unit_price = Money::from_minor(price, currency);
        let sum = unit_price.checked_mul(quantity).map_err(decode_error)?;
        Ok(Line { product: ProductId(product), name, quantity, unit_price, sum })
    };
    products.into_iter().zip(names).zip(quantities).zip(prices).map(line).collect()
}

fn payment(row: &PgRow) -> Result<Option<Payment>, sqlx::Error> {
    let Some(id) = row.try_get::<Option<String>, _>("payment_id")? else { return Ok(None) };
    let amount = Money::from_minor(row.try_get("payment_minor")?, currency(row.try_get("payment_currency")?)?);
    Ok(Some(Payment { id, amount, refund_requested: row.try_get("refund_requested")? }))
}

fn order(row: &PgRow) -> Result<Order, sqlx::Error> {
    let currency = currency(row.try_get("currency")?)?;
    Ok(Order {
        id: OrderId(row.try_get("order_id")?),
        version: version(row, "version")?,
        customer: CustomerId(row.try_get("customer_id")?),
        status: status(row)?,
        lines: lines(row, currency)?,
        total: Money::from_minor(row.try_get("total_minor")?, currency),
        address: Address {
            recipient: row.try_get("recipient")?,
            lines: row.try_get("address_lines")?,
            city: row.try_get("city")?,
            postal_code: row.try_get("postal_code")?,
            country_code: row.try_get("country_code")?,
        },
        contact: Contact { email: row.try_get("email")?, phone: row.try_get("phone")?, locale: row.try_get("locale")? },
        payment_method: row.try_get("payment_method")?,
        payment: payment(row)?,
        reservation_round: row.try_get("reservation_round")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

fn entry(row: &PgRow) -> Result<(TimelineEntry, String), sqlx::Error> {
    let status = status_kind(row.try_get("status")?)?;
    let entry =
        TimelineEntry { at: time(row, "at")?, text: row.try_get("text")?, status, event: row.try_get("event_id")? };
    Ok((entry, row.try_get("trace_id")?))
}

fn product(row: &PgRow) -> Result<CatalogProduct, sqlx::Error> {
    let codes: Vec<String> = row.try_get("currencies")?;
    let minors: Vec<i64> = row.try_get("minors")?;
    let price = |(code, minor): (String, i64)| Ok(Money::from_minor(minor, currency(&code)?));
    Ok(CatalogProduct {
        id: ProductId(row.try_get("product_id")?),
        version: version(row, "version")?,
        name: row.try_get("name")?,
        on_sale: row.try_get("on_sale")?,
        prices: codes.into_iter().zip(minors).map(price).collect::<Result<_, sqlx::Error>>()?,
    })
}
