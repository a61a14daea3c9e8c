//! Value types of the kernel as the contracts' messages have them, and back.

use mart_kernel::{Money, Timestamp};
use mart_proto::Violation;
use mart_proto::r#type::v1 as wire;

use crate::http::Fault;

/// A point in time as contracts have it.
pub fn time(at: Timestamp) -> prost_types::Timestamp {
    let micros = at.unix_micros();
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default();
    prost_types::Timestamp { seconds: micros.div_euclid(1_000_000), nanos }
}

/// A point in time of a request, to the microsecond; `field` names it in a violation.
pub fn timestamp(field: &str, at: Option<prost_types::Timestamp>) -> Result<Option<Timestamp>, Fault> {
    let parse = |at: prost_types::Timestamp| {
        let micros = at.seconds.checked_mul(1_000_000);
        let micros = micros.and_then(|micros| micros.checked_add(i64::from(at.nanos) / 1_000));
        let out_of_range = || Fault::Invalid(vec![Violation::new(field, "timestamp.range", "value is out of range")]);
        micros.and_then(Timestamp::from_unix_micros).ok_or_else(out_of_range)
    };
    at.map(parse).transpose()
}

/// An id of a request, which the contract has checked to be a UUID; `field` names it in a violation.
pub fn uuid(field: &str, id: &str) -> Result<uuid::Uuid, Fault> {
    let invalid = |_| Fault::Invalid(vec![Violation::new(field, "string.uuid", "value must be a UUID")]);
    id.parse().map_err(invalid)
}

/// Money as contracts have it.
pub fn money(money: Money) -> wire::Money {
    wire::Money { amount: money.amount(), currency_code: money.currency().code().to_owned() }
}

/// Money of a request, with exactly its currency's digits; `field` names it in a violation.
pub fn exact(field: &str, money: &wire::Money) -> Result<Money, Fault> {
    Money::parse(&money.amount, &money.currency_code)
        .map_err(|error| Fault::Invalid(vec![Violation::new(field, "money.exact", error.to_string())]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_in_time_comes_back_to_the_microsecond() {
        for micros in [0, 1, -1, 1_790_000_000_000_001, -62_135_596_800_000_000] {
            let at = Timestamp::from_unix_micros(micros).expect("in range");
            assert_eq!(timestamp("at", Some(time(at))).expect("in range"), Some(at), "{micros}");
        }
        assert!(timestamp("at", Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 })).is_err());
    }

    #[test]
    fn money_comes_back_and_is_not_rounded() {
        let sum = Money::parse("1500.00", "PKR").expect("money");
        assert_eq!(exact("price", &money(sum)).expect("exact"), sum);
        let Err(Fault::Invalid(violations)) =
            exact("price", &wire::Money { amount: "1.5".into(), currency_code: "PKR".into() })
        else {
            panic!("it lacks a digit")
        };
        assert_eq!(violations[0].field, "price");
    }
}
