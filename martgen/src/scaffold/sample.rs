//! Values in JSON that satisfy a field's rules, for tests and examples.

use std::cell::RefCell;
use std::collections::HashMap;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value};
use serde_json::json;

use crate::contract::rules;

/// Returns two values, which differ if the rules allow it, or `None` if no value is known that satisfies them.
pub(crate) fn json(field: &FieldDescriptor) -> Option<[String; 2]> {
    let mut rules = rules::of(field);
    if field.is_list() {
        let repeated = rules.and_then(|rules| rules::member(&rules, "repeated"));
        rules = repeated.and_then(|repeated| rules::member(&repeated, "items"));
    }
    let rule = |name: &str| rules.as_ref().and_then(|rules| rules::member(rules, name));
    let values = match field.kind() {
        Kind::String => texts(field, rule("string").as_ref())?.map(|text| json!(text)),
        Kind::Bytes => [json!("AAE="), json!("Bw==")],
        Kind::Bool => [json!(true), json!(false)],
        Kind::Enum(of) => {
            let mut values = of.values().filter(|value| value.number() != 0).map(|value| json!(value.name()));
            let first = values.next()?;
            [first.clone(), values.next().unwrap_or(first)]
        }
        Kind::Message(of) => message(of.full_name())?,
        kind => {
            let name = kind_name(&kind)?;
            let [first, second] = numbers(rule(name).as_ref())?;
            match kind {
                Kind::Float | Kind::Double => [json!(first), json!(second)],
                Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => {
                    [json!(format!("{first:.0}")), json!(format!("{second:.0}"))]
                }
                _ => [first, second].map(|number| serde_json::from_str(&format!("{number:.0}")).unwrap_or(json!(0))),
            }
        }
    };
    Some(values.map(|value| value.to_string()))
}

/// Returns two values of a well-known type or of money.
fn message(full_name: &str) -> Option<[serde_json::Value; 2]> {
    if full_name.ends_with(".type.v1.Money") {
        return Some(["9.00", "12.50"].map(|amount| json!({ "amount": amount, "currencyCode": "PKR" })));
    }
    Some(match full_name.strip_prefix("google.protobuf.")? {
        "Timestamp" => [json!("2026-01-02T03:04:05Z"), json!("2027-01-02T03:04:05Z")],
        "Duration" => [json!("1.5s"), json!("60s")],
        "FieldMask" => [json!("name"), json!("description")],
        "Struct" => [json!({ "any": "thing" }), json!({})],
        "Value" | "StringValue" => [json!("one"), json!("two")],
        "ListValue" => [json!(["one"]), json!([])],
        "Empty" => [json!({}), json!({})],
        "BoolValue" => [json!(true), json!(false)],
        "BytesValue" => [json!("AAE="), json!("Bw==")],
        "Int64Value" | "UInt64Value" => [json!("1"), json!("2")],
        "Int32Value" | "UInt32Value" | "FloatValue" | "DoubleValue" => [json!(1), json!(2)],
        _ => return None,
    })
}

fn kind_name(kind: &Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Int32 => "int32",
        Kind::Sint32 => "sint32",
        Kind::Sfixed32 => "sfixed32",
        Kind::Int64 => "int64",
        Kind::Sint64 => "sint64",
        Kind::Sfixed64 => "sfixed64",
        Kind::Uint32 => "uint32",
        Kind::Fixed32 => "fixed32",
        Kind::Uint64 => "uint64",
        Kind::Fixed64 => "fixed64",
        Kind::Float => "float",
        Kind::Double => "double",
        _ => return None,
    })
}

fn value(rules: Option<&DynamicMessage>, name: &str) -> Option<Value> {
    rules::value(rules?, name)
}

fn number(value: &Value) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "the sample only has to be within the bounds")]
    Some(match value {
        Value::I32(number) => f64::from(*number),
        Value::U32(number) => f64::from(*number),
        Value::I64(number) => *number as f64,
        Value::U64(number) => *number as f64,
        Value::F32(number) => f64::from(*number),
        Value::F64(number) => *number,
        _ => return None,
    })
}

