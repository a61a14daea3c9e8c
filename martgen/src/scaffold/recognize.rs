//! Recognizes the resources of a contract and their standard operations.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToUpperCamelCase;
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};

use super::field::{self, Field};
use super::{Enum, EnumValue, Op, Resource, Scaffold, Served};
use crate::contract::model::{Auth, Body, Reason, Service};
use crate::contract::source::{Info, Sources};
use crate::contract::{names, rules};

/// The fields of a resource that the service sets, beside its id.
const OUTPUT_FIELDS: [&str; 3] = ["create_time", "update_time", "etag"];

/// Returns the parameters of a service's scaffold templates.
pub(crate) fn recognize(service: &Service, pool: &DescriptorPool, sources: &Sources) -> Scaffold {
    let files: Vec<_> = pool.files().filter(|file| file.package_name() == service.package).collect();
    let infos = files.iter().map(|file| (file.name().to_owned(), Info::of(file, sources))).collect();
    let finder = Finder { service, infos };
    let mut resources: Vec<Resource> = Vec::new();
    let methods: BTreeMap<String, MethodDescriptor> = files
        .iter()
        .flat_map(|file| file.services().collect::<Vec<_>>())
        .flat_map(|descriptor| descriptor.methods().collect::<Vec<_>>())
        .map(|method| (method.name().to_owned(), method))
        .collect();
    for message in files.iter().flat_map(|file| file.messages().collect::<Vec<_>>()) {
        resources.extend(finder.resource(&message, &methods));
    }
    let generated: BTreeSet<String> = resources.iter().flat_map(Resource::methods).collect();
    let (mut left, mut restricted): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for operation in service.operations().filter(|operation| !generated.contains(&operation.method)) {
        left.push(format!("the operation {}", operation.name));
        restricted.extend(matches!(operation.auth, Auth::Roles(_)).then(|| operation.name.clone()));
    }
    for op in resources.iter().flat_map(Resource::ops) {
        left.extend(op.left.iter().map(|code| format!("the reason {code} of {}", op.error.trim_end_matches("Error"))));
    }
    let is_generated = |event: &str| resources.iter().any(|resource| resource.events().contains(&event.to_owned()));
    let left_events = service.events.iter().filter(|event| !is_generated(&event.name));
    left.extend(left_events.map(|event| format!("the event {}", event.name)));
    let served = service.protobuf.iter().filter(|protobuf| !protobuf.operations.is_empty()).map(|protobuf| Served {
        name: protobuf.name.clone(),
        methods: protobuf
            .operations
            .iter()
            .map(|operation| operation.method.clone())
            .filter(|method| generated.contains(method))
            .collect(),
    });
    Scaffold {
        name: service.name.clone(),
        camel: service.name.to_upper_camel_case(),
        module: service.module.clone(),
        contracts: service.contracts.clone(),
        comment: service.protobuf.first().map(|protobuf| protobuf.comment.clone()).unwrap_or_default(),
        protobuf: served.collect(),
        consumes: service.consumes.clone(),
        topics: service.topics().into_iter().map(str::to_owned).collect(),
        resources,
        left,
        restricted,
    }
}

impl Resource {
    fn ops(&self) -> impl Iterator<Item = &Op> {
        [&self.create, &self.get, &self.list, &self.update, &self.delete].into_iter().flatten()
    }

    fn methods(&self) -> Vec<String> {
        self.ops().map(|op| op.method.clone()).collect()
    }

    fn events(&self) -> Vec<String> {
        let name = &self.name;
        [(self.created, "Created"), (self.updated, "Updated"), (self.deleted, "Deleted")]
            .into_iter()
            .filter(|(published, _)| *published)
            .map(|(_, suffix)| format!("{name}{suffix}"))
            .collect()
    }
}

struct Finder<'a> {
    service: &'a Service,
    infos: BTreeMap<String, Info>,
}

