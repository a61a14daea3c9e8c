//! OpenAPI 3.1.

use std::collections::BTreeMap;

use prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::schema::Schemas;
use super::{files, summary};
use crate::contract::model::{Auth, Body, Operation, Service};

/// The document of some services.
pub(super) fn document(title: &str, services: &[&Service], pool: &DescriptorPool, mut schemas: Schemas<'_>) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut tags = Vec::new();
    for service in services {
        let comment = service.protobuf.first().map(|protobuf| protobuf.comment.clone()).unwrap_or_default();
        tags.push(json!({ "name": service.name, "description": comment }));
        let methods: BTreeMap<String, _> = files(pool, service)
            .iter()
            .flat_map(|file| file.services().collect::<Vec<_>>())
            .flat_map(|descriptor| descriptor.methods().collect::<Vec<_>>())
            .map(|method| (method.name().to_owned(), method))
            .collect();
        for operation in service.operations() {
            let Some(method) = methods.get(&operation.name) else { continue };
            let told = told(service, operation, &method.input(), &method.output(), &mut schemas);
            let path = paths.entry(json_path(&operation.path, &method.input())).or_insert_with(|| json!({}));
            path[operation.verb] = told;
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": "1",
            "description": "Rendered by `cargo martgen generate` from the contracts in proto/; changes are made there.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The gateway, or the service itself." }],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token of the user service." },
            },
            "schemas": with_problem(schemas.made()),
        },
    })
}

fn with_problem(mut schemas: Map<String, Value>) -> Map<String, Value> {
    let violation = json!({
        "type": "object",
        "description": "A rule that the request breaks.",
        "properties": {
            "field": { "type": "string", "description": "The member, such as `prices[1].amount`." },
            "rule": { "type": "string", "description": "The rule's name." },
            "message": { "type": "string", "description": "What has to be true." },
        },
    });
    schemas.insert("Violation".to_owned(), violation);
    let problem = json!({
        "type": "object",
        "description": "Why a request failed, as RFC 9457 has it.",
        "required": ["type", "title", "status", "code", "detail", "traceId"],
        "properties": {
            "type": { "type": "string", "description": "Always `about:blank`." },
            "title": { "type": "string", "description": "The status in words." },
            "status": { "type": "integer", "description": "The status." },
            "code": { "type": "string", "description": "What programs decide by." },
            "detail": { "type": "string", "description": "A sentence for people." },
            "traceId": { "type": "string", "description": "Leads to the logs of this request." },
            "details": { "type": "object", "description": "What more there is to say, where the reason has it." },
            "violations": { "type": "array", "items": { "$ref": "#/components/schemas/Violation" }, "description": "All rules that were broken." },
        },
    });
    schemas.insert("Problem".to_owned(), problem);
    schemas
}

/// Variables of a path stand under their names in JSON, as those of a query do.
fn json_path(path: &str, request: &MessageDescriptor) -> String {
    let segment = |segment: &str| match variable(segment).and_then(|name| request.get_field_by_name(name)) {
        Some(field) => format!("{{{}}}", field.json_name()),
        None => segment.to_owned(),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

fn variable(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn told(
    service: &Service,
    operation: &Operation,
    input: &MessageDescriptor,
    output: &MessageDescriptor,
    schemas: &mut Schemas<'_>,
) -> Value {
    let (summary, mut description) = summary(&operation.comment);
    let variables: Vec<&str> = operation.path.split('/').filter_map(variable).collect();
    let in_path = |field: &FieldDescriptor| variables.contains(&field.name());
    let in_body = |field: &FieldDescriptor| match &operation.body {
        Body::None => false,
        Body::Whole => true,
        Body::Field { name, .. } => field.name() == name,
    };
    let mut parameters = Vec::new();
    for field in input.fields().filter(|field| in_path(field) || !in_body(field)) {
        parameters.extend(parameter(&field, in_path(&field), schemas));
    }
    if operation.creates.is_some() {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Repeats of a request with the same key create nothing more.",
            "schema": { "type": "string", "maxLength": 255 },
        }));
    }
    if operation.etag.is_some() && operation.verb != "get" && operation.creates.is_none() {
        parameters.push(json!({
            "name": "If-Match", "in": "header", "required": false,
            "description": "The ETag that was read: the change is made of that version or not at all.",
            "schema": { "type": "string" },
        }));
    }
    let roles = match &operation.auth {
        Auth::Roles(roles) => roles.as_slice(),
        Auth::Public | Auth::Webhook => &[],
    };
    if !roles.is_empty() {
        description.push_str(&format!("\n\nNeeds the role {}.", roles.join(" or ")));
    }
    let mut told = json!({
        "operationId": operation.name,
        "tags": [service.name],
        "summary": summary,
        "description": description,
        "parameters": parameters,
        "responses": responses(operation, output, schemas),
        "security": if roles.is_empty() { json!([]) } else { json!([{ "token": [] }]) },
    });
    if !roles.is_empty() {
        told["x-roles"] = json!(roles);
    }
    if let Some((schema, example)) = body(operation, input, &variables, schemas) {
        let content = json!({ "application/json": { "schema": schema, "example": example } });
        told["requestBody"] = json!({ "required": operation.body != Body::Whole, "content": content });
    }
    told
}

