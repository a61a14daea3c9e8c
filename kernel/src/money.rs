//! Exact money: minor units of an ISO 4217 currency, never rounded.
//!
//! Multiplication by a fraction, conversion between currencies and floating point are deliberately absent.

use std::fmt;

use iso_currency::Currency as Iso;

/// A currency of ISO 4217 with a minor unit. Funds codes and metals such as `XAU` have none and are rejected.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(Iso);

impl Currency {
    /// Returns the currency with this upper-case alphabetic code, such as `PKR`.
    pub fn from_code(code: &str) -> Result<Self, MoneyError> {
        Iso::from_code(code).filter(|iso| iso.exponent().is_some()).map(Self).ok_or(MoneyError::UnknownCurrency)
    }

    /// Returns the alphabetic code of three letters.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Returns the number of decimal digits of the minor unit: 2 for PKR, 0 for JPY, 3 for KWD.
    pub fn digits(self) -> usize {
        self.0.exponent().map_or(0, usize::from)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}

/// The errors of parsing an amount and of combining two amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The code is not one of ISO 4217 with a minor unit.
    #[error("not an ISO 4217 currency with a minor unit")]
    UnknownCurrency,
    /// The amount is not a plain decimal number with exactly the currency's digits.
    #[error("not a decimal number with exactly {digits} digits after the point")]
    Malformed {
        /// The number of digits that the currency requires.
        digits: usize,
    },
    /// The amount or the result is beyond [`Money::MAX_MINOR`].
    #[error("the amount is out of range: it has more than 15 digits")]
    OutOfRange,
    /// The two amounts are of different currencies.
    #[error("amounts of different currencies cannot be combined")]
    CurrencyMismatch,
}

/// An amount of one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// The largest amount that is parsed or calculated, in minor units: fifteen digits. Thousands of such amounts fit into 64 bits,
    /// so no sum over an order can overflow. A JavaScript number represents each of them exactly.
    pub const MAX_MINOR: i64 = 999_999_999_999_999;

    /// Returns an amount in minor units (paisa, cent) of a currency.
    pub fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Parses the wire form: a decimal string with exactly the currency's digits (`1500.00` of `PKR`, `1500` of `JPY`). An
    /// exponent, a plus sign, leading zeros and negative zero are rejected.
    pub fn parse(amount: &str, currency_code: &str) -> Result<Self, MoneyError> {
        let currency = Currency::from_code(currency_code)?;
        let digits = currency.digits();
        let malformed = MoneyError::Malformed { digits };
        let unsigned = amount.strip_prefix('-').unwrap_or(amount);
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((whole, fraction)) if digits > 0 => (whole, fraction),
            None => (unsigned, ""),
            Some(_) => return Err(malformed),
        };
        let numeric = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let canonical = whole == "0" || !(whole.is_empty() || whole.starts_with('0'));
        if !canonical || fraction.len() != digits || !numeric(whole) || !numeric(fraction) {
            return Err(malformed);
        }
        let sign = if unsigned.len() == amount.len() { "" } else { "-" };
        let minor = format!("{sign}{whole}{fraction}").parse().ok().filter(|minor| within(*minor));
        let minor: i64 = minor.ok_or(MoneyError::OutOfRange)?;
        if minor == 0 && !sign.is_empty() {
            return Err(malformed);
        }
        Ok(Self { minor, currency })
    }

    /// Returns the amount in minor units.
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// Returns the currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// Returns the amount in the wire form that [`Money::parse`] accepts.
    pub fn amount(self) -> String {
        let digits = self.currency.digits();
        let sign = if self.minor < 0 { "-" } else { "" };
        let all = format!("{:0width$}", self.minor.unsigned_abs(), width = digits + 1);
        let (whole, fraction) = all.split_at(all.len() - digits);
        if digits == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    /// Returns the sum. An error if the currencies differ or the sum exceeds [`Money::MAX_MINOR`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// Returns the difference. An error if the currencies differ or the difference exceeds [`Money::MAX_MINOR`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    /// Returns the amount times a quantity. An error if the product exceeds [`Money::MAX_MINOR`].
    pub fn checked_mul(self, quantity: i32) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(i64::from(quantity)).filter(|minor| within(*minor));
        let minor = minor.ok_or(MoneyError::OutOfRange)?;
        Ok(Self { minor, ..self })
    }

    fn combine(self, other: Self, with: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let minor = with(self.minor, other.minor).filter(|minor| within(*minor)).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { minor, ..self })
    }
}

