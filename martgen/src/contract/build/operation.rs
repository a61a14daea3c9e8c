//! Builds the model of one operation, and reports what prevents it from being served over HTTP.

use std::collections::BTreeMap;

use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, MethodDescriptor, ReflectMessage, Value};

use super::{Builder, text, texts};
use crate::contract::model::{Auth, Body, Created, Operation, Reason};
use crate::contract::{names, rules};
use crate::finding::Place;

impl Builder<'_> {
    pub(super) fn operation(&mut self, method: &MethodDescriptor, reasons: &BTreeMap<String, Reason>) -> Operation {
        let (file, at) = (method.parent_service().parent_file(), method.path());
        let place = self.place(&file, at);
        let name = method.name();
        let (request, response) = (method.input(), method.output());
        self.check_shape(method, &place);
        let http = self.option(&method.options(), "google.api.http");
        let (verb, path) = http.as_ref().and_then(pattern).unwrap_or_else(|| {
            let help = "add a method and a path: option (google.api.http) = {get: \"/v1/products/{product_id}\"};";
            self.error("no-path", &place, format!("`{name}` has no path"), help);
            ("get", String::new())
        });
        let variables = self.path_of(&path, &request, name, &place);
        let uuid = |variable: &&String| request.get_field_by_name(variable).is_some_and(|field| self.is_uuid(&field));
        let uuids = variables.iter().filter(uuid).cloned().collect();
        let body = self.body(http.as_ref(), verb, &request, &variables, name, &place);
        let options = self.option(&method.options(), &format!("{}.options.v1.operation", self.tree.settings.package));
        let auth = self.auth(options.as_ref(), name, &place);
        if auth == Auth::Webhook && !matches!(body, Body::None) {
            let what = format!("`{name}` is a webhook with a body");
            let help = "remove `body`: a signature covers the bytes as they were sent, which the adapter gets as `context.raw`";
            self.error("body", &place, what, help);
        }
        let errors = self.errors(options.as_ref(), reasons, (verb, &path, &request), name, &place);
        let limit = options.as_ref().and_then(|options| rules::member(options, "rate_limit"));
        let per_minute = limit.and_then(|limit| rules::json(&limit, "per_minute")?.as_u64()?.try_into().ok());
        let creates = options.as_ref().map(|options| text(options, "creates")).filter(|rpc| !rpc.is_empty());
        let creates = creates.and_then(|rpc| self.creates(&rpc, method, &response, &place));
        Operation {
            method: names::snake(name),
            error: format!("{}Error", names::camel(name)),
            comment: self.comment(&file, at),
            request: names::camel(request.name()),
            response: names::camel(response.name()),
            verb,
            path,
            uuids,
            auth,
            per_minute,
            body,
            creates,
            etag: etag(&response),
            errors,
            name: name.to_owned(),
            place,
        }
    }

    /// Checks that an operation has its own messages and is not a stream.
    fn check_shape(&mut self, method: &MethodDescriptor, place: &Place) {
        let (name, package) = (method.name(), method.parent_service().parent_file().package_name().to_owned());
        for (message, ending) in [(method.input(), "Request"), (method.output(), "Response")] {
            let expected = format!("{package}.{name}{ending}");
            if message.full_name() != expected {
                self.error(
                    "rpc-messages",
                    place,
                    format!("`{name}` uses `{}`", message.full_name()),
                    format!("give it its own message, `{name}{ending}`, so that it can change independently"),
                );
            }
        }
        if method.is_client_streaming() || method.is_server_streaming() {
            self.error(
                "streaming",
                place,
                format!("`{name}` is a stream"),
                "an HTTP operation returns one response: publish events, or return a list in pages",
            );
        }
    }

    /// Checks a path and returns the names of its variables.
    fn path_of(&mut self, path: &str, request: &MessageDescriptor, name: &str, place: &Place) -> Vec<String> {
        let mut variables = Vec::new();
        if path.is_empty() {
            return variables;
        }
        if !path.starts_with('/') || path.ends_with('/') || path.contains("//") {
            let help = "a path begins with a slash and has no empty segment";
            self.error("path", place, format!("the path of `{name}` is invalid: `{path}`"), help);
        }
        for segment in path.split('/').skip(1) {
            let inner = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let literal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
            match inner {
                Some(variable) if variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => {
                    if variables.iter().any(|known| known == variable) {
                        let what = format!("the path of `{name}` has `{{{variable}}}` twice");
                        self.error("path", place, what, "give each variable its own field");
                    }
                    match request.get_field_by_name(variable) {
                        Some(field) if scalar(&field) => {}
                        Some(_) => {
                            let what = format!("`{variable}` in the path of `{name}` is not a scalar field");
                            self.error("path", place, what, "name a single field of a scalar type");
                        }
                        None => {
                            let what = format!("the request of `{name}` has no field `{variable}`");
                            let help = format!("add `string {variable}` to {}, or correct the path", request.name());
                            self.error("path-variable", place, what, help);
                        }
                    }
                    variables.push(variable.to_owned());
                }
                None if !segment.is_empty() && segment.chars().all(literal) => {}
                _ => {
                    let what = format!("the path of `{name}` has the invalid segment `{segment}`");
                    let help = "a segment is a literal or {field}; write /v1/orders/{order_id}/cancel instead of \
                                /v1/orders/{order_id}:cancel";
                    self.error("path", place, what, help);
                }
            }
        }
        variables
    }

    fn body(
        &mut self,
        http: Option<&DynamicMessage>,
        verb: &str,
        request: &MessageDescriptor,
        variables: &[String],
        name: &str,
        place: &Place,
    ) -> Body {
        let body = http.map(|http| text(http, "body")).unwrap_or_default();
        match body.as_str() {
            "" => {}
            _ if verb == "get" || verb == "delete" => {
                let what = format!("`{name}` is a {} with a body", verb.to_uppercase());
                self.error("body", place, what, "remove `body`: the fields come from path and query");
            }
            "*" => return Body::Whole,
            field => match request.get_field_by_name(field) {
                Some(found) if found.kind().as_message().is_some() && !found.is_list() && !found.is_map() => {
                    let mask = request.fields().find(|field| is(field, "google.protobuf.FieldMask"));
                    let mask = mask.filter(|_| verb == "patch").map(|field| field.name().to_owned());
                    return Body::Field { name: field.to_owned(), mask };
                }
                _ => {
                    let what =
                        format!("the body of `{name}` is `{field}`, which is not a message field of its request");
                    self.error("body", place, what, "name a field of a message type, or `*` for all fields");
                }
            },
        }
        // Fields that are neither in the path nor in the body are query parameters.
        for field in request.fields().filter(|field| !variables.iter().any(|variable| variable == field.name())) {
            if field.is_map() || field.kind().as_message().is_some() && !textual(&field) {
                let what = format!("`{}` of `{name}` can't be a query parameter", field.name());
                self.error("query", place, what, "give the operation a body, or make the field a scalar");
            }
        }
        Body::None
    }

    fn auth(&mut self, options: Option<&DynamicMessage>, name: &str, place: &Place) -> Auth {
        let numbers = options.and_then(|options| options.get_field_by_name("auth").map(std::borrow::Cow::into_owned));
        let numbers: Vec<i32> = match &numbers {
            Some(Value::List(items)) => items.iter().filter_map(Value::as_enum_number).collect(),
            _ => Vec::new(),
        };
        let names: Vec<String> = options
            .and_then(|options| options.descriptor().get_field_by_name("auth"))
            .and_then(|field| field.kind().as_enum().cloned())
            .map(|auth| {
                numbers
                    .iter()
                    .filter_map(|number| auth.get_value(*number))
                    .map(|value| value.name().to_owned())
                    .collect()
            })
            .unwrap_or_default();
        match names.iter().map(|name| name.strip_prefix("AUTH_").unwrap_or(name)).collect::<Vec<_>>().as_slice() {
            ["PUBLIC"] => Auth::Public,
            ["WEBHOOK"] => Auth::Webhook,
            roles
                if !roles.is_empty()
                    && !roles.iter().any(|role| ["PUBLIC", "WEBHOOK", "UNSPECIFIED"].contains(role)) =>
            {
                Auth::Roles(roles.iter().map(|role| role.to_lowercase()).collect())
            }
            _ => {
                let help = "set auth in option (mart.options.v1.operation) to [AUTH_PUBLIC], [AUTH_WEBHOOK], or one or more roles";
                self.error("no-auth", place, format!("`{name}` does not declare its callers"), help);
                Auth::Roles(Vec::new())
            }
        }
    }

    fn errors(
        &mut self,
        options: Option<&DynamicMessage>,
        reasons: &BTreeMap<String, Reason>,
        (verb, path, request): (&str, &str, &MessageDescriptor),
        name: &str,
        place: &Place,
    ) -> Vec<Reason> {
        let codes = options.map(|options| texts(options, "errors")).unwrap_or_default();
        // A GET without a page token and without a resource in its path always succeeds.
        let is_infallible = verb == "get" && !path.contains('{') && request.get_field_by_name("page_token").is_none();
        if codes.is_empty() && !is_infallible {
            let what = format!("`{name}` declares no errors");
            let help = "list its reasons in `errors`: few operations always succeed";
            self.error("no-errors", place, what, help);
        }
        let mut found = Vec::new();
        for code in codes {
            match reasons.get(&code) {
                Some(reason) if !found.contains(reason) => found.push(reason.clone()),
                Some(_) => self.error("errors", place, format!("`{name}` lists `{code}` twice"), "list it once"),
                None => {
                    let what = format!("`{name}` lists the error `{code}`, which is not a value of `Reason`");
                    self.error(
                        "errors",
                        place,
                        what,
                        format!("add `REASON_{code} = …;` with its status to the enum `Reason`"),
                    );
                }
            }
        }
        found
    }

    fn creates(
        &mut self,
        rpc: &str,
        method: &MethodDescriptor,
        response: &MessageDescriptor,
        place: &Place,
    ) -> Option<Created> {
        let reads = method
            .parent_service()
            .parent_file()
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>())
            .find(|other| other.name() == rpc);
        let http = reads.and_then(|reads| self.option(&reads.options(), "google.api.http"));
        let found = http.as_ref().and_then(pattern).and_then(|(verb, path)| {
            let (location, last) = path.rsplit_once('/')?;
            let variable = last.strip_prefix('{')?.strip_suffix('}')?;
            let id = field_path(response, variable)?;
            (verb == "get" && !location.contains('{')).then(|| Created { location: format!("{location}/"), id })
        });
        if found.is_none() {
            let what = format!("`creates` of `{}` names `{rpc}`, which does not read the new resource", method.name());
            let help = "name an rpc of the same file that is a GET whose path ends with its only variable, a field of the response";
            self.error("creates", place, what, help);
        }
        found
    }
}