impl Finder<'_> {
    fn resource(&self, message: &MessageDescriptor, methods: &BTreeMap<String, MethodDescriptor>) -> Option<Resource> {
        let name = message.name();
        let snake = names::snake(name);
        let id = format!("{snake}_id");
        if self.is_reserved(name, &snake) || !has_standard_fields(message, &id) {
            return None;
        }
        let (fields, enums) = self.fields(message, &id)?;
        let publishes = |suffix: &str| {
            let event = format!("{name}{suffix}");
            self.service.events.iter().any(|known| known.name == event)
                && message
                    .parent_pool()
                    .get_message_by_name(&format!("{}.{event}", self.service.package))
                    .is_some_and(|event| only(&event, message).is_some_and(|field| field == snake))
        };
        let list = methods.values().find_map(|method| self.list(method, message));
        let plural = list.as_ref().map_or_else(|| format!("{snake}s"), |op| names::bare(&op.answered).to_owned());
        let resource = Resource {
            create: methods.get(&format!("Create{name}")).and_then(|method| self.create(method, message)),
            get: methods.get(&format!("Get{name}")).and_then(|method| self.get(method, message, &id)),
            list,
            update: methods.get(&format!("Update{name}")).and_then(|method| self.update(method, message, &id)),
            delete: methods.get(&format!("Delete{name}")).and_then(|method| self.delete(method, message, &id)),
            created: publishes("Created"),
            updated: publishes("Updated"),
            deleted: publishes("Deleted"),
            comment: self.comment(message, message.path()),
            words: snake.replace('_', " "),
            name: names::camel(name),
            plural,
            snake,
            id,
            fields,
            enums,
        };
        // An event needs the operation that publishes it.
        let has_cause = |published: bool, op: &Option<Op>| !published || op.is_some();
        let consistent = has_cause(resource.created, &resource.create)
            && has_cause(resource.updated, &resource.update)
            && has_cause(resource.deleted, &resource.delete);
        (consistent && resource.create.is_some() && resource.get.is_some()).then_some(resource)
    }

    /// Returns whether a resource can't have this name. A keyword would need another name in every file. The others are names of
    /// the scaffolds, of the parts of a commit's statement, and of the chassis's tables.
    fn is_reserved(&self, name: &str, snake: &str) -> bool {
        snake.starts_with("r#")
            || name == format!("{}Event", self.service.name.to_upper_camel_case())
            || [
                "Write", "Store", "UseCases", "Option", "Result", "Vec", "String", "Guard", "Current", "New", "Inbox",
                "Outbox", "Receipt",
            ]
            .contains(&name)
    }

    /// Returns the fields of a resource that its clients set, and their enums, or `None` if a field is not supported.
    fn fields(&self, message: &MessageDescriptor, id: &str) -> Option<(Vec<Field>, Vec<Enum>)> {
        let (mut fields, mut enums) = (Vec::new(), Vec::<Enum>::new());
        for descriptor in message.fields().filter(|field| field.name() != id && !OUTPUT_FIELDS.contains(&field.name()))
        {
            if rules::behaves(&descriptor, &[3, 5]) {
                return None;
            }
            fields.push(field::field(&descriptor, self.comment(message, descriptor.path()), &self.service.package)?);
            if let Kind::Enum(of) = descriptor.kind() {
                let camel = names::camel(of.name());
                if !enums.iter().any(|known| known.name == camel) {
                    enums.push(self.enumeration(&of, camel));
                }
            }
        }
        (!fields.is_empty()).then_some((fields, enums))
    }

    fn enumeration(&self, of: &prost_reflect::EnumDescriptor, camel: String) -> Enum {
        let file = of.parent_file();
        let comment = |at: &[i32]| self.infos.get(file.name()).map(|info| info.comment(at)).unwrap_or_default();
        let values = of.values().filter(|value| value.number() != 0).map(|value| EnumValue {
            variant: names::variant(of.name(), value.name()),
            stored: field::stored(of, value.name()),
            comment: comment(value.path()),
        });
        let function = names::snake(of.name());
        Enum {
            comment: comment(of.path()),
            values: values.collect(),
            function: names::bare(&function).to_owned(),
            name: camel,
        }
    }

    fn comment(&self, message: &MessageDescriptor, at: &[i32]) -> String {
        self.infos.get(message.parent_file().name()).map(|info| info.comment(at)).unwrap_or_default()
    }

    /// Returns an operation. Its reason is the first one for which `is_used` is true; the others are left to be implemented.
    fn op(&self, method: &MethodDescriptor, is_used: fn(&Reason) -> bool) -> Option<Op> {
        let operation = self.service.operations().find(|operation| operation.name == names::camel(method.name()))?;
        let role = match &operation.auth {
            Auth::Public => None,
            Auth::Roles(roles) => Some(roles.first()?.clone()),
            Auth::Webhook => return None,
        };
        let used = operation.errors.iter().position(|reason| is_used(reason) && reason.details.is_none());
        let left = operation.errors.iter().enumerate().filter(|(nth, _)| Some(*nth) != used);
        Some(Op {
            method: operation.method.clone(),
            request: operation.request.clone(),
            response: operation.response.clone(),
            error: operation.error.clone(),
            verb: operation.verb.to_owned(),
            path: operation.path.clone(),
            body: operation.body.clone(),
            role,
            reason: used.map(|nth| operation.errors[nth].variant.clone()),
            reason_code: used.map(|nth| operation.errors[nth].code.clone()).unwrap_or_default(),
            left: left.map(|(_, reason)| reason.code.clone()).collect(),
            sent: String::new(),
            answered: String::new(),
        })
    }

    fn create(&self, method: &MethodDescriptor, resource: &MessageDescriptor) -> Option<Op> {
        let op = self.op(method, |reason| reason.status == 410)?;
        let (sent, answered) = (only(&method.input(), resource)?, only(&method.output(), resource)?);
        let is_standard = matches!(&op.body, Body::Field { name, .. } if *name == sent) || op.body == Body::Whole;
        (is_standard && !op.path.contains('{')).then_some(Op { sent, answered, ..op })
    }

    fn get(&self, method: &MethodDescriptor, resource: &MessageDescriptor, id: &str) -> Option<Op> {
        let op = self.op(method, is_not_found)?;
        let is_standard = fields(&method.input()) == [id] && op.path.matches('{').count() == 1 && op.reason.is_some();
        let answered = only(&method.output(), resource)?;
        is_standard.then_some(Op { answered, ..op })
    }

    fn list(&self, method: &MethodDescriptor, resource: &MessageDescriptor) -> Option<Op> {
        if !method.name().starts_with("List") {
            return None;
        }
        let op = self.op(method, |reason| reason.code == "INVALID_PAGE_TOKEN")?;
        let output = method.output();
        let items = output.fields().find(|field| field.is_list() && full_name(field) == resource.full_name())?;
        let returns_page = fields(&output).len() == 2 && output.get_field_by_name("next_page_token").is_some();
        let mut inputs = fields(&method.input());
        inputs.sort();
        let requests_page =
            inputs == ["page_size", "page_token"] && op.verb == "get" && !op.path.contains('{') && op.reason.is_some();
        (requests_page && returns_page).then(|| Op { answered: names::snake(items.name()), ..op })
    }

    fn update(&self, method: &MethodDescriptor, resource: &MessageDescriptor, id: &str) -> Option<Op> {
        let op = self.op(method, is_not_found)?;
        let input = method.input();
        let sent = input.fields().find(|field| full_name(field) == resource.full_name() && !field.is_list())?;
        let masked =
            matches!(&op.body, Body::Field { name, mask: Some(mask) } if name == sent.name() && mask == "update_mask");
        let has_fields =
            fields(&input).len() == 3 && input.get_field_by_name(id).is_some() && masked && op.reason.is_some();
        let answered = only(&method.output(), resource)?;
        let is_standard = has_fields && op.path.matches('{').count() == 1;
        is_standard.then(|| Op { sent: names::snake(sent.name()), answered, ..op })
    }

    fn delete(&self, method: &MethodDescriptor, resource: &MessageDescriptor, id: &str) -> Option<Op> {
        let op = self.op(method, is_not_found)?;
        let output = method.output();
        let answered = if output.fields().len() == 0 { String::new() } else { only(&output, resource)? };
        let is_standard = fields(&method.input()) == [id] && op.path.matches('{').count() == 1 && op.reason.is_some();
        is_standard.then_some(Op { answered, ..op })
    }
}

