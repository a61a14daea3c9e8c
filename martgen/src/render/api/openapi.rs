//! The OpenAPI 3.1 documents.

use std::collections::BTreeMap;

use http::StatusCode;
use prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::schema::Schemas;
use super::{files, summary};
use crate::contract::model::{Auth, Body, Operation, Service};

/// Returns the document of some services.
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
            let item = operation_item(service, operation, &method.input(), &method.output(), &mut schemas);
            let path = paths.entry(json_path(&operation.path, &method.input())).or_insert_with(|| json!({}));
            path[operation.verb] = item;
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": "1",
            "description": "Rendered by `cargo martgen generate` from the contracts in proto/: edit those, not this file.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The gateway, or the service itself." }],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "An access token of the user service.",
                },
            },
            "schemas": with_problem(schemas.into_components()),
        },
    })
}

fn with_problem(mut schemas: Map<String, Value>) -> Map<String, Value> {
    let violation = json!({
        "type": "object",
        "description": "A rule that the request violates.",
        "properties": {
            "field": { "type": "string", "description": "The path of the member, such as `prices[1].amount`." },
            "rule": { "type": "string", "description": "The rule's name." },
            "message": { "type": "string", "description": "The rule's description." },
        },
    });
    schemas.insert("Violation".to_owned(), violation);
    let problem = json!({
        "type": "object",
        "description": "An error, in the form of RFC 9457.",
        "required": ["type", "title", "status", "code", "detail", "traceId"],
        "properties": {
            "type": { "type": "string", "description": "Always `about:blank`." },
            "title": { "type": "string", "description": "The reason phrase of the status." },
            "status": { "type": "integer", "description": "The HTTP status." },
            "code": { "type": "string", "description": "The error code, for programs." },
            "detail": { "type": "string", "description": "The description of the error, for people." },
            "traceId": { "type": "string", "description": "The id of the request's trace, which its log lines have." },
            "details": { "type": "object", "description": "Further data of the error, if its code defines any." },
            "violations": {
                "type": "array", "items": { "$ref": "#/components/schemas/Violation" },
                "description": "All violated rules.",
            },
        },
    });
    schemas.insert("Problem".to_owned(), problem);
    schemas
}

/// Returns a path with its variables under their JSON names, as query parameters have them.
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

fn operation_item(
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
            "description": "A repeated request with the same key creates nothing and returns the resource of the first request.",
            "schema": { "type": "string", "maxLength": 255 },
        }));
    }
    if operation.etag.is_some() && operation.verb != "get" && operation.creates.is_none() {
        parameters.push(json!({
            "name": "If-Match", "in": "header", "required": false,
            "description": "The ETag that was read. The request fails if the resource has another version.",
            "schema": { "type": "string" },
        }));
    }
    let roles = match &operation.auth {
        Auth::Roles(roles) => roles.as_slice(),
        Auth::Public | Auth::Webhook => &[],
    };
    if !roles.is_empty() {
        description.push_str(&format!("\n\nRequires the role {}.", roles.join(" or ")));
    }
    let mut item = json!({
        "operationId": operation.name,
        "tags": [service.name],
        "summary": summary,
        "description": description,
        "parameters": parameters,
        "responses": responses(operation, output, schemas),
        "security": if roles.is_empty() { json!([]) } else { json!([{ "token": [] }]) },
    });
    if !roles.is_empty() {
        item["x-roles"] = json!(roles);
    }
    if let Some((schema, example)) = body(operation, input, &variables, schemas) {
        let content = json!({ "application/json": { "schema": schema, "example": example } });
        item["requestBody"] = json!({ "required": operation.body != Body::Whole, "content": content });
    }
    item
}

