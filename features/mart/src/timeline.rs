//! What an order waits for now, and when that ends.

use anyhow::Result;
use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// What is expected next of an order; `None` where there is none of this id.
pub async fn next(order_database: &str, id: &str) -> Result<Option<String>> {
    let Ok(id) = Uuid::parse_str(id) else { return Ok(None) };
    let mut database = PgConnection::connect(order_database).await?;
    let found: Option<(String, Option<OffsetDateTime>, Option<bool>, i32)> =
        sqlx::query_as("select status, payment_deadline, refund_requested, round from orders where order_id = $1")
            .bind(id)
            .fetch_optional(&mut database)
            .await?;
    let Some((status, deadline, refund, round)) = found else { return Ok(None) };
    let until = deadline.map(|at| at.format(&Rfc3339).unwrap_or_default()).unwrap_or_default();
    let next = match status.as_str() {
        "placed" if round > 0 => {
            "inventory puts its products aside once more (StockReserved confirms it), or can't (StockRejected asks the money back); no deadline".to_owned()
        }
        "placed" => "inventory puts its products aside (StockReserved) or can't (StockRejected); no deadline".to_owned(),
        "awaiting_payment" => format!("a payment (PaymentCaptured) before {until}; then it is cancelled"),
        "confirmed" => "an admin ships it; no deadline".to_owned(),
        "shipped" => "an admin says that it has arrived; no deadline".to_owned(),
        "cancelled" if refund == Some(true) => {
            "nothing of its own; PaymentRefunded says that its money went back".to_owned()
        }
        "cancelled" => "nothing, unless it ran out of time and is paid late".to_owned(),
        _ => "nothing: it has ended".to_owned(),
    };
    Ok(Some(format!("order {id} is {status}; next: {next}")))
}
