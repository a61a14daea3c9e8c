//! The field rules of the contracts, all of them behind [`check`].
//! The build script compiles the rules of `buf.validate` to Rust. This module checks what they can't express: strings that
//! PostgreSQL can't store, inexact money, and items that must differ.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use mart_kernel::Money;
use mart_kernel::money::MoneyError;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, Value};

use crate::{DESCRIPTORS, Wire};

/// A rule of the contract that a request violates.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// The path in the JSON form, such as `prices[0].currencyCode`.
    pub field: String,
    /// The rule's name, such as `string.max_len`.
    pub rule: String,
    /// The condition that must hold.
    pub message: String,
}

impl Violation {
    /// Creates a violation of a rule that the contract can't express.
    pub fn new(field: impl Into<String>, rule: &str, message: impl Into<String>) -> Self {
        Self { field: field.into(), rule: rule.to_owned(), message: message.into() }
    }
}

/// Checks a message against every rule of its contract. Returns the typed message, or all violations at once.
pub fn check<M: Wire>(message: &DynamicMessage) -> Result<M, Vec<Violation>> {
    let typed: M = message.transcode_to().map_err(|error| vec![Violation::new("", "message", error.to_string())])?;
    let mut found = Vec::new();
    if let Err(error) = typed.validate() {
        let descriptor = message.descriptor();
        found.extend(error.violations().iter().map(|violation| Violation {
            field: json_path(&descriptor, &violation.field_path()),
            rule: violation.rule_id().to_owned(),
            message: wording(violation.rule_id(), violation.message()),
        }));
    }
    walk(message, "", &mut found);
    if found.is_empty() { Ok(typed) } else { Err(found) }
}

/// Returns the message of a violation; some rules of `buf.validate` have none of their own.
fn wording(rule: &str, given: &str) -> String {
    if !given.is_empty() {
        return given.to_owned();
    }
    let kind = rule.rsplit('.').next().unwrap_or(rule).replace('_', " ");
    match kind.as_str() {
        "required" => "value is required".to_owned(),
        "uuid" => "value must be a UUID".to_owned(),
        _ => format!("value must be a valid {kind}"),
    }
}

/// Converts a path of field names to the spelling of clients: `product.image_urls[0]` to `product.imageUrls[0]`.
fn json_path(root: &MessageDescriptor, path: &str) -> String {
    let mut message = Some(root.clone());
    let segments = path.split('.').map(|segment| {
        let (name, index) = segment.split_at(segment.find('[').unwrap_or(segment.len()));
        let field = message.as_ref().and_then(|message| message.get_field_by_name(name));
        message = field.as_ref().and_then(|field| field.kind().as_message().cloned());
        let name = field.as_ref().map_or(name, FieldDescriptor::json_name);
        format!("{name}{index}")
    });
    segments.collect::<Vec<_>>().join(".")
}

fn walk(message: &DynamicMessage, path: &str, found: &mut Vec<Violation>) {
    if message.descriptor().full_name() == "mart.type.v1.Money" {
        money(message, path, found);
    }
    for (field, value) in message.fields() {
        let here = if path.is_empty() { field.json_name().to_owned() } else { format!("{path}.{}", field.json_name()) };
        match value {
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    one(item, &format!("{here}[{index}]"), found);
                }
                unique(&field, items, &here, found);
            }
            Value::Map(entries) => {
                for (key, entry) in entries {
                    let key = match key {
                        prost_reflect::MapKey::String(key) => key.clone(),
                        other => format!("{other:?}"),
                    };
                    text(&key, &here, found);
                    one(entry, &format!("{here}[{key:?}]"), found);
                }
            }
            value => one(value, &here, found),
        }
    }
}

fn one(value: &Value, path: &str, found: &mut Vec<Violation>) {
    match value {
        Value::String(value) => text(value, path, found),
        Value::Message(message) => walk(message, path, found),
        _ => {}
    }
}

/// PostgreSQL can't store a NUL in a string.
fn text(value: &str, path: &str, found: &mut Vec<Violation>) {
    if value.contains('\0') {
        found.push(Violation::new(path, "string.no_nul", "value must not contain a NUL character"));
    }
}

fn money(message: &DynamicMessage, path: &str, found: &mut Vec<Violation>) {
    let member = |name| message.get_field_by_name(name).and_then(|value| value.as_str().map(str::to_owned));
    let amount = member("amount").unwrap_or_default();
    let code = member("currency_code").unwrap_or_default();
    let Err(error) = Money::parse(&amount, &code) else { return };
    let name = if error == MoneyError::UnknownCurrency { "currencyCode" } else { "amount" };
    let field = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    // A missing or misspelled member has been reported already.
    if !found.iter().any(|violation| violation.field == field) {
        found.push(Violation::new(field, "money.exact", error.to_string()));
    }
}

