//! The rows of the database, and their mappings to the values of the core.

mod account;
mod callback;

use mart_chassis::db::read::decode_error;
use mart_kernel::money::Currency;
use payment_core::domain::Provider;

pub use account::{AccountRows, AttemptRow, OfOrder, PaymentRow, RefundRow, TaskRow, TransactionRow};
pub use callback::CallbackRow;

fn currency(code: &str) -> Result<Currency, sqlx::Error> {
    Currency::from_code(code).map_err(decode_error)
}

fn provider(name: &str) -> Result<Provider, sqlx::Error> {
    Provider::from_name(name).ok_or_else(|| decode_error(format!("unknown provider: {name}")))
}
