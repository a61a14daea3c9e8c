//! What the stack has to know of the contracts: topics, and events in JSON.

use std::collections::BTreeSet;

use mart_proto::DESCRIPTORS;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage};
use serde_json::Value;

/// An event as its contract has it.
#[derive(Debug, Clone)]
pub struct Published {
    /// Its message.
    pub message: MessageDescriptor,
    /// Its topic, without prefix.
    pub topic: String,
    /// The path of the field that is the record's key.
    pub key: String,
}

fn event(message: MessageDescriptor) -> Option<Published> {
    let option = DESCRIPTORS.get_extension_by_name("mart.options.v1.event")?;
    let options = message.options();
    let event = options.has_extension(&option).then(|| options.get_extension(&option).into_owned())?;
    let said = |name: &str| Some(event.as_message()?.get_field_by_name(name)?.as_str()?.to_owned());
    let (topic, key) = (said("topic")?, said("key")?);
    Some(Published { message, topic, key })
}

/// Every topic that an event is published to, without prefix.
pub fn topics() -> BTreeSet<String> {
    DESCRIPTORS.all_messages().filter_map(event).map(|event| event.topic).collect()
}

/// The topics of a service's own events, without prefix.
pub fn topics_of(service: &str) -> BTreeSet<String> {
    let own = |message: &MessageDescriptor| message.package_name().split('.').nth(1) == Some(service);
    DESCRIPTORS.all_messages().filter(own).filter_map(event).map(|event| event.topic).collect()
}

/// The event that people call `payment.PaymentCaptured`.
pub fn published(name: &str) -> Option<Published> {
    let (service, name) = name.split_once('.')?;
    event(DESCRIPTORS.get_message_by_name(&format!("mart.{service}.v1.{name}"))?)
}

/// What an event has at the path that its contract names as the key.
pub fn key(kind: &str, payload: &[u8]) -> Option<String> {
    let event = event(DESCRIPTORS.get_message_by_name(kind)?)?;
    let message = DynamicMessage::decode(event.message, payload).ok()?;
    mart_proto::text(&message, &event.key)
}

/// An event's payload in JSON; `None` where the kind is not known or the bytes are not one.
pub fn decode(kind: &str, payload: &[u8]) -> Option<Value> {
    let message = DynamicMessage::decode(DESCRIPTORS.get_message_by_name(kind)?, payload).ok()?;
    serde_json::from_slice(&mart_proto::json::write(&message)).ok()
}

/// The same for people: what the contract marks `debug_redact`, such as the secret of a link, is not shown.
pub fn redacted(kind: &str, payload: &Value) -> Value {
    let mut shown = payload.clone();
    if let Some(message) = DESCRIPTORS.get_message_by_name(kind) {
        redact(&message, &mut shown);
    }
    shown
}

/// Whether an event has a field that is not to be shown.
pub fn has_secret(kind: &str) -> bool {
    fn within(message: &MessageDescriptor, seen: &mut Vec<String>) -> bool {
        if seen.iter().any(|name| name == message.full_name()) {
            return false;
        }
        seen.push(message.full_name().to_owned());
        let mut fields = message.fields();
        fields.any(|field| is_secret(&field) || field.kind().as_message().is_some_and(|inner| within(inner, seen)))
    }
    DESCRIPTORS.get_message_by_name(kind).is_some_and(|message| within(&message, &mut Vec::new()))
}

fn is_secret(field: &FieldDescriptor) -> bool {
    field.options().get_field_by_name("debug_redact").is_some_and(|said| said.as_bool() == Some(true))
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

/// An operation as its contract has it.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The service that has it.
    pub service: String,
    /// Its name.
    pub name: String,
    /// The method of HTTP, in capitals.
    pub method: String,
    /// The path, with variables in braces.
    pub path: String,
    /// Which part of the request is the body: a field's name, `*` for all that is not in the path, or nothing.
    pub body: String,
    /// The roles that may call it; none where no token is looked at.
    pub roles: Vec<String>,
    /// Whether a provider calls it, who signs what it sends.
    pub webhook: bool,
}

/// Every operation of every contract.
pub fn operations() -> Vec<Operation> {
    let extension = |name: &str| DESCRIPTORS.get_extension_by_name(name);
    let (Some(http), Some(said)) = (extension("google.api.http"), extension("mart.options.v1.operation")) else {
        return Vec::new();
    };
    let operation = |method: prost_reflect::MethodDescriptor| -> Option<Operation> {
        let options = method.options();
        let (rule, said) = (options.get_extension(&http).into_owned(), options.get_extension(&said).into_owned());
        let (rule, said) = (rule.as_message()?, said.as_message()?);
        let pattern = |verb: &&str| rule.get_field_by_name(verb).is_some_and(|path| path.as_str() != Some(""));
        let verb = ["get", "put", "post", "delete", "patch"].into_iter().find(pattern)?;
        let auth = said.get_field_by_name("auth")?;
        let names = said.descriptor().get_field_by_name("auth")?.kind().as_enum()?.clone();
        let named = |value: &prost_reflect::Value| {
            let named = names.get_value(value.as_enum_number()?)?;
            Some(named.name().strip_prefix("AUTH_")?.to_lowercase())
        };
        let who: Vec<String> = auth.as_list()?.iter().filter_map(named).collect();
        Some(Operation {
            service: method.parent_service().package_name().split('.').nth(1)?.to_owned(),
            name: method.name().to_owned(),
            method: verb.to_uppercase(),
            path: rule.get_field_by_name(verb)?.as_str()?.to_owned(),
            body: rule.get_field_by_name("body")?.as_str()?.to_owned(),
            webhook: who.iter().any(|who| who == "webhook"),
            roles: who.into_iter().filter(|who| who != "public" && who != "webhook").collect(),
        })
    };
    DESCRIPTORS.services().flat_map(|service| service.methods().filter_map(operation).collect::<Vec<_>>()).collect()
}

/// The service that has an operation at this path, by any method.
pub fn service_of(path: &str) -> Option<String> {
    let option = DESCRIPTORS.get_extension_by_name("google.api.http")?;
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let matches = |method: &prost_reflect::MethodDescriptor| -> bool {
        let options = method.options();
        let rule = options.get_extension(&option);
        let Some(rule) = rule.as_message() else { return false };
        ["get", "put", "post", "delete", "patch"].iter().any(|verb| {
            rule.get_field_by_name(verb)
                .is_some_and(|template| template.as_str().is_some_and(|template| fits(template, path)))
        })
    };
    let service = DESCRIPTORS.services().find(|service| service.methods().any(|method| matches(&method)))?;
    service.package_name().split('.').nth(1).map(str::to_owned)
}

fn fits(template: &str, path: &str) -> bool {
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
    fn a_path_leads_to_the_service_that_has_it() {
        for path in ["/v1/products", "/v1/products/abc", "/v1/products/abc/archive", "/v1/products?pageSize=1"] {
            assert_eq!(service_of(path).as_deref(), Some("product"), "{path}");
        }
        for path in ["/", "/v1/products/", "/v1/products/a/b/c"] {
            assert_eq!(service_of(path), None, "{path}");
        }
    }

    #[test]
    fn a_secret_of_an_event_is_not_shown() {
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