/// Returns whether a resource has the fields that the service sets: its id, etag, create_time and update_time.
fn has_standard_fields(message: &MessageDescriptor, id: &str) -> bool {
    let text = |field: &str| {
        message.get_field_by_name(field).is_some_and(|field| matches!(field.kind(), Kind::String) && !field.is_list())
    };
    let time = |field: &str| {
        message.get_field_by_name(field).is_some_and(|field| full_name(&field) == "google.protobuf.Timestamp")
    };
    text(id) && text("etag") && time("create_time") && time("update_time")
}

fn is_not_found(reason: &Reason) -> bool {
    reason.status == 404
}

fn fields(message: &MessageDescriptor) -> Vec<String> {
    message.fields().map(|field| field.name().to_owned()).collect()
}

/// Returns the name of the message's only field if it is the resource.
fn only(message: &MessageDescriptor, resource: &MessageDescriptor) -> Option<String> {
    let mut fields = message.fields();
    let field = fields.next()?;
    let fits =
        fields.next().is_none() && full_name(&field) == resource.full_name() && !field.is_list() && !field.is_map();
    (fits && field.containing_oneof().is_none()).then(|| names::snake(field.name()))
}

fn full_name(field: &FieldDescriptor) -> String {
    field.kind().as_message().map(|message| message.full_name().to_owned()).unwrap_or_default()
}
