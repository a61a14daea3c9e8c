//! Decodes path, query and body into one message.
//!
//! All three are merged into one JSON value first, so that one decoder with one set of errors creates the message.

use std::borrow::Cow;

use hyper::{HeaderMap, header};
use mart_proto::{DESCRIPTORS, Violation, Wire, json};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

use super::{Body, Operation, Problem};

/// `google.api.FieldBehavior.OUTPUT_ONLY`.
const OUTPUT_ONLY: i32 = 3;

/// The parts of a request that its message is decoded from.
pub(super) struct Parts<'a> {
    pub(super) path: Vec<(String, String)>,
    pub(super) query: Option<&'a str>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// Decodes a request and validates it against the contract's rules.
pub(super) fn request<Q: Wire>(operation: &Operation, parts: &Parts<'_>) -> Result<Q, Problem> {
    let descriptor = mart_proto::descriptor::<Q>();
    let mut value = match operation.body {
        Body::Whole => body(parts)?,
        Body::None | Body::Field { .. } => Map::new(),
    };
    for (name, text) in &parts.path {
        let field = field(&descriptor, name).ok_or_else(Problem::internal)?;
        // A field of the path is an unknown member of the body.
        if value.contains_key(field.name()) || value.contains_key(field.json_name()) {
            return Err(unknown(field.json_name(), &descriptor));
        }
        value.insert(field.json_name().to_owned(), scalar(&field, text));
    }
    if !matches!(operation.body, Body::Whole) {
        query(&descriptor, operation, parts, &mut value)?;
    }
    let mut mask = None;
    if let Body::Field { name, mask: mask_name } = operation.body {
        let field = field(&descriptor, name).ok_or_else(Problem::internal)?;
        let members = body(parts)?;
        if let Some(mask_name) = mask_name {
            mask = Some(masked(&descriptor, &field, mask_name, &members, &mut value)?);
        }
        value.insert(field.json_name().to_owned(), Value::Object(members));
    }
    let prefix = match operation.body {
        Body::Field { name, .. } => field(&descriptor, name).map(|field| format!("{}.", field.json_name())),
        Body::None | Body::Whole => None,
    };
    let message = json::read(descriptor, &Value::Object(value))
        .map_err(|error| Problem::malformed(&relative(&error.path, prefix.as_deref()), error.problem))?;
    check(&message, prefix.as_deref(), mask.as_deref())
}

/// Validates a message. If the body changes some members of a resource, only those are validated.
fn check<Q: Wire>(message: &DynamicMessage, prefix: Option<&str>, mask: Option<&[String]>) -> Result<Q, Problem> {
    let mut violations = match mart_proto::check::<Q>(message) {
        Ok(typed) => return Ok(typed),
        Err(violations) => violations,
    };
    if let (Some(prefix), Some(mask)) = (prefix, mask) {
        violations.retain(|violation| {
            violation.field.strip_prefix(prefix).is_none_or(|path| {
                let member = path.split(['.', '[']).next().unwrap_or(path);
                mask.iter().any(|name| name == member)
            })
        });
    }
    if violations.is_empty() {
        return message.transcode_to().map_err(|_| Problem::internal());
    }
    for violation in &mut violations {
        violation.field = relative(&violation.field, prefix);
    }
    Err(Problem::invalid(violations))
}

/// Returns a path relative to the client's body, which may be only a part of the message.
fn relative(path: &str, prefix: Option<&str>) -> String {
    let Some(prefix) = prefix else { return path.to_owned() };
    // The prefix ends with a dot, the path of the whole body does not.
    if prefix.strip_suffix('.') == Some(path) {
        String::new()
    } else {
        path.strip_prefix(prefix).unwrap_or(path).to_owned()
    }
}

fn body(parts: &Parts<'_>) -> Result<Map<String, Value>, Problem> {
    if parts.body.is_empty() {
        return Ok(Map::new());
    }
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Problem::unsupported_media_type());
    }
    match json::parse(parts.body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Problem::malformed("", "the body must be a JSON object")),
        Err(error) => Err(Problem::malformed(&error.path, error.problem)),
    }
}

