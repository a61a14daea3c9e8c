//! The expected next step of an order and its deadline.

use anyhow::Result;
use mart_chassis::sql;
use sqlx::{Connection, PgConnection, Row};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// Returns the expected next step of an order, or `None` if no order has this id.
pub async fn next(order_database: &str, id: &str) -> Result<Option<String>> {
    let Ok(id) = Uuid::parse_str(id) else { return Ok(None) };
    let mut database = PgConnection::connect(order_database).await?;
    let query = sql!(
        "select status, payment_deadline, refund_requested, reservation_round from orders where order_id = $order_id",
        order_id = id,
    );
    let Some(row) = query.fetch_optional(&mut database).await? else { return Ok(None) };
    let (status, deadline): (String, Option<OffsetDateTime>) =
        (row.try_get("status")?, row.try_get("payment_deadline")?);
    let (refund, round): (Option<bool>, i32) = (row.try_get("refund_requested")?, row.try_get("reservation_round")?);
    let until = deadline.map(|at| at.format(&Rfc3339).unwrap_or_default()).unwrap_or_default();
    let next = match status.as_str() {
        "placed" if round > 0 => {
            "inventory reserves its stock again (StockReserved confirms the order) or rejects it (StockRejected requests the \
             refund); no deadline"
                .to_owned()
        }
        "placed" => "inventory reserves its stock (StockReserved) or rejects it (StockRejected); no deadline".to_owned(),
        "awaiting_payment" => format!("a payment (PaymentCaptured) before {until}; after that it is cancelled"),
        "confirmed" => "an admin ships it; no deadline".to_owned(),
        "shipped" => "an admin reports the delivery; no deadline".to_owned(),
        "cancelled" if refund == Some(true) => {
            "PaymentRefunded, when the refund is complete".to_owned()
        }
        "cancelled" => "nothing, unless it was cancelled by its deadline and is paid late".to_owned(),
        _ => "nothing: the order is complete".to_owned(),
    };
    Ok(Some(format!("order {id} is {status}; next: {next}")))
}
