//! The validation rules and the behavior of a field, from its options.

use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage, Value};

/// Returns the rules of a field.
pub(crate) fn of(field: &FieldDescriptor) -> Option<DynamicMessage> {
    let extension = field.parent_pool().get_extension_by_name("buf.validate.field")?;
    let options = field.options();
    options.has_extension(&extension).then(|| options.get_extension(&extension).as_message().cloned()).flatten()
}

/// Returns a member of rules that is a message, if it is set.
pub(crate) fn member(rules: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    value(rules, name).and_then(|value| value.as_message().cloned())
}

/// Returns a member of rules, if it is set.
pub(crate) fn value(rules: &DynamicMessage, name: &str) -> Option<Value> {
    let field = rules.descriptor().get_field_by_name(name)?;
    rules.has_field(&field).then(|| rules.get_field(&field).into_owned())
}

/// Returns a member of rules as JSON, if it is set.
pub(crate) fn json(rules: &DynamicMessage, name: &str) -> Option<serde_json::Value> {
    fn plain(value: &Value) -> Option<serde_json::Value> {
        Some(match value {
            Value::Bool(value) => (*value).into(),
            Value::I32(value) => (*value).into(),
            Value::I64(value) => (*value).into(),
            Value::U32(value) => (*value).into(),
            Value::U64(value) => (*value).into(),
            Value::F32(value) => (*value).into(),
            Value::F64(value) => (*value).into(),
            Value::String(value) => value.as_str().into(),
            Value::List(items) => items.iter().filter_map(plain).collect::<Vec<_>>().into(),
            _ => return None,
        })
    }
    value(rules, name).as_ref().and_then(plain)
}

/// Returns whether a field has one of these behaviors: 2 is REQUIRED, 3 is OUTPUT_ONLY, 5 is IMMUTABLE.
pub(crate) fn behaves(field: &FieldDescriptor, behaviors: &[i32]) -> bool {
    let extension = field.parent_pool().get_extension_by_name("google.api.field_behavior");
    let declared = extension.map(|extension| field.options().get_extension(&extension).into_owned());
    let matches = |value: &Value| value.as_enum_number().is_some_and(|number| behaviors.contains(&number));
    matches!(declared, Some(Value::List(values)) if values.iter().any(matches))
}