/// Returns whether an amount is within [`Money::MAX_MINOR`].
fn within(minor: i64) -> bool {
    (-Money::MAX_MINOR..=Money::MAX_MINOR).contains(&minor)
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency() -> impl Strategy<Value = Currency> {
        prop::sample::select(vec!["PKR", "JPY", "KWD", "CLF", "USD"])
            .prop_map(|code| Currency::from_code(code).expect("known"))
    }

    proptest! {
        #[test]
        fn money_reads_back_what_it_prints(minor in -Money::MAX_MINOR..=Money::MAX_MINOR, currency in currency()) {
            let money = Money::from_minor(minor, currency);
            prop_assert_eq!(Money::parse(&money.amount(), currency.code()), Ok(money));
        }

        #[test]
        fn arithmetic_is_exact_or_refused(a: i64, b: i64, n: i32, currency in currency()) {
            let of = |minor| Money::from_minor(minor, currency);
            let exact = |minor: i128| {
                i64::try_from(minor).ok().filter(|minor| within(*minor)).map(of).ok_or(MoneyError::OutOfRange)
            };
            prop_assert_eq!(of(a).checked_add(of(b)), exact(i128::from(a) + i128::from(b)));
            prop_assert_eq!(of(a).checked_sub(of(b)), exact(i128::from(a) - i128::from(b)));
            prop_assert_eq!(of(a).checked_mul(n), exact(i128::from(a) * i128::from(n)));
        }

        #[test]
        fn an_amount_has_one_canonical_form(text in "-?[0-9.+eE ]{0,8}", currency in currency()) {
            if let Ok(money) = Money::parse(&text, currency.code()) {
                prop_assert_eq!(money.amount(), text);
            }
        }
    }

    #[test]
    fn an_amount_has_exactly_its_currencys_digits() {
        let minor = |amount, code| Money::parse(amount, code).map(Money::minor);
        assert_eq!(minor("1500.00", "PKR"), Ok(150_000));
        assert_eq!(minor("1500", "JPY"), Ok(1_500));
        assert_eq!(minor("1.500", "KWD"), Ok(1_500));
        assert_eq!(minor("-0.01", "USD"), Ok(-1));
        assert_eq!(minor("0.00", "USD"), Ok(0));
        for (amount, code, digits) in [
            ("1500", "PKR", 2),
            ("1500.0", "PKR", 2),
            ("1500.000", "PKR", 2),
            ("1500.", "JPY", 0),
            ("1500.00", "JPY", 0),
            ("", "PKR", 2),
            (".50", "PKR", 2),
            ("00.50", "PKR", 2),
            ("-0.00", "PKR", 2),
            ("+1.00", "PKR", 2),
            ("1,500.00", "PKR", 2),
            ("1e3", "JPY", 0),
            ("--1", "JPY", 0),
            ("1.00", "KWD", 3),
            ("\u{661}", "JPY", 0),
        ] {
            assert_eq!(minor(amount, code), Err(MoneyError::Malformed { digits }), "{amount} {code}");
        }
    }

    #[test]
    fn more_than_fifteen_digits_are_out_of_range() {
        let minor = |amount, code| Money::parse(amount, code).map(Money::minor);
        for amount in ["10000000000000.00", "-10000000000000.00", "92233720368547758.07", "92233720368547758.08"] {
            assert_eq!(minor(amount, "PKR"), Err(MoneyError::OutOfRange), "{amount}");
        }
        assert_eq!(minor("9999999999999.99", "PKR"), Ok(Money::MAX_MINOR));
        assert_eq!(minor("-9999999999999.99", "PKR"), Ok(-Money::MAX_MINOR));
        assert_eq!(minor("999999999999999", "JPY"), Ok(Money::MAX_MINOR));
        assert_eq!(minor("1000000000000000", "JPY"), Err(MoneyError::OutOfRange));
        let most = Money::parse("999999999999999", "JPY").expect("money");
        assert_eq!(most.checked_add(Money::from_minor(1, most.currency())), Err(MoneyError::OutOfRange));
        assert_eq!(most.checked_mul(2), Err(MoneyError::OutOfRange));
    }

    #[test]
    fn a_currency_code_is_known_upper_case_and_has_a_minor_unit() {
        for code in ["", "pkr", "PK", "ZZZ", "XAU", "XXX"] {
            assert_eq!(Currency::from_code(code), Err(MoneyError::UnknownCurrency), "{code}");
        }
        let pkr = Currency::from_code("PKR").expect("known");
        assert_eq!((pkr.to_string(), format!("{pkr:?}"), pkr.digits()), ("PKR".to_owned(), "PKR".to_owned(), 2));
        assert!(Currency::from_code("JPY").expect("known") < pkr);
        assert_eq!(Money::from_minor(5, pkr).to_string(), "0.05 PKR");
    }

    #[test]
    fn a_line_is_its_price_times_its_quantity() {
        let price = Money::parse("10.50", "PKR").expect("money");
        assert_eq!(price.checked_mul(3).map(Money::minor), Ok(3_150));
        assert_eq!(price.checked_mul(-1).map(Money::minor), Ok(-1_050));
        assert_eq!(format!("{price:?}"), "10.50 PKR");
        assert_eq!(price.checked_mul(0).map(Money::amount), Ok("0.00".to_owned()));
    }

    #[test]
    fn currencies_do_not_mix() {
        let pkr = Money::parse("1.00", "PKR").expect("money");
        let usd = Money::parse("1.00", "USD").expect("money");
        assert_eq!(pkr.checked_add(usd), Err(MoneyError::CurrencyMismatch));
        assert_eq!(pkr.checked_sub(usd), Err(MoneyError::CurrencyMismatch));
    }
}
