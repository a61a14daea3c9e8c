//! AsyncAPI 3.0.

use prost_reflect::DescriptorPool;
use serde_json::{Map, Value, json};

use super::schema::Schemas;
use super::summary;
use crate::contract::model::{Event, Service};

/// The document of some services: what they publish and what they react to.
pub(super) fn document(title: &str, services: &[&Service], pool: &DescriptorPool, mut schemas: Schemas<'_>) -> Value {
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for service in services {
        let published = service.events.iter().map(|event| (event, "send", "publishes", None));
        let consumed =
            service.consumes.iter().map(|one| (&one.event, "receive", "reacts to", Some(one.handler.as_str())));
        for (event, action, verb, handler) in published.chain(consumed) {
            let topic = &event.topic;
            let channel = channels
                .entry(topic.clone())
                .or_insert_with(|| json!({ "address": topic, "description": "A topic of Kafka.", "messages": {} }));
            let name = message_name(event);
            channel["messages"][&name] = json!({ "$ref": format!("#/components/messages/{name}") });
            messages.entry(name.clone()).or_insert_with(|| message(event, pool, &mut schemas));
            let operation = format!("{}.{action}.{name}", service.name);
            let mut told = json!({
                "action": action,
                "summary": format!("{} {verb} {}.", service.name, event.name),
                "channel": { "$ref": format!("#/channels/{topic}") },
                "messages": [{ "$ref": format!("#/channels/{topic}/messages/{name}") }],
            });
            if let Some(handler) = handler {
                told["x-handler"] = json!(handler);
            }
            operations.insert(operation, told);
        }
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": title,
            "version": "1",
            "description": "Rendered by `cargo martgen generate` from the contracts in proto/; changes are made there.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/protobuf",
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages, "schemas": schemas.made() },
    })
}

/// `mart.product.v1.ProductCreated` is `product.v1.ProductCreated`.
fn message_name(event: &Event) -> String {
    event.full_name.split_once('.').map_or(event.full_name.as_str(), |(_, rest)| rest).to_owned()
}

fn message(event: &Event, pool: &DescriptorPool, schemas: &mut Schemas<'_>) -> Value {
    let (summary, description) = summary(&event.comment);
    let header = |says: &str| json!({ "type": "string", "description": says });
    let mut told = json!({
        "name": event.full_name,
        "title": event.name,
        "summary": summary,
        "description": format!("{description}\n\nEncoded as protobuf; the payload is shown in its JSON form."),
        "contentType": "application/protobuf",
        "headers": {
            "type": "object",
            "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_version"],
            "properties": {
                "ce_specversion": header("CloudEvents' version, 1.0."),
                "ce_id": header("Names the event; a repeat has the same."),
                "ce_source": header("The service."),
                "ce_type": header("The message's full name."),
                "ce_time": header("When it happened, in business time."),
                "ce_version": header("The aggregate's version after it."),
                "traceparent": header("The trace of what caused it."),
            },
        },
        "bindings": { "kafka": { "key": { "type": "string", "description": format!("The aggregate's id: {}.", event.key) } } },
    });
    if let Some(message) = pool.get_message_by_name(&event.full_name) {
        told["payload"] = schemas.message(&message);
        told["examples"] = json!([{ "name": event.name, "payload": Schemas::example(&message, true) }]);
    }
    told
}
