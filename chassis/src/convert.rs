//! Conversions between the kernel's value types and the contracts' messages.

use mart_kernel::{Money, Timestamp};
use mart_proto::Violation;
use mart_proto::r#type::v1 as wire;

use crate::http::ApiError;

/// Converts a point in time to the contracts' message.
pub fn time(at: Timestamp) -> prost_types::Timestamp {
    let micros = at.unix_micros();
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default();
    prost_types::Timestamp { seconds: micros.div_euclid(1_000_000), nanos }
}

/// Converts a point in time of a request to microseconds. A violation of `field` if it is out of range.
pub fn timestamp(field: &str, at: Option<prost_types::Timestamp>) -> Result<Option<Timestamp>, ApiError> {
    let parse = |at: prost_types::Timestamp| {
        let micros = at.seconds.checked_mul(1_000_000);
        let micros = micros.and_then(|micros| micros.checked_add(i64::from(at.nanos) / 1_000));
        let out_of_range =
            || ApiError::Invalid(vec![Violation::new(field, "timestamp.range", "value is out of range")]);
        micros.and_then(Timestamp::from_unix_micros).ok_or_else(out_of_range)
    };
    at.map(parse).transpose()
}

/// Parses an id of a request. A violation of `field` if it is not a UUID.
pub fn uuid(field: &str, id: &str) -> Result<uuid::Uuid, ApiError> {
    let invalid = |_| ApiError::Invalid(vec![Violation::new(field, "string.uuid", "value must be a UUID")]);
    id.parse().map_err(invalid)
}

/// Converts money to the contracts' message.
pub fn money(money: Money) -> wire::Money {
    wire::Money { amount: money.amount(), currency_code: money.currency().code().to_owned() }
}

/// Parses money of a request. A violation of `field` unless it has exactly its currency's digits.
pub fn exact(field: &str, money: &wire::Money) -> Result<Money, ApiError> {
    Money::parse(&money.amount, &money.currency_code)
        .map_err(|error| ApiError::Invalid(vec![Violation::new(field, "money.exact", error.to_string())]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_in_time_converts_back_exactly() {
        for micros in [0, 1, -1, 1_790_000_000_000_001, -62_135_596_800_000_000] {
            let at = Timestamp::from_unix_micros(micros).expect("in range");
            assert_eq!(timestamp("at", Some(time(at))).expect("in range"), Some(at), "{micros}");
        }
        assert!(timestamp("at", Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 })).is_err());
    }

    #[test]
    fn money_converts_back_and_is_never_rounded() {
        let sum = Money::parse("1500.00", "PKR").expect("money");
        assert_eq!(exact("price", &money(sum)).expect("exact"), sum);
        let Err(ApiError::Invalid(violations)) =
            exact("price", &wire::Money { amount: "1.5".into(), currency_code: "PKR".into() })
        else {
            panic!("a digit is missing")
        };
        assert_eq!(violations[0].field, "price");
    }
}