/// A parameter; one that is a message has a parameter for each of its fields.
fn parameter(field: &FieldDescriptor, in_path: bool, schemas: &mut Schemas<'_>) -> Vec<Value> {
    let mut schema = schemas.field(field);
    let description = schema["description"].as_str().unwrap_or_default().to_owned();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("description");
    }
    let place = if in_path { "path" } else { "query" };
    vec![json!({
        "name": field.json_name(), "in": place, "required": in_path, "description": description, "schema": schema,
    })]
}

fn body(
    operation: &Operation,
    input: &MessageDescriptor,
    variables: &[&str],
    schemas: &mut Schemas<'_>,
) -> Option<(Value, Value)> {
    match &operation.body {
        Body::None => None,
        Body::Field { name, .. } => {
            let message = input.get_field_by_name(name)?.kind().as_message()?.clone();
            Some((schemas.message(&message), Schemas::example(&message, false)))
        }
        Body::Whole => {
            let mut properties = Map::new();
            let mut example = Schemas::example(input, false);
            for field in input.fields() {
                if variables.contains(&field.name()) {
                    if let Some(example) = example.as_object_mut() {
                        example.remove(field.json_name());
                    }
                } else {
                    properties.insert(field.json_name().to_owned(), schemas.field(&field));
                }
            }
            Some((json!({ "type": "object", "properties": properties }), example))
        }
    }
}

fn responses(operation: &Operation, output: &MessageDescriptor, schemas: &mut Schemas<'_>) -> Value {
    let content =
        json!({ "application/json": { "schema": schemas.message(output), "example": Schemas::example(output, true) } });
    let mut headers = Map::new();
    if operation.etag.is_some() {
        headers.insert(
            "ETag".to_owned(),
            json!({ "description": "The version, for If-Match.", "schema": { "type": "string" } }),
        );
    }
    if operation.creates.is_some() {
        headers.insert(
            "Location".to_owned(),
            json!({ "description": "Where it is read.", "schema": { "type": "string" } }),
        );
    }
    let status = if operation.creates.is_some() { "201" } else { "200" };
    let mut all: BTreeMap<String, Vec<(String, String, Option<MessageDescriptor>)>> = BTreeMap::new();
    let mut tell = |status: i32, code: &str, says: &str, details: Option<MessageDescriptor>| {
        all.entry(status.to_string()).or_default().push((code.to_owned(), says.to_owned(), details));
    };
    let mut add = |status: i32, code: &str, says: &str| tell(status, code, says, None);
    add(400, "INVALID_REQUEST", "The request breaks rules of the contract; see violations.");
    if matches!(operation.auth, Auth::Roles(_)) {
        add(401, "UNAUTHENTICATED", "There is no valid token.");
        add(403, "FORBIDDEN", "The token's role may not call this operation.");
    }
    if operation.etag.is_some() && operation.verb != "get" && operation.creates.is_none() {
        add(412, "ETAG_MISMATCH", "The resource has changed since it was read.");
    }
    if operation.creates.is_some() {
        add(422, "IDEMPOTENCY_KEY_REUSED", "The Idempotency-Key was used with another request.");
    }
    add(503, "UNAVAILABLE", "The service can't reach its store now. Try again.");
    for reason in &operation.errors {
        let details = reason.details.as_ref();
        let details = details.and_then(|details| output.parent_pool().get_message_by_name(&details.full_name));
        let says = reason.comment.split_whitespace().collect::<Vec<_>>().join(" ");
        tell(reason.status, &reason.code, &says, details);
    }
    let mut responses = Map::new();
    responses
        .insert(status.to_owned(), json!({ "description": "It is done.", "headers": headers, "content": content }));
    for (status, reasons) in all {
        let says: Vec<String> = reasons.iter().map(|(code, says, _)| format!("`{code}`: {says}")).collect();
        let number: u16 = status.parse().unwrap_or(500);
        let examples: Map<String, Value> = reasons
            .iter()
            .map(|(code, says, details)| {
                let mut problem = json!({
                    "type": "about:blank", "title": code, "status": number, "code": code, "detail": says,
                    "traceId": "0c9eac31210649dcbab0f35bb03129b7",
                });
                if let Some(details) = details {
                    problem["details"] = Schemas::example(details, true);
                }
                (code.clone(), json!({ "value": problem }))
            })
            .collect();
        let carried = reasons.iter().filter_map(|(_, _, details)| details.as_ref());
        let carried: Vec<Value> = carried.map(|details| schemas.message(details)).collect();
        let mut schema = json!({ "$ref": "#/components/schemas/Problem" });
        if !carried.is_empty() {
            let details = json!({ "type": "object", "properties": { "details": { "anyOf": carried } } });
            schema = json!({ "allOf": [schema, details] });
        }
        let content = json!({ "application/problem+json": { "schema": schema, "examples": examples } });
        responses.insert(status, json!({ "description": says.join("\n"), "content": content }));
    }
    Value::Object(responses)
}
