//! The JSON form of messages: the protobuf mapping with zero values written out. Unknown members and duplicate members are rejected
//! by name.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use prost_reflect::{DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, SerializeOptions};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A JSON value that does not match its message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct Unreadable {
    /// The path in the value, such as `lines[1].quantity`; empty for the value itself.
    pub path: String,
    /// What is wrong at this path.
    pub problem: String,
}

impl Unreadable {
    fn twice(path: String) -> Self {
        Self { path, problem: "the member is given twice".to_owned() }
    }
}

/// Parses JSON. Fails if an object at any depth has two members with the same name: parsers differ in which one they take, so that a
/// gateway or a log could see another request than the service. ProtoJSON rejects duplicates, too.
pub fn parse(text: &[u8]) -> Result<Value, Unreadable> {
    let path = RefCell::new(String::new());
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = Unique(&path).deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    value.map_err(|error| match error.classify() {
        // Parsing alone finds only duplicates here; everything else is valid JSON.
        serde_json::error::Category::Data => Unreadable::twice(path.into_inner()),
        _ => Unreadable { path: String::new(), problem: format!("not JSON: {error}") },
    })
}

/// A parsed value without duplicate members. If there is one, the path ends at it.
struct Unique<'a>(&'a RefCell<String>);

impl Unique<'_> {
    /// Parses a nested value at a step down the path.
    fn within<T, E>(&self, step: fmt::Arguments<'_>, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let before = self.0.borrow().len();
        self.0.borrow_mut().push_str(&step.to_string());
        let value = read()?;
        self.0.borrow_mut().truncate(before);
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) =
            self.within(format_args!("[{}]", list.len()), || items.next_element_seed(Unique(self.0)))?
        {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let dot = if self.0.borrow().is_empty() { "" } else { "." };
            let value = self.within(format_args!("{dot}{name}"), || {
                if object.contains_key(&name) {
                    return Err(A::Error::custom("the member is given twice"));
                }
                members.next_value_seed(Unique(self.0))
            })?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

/// Reads a message from a JSON value. Fails if a field is given in both spellings of its name, at any depth.
pub fn read(descriptor: MessageDescriptor, value: &Value) -> Result<DynamicMessage, Unreadable> {
    once(&descriptor, value, "")?;
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(value, &mut track);
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(descriptor, tracked, &options).map_err(|error| {
        let path = track.path().to_string();
        unreadable(if path == "." { "" } else { &path }, &error.to_string())
    })
}

/// Checks that every field of a message is given once: `currencyCode` and `currency_code` are the same field.
fn once(message: &MessageDescriptor, value: &Value, path: &str) -> Result<(), Unreadable> {
    // The well-known types have JSON forms of their own.
    let (Some(members), false) = (value.as_object(), message.package_name() == "google.protobuf") else {
        return Ok(());
    };
    let mut seen = HashSet::new();
    for (name, value) in members {
        let field = message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name));
        // The reader rejects an unknown name later.
        let Some(field) = field else { continue };
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if !seen.insert(field.number()) {
            return Err(Unreadable::twice(path));
        }
        once_within(&field, value, &path)?;
    }
    Ok(())
}

/// Checks the messages of a field, and the keys of a map: `1` and `01` are the same number.
fn once_within(field: &FieldDescriptor, value: &Value, path: &str) -> Result<(), Unreadable> {
    let kind = field.kind();
    let Some(message) = kind.as_message() else { return Ok(()) };
    match value {
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(nth, item)| once(message, item, &format!("{path}[{nth}]")))
        }
        Value::Object(entries) if field.is_map() => {
            let text = message.map_entry_key_field().kind() == Kind::String;
            let (values, mut seen) = (message.map_entry_value_field().kind(), HashSet::new());
            for (key, value) in entries {
                let path = format!("{path}.{key}");
                if !text && key.parse::<i128>().is_ok_and(|key| !seen.insert(key)) {
                    return Err(Unreadable::twice(path));
                }
                if let Some(message) = values.as_message() {
                    once(message, value, &path)?;
                }
            }
            Ok(())
        }
        value => once(message, value, path),
    }
}

/// The reader's path ends at the message without such a member; only its text names the member.
fn unreadable(path: &str, problem: &str) -> Unreadable {
    let unknown = problem.strip_prefix("unrecognized field name '").and_then(|rest| rest.split('\'').next());
    match unknown {
        None => Unreadable { path: path.to_owned(), problem: problem.to_owned() },
        Some(name) => {
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            Unreadable { path, problem: "there is no such member".to_owned() }
        }
    }
}

/// Writes a message as JSON: lowerCamelCase members, zero values included, times in RFC 3339 with `Z`.
pub fn write(message: &DynamicMessage) -> Vec<u8> {
    let options = SerializeOptions::new().skip_default_fields(false);
    let mut json = serde_json::Serializer::new(Vec::with_capacity(512));
    match message.serialize_with_options(&mut json, &options) {
        Ok(()) => json.into_inner(),
        // Only a timestamp or a duration out of range has no JSON form, and the cores make none.
        Err(_) => b"null".to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::product::v1::CreateProductRequest;

    /// Returns the path at which a text is rejected; empty if it is accepted.
    fn refused(text: &str) -> String {
        parse(text.as_bytes()).map_or_else(|error| error.path, |_| String::new())
    }

    #[test]
    fn valid_json_is_parsed_like_serde_json() {
        let text = r#" {"a":[null,true,-1,1.5,18446744073709551615,"x\u00e9",{}],"b":{"a":{"a":1}},"":""} "#;
        let expected: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(parse(text.as_bytes()), Ok(expected));
    }

    #[test]
    fn a_member_given_twice_is_refused_at_any_depth() {
        assert_eq!(refused(r#"{"a":1,"a":1}"#), "a");
        assert_eq!(refused(r#"{"a":1,"\u0061":2}"#), "a");
        assert_eq!(refused(r#"{"lines":[{"x":1},{"q":{"x":[{"a":1,"b":{"c":0},"a":null}]}}]}"#), "lines[1].q.x[0].a");
        assert_eq!(refused(r#"[[],[{"a":1,"a":1}]]"#), "[1][0].a");
    }

    #[test]
    fn invalid_json_is_rejected_with_its_path() {
        for text in ["", "{", r#"{"a":1}x"#, r#"{"a":1,}"#, "[1 2]", "\"\u{1}\""] {
            let error = parse(text.as_bytes()).expect_err(text);
            assert!(error.path.is_empty() && error.problem.starts_with("not JSON: "), "{text}: {error:?}");
            assert!(error.problem.contains(" at line 1 column "), "{text}: {error:?}");
        }
    }

    #[test]
    fn a_field_in_both_spellings_is_refused() {
        let read = |value| read(crate::descriptor::<CreateProductRequest>(), &value).map_err(|error| error.path);
        let price = json!({"amount": "1.00", "currencyCode": "USD"});
        let twice = json!({"amount": "1.00", "currencyCode": "USD", "currency_code": "EUR"});
        assert!(read(json!({"product": {"prices": [price]}})).is_ok());
        let place = "product.prices[1].currency_code";
        assert_eq!(read(json!({"product": {"prices": [price, twice]}})).expect_err("twice"), place);
        let images = json!({"product": {"imageUrls": [], "image_urls": []}});
        assert_eq!(read(images).expect_err("twice"), "product.image_urls");
    }
}
