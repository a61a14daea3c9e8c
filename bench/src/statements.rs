//! The services' own statements for pgbench, with literal values.

use anyhow::{Result, anyhow};
use mart_kernel::{EventEnvelope, Money, Timestamp, Version};
use order_core::domain::{Address, Contact, CustomerId, Line, Order, OrderEvent, OrderId};
use product_core::domain::{Product, ProductId, Status, UnvalidatedDetails};
use shelf_service::adapters::postgres::store;
use shelf_service::core::Item;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::pgbench;

/// Returns product's own statement with values of the same sizes.
pub(crate) fn create_product() -> Result<String> {
    let price = |amount: &str, currency: &str| Money::parse(amount, currency);
    let details = UnvalidatedDetails {
        sku: "P-1".to_owned(),
        slug: "p-1".to_owned(),
        name: "Product 1".to_owned(),
        description: "Made by the bench".to_owned(),
        category: "Bench".to_owned(),
        image_urls: Vec::new(),
        attributes: Vec::new(),
        prices: vec![price("1500.00", "PKR")?, price("5.99", "USD")?],
    };
    let details = details.parse().map_err(|invalid| anyhow!("invalid details: {invalid:?}"))?;
    let now = Timestamp::new(OffsetDateTime::UNIX_EPOCH);
    let (product, _) = Product::create(ProductId(Uuid::nil()), details, Status::Active, now)
        .map_err(|invalid| anyhow!("invalid product: {invalid:?}"))?;
    let payload = format!("array[decode('{}', 'hex')]::bytea[]", "0a".repeat(210));
    let (sku, slug, name) = ("'P-' || :n::bigint", "'p-' || :n::bigint", "'Product ' || :n::bigint");
    let mut values = pgbench::receipt_and_event(
        "'CreateProduct of bench'",
        "array['mart.product.v1']",
        "array['mart.product.v1.ProductCreated']",
        &payload,
    );
    let id = "md5('id' || :n::bigint)";
    values.extend([
        ("new.product_id", id),
        ("new.version", "1"),
        ("new.status", "'active'"),
        ("new.sku", sku),
        ("new.sku_key", sku),
        ("new.slug", slug),
        ("new.slug_key", slug),
        ("new.name", name),
        ("new.name_key", name),
        ("new.description", "'Made by the bench'"),
        ("new.category", "'Bench'"),
        ("new.image_urls", "'{}'"),
        ("new.attribute_keys", "'{}'"),
        ("new.attribute_values", "'{}'"),
        ("new.haystack", name),
        ("new.created_at", "now()"),
        ("new.updated_at", "now()"),
        ("new_product_price.product_id", id),
        ("new_product_price.currency", "'PKR'"),
        ("new_product_price.currency", "'USD'"),
        ("new_product_price.minor", "150000"),
        ("new_product_price.minor", "599"),
    ]);
    let statement = product_service::adapters::postgres::statement(Some(product_core::ports::Write::Insert(product)));
    pgbench::with_values(&statement, &values)
}