fn unique(field: &FieldDescriptor, items: &[Value], path: &str, found: &mut Vec<Violation>) {
    let Some(member) = unique_by(field) else { return };
    let mut seen = HashSet::new();
    for (index, item) in items.iter().enumerate() {
        let Some(value) = item.as_message().and_then(|item| item.get_field_by_name(&member)) else { continue };
        let spelled = value.as_str().map_or_else(|| format!("{value:?}"), str::to_owned);
        if !seen.insert(spelled) {
            let name = item.as_message().and_then(|item| item.descriptor().get_field_by_name(&member));
            let name = name.as_ref().map_or(member.as_str(), FieldDescriptor::json_name);
            let field = format!("{path}[{index}].{name}");
            found.push(Violation::new(field, "repeated.unique_by", "value must differ from those before it"));
        }
    }
}

/// Returns the member by which the items of a list must differ, if the contract names one.
fn unique_by(field: &FieldDescriptor) -> Option<String> {
    /// Cached by the field's full name, because options are encoded in the descriptors.
    static MEMBERS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
        let Some(option) = DESCRIPTORS.get_extension_by_name("mart.options.v1.unique_by") else {
            return HashMap::new();
        };
        let fields = DESCRIPTORS.all_messages().flat_map(|message| message.fields().collect::<Vec<_>>());
        let lists = fields.filter(|field| field.is_list() && matches!(field.kind(), Kind::Message(_)));
        let named = lists.filter_map(|field| {
            let options = field.options();
            let member = options.has_extension(&option).then(|| options.get_extension(&option).into_owned())?;
            Some((field.full_name().to_owned(), member.as_str()?.to_owned()))
        });
        named.collect()
    });
    MEMBERS.get(field.full_name()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::v1::{CreateProductRequest, Product};
    use serde_json::json;

    fn request(product: &serde_json::Value) -> Result<CreateProductRequest, Vec<(String, String)>> {
        let value = json!({ "product": product });
        let dynamic = crate::json::read(crate::descriptor::<CreateProductRequest>(), &value).expect("readable");
        check(&dynamic)
            .map_err(|found| found.into_iter().map(|violation| (violation.field, violation.rule)).collect::<Vec<_>>())
    }

    #[test]
    fn all_violations_are_reported_at_once_with_json_paths() {
        let found = request(&json!({
            "slug": "no good", "name": " ", "imageUrls": ["https://a.example/1.png", "ftp://x"], "category": "a\u{0}b",
            "attributes": [{"key": "colour", "value": "red"}, {"key": "colour", "value": "blue"}],
            "prices": [{"amount": "10.5", "currencyCode": "PKR"}, {"amount": "1", "currencyCode": "pkr"}, {"amount": "1.00", "currencyCode": "ZZZ"}],
        }))
        .expect_err("broken in many ways");
        let expected = [
            ("product.slug", "string.pattern"),
            ("product.name", "string.pattern"),
            ("product.imageUrls[1]", "string.pattern"),
            ("product.prices[1].currencyCode", "string.pattern"),
            ("product.category", "string.no_nul"),
            ("product.attributes[1].key", "repeated.unique_by"),
            ("product.prices[0].amount", "money.exact"),
            ("product.prices[2].currencyCode", "money.exact"),
        ];
        assert_eq!(found, expected.map(|(field, rule)| (field.to_owned(), rule.to_owned())));
    }

    #[test]
    fn a_valid_request_is_returned_typed() {
        let typed = request(&json!({
            "slug": "red-mug", "name": "Red mug", "prices": [{"amount": "1500.00", "currencyCode": "PKR"}],
        }));
        assert_eq!(typed.expect("clean").product.map(|product| product.slug), Some("red-mug".to_owned()));
    }

    #[test]
    fn a_missing_message_is_named() {
        let dynamic = crate::json::read(crate::descriptor::<CreateProductRequest>(), &json!({})).expect("readable");
        let found = check::<CreateProductRequest>(&dynamic).expect_err("nothing in it");
        assert_eq!(found, [Violation::new("product", "required", "value is required")]);
    }

    #[test]
    fn every_violation_has_a_text() {
        assert_eq!(wording("string.uuid", ""), "value must be a UUID");
        assert_eq!(wording("string.email", ""), "value must be a valid email");
        assert_eq!(wording("string.max_len", "at most 5"), "at most 5");
    }

    #[test]
    fn unknown_members_are_rejected_with_their_path() {
        let descriptor = crate::descriptor::<CreateProductRequest>();
        let error =
            crate::json::read(descriptor, &json!({"product": {"prices": [{"amout": "1"}]}})).expect_err("misspelled");
        assert_eq!(error.to_string(), "product.prices[0].amout: there is no such member");
    }

    #[test]
    fn zero_values_are_written_and_times_end_in_z() {
        let product = Product {
            create_time: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 120_000_000 }),
            ..Product::default()
        };
        let json: serde_json::Value =
            serde_json::from_slice(&crate::json::write(&crate::dynamic(&product))).expect("JSON");
        assert_eq!(json["createTime"], "2023-11-14T22:13:20.120Z");
        assert_eq!((json["sku"].as_str(), json["prices"].as_array().map(Vec::len)), (Some(""), Some(0)));
        assert_eq!(json["status"], "PRODUCT_STATUS_UNSPECIFIED");
    }
}
