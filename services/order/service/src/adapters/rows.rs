//! The rows of the database, and their mappings to the values of the core.

use mart_chassis::db::read::{self, decode_error};
use mart_chassis::table_row;
use mart_kernel::money::Currency;
use mart_kernel::{Money, Timestamp};
use order_core::domain::{
    Address, CancelReason, CatalogProduct, Contact, CustomerId, Line, Order, OrderId, Payment, ProductId, Shipment,
    Status, StatusKind, TimelineEntry,
};
use time::OffsetDateTime;
use uuid::Uuid;

table_row! {
    /// A row of `orders`.
    pub struct OrderRow in orders (order_id) {
        order_id: Uuid,
        version: i64,
        customer_id: String,
        status: String,
        cancel_reason: Option<String>,
        payment_deadline: Option<OffsetDateTime>,
        carrier: Option<String>,
        tracking_number: Option<String>,
        currency: String,
        total_minor: i64,
        line_products: Vec<Uuid>,
        line_names: Vec<String>,
        line_quantities: Vec<i32>,
        line_prices: Vec<i64>,
        recipient: String,
        address_lines: Vec<String>,
        city: String,
        postal_code: String,
        country_code: String,
        email: String,
        phone: String,
        locale: String,
        payment_method: String,
        payment_id: Option<String>,
        payment_minor: Option<i64>,
        payment_currency: Option<String>,
        refund_requested: Option<bool>,
        reservation_round: i32,
        created_at: OffsetDateTime,
        updated_at: OffsetDateTime,
    }
}

table_row! {
    /// A row of `order_timeline`, whose key is its position.
    pub struct TimelineRow in order_timeline {
        order_id: Uuid,
        at: OffsetDateTime,
        text: String,
        status: String,
        event_id: Uuid,
        trace_id: String,
    }
}

table_row! {
    /// A row of `catalog_product`.
    pub struct CatalogProductRow in catalog_product (product_id) {
        product_id: Uuid,
        version: i64,
        name: String,
        on_sale: bool,
        currencies: Vec<String>,
        minors: Vec<i64>,
    }
}

impl From<Order> for OrderRow {
    #[expect(clippy::too_many_lines, reason = "a line for each column")]
    fn from(order: Order) -> Self {
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
        let status_name = status_name(status.kind()).to_owned();
        let (cancel_reason, payment_deadline, shipment) = match status {
            Status::Placed | Status::Confirmed => (None, None, None),
            Status::AwaitingPayment { deadline } => (None, Some(deadline.get()), None),
            Status::Shipped(shipment) | Status::Delivered(shipment) => (None, None, Some(shipment)),
            Status::Cancelled(reason) => (Some(cancel_reason_name(reason).to_owned()), None, None),
        };
        let (carrier, tracking_number) =
            shipment.map(|Shipment { carrier, tracking_number }| (carrier, tracking_number)).unzip();
        let Address { recipient, lines: address_lines, city, postal_code, country_code } = address;
        let Contact { email, phone, locale } = contact;
        let (payment_id, amount, refund_requested) = match payment {
            Some(Payment { id, amount, refund_requested }) => (Some(id), Some(amount), Some(refund_requested)),
            None => (None, None, None),
        };
        Self {
            order_id: id.0,
            version: version.get(),
            customer_id: customer.0,
            status: status_name,
            cancel_reason,
            payment_deadline,
            carrier,
            tracking_number,
            currency: total.currency().code().to_owned(),
            total_minor: total.minor(),
            line_products: lines.iter().map(|line| line.product.0).collect(),
            line_quantities: lines.iter().map(|line| line.quantity).collect(),
            line_prices: lines.iter().map(|line| line.unit_price.minor()).collect(),
            line_names: lines.into_iter().map(|line| line.name).collect(),
            recipient,
            address_lines,
            city,
            postal_code,
            country_code,
            email,
            phone,
            locale,
            payment_method,
            payment_id,
            payment_minor: amount.map(Money::minor),
            payment_currency: amount.map(|amount| amount.currency().code().to_owned()),
            refund_requested,
            reservation_round,
            created_at: created_at.get(),
            updated_at: updated_at.get(),
        }
    }
}

impl TryFrom<OrderRow> for Order {
    type Error = sqlx::Error;