/// Returns order's own statement with values of the same sizes.
#[expect(clippy::too_many_lines, reason = "a line for each parameter")]
pub(crate) fn place_order(product: &str) -> Result<String> {
    let price = Money::parse("1500.00", "PKR")?;
    let now = Timestamp::new(OffsetDateTime::UNIX_EPOCH);
    let line = Line {
        product: order_core::domain::ProductId(product.parse()?),
        name: "Mug".to_owned(),
        quantity: 1,
        unit_price: price,
        sum: price,
    };
    let draft = Order {
        id: OrderId(Uuid::nil()),
        version: Version::NONE,
        customer: CustomerId("bench".to_owned()),
        status: order_core::domain::Status::Placed,
        lines: vec![line],
        total: price,
        address: Address {
            recipient: "A".to_owned(),
            lines: vec!["House 7".to_owned()],
            city: "Lahore".to_owned(),
            postal_code: String::new(),
            country_code: "PK".to_owned(),
        },
        contact: Contact { email: "a@example.com".to_owned(), phone: String::new(), locale: String::new() },
        payment_method: String::new(),
        payment: None,
        reservation_round: 0,
        created_at: now,
        updated_at: now,
    };
    let (order, events) = draft.place(now);
    let envelope = |payload: OrderEvent| EventEnvelope { id: Uuid::nil(), at: now, version: order.version, payload };
    let events: Vec<EventEnvelope<OrderEvent>> = events.into_iter().map(envelope).collect();
    let statement =
        order_service::adapters::postgres::statement(Some(order_core::ports::Write::Insert(order.clone())), &events);
    let products = format!("array['{product}']");
    let mut values = pgbench::receipt_and_event(
        "'PlaceOrder of bench'",
        "array['mart.order.v1']",
        "array['mart.order.v1.OrderPlaced']",
        "array[decode(repeat('0a', 300), 'hex')]::bytea[]",
    );
    let id = "md5('id' || :n::bigint)";
    values.extend([
        ("new.order_id", id),
        ("new.version", "1"),
        ("new.customer_id", "'bench'"),
        ("new.status", "'placed'"),
        ("new.cancel_reason", "null"),
        ("new.payment_deadline", "null"),
        ("new.carrier", "null"),
        ("new.tracking_number", "null"),
        ("new.currency", "'PKR'"),
        ("new.total_minor", "150000"),
        ("new.line_products", &products),
        ("new.line_names", "array['Mug']"),
        ("new.line_quantities", "array[1]"),
        ("new.line_prices", "array[150000]"),
        ("new.recipient", "'A'"),
        ("new.address_lines", "array['House 7']"),
        ("new.city", "'Lahore'"),
        ("new.postal_code", "''"),
        ("new.country_code", "'PK'"),
        ("new.email", "'a@example.com'"),
        ("new.phone", "''"),
        ("new.locale", "''"),
        ("new.payment_method", "''"),
        ("new.payment_id", "null"),
        ("new.payment_minor", "null"),
        ("new.payment_currency", "null"),
        ("new.refund_requested", "null"),
        ("new.reservation_round", "0"),
        ("new.created_at", "now()"),
        ("new.updated_at", "now()"),
        ("new_order_timeline.order_id", id),
        ("new_order_timeline.at", "now()"),
        ("new_order_timeline.text", "'We''ve received your order and are checking stock.'"),
        ("new_order_timeline.status", "'placed'"),
        ("new_order_timeline.event_id", "md5('event' || :n::bigint)"),
        ("new_order_timeline.trace_id", "'0af7651916cd43dd8448eb211c80319c'"),
    ]);
    pgbench::with_values(&statement, &values)
}

/// Returns the statement of the test service's handler for an item that is not stored yet.
pub(crate) fn store_item() -> Result<String> {
    let item = Item { product_id: String::new(), version: Version::NONE.next(), name: String::new() };
    let values = [
        ("receipt_row.scope", "'shelf.product-created'"),
        ("receipt_row.key", "md5('key' || :n::bigint)"),
        ("receipt_row.fingerprint", "decode(repeat('00', 32), 'hex')"),
        ("receipt_row.subject", "''"),
        ("event.id", "'{}'"),
        ("event.topic", "'{}'"),
        ("event.key", "'{}'"),
        ("event.event_type", "'{}'"),
        ("event.version", "'{}'"),
        ("event.at", "'{}'"),
        ("event.payload", "'{}'"),
        ("event.traceparent", "'{}'"),
        ("new.product_id", "md5('id' || :n::bigint)"),
        ("new.version", "1"),
        ("new.name", "'Product'"),
        ("new_applied.product_id", "md5('id' || :n::bigint)"),
        ("new_applied.version", "1"),
    ];
    pgbench::with_values(&store(item), &values)
}