/// Adds the query parameters to the value. Both forms of a name are accepted.
fn query(
    descriptor: &MessageDescriptor,
    operation: &Operation,
    parts: &Parts<'_>,
    value: &mut Map<String, Value>,
) -> Result<(), Problem> {
    for pair in parts.query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, text) = (plain(name)?, plain(text)?);
        let bound = |field: &FieldDescriptor| {
            parts.path.iter().any(|(bound, _)| bound == field.name())
                || matches!(operation.body, Body::Field { name, .. } if name == field.name())
        };
        let field = field(descriptor, &name).filter(|field| !bound(field));
        let Some(field) = field.filter(|field| !is_message(field) || is_text(field)) else {
            return Err(unknown(&name, descriptor));
        };
        let member = field.json_name().to_owned();
        if field.is_list() {
            match value.entry(member).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(items) => items.push(scalar(&field, &text)),
                _ => return Err(Problem::internal()),
            }
        } else if value.insert(member, scalar(&field, &text)).is_some() {
            return Err(Problem::malformed(field.json_name(), "the parameter is repeated"));
        }
    }
    Ok(())
}

/// Decodes `application/x-www-form-urlencoded` text.
fn plain(text: &str) -> Result<String, Problem> {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8()
        .map(Cow::into_owned)
        .map_err(|_| Problem::malformed("query", "not valid UTF-8"))
}

/// Returns the JSON value of a text in path or query. Booleans become JSON's; ProtoJSON accepts numbers and enum names as strings.
fn scalar(field: &FieldDescriptor, text: &str) -> Value {
    match (field.kind(), text) {
        (Kind::Bool, "true") => Value::Bool(true),
        (Kind::Bool, "false") => Value::Bool(false),
        _ => Value::String(text.to_owned()),
    }
}

/// Adds the field mask to the value: that of the request, or else the members of the body.
///
/// Returns the JSON names of the members in the mask. Output-only members of the body are omitted, because a client may send back
/// the resource that it has read. An output-only member in the request's mask is a violation.
fn masked(
    descriptor: &MessageDescriptor,
    resource: &FieldDescriptor,
    mask: &str,
    members: &Map<String, Value>,
    value: &mut Map<String, Value>,
) -> Result<Vec<String>, Problem> {
    let kind = resource.kind();
    let (Some(mask), Some(resource)) = (field(descriptor, mask), kind.as_message()) else {
        return Err(Problem::internal());
    };
    let given = match value.get(mask.json_name()) {
        Some(Value::String(paths)) if !paths.is_empty() => Some(paths.clone()),
        _ => None,
    };
    let mut named = Vec::new();
    if let Some(paths) = given {
        for path in paths.split(',') {
            let field = field(resource, path).filter(|field| !output_only(field));
            let field = field.ok_or_else(|| {
                Problem::malformed(mask.json_name(), format!("{path:?} is not a member that can be changed"))
            })?;
            named.push(field);
        }
    } else {
        let changeable = members.keys().filter_map(|name| field(resource, name)).filter(|field| !output_only(field));
        named.extend(changeable);
    }
    let names: Vec<String> = named.iter().map(|field| field.json_name().to_owned()).collect();
    value.insert(mask.json_name().to_owned(), Value::String(names.join(",")));
    Ok(names)
}

/// Returns a field by either form of its name.
fn field(descriptor: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    descriptor.get_field_by_name(name).or_else(|| descriptor.get_field_by_json_name(name))
}

fn is_message(field: &FieldDescriptor) -> bool {
    field.kind().as_message().is_some()
}

/// Returns whether a field is a message whose JSON is a string.
fn is_text(field: &FieldDescriptor) -> bool {
    let kind = field.kind();
    let name = kind.as_message().map(|message| message.full_name().to_owned()).unwrap_or_default();
    ["google.protobuf.FieldMask", "google.protobuf.Timestamp"].contains(&name.as_str())
}

fn output_only(field: &FieldDescriptor) -> bool {
    let Some(option) = DESCRIPTORS.get_extension_by_name("google.api.field_behavior") else { return false };
    let options = field.options();
    let behaviours = options.get_extension(&option);
    behaviours.as_list().is_some_and(|list| list.iter().any(|value| value.as_enum_number() == Some(OUTPUT_ONLY)))
}

fn unknown(name: &str, descriptor: &MessageDescriptor) -> Problem {
    let known: Vec<String> = descriptor.fields().map(|field| field.json_name().to_owned()).collect();
    let message = format!("unknown here; {} has {}", descriptor.name(), known.join(", "));
    Problem::invalid(vec![Violation::new(name, "unknown", message)])
}