/// Returns the parameter of a field.
fn parameter(field: &FieldDescriptor, in_path: bool, schemas: &mut Schemas<'_>) -> Vec<Value> {
    let mut schema = schemas.field(field);
    let description = schema["description"].as_str().unwrap_or_default().to_owned();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("description");
    }
    let location = if in_path { "path" } else { "query" };
    vec![json!({
        "name": field.json_name(), "in": location, "required": in_path, "description": description, "schema": schema,
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
            json!({ "description": "The resource's version, for If-Match.", "schema": { "type": "string" } }),
        );
    }
    if operation.creates.is_some() {
        headers.insert(
            "Location".to_owned(),
            json!({ "description": "The path of the new resource.", "schema": { "type": "string" } }),
        );
    }
    let status = if operation.creates.is_some() { "201" } else { "200" };
    let mut responses = Map::new();
    responses.insert(status.to_owned(), json!({ "description": "Success.", "headers": headers, "content": content }));
    for (status, problems) in problems(operation, output) {
        let response = problem_response(&status, &problems, schemas);
        responses.insert(status, response);
    }
    Value::Object(responses)
}

/// A problem that an operation may return: its code, its description and the message of its details.
type Problem = (String, String, Option<MessageDescriptor>);

/// Returns the problems that an operation may return, by their statuses.
fn problems(operation: &Operation, output: &MessageDescriptor) -> BTreeMap<String, Vec<Problem>> {
    let mut all: BTreeMap<String, Vec<Problem>> = BTreeMap::new();
    let mut add_with = |status: i32, code: &str, detail: &str, details: Option<MessageDescriptor>| {
        all.entry(status.to_string()).or_default().push((code.to_owned(), detail.to_owned(), details));
    };
    let mut add = |status: i32, code: &str, detail: &str| add_with(status, code, detail, None);
    add(400, "INVALID_REQUEST", "The request is invalid; see violations.");
    if matches!(operation.auth, Auth::Roles(_)) {
        add(401, "UNAUTHENTICATED", "Send a valid token as Authorization: Bearer.");
        add(403, "FORBIDDEN", "The token's role may not call this operation.");
    }
    if operation.etag.is_some() && operation.verb != "get" && operation.creates.is_none() {
        add(412, "ETAG_MISMATCH", "The resource was changed since it was read.");
    }
    if operation.creates.is_some() {
        add(422, "IDEMPOTENCY_KEY_REUSED", "The Idempotency-Key was used with another request.");
    }
    add(503, "UNAVAILABLE", "The service's database is unavailable. Try again.");
    for reason in &operation.errors {
        let details = reason.details.as_ref();
        let details = details.and_then(|details| output.parent_pool().get_message_by_name(&details.full_name));
        let detail = reason.comment.split_whitespace().collect::<Vec<_>>().join(" ");
        add_with(reason.status, &reason.code, &detail, details);
    }
    all
}

/// Returns the response of one status, with an example of each problem.
fn problem_response(status: &str, problems: &[Problem], schemas: &mut Schemas<'_>) -> Value {
    let descriptions: Vec<String> = problems.iter().map(|(code, detail, _)| format!("`{code}`: {detail}")).collect();
    let number: u16 = status.parse().unwrap_or(500);
    let title = StatusCode::from_u16(number).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error");
    let examples: Map<String, Value> = problems
        .iter()
        .map(|(code, detail, details)| {
            let mut problem = json!({
                "type": "about:blank", "title": title, "status": number, "code": code, "detail": detail,
                "traceId": "0c9eac31210649dcbab0f35bb03129b7",
            });
            if let Some(details) = details {
                problem["details"] = Schemas::example(details, true);
            }
            (code.clone(), json!({ "value": problem }))
        })
        .collect();
    let carried = problems.iter().filter_map(|(_, _, details)| details.as_ref());
    let carried: Vec<Value> = carried.map(|details| schemas.message(details)).collect();
    let mut schema = json!({ "$ref": "#/components/schemas/Problem" });
    if !carried.is_empty() {
        let details = json!({ "type": "object", "properties": { "details": { "anyOf": carried } } });
        schema = json!({ "allOf": [schema, details] });
    }
    let content = json!({ "application/problem+json": { "schema": schema, "examples": examples } });
    json!({ "description": descriptions.join("\n"), "content": content })
}
