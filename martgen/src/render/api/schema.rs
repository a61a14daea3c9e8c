//! JSON Schemas of messages in protobuf's JSON form, with the rules of their fields.

use std::collections::{BTreeMap, HashMap};

use prost_reflect::{DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use crate::contract::rules;
use crate::contract::source::{Info, Sources};
use crate::scaffold::sample;

/// The schemas of a document. Each is created when it is referenced first.
pub(super) struct Schemas<'a> {
    infos: &'a HashMap<String, Info>,
    components: BTreeMap<String, Value>,
}

/// Returns the comments of all files, by their names.
pub(super) fn infos(pool: &DescriptorPool, sources: &Sources) -> HashMap<String, Info> {
    pool.files().map(|file| (file.name().to_owned(), Info::of(&file, sources))).collect()
}

impl<'a> Schemas<'a> {
    pub(super) fn new(infos: &'a HashMap<String, Info>) -> Self {
        Self { infos, components: BTreeMap::new() }
    }

    /// Returns the schemas that were referenced, by their names.
    pub(super) fn into_components(self) -> Map<String, Value> {
        self.components.into_iter().collect()
    }

    pub(super) fn comment(&self, file: &str, at: &[i32]) -> String {
        self.infos.get(file).map(|info| info.comment(at)).unwrap_or_default()
    }