    #[expect(clippy::too_many_lines, reason = "a line for each column")]
    fn try_from(row: OrderRow) -> Result<Self, sqlx::Error> {
        let OrderRow {
            order_id,
            version,
            customer_id,
            status,
            cancel_reason,
            payment_deadline,
            carrier,
            tracking_number,
            currency: total_currency,
            total_minor,
            line_products,
            line_names,
            line_quantities,
            line_prices,
            recipient,
            address_lines,
            city,
            postal_code,
            country_code,
            email,
            phone,
            locale,
            payment_method,
            payment_id,
            payment_minor,
            payment_currency,
            refund_requested,
            reservation_round,
            created_at,
            updated_at,
        } = row;
        let currency = currency(&total_currency)?;
        let shipment = carrier.zip(tracking_number);
        let shipment = shipment.map(|(carrier, tracking_number)| Shipment { carrier, tracking_number });
        let status = match status_kind(&status)? {
            StatusKind::Placed => Status::Placed,
            StatusKind::AwaitingPayment => {
                Status::AwaitingPayment { deadline: Timestamp::new(present(payment_deadline, "payment_deadline")?) }
            }
            StatusKind::Confirmed => Status::Confirmed,
            StatusKind::Shipped => Status::Shipped(present(shipment, "carrier")?),
            StatusKind::Delivered => Status::Delivered(present(shipment, "carrier")?),
            StatusKind::Cancelled => Status::Cancelled(parse_cancel_reason(cancel_reason.as_deref())?),
        };
        let payment = match (payment_id, payment_minor, payment_currency, refund_requested) {
            (None, ..) => None,
            (Some(id), Some(minor), Some(code), Some(refund_requested)) => {
                Some(Payment { id, amount: Money::from_minor(minor, self::currency(&code)?), refund_requested })
            }
            (Some(_), ..) => return Err(decode_error("a payment lacks a column")),
        };
        let line = |(((product, name), quantity), price): (((Uuid, String), i32), i64)| {
            let unit_price = Money::from_minor(price, currency);
            let sum = unit_price.checked_mul(quantity).map_err(decode_error)?;
            Ok(Line { product: ProductId(product), name, quantity, unit_price, sum })
        };
        let lines = line_products.into_iter().zip(line_names).zip(line_quantities).zip(line_prices);
        Ok(Self {
            id: OrderId(order_id),
            version: read::version(version)?,
            customer: CustomerId(customer_id),
            status,
            lines: lines.map(line).collect::<Result<_, sqlx::Error>>()?,
            total: Money::from_minor(total_minor, currency),
            address: Address { recipient, lines: address_lines, city, postal_code, country_code },
            contact: Contact { email, phone, locale },
            payment_method,
            payment,
            reservation_round,
            created_at: Timestamp::new(created_at),
            updated_at: Timestamp::new(updated_at),
        })
    }
}

impl TimelineRow {
    /// Maps an entry of an order's timeline and the id of its trace.
    pub fn new(order: OrderId, entry: TimelineEntry, trace_id: String) -> Self {
        let TimelineEntry { at, text, status, event } = entry;
        let status = status_name(status).to_owned();
        Self { order_id: order.0, at: at.get(), text, status, event_id: event, trace_id }
    }
}

impl TryFrom<TimelineRow> for (TimelineEntry, String) {
    type Error = sqlx::Error;

    fn try_from(row: TimelineRow) -> Result<Self, sqlx::Error> {
        let TimelineRow { order_id: _, at, text, status, event_id, trace_id } = row;
        let status = status_kind(&status)?;
        Ok((TimelineEntry { at: Timestamp::new(at), text, status, event: event_id }, trace_id))
    }
}

impl From<CatalogProduct> for CatalogProductRow {
    fn from(product: CatalogProduct) -> Self {
        let CatalogProduct { id, version, name, on_sale, prices } = product;
        let (currencies, minors) =
            prices.iter().map(|price| (price.currency().code().to_owned(), price.minor())).unzip();
        Self { product_id: id.0, version: version.get(), name, on_sale, currencies, minors }
    }
}

impl TryFrom<CatalogProductRow> for CatalogProduct {
    type Error = sqlx::Error;

    fn try_from(row: CatalogProductRow) -> Result<Self, sqlx::Error> {
        let CatalogProductRow { product_id, version, name, on_sale, currencies, minors } = row;
        let price = |(code, minor): (String, i64)| Ok(Money::from_minor(minor, currency(&code)?));
        Ok(Self {
            id: ProductId(product_id),
            version: read::version(version)?,
            name,
            on_sale,
            prices: currencies.into_iter().zip(minors).map(price).collect::<Result<_, sqlx::Error>>()?,
        })
    }
}

/// Returns the stored name of a status.
pub fn status_name(status: StatusKind) -> &'static str {
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

fn cancel_reason_name(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::Customer => "customer",
        CancelReason::Admin => "admin",
        CancelReason::NoStock => "no_stock",
        CancelReason::PaymentTimeout => "payment_timeout",
    }
}

fn parse_cancel_reason(name: Option<&str>) -> Result<CancelReason, sqlx::Error> {
    match name {
        Some("customer") => Ok(CancelReason::Customer),
        Some("admin") => Ok(CancelReason::Admin),
        Some("no_stock") => Ok(CancelReason::NoStock),
        Some("payment_timeout") => Ok(CancelReason::PaymentTimeout),
        other => Err(decode_error(format!("unknown cancel reason: {other:?}"))),
    }
}

fn currency(code: &str) -> Result<Currency, sqlx::Error> {
    Currency::from_code(code).map_err(decode_error)
}

fn present<T>(value: Option<T>, column: &str) -> Result<T, sqlx::Error> {
    value.ok_or_else(|| decode_error(format!("{column} is null")))
}