/// Returns two numbers within the bounds.
fn numbers(rules: Option<&DynamicMessage>) -> Option<[f64; 2]> {
    let bound = |name: &str| value(rules, name).as_ref().and_then(number);
    if let Some(only) = bound("const") {
        return Some([only, only]);
    }
    if let Some(Value::List(items)) = value(rules, "in") {
        let mut items = items.iter().filter_map(number);
        let first = items.next()?;
        return Some([first, items.next().unwrap_or(first)]);
    }
    if value(rules, "not_in").is_some() {
        return None;
    }
    let low = bound("gte").or(bound("gt").map(|bound| bound + 1.0));
    let high = bound("lte").or(bound("lt").map(|bound| bound - 1.0));
    let pair = match (low, high) {
        (Some(low), Some(high)) if low <= high => [low, (low + 1.0).min(high)],
        (Some(_), Some(_)) => return None,
        (Some(low), None) => [low + 1.0, low + 2.0],
        (None, Some(high)) => [high - 1.0, high],
        (None, None) => [1.0, 2.0],
    };
    Some(pair)
}

/// Returns two texts that satisfy the rules. Texts are not derived from a pattern: a few candidates are matched against it.
fn texts(field: &FieldDescriptor, rules: Option<&DynamicMessage>) -> Option<[String; 2]> {
    let both = |one: &str, two: &str| Some([one.to_owned(), two.to_owned()]);
    if let Some(Value::String(only)) = value(rules, "const") {
        return both(&only, &only);
    }
    if let Some(Value::List(items)) = value(rules, "in") {
        let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
        return both(items.first()?, items.get(1).or(items.first())?);
    }
    let known = [
        ("uuid", "0190a000-0000-7000-8000-000000000001", "0190a000-0000-7000-8000-000000000002"),
        ("email", "one@shop.example", "two@shop.example"),
        ("uri", "https://shop.example/1", "https://shop.example/2"),
        ("hostname", "one.example", "two.example"),
        ("ip", "192.0.2.1", "192.0.2.2"),
        ("ipv4", "192.0.2.1", "192.0.2.2"),
        ("ipv6", "2001:db8::1", "2001:db8::2"),
    ];
    for (rule, one, two) in known {
        if value(rules, rule).and_then(|value| value.as_bool()) == Some(true) {
            return both(one, two);
        }
    }
    let length = |name: &str| value(rules, name).as_ref().and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    let min = length("len").or(length("min_len")).unwrap_or(1);
    let max = length("len").or(length("max_len")).unwrap_or(usize::MAX);
    let unknown = ["prefix", "suffix", "contains", "not_contains", "min_bytes", "max_bytes", "len_bytes", "not_in"];
    if min > max || unknown.iter().any(|rule| value(rules, rule).is_some()) {
        return None;
    }
    let words = field.name().replace('_', " ");
    let fit = |text: &str| -> String {
        let mut fitted: String = text.chars().take(max).collect();
        while fitted.chars().count() < min {
            fitted.push('a');
        }
        fitted
    };
    let candidates: Vec<String> =
        [format!("one {words}"), format!("two {words}"), "one".into(), "two".into(), "ONE".into(), "TWO".into()]
            .into_iter()
            .chain(["1", "2", "12", "34", "123", "456"].map(str::to_owned))
            .chain(["https://shop.example/1", "https://shop.example/2"].map(str::to_owned))
            .map(|text| fit(&text))
            .collect();
    let Some(Value::String(pattern)) = value(rules, "pattern") else {
        return both(&candidates[0], &candidates[1]);
    };
    let fits = matching(&pattern, &candidates)?;
    let mut matching = candidates.iter().zip(fits).filter_map(|(text, fits)| fits.then_some(text));
    let first = matching.next()?;
    both(first, matching.next().unwrap_or(first))
}

/// Returns for each text whether a pattern matches it, or `None` if the pattern is invalid. Compiled patterns are cached: a
/// contract has few of them and uses each many times.
fn matching(pattern: &str, texts: &[String]) -> Option<Vec<bool>> {
    thread_local! {
        static KNOWN: RefCell<HashMap<String, Option<regex::Regex>>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        if !known.contains_key(pattern) {
            known.insert(pattern.to_owned(), regex::Regex::new(pattern).ok());
        }
        let pattern = known.get(pattern)?.as_ref()?;
        Some(texts.iter().map(|text| pattern.is_match(text)).collect())
    })
}
