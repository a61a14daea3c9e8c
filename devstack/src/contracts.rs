//! The contracts by reflection: topics, events in JSON, and operations.

use std::collections::BTreeSet;

use mart_proto::DESCRIPTORS;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage};
use serde_json::Value;

/// The contract of an event.
#[derive(Debug, Clone)]
pub struct EventContract {
    /// The event's message.
    pub message: MessageDescriptor,
    /// The topic, without prefix.
    pub topic: String,
    /// The path of the field that is the record's key.
    pub key: String,
}

fn event(message: MessageDescriptor) -> Option<EventContract> {
    let option = DESCRIPTORS.get_extension_by_name("mart.options.v1.event")?;
    let options = message.options();
    let event = options.has_extension(&option).then(|| options.get_extension(&option).into_owned())?;
    let field = |name: &str| Some(event.as_message()?.get_field_by_name(name)?.as_str()?.to_owned());
    let (topic, key) = (field("topic")?, field("key")?);
    Some(EventContract { message, topic, key })
}

/// Returns every topic of the contracts, without prefix.
pub fn topics() -> BTreeSet<String> {
    DESCRIPTORS.all_messages().filter_map(event).map(|event| event.topic).collect()
}

/// Returns the topics of a service's own events, without prefix.
pub fn topics_of(service: &str) -> BTreeSet<String> {
    let own = |message: &MessageDescriptor| message.package_name().split('.').nth(1) == Some(service);
    DESCRIPTORS.all_messages().filter(own).filter_map(event).map(|event| event.topic).collect()
}

/// Returns the contract of an event by a name such as `payment.PaymentCaptured`.
pub fn event_contract(name: &str) -> Option<EventContract> {
    let (service, name) = name.split_once('.')?;
    event(DESCRIPTORS.get_message_by_name(&format!("mart.{service}.v1.{name}"))?)
}

/// Returns the key of an event: the payload's value at the path that the contract names.
pub fn key(event_type: &str, payload: &[u8]) -> Option<String> {
    let event = event(DESCRIPTORS.get_message_by_name(event_type)?)?;
    let message = DynamicMessage::decode(event.message, payload).ok()?;
    mart_proto::text(&message, &event.key)
}

/// Returns an event's payload in JSON, or `None` if the type is unknown or the payload can't be decoded.
pub fn decode(event_type: &str, payload: &[u8]) -> Option<Value> {
    let message = DynamicMessage::decode(DESCRIPTORS.get_message_by_name(event_type)?, payload).ok()?;
    serde_json::from_slice(&mart_proto::json::write(&message)).ok()
}

/// Returns the payload without the values of fields that the contract marks `debug_redact`, such as the secret of a link.
pub fn redacted(event_type: &str, payload: &Value) -> Value {
    let mut redacted = payload.clone();
    if let Some(message) = DESCRIPTORS.get_message_by_name(event_type) {
        redact(&message, &mut redacted);
    }
    redacted
}

/// Returns whether an event has a field that the contract marks `debug_redact`.
pub fn has_secret(event_type: &str) -> bool {
    fn contains_secret(message: &MessageDescriptor, visited: &mut Vec<String>) -> bool {
        if visited.iter().any(|name| name == message.full_name()) {
            return false;
        }
        visited.push(message.full_name().to_owned());
        message.fields().any(|field| {
            is_secret(&field) || field.kind().as_message().is_some_and(|inner| contains_secret(inner, visited))
        })
    }
    DESCRIPTORS.get_message_by_name(event_type).is_some_and(|message| contains_secret(&message, &mut Vec::new()))
}

fn is_secret(field: &FieldDescriptor) -> bool {
    field.options().get_field_by_name("debug_redact").is_some_and(|value| value.as_bool() == Some(true))
}

fn redact(message: &MessageDescriptor, value: &mut Value) {
    let Some(members) = value.as_object_mut() else { return };
    for field in message.fields() {
        let Some(member) = members.get_mut(field.json_name()) else { continue };
        match (is_secret(&field), field.kind().as_message()) {
            (true, _) => *member = Value::from("(not shown)"),
            (false, Some(inner)) => match member {
                Value::Array(all) => all.iter_mut().for_each(|each| redact(inner, each)),
                one => redact(inner, one),
            },
            (false, None) => {}
        }
    }
}