/// Returns the method and the path of an HTTP rule.
fn pattern(http: &DynamicMessage) -> Option<(&'static str, String)> {
    ["get", "put", "post", "delete", "patch"].into_iter().find_map(|verb| {
        let path = text(http, verb);
        (!path.is_empty()).then_some((verb, path))
    })
}

/// Returns the path of a field with this name in a response or in the message that it wraps.
fn field_path(response: &MessageDescriptor, name: &str) -> Option<String> {
    if response.get_field_by_name(name).is_some() {
        return Some(name.to_owned());
    }
    response.fields().filter(|field| !field.is_list() && !field.is_map()).find_map(|field| {
        let kind = field.kind();
        let inner = kind.as_message()?.get_field_by_name(name)?;
        scalar(&inner).then(|| format!("{}.{name}", field.name()))
    })
}

fn etag(response: &MessageDescriptor) -> Option<String> {
    field_path(response, "etag")
}

fn scalar(field: &FieldDescriptor) -> bool {
    !field.is_list() && !field.is_map() && field.kind().as_message().is_none()
}

/// Returns whether a message is a string in JSON, so that it can be a query parameter.
fn textual(field: &FieldDescriptor) -> bool {
    is(field, "google.protobuf.FieldMask") || is(field, "google.protobuf.Timestamp")
}

fn is(field: &FieldDescriptor, name: &str) -> bool {
    field.kind().as_message().is_some_and(|message| message.full_name() == name)
}
