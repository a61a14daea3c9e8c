//! The AsyncAPI 3.0 documents.

use prost_reflect::DescriptorPool;
use serde_json::{Map, Value, json};

use super::schema::Schemas;
use super::summary;
use crate::contract::model::{Event, Service};

/// Returns the document of some services: the events that they publish and consume.
pub(super) fn document(title: &str, services: &[&Service], pool: &DescriptorPool, mut schemas: Schemas<'_>) -> Value {
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for service in services {
        let published = service.events.iter().map(|event| (event, "send", "publishes", None));
        let consumed =
            service.consumes.iter().map(|one| (&one.event, "receive", "consumes", Some(one.handler.as_str())));
        for (event, action, verb, handler) in published.chain(consumed) {
            let topic = &event.topic;
            let channel = channels
                .entry(topic.clone())
                .or_insert_with(|| json!({ "address": topic, "description": "A Kafka topic.", "messages": {} }));
            let name = message_name(event);
            channel["messages"][&name] = json!({ "$ref": format!("#/components/messages/{name}") });
            messages.entry(name.clone()).or_insert_with(|| message(event, pool, &mut schemas));
            let id = format!("{}.{action}.{name}", service.name);
            let mut operation = json!({
                "action": action,
                "summary": format!("{} {verb} {}.", service.name, event.name),
                "channel": { "$ref": format!("#/channels/{topic}") },
                "messages": [{ "$ref": format!("#/channels/{topic}/messages/{name}") }],
            });
            if let Some(handler) = handler {
                operation["x-handler"] = json!(handler);
            }
            operations.insert(id, operation);
        }
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": title,
            "version": "1",
            "description": "Rendered by `cargo martgen generate` from the contracts in proto/: edit those, not this file.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/protobuf",
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages, "schemas": schemas.into_components() },
    })
}

/// Returns the full name without the mart's package: `product.v1.ProductCreated` for `mart.product.v1.ProductCreated`.
fn message_name(event: &Event) -> String {
    event.full_name.split_once('.').map_or(event.full_name.as_str(), |(_, rest)| rest).to_owned()
}

fn message(event: &Event, pool: &DescriptorPool, schemas: &mut Schemas<'_>) -> Value {
    let (summary, description) = summary(&event.comment);
    let header = |description: &str| json!({ "type": "string", "description": description });
    let mut document = json!({
        "name": event.full_name,
        "title": event.name,
        "summary": summary,
        "description": format!("{description}\n\nEncoded as protobuf; the payload is shown in its JSON form."),
        "contentType": "application/protobuf",
        "headers": {
            "type": "object",
            "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_version"],
            "properties": {
                "ce_specversion": header("The version of CloudEvents, 1.0."),
                "ce_id": header("The event's id. A repeated delivery has the same id."),
                "ce_source": header("The publishing service."),
                "ce_type": header("The message's full name."),
                "ce_time": header("When the event happened, in business time."),
                "ce_version": header("The aggregate's version after the event."),
                "traceparent": header("The W3C trace context of the request or event that caused this event."),
            },
        },
        "bindings": { "kafka": { "key": { "type": "string", "description": format!("The aggregate's id: {}.", event.key) } } },
    });
    if let Some(message) = pool.get_message_by_name(&event.full_name) {
        document["payload"] = schemas.message(&message);
        document["examples"] = json!([{ "name": event.name, "payload": Schemas::example(&message, true) }]);
    }
    document
}