/// The contract of an operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The service.
    pub service: String,
    /// The rpc's name.
    pub name: String,
    /// The HTTP method, in capitals.
    pub method: String,
    /// The path, with variables in braces.
    pub path: String,
    /// The part of the request that is the body: a field's name, `*` for all fields that are not in the path, or an empty text.
    pub body: String,
    /// The roles that may call the operation; empty if no token is required.
    pub roles: Vec<String>,
    /// Whether a payment provider calls the operation, with a signature instead of a token.
    pub webhook: bool,
}

/// Returns every operation of every contract.
pub fn operations() -> Vec<Operation> {
    let extension = |name: &str| DESCRIPTORS.get_extension_by_name(name);
    let (Some(http), Some(operation)) = (extension("google.api.http"), extension("mart.options.v1.operation")) else {
        return Vec::new();
    };
    let to_operation = |method: prost_reflect::MethodDescriptor| -> Option<Operation> {
        let options = method.options();
        let rule = options.get_extension(&http).into_owned();
        let operation = options.get_extension(&operation).into_owned();
        let (rule, operation) = (rule.as_message()?, operation.as_message()?);
        let pattern = |verb: &&str| rule.get_field_by_name(verb).is_some_and(|path| path.as_str() != Some(""));
        let verb = ["get", "put", "post", "delete", "patch"].into_iter().find(pattern)?;
        let auth = operation.get_field_by_name("auth")?;
        let names = operation.descriptor().get_field_by_name("auth")?.kind().as_enum()?.clone();
        let caller = |value: &prost_reflect::Value| {
            let name = names.get_value(value.as_enum_number()?)?;
            Some(name.name().strip_prefix("AUTH_")?.to_lowercase())
        };
        let callers: Vec<String> = auth.as_list()?.iter().filter_map(caller).collect();
        Some(Operation {
            service: method.parent_service().package_name().split('.').nth(1)?.to_owned(),
            name: method.name().to_owned(),
            method: verb.to_uppercase(),
            path: rule.get_field_by_name(verb)?.as_str()?.to_owned(),
            body: rule.get_field_by_name("body")?.as_str()?.to_owned(),
            webhook: callers.iter().any(|caller| caller == "webhook"),
            roles: callers.into_iter().filter(|caller| caller != "public" && caller != "webhook").collect(),
        })
    };
    DESCRIPTORS.services().flat_map(|service| service.methods().filter_map(to_operation).collect::<Vec<_>>()).collect()
}

/// Returns the service that has an operation with this path, for any HTTP method.
pub fn service_of(path: &str) -> Option<String> {
    let option = DESCRIPTORS.get_extension_by_name("google.api.http")?;
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let matches = |method: &prost_reflect::MethodDescriptor| -> bool {
        let options = method.options();
        let rule = options.get_extension(&option);
        let Some(rule) = rule.as_message() else { return false };
        ["get", "put", "post", "delete", "patch"].iter().any(|verb| {
            rule.get_field_by_name(verb)
                .is_some_and(|template| template.as_str().is_some_and(|template| matches_template(template, path)))
        })
    };
    let service = DESCRIPTORS.services().find(|service| service.methods().any(|method| matches(&method)))?;
    service.package_name().split('.').nth(1).map(str::to_owned)
}

fn matches_template(template: &str, path: &str) -> bool {
    let (mut parts, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (parts.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(given)) if part.starts_with('{') && !given.is_empty() || part == given => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_mapped_to_its_service() {
        for path in ["/v1/products", "/v1/products/abc", "/v1/products/abc/archive", "/v1/products?pageSize=1"] {
            assert_eq!(service_of(path).as_deref(), Some("product"), "{path}");
        }
        for path in ["/", "/v1/products/", "/v1/products/a/b/c"] {
            assert_eq!(service_of(path), None, "{path}");
        }
    }

    #[test]
    fn secrets_of_events_are_redacted() {
        let payload = serde_json::json!({ "link": { "email": "a@example.com", "token": "hush" } });
        let shown = redacted("mart.user.v1.VerificationRequested", &payload);
        assert_eq!(shown, serde_json::json!({ "link": { "email": "a@example.com", "token": "(not shown)" } }));
        let has = |name: &str| has_secret(&format!("mart.user.v1.{name}"));
        assert!(has("VerificationRequested") && has("PasswordResetRequested") && !has("UserRegistered"));
    }

    #[test]
    fn every_event_has_its_topic() {
        assert!(topics().contains("mart.product.v1"));
    }
}
