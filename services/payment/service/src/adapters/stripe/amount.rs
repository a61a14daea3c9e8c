//! Converts amounts to Stripe's units and back.

use mart_kernel::Money;
use mart_kernel::money::Currency;

/// Converts an amount to Stripe's units, or returns `None` if Stripe does not accept the amount.
///
/// They are minor units, except for the currencies that Stripe counts differently from ISO 4217 (docs.stripe.com/currencies).
pub(super) fn units(money: Money) -> Option<i64> {
    let minor = money.minor();
    let whole = |by: i64| (minor % by == 0).then_some(minor / by);
    match (money.currency().code(), money.currency().digits()) {
        // Stripe counts two decimal places, which are always 0.
        ("ISK" | "UGX", 0) => minor.checked_mul(100),
        // Stripe counts no decimal places.
        ("MGA", 2) => whole(100),
        // The last of three decimal places has to be 0.
        (_, 3) => whole(10).and(Some(minor)),
        _ => Some(minor),
    }
}

/// Converts Stripe's units to an amount, or returns `None` if the currency is unknown.
pub(super) fn money(units: i64, code: &str) -> Option<Money> {
    let currency = Currency::from_code(&code.to_uppercase()).ok()?;
    let minor = match (currency.code(), currency.digits()) {
        ("ISK" | "UGX", 0) => (units % 100 == 0).then_some(units / 100),
        ("MGA", 2) => units.checked_mul(100),
        _ => Some(units),
    };
    minor.map(|minor| Money::from_minor(minor, currency))
}

/// Formats Stripe's units for people. If the currency is unknown, the units are not converted.
pub(super) fn reported_amount(units: i64, code: &str) -> String {
    money(units, code)
        .map_or_else(|| format!("{units} {code}"), |money| format!("{} {}", money.amount(), money.currency().code()))
}