    /// Returns a reference to a message's schema.
    pub(super) fn message(&mut self, message: &MessageDescriptor) -> Value {
        if let Some(known) = well_known(message.full_name()) {
            return known;
        }
        let name = component(message.full_name());
        if !self.components.contains_key(&name) {
            // A placeholder ends the recursion if the message contains itself.
            self.components.insert(name.clone(), Value::Null);
            let mut properties = Map::new();
            let mut required = Vec::new();
            for field in message.fields() {
                properties.insert(field.json_name().to_owned(), self.field(&field));
                if behaves(&field, 2) {
                    required.push(field.json_name().to_owned());
                }
            }
            let mut schema =
                json!({ "type": "object", "description": self.comment(message.parent_file().name(), message.path()) });
            schema["properties"] = Value::Object(properties);
            if !required.is_empty() {
                schema["required"] = json!(required);
            }
            self.components.insert(name.clone(), schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    fn enumeration(&mut self, of: &EnumDescriptor) -> Value {
        let name = component(of.full_name());
        if !self.components.contains_key(&name) {
            let file = of.parent_file();
            let mut description = self.comment(file.name(), of.path());
            for value in of.values() {
                description.push_str(&format!("\n- `{}`: {}", value.name(), self.comment(file.name(), value.path())));
            }
            let values: Vec<String> = of.values().map(|value| value.name().to_owned()).collect();
            let schema = json!({ "type": "string", "description": description, "enum": values });
            self.components.insert(name.clone(), schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// Returns the schema of a field, with its rules and its description.
    pub(super) fn field(&mut self, field: &FieldDescriptor) -> Value {
        let rules = rules::of(field);
        let mut schema = if field.is_map() {
            let value = field.kind().as_message().map(MessageDescriptor::map_entry_value_field);
            let value = value.map_or(json!({}), |value| self.single(&value, None));
            json!({ "type": "object", "additionalProperties": value })
        } else if field.is_list() {
            let repeated = rules.as_ref().and_then(|rules| rules::member(rules, "repeated"));
            let items = repeated.as_ref().and_then(|repeated| rules::member(repeated, "items"));
            let mut schema = json!({ "type": "array", "items": self.single(field, items.as_ref()) });
            for (rule, name) in [("min_items", "minItems"), ("max_items", "maxItems"), ("unique", "uniqueItems")] {
                put(&mut schema, name, repeated.as_ref().and_then(|repeated| rules::json(repeated, rule)));
            }
            schema
        } else {
            self.single(field, rules.as_ref())
        };
        let comment = self.comment(field.parent_file().name(), field.path());
        if !comment.is_empty() {
            schema["description"] = json!(comment);
        }
        if behaves(field, 3) {
            schema["readOnly"] = json!(true);
        }
        schema
    }

    fn single(&mut self, field: &FieldDescriptor, rules: Option<&DynamicMessage>) -> Value {
        let rule = |name: &str| rules.and_then(|rules| rules::member(rules, name));
        match field.kind() {
            Kind::Message(message) => self.message(&message),
            Kind::Enum(of) => self.enumeration(&of),
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
            Kind::String => {
                let mut schema = json!({ "type": "string" });
                if let Some(text) = rule("string") {
                    let lengths = [
                        ("min_len", "minLength"),
                        ("max_len", "maxLength"),
                        ("len", "minLength"),
                        ("len", "maxLength"),
                    ];
                    for (rule, name) in
                        lengths.into_iter().chain([("pattern", "pattern"), ("in", "enum"), ("const", "const")])
                    {
                        put(&mut schema, name, rules::json(&text, rule));
                    }
                    for format in ["uuid", "email", "uri", "hostname", "ipv4", "ipv6"] {
                        if rules::json(&text, format) == Some(json!(true)) {
                            schema["format"] = json!(format);
                        }
                    }
                }
                schema
            }
            kind => {
                let (name, kind, format) = match kind {
                    Kind::Int32 => ("int32", "integer", "int32"),
                    Kind::Sint32 => ("sint32", "integer", "int32"),
                    Kind::Sfixed32 => ("sfixed32", "integer", "int32"),
                    Kind::Uint32 => ("uint32", "integer", "uint32"),
                    Kind::Fixed32 => ("fixed32", "integer", "uint32"),
                    Kind::Int64 => ("int64", "string", "int64"),
                    Kind::Sint64 => ("sint64", "string", "int64"),
                    Kind::Sfixed64 => ("sfixed64", "string", "int64"),
                    Kind::Uint64 => ("uint64", "string", "uint64"),
                    Kind::Fixed64 => ("fixed64", "string", "uint64"),
                    Kind::Float => ("float", "number", "float"),
                    _ => ("double", "number", "double"),
                };
                let mut schema = json!({ "type": kind, "format": format });
                // 64-bit numbers are strings in JSON, for which JSON Schema has no bounds.
                if let Some(number) = rule(name).filter(|_| kind != "string") {
                    let bounds = [
                        ("gte", "minimum"),
                        ("lte", "maximum"),
                        ("gt", "exclusiveMinimum"),
                        ("lt", "exclusiveMaximum"),
                    ];
                    for (rule, name) in bounds.into_iter().chain([("in", "enum"), ("const", "const")]) {
                        put(&mut schema, name, rules::json(&number, rule));
                    }
                }
                schema
            }
        }
    }

    /// Returns an example of a message. Output-only fields are part of it only if it is of a response.
    pub(super) fn example(message: &MessageDescriptor, is_response: bool) -> Value {
        Self::example_at(message, is_response, 0)
    }

    fn example_at(message: &MessageDescriptor, is_response: bool, depth: usize) -> Value {
        let mut members = Map::new();
        for field in message.fields() {
            let in_oneof = field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic());
            if depth > 3 || in_oneof || field.is_map() || !is_response && behaves(&field, 3) {
                continue;
            }
            let value = match (field.name(), field.kind()) {
                ("etag", _) => Some(json!("1")),
                (name, Kind::String) if name.ends_with("_id") => Some(json!("0190a000-0000-7000-8000-000000000001")),
                (_, Kind::Message(inner))
                    if well_known(inner.full_name()).is_none() && !inner.full_name().ends_with(".Money") =>
                {
                    Some(Self::example_at(&inner, is_response, depth + 1))
                }
                _ => sample::json(&field).and_then(|samples| serde_json::from_str(&samples[0]).ok()),
            };
            if let Some(value) = value {
                let value = if field.is_list() { json!([value]) } else { value };
                members.insert(field.json_name().to_owned(), value);
            }
        }
        Value::Object(members)
    }
}

fn put(schema: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        schema[name] = value;
    }
}

/// Returns the full name without the mart's package: `product.v1.Product` for `mart.product.v1.Product`.
fn component(full_name: &str) -> String {
    full_name.split_once('.').map_or(full_name, |(_, rest)| rest).to_owned()
}

/// Returns the schema of a well-known type, which has its own JSON form.
fn well_known(full_name: &str) -> Option<Value> {
    Some(match full_name.strip_prefix("google.protobuf.")? {
        "Timestamp" => json!({ "type": "string", "format": "date-time" }),
        "Duration" => json!({ "type": "string", "pattern": r"^-?\d+(\.\d+)?s$" }),
        "FieldMask" => json!({ "type": "string" }),
        "Struct" | "Any" | "Empty" => json!({ "type": "object" }),
        "Value" => json!({}),
        "ListValue" => json!({ "type": "array", "items": {} }),
        "StringValue" | "BytesValue" | "Int64Value" | "UInt64Value" => json!({ "type": ["string", "null"] }),
        "BoolValue" => json!({ "type": ["boolean", "null"] }),
        _ => json!({ "type": ["number", "null"] }),
    })
}

/// Returns whether a field has a behavior: 2 is REQUIRED, 3 is OUTPUT_ONLY.
fn behaves(field: &FieldDescriptor, behavior: i32) -> bool {
    rules::behaves(field, &[behavior])
}
